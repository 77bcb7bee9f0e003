import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario, ScenarioContext } from '../scenario';
import { inKubeSystem, restartCoreDns } from './cluster-services';

const outage = 60_000;

/** Writes CoreDNS's configuration, and waits for pods that have it. */
async function writeCorefile(context: ScenarioContext, corefile: string): Promise<void> {
  await inKubeSystem(
    context,
    'patch',
    'configmap',
    'coredns',
    `--patch=${JSON.stringify({ data: { Corefile: corefile } })}`,
  );
  await restartCoreDns(context);
}

export const dns: readonly Scenario[] = [
  {
    name: 'dns-gone',
    title: 'CoreDNS gone for 60 s',
    group: 'faults',
    description: 'CoreDNS is scaled to none, and back. The proxies keep the addresses that they know.',
    reaches: 'nothing lost',
    act: async (context) => {
      context.atEnd(() => inKubeSystem(context, 'scale', 'deployment/coredns', '--replicas=2'));
      context.event('scaled to none');
      await inKubeSystem(context, 'scale', 'deployment/coredns', '--replicas=0');
      await delay(outage, undefined, { signal: context.system.signal });
      context.event('scaled to two');
      await inKubeSystem(context, 'scale', 'deployment/coredns', '--replicas=2');
      await inKubeSystem(context, 'rollout', 'status', 'deployment/coredns', '--timeout=3m');
      context.endOfCause('CoreDNS is back');
    },
  },
  {
    name: 'dns-empty',
    title: 'DNS that answers empty',
    group: 'faults',
    description:
      "CoreDNS answers NXDOMAIN for the API's name while all of its pods are well: nginx drops every address, and asks kube-proxy instead.",
    reaches: 'nothing lost',
    act: async (context) => {
      const corefile = await inKubeSystem(context, 'get', 'configmap', 'coredns', '--output=jsonpath={.data.Corefile}');
      const { namespace, names } = context.workloads;
      const name = `${names.api}.${namespace}.svc.cluster.local`;
      const empty = corefile.replace('.:53 {', `.:53 {\n    template ANY ANY ${name} {\n      rcode NXDOMAIN\n    }`);
      if (empty === corefile) throw new Error('the Corefile has a server block for every name');
      context.atEnd(() => writeCorefile(context, corefile));
      context.event('NXDOMAIN from now on');
      await writeCorefile(context, empty);
      context.event('every CoreDNS pod answers so');
      await delay(20_000, undefined, { signal: context.system.signal });
      context.event('as before from now on');
      await writeCorefile(context, corefile);
      context.endOfCause('every CoreDNS pod answers as before');
    },
  },
];
