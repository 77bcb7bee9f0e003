import { apiPodEnds, apiPodStarts, apiProcessDies, apiProcessHangs } from './api-pods';
import type { Chain, Configuration } from './chain';
import { certificateChanges, nodeDies, proxyEnds } from './nodes-and-proxies';

const events = [apiPodStarts, apiPodEnds, apiProcessDies, apiProcessHangs, nodeDies, certificateChanges, proxyEnds];

/** What happens in a deployment, and when: a chain for each event, and one for each route where they differ. */
export function story(configurations: readonly Configuration[]): readonly Chain[] {
  return events.flatMap((event) => {
    const distinct = new Map<string, { readonly chain: Chain; readonly names: string[] }>();
    for (const configuration of configurations) {
      const chain = event(configuration);
      const known = distinct.get(JSON.stringify(chain));
      if (known === undefined) distinct.set(JSON.stringify(chain), { chain, names: [configuration.name] });
      else known.names.push(configuration.name);
    }
    const chains = [...distinct.values()];
    return chains.map(({ chain, names }) =>
      chains.length === 1 ? chain : { ...chain, title: `${chain.title}: ${names.join(', ')}` },
    );
  });
}
