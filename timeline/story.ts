import { apiPodEnds, apiPodStarts, apiProcessDies, apiProcessHangs } from './api-pods';
import type { Chain, Configuration } from './chain';
import { certificateChanges, nodeDies, proxyEnds } from './nodes-and-proxies';

/** What happens in a deployment, and when: one chain for each event. */
export function story(configuration: Configuration): readonly Chain[] {
  return [apiPodStarts, apiPodEnds, apiProcessDies, apiProcessHangs, nodeDies, certificateChanges, proxyEnds].map(
    (chain) => chain(configuration),
  );
}
