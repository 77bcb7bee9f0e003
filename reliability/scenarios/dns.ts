import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';
import { inKubeSystem, restartCoreDns } from './kube-system';

const outage = 60_000;

/** Writes CoreDNS's configuration, and waits for pods that have it. */
async function writeCorefile(stage: Stage, corefile: string): Promise<void> {
  await inKubeSystem(
    stage,
    'patch',
    'configmap',
    'coredns',
    `--patch=${JSON.stringify({ data: { Corefile: corefile } })}`,
  );
  await restartCoreDns(stage);
}

export const dns: readonly Scenario[] = [
  {
    name: 'dns-gone',
    title: 'CoreDNS gone for 60 s',
    group: 'faults',
    description: 'CoreDNS is scaled to none, and back. The proxies keep the addresses that they know.',
    reaches: 'nothing lost',
    act: async (stage) => {
      stage.atEnd(() => inKubeSystem(stage, 'scale', 'deployment/coredns', '--replicas=2'));
      stage.event('scaled to none');
      await inKubeSystem(stage, 'scale', 'deployment/coredns', '--replicas=0');
      await delay(outage, undefined, { signal: stage.system.signal });
      stage.event('scaled to two');
      await inKubeSystem(stage, 'scale', 'deployment/coredns', '--replicas=2');
      await inKubeSystem(stage, 'rollout', 'status', 'deployment/coredns', '--timeout=3m');
      stage.endOfCause('CoreDNS is back');
    },
  },
  {
    name: 'dns-empty',
    title: 'DNS that answers empty',
    group: 'faults',
    description:
      "CoreDNS answers NXDOMAIN for the API's name while all of its pods are well: nginx drops every address, and asks kube-proxy instead.",
    reaches: 'nothing lost',
    act: async (stage) => {
      const corefile = await inKubeSystem(stage, 'get', 'configmap', 'coredns', '--output=jsonpath={.data.Corefile}');
      const name = `api.${stage.workloads.namespace}.svc.cluster.local`;
      const empty = corefile.replace('.:53 {', `.:53 {\n    template ANY ANY ${name} {\n      rcode NXDOMAIN\n    }`);
      if (empty === corefile) throw new Error('the Corefile has a server block for every name');
      stage.atEnd(() => writeCorefile(stage, corefile));
      stage.event('NXDOMAIN from now on');
      await writeCorefile(stage, empty);
      stage.event('every CoreDNS pod answers so');
      await delay(20_000, undefined, { signal: stage.system.signal });
      stage.event('as before from now on');
      await writeCorefile(stage, corefile);
      stage.endOfCause('every CoreDNS pod answers as before');
    },
  },
];
