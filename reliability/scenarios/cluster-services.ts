import { setTimeout as delay } from 'node:timers/promises';
import { isReady, podsUntil } from '../../cluster/pods';
import type { Scenario, ScenarioContext } from '../scenario';

const outage = 60_000;
const staticPods = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/** Moves the control plane's manifests away, which ends its pods, or back. */
async function moveManifests(context: ScenarioContext, from: string, to: string): Promise<void> {
  const node = `${context.system.cluster.name}-control-plane`;
  await context.inNode(node, 'mkdir', '-p', from, to);
  for (const name of staticPods) await context.inNode(node, 'mv', '-f', `${from}/${name}.yaml`, `${to}/`);
}

export const clusterServices: readonly Scenario[] = [
  {
    name: 'dns-and-metrics-restarted',
    title: 'CoreDNS and metrics-server restarted',
    group: 'operations',
    description: '`kubectl rollout restart` of both.',
    reaches: 'nothing lost',
    needsMetricsServer: true,
    act: async (context) => {
      context.event('restarted');
      for (const name of ['coredns', 'metrics-server']) {
        await inKubeSystem(context, 'rollout', 'restart', `deployment/${name}`);
      }
      for (const name of ['coredns', 'metrics-server']) {
        await inKubeSystem(context, 'rollout', 'status', `deployment/${name}`, '--timeout=3m');
      }
      context.endOfCause('both are back');
    },
  },
  {
    name: 'control-plane-stopped',
    title: 'control plane stopped for 60 s',
    group: 'operations',
    description: 'API server, etcd, controller manager and scheduler are away for a minute.',
    reaches: 'nothing lost',
    act: async (context) => {
      const [manifests, aside] = ['/etc/kubernetes/manifests', '/etc/kubernetes/aside'];
      let back = true;
      context.atEnd(async () => {
        if (!back) await moveManifests(context, aside, manifests);
      });
      context.event('stopped');
      back = false;
      await moveManifests(context, manifests, aside);
      await delay(outage, undefined, { signal: context.system.signal });
      context.event('started');
      await moveManifests(context, aside, manifests);
      back = true;
      await context.until(
        'the API server',
        async () => {
          try {
            return (await inKubeSystem(context, 'get', '--raw=/readyz')) === 'ok' ? true : undefined;
          } catch {
            context.system.signal.throwIfAborted();
            return undefined;
          }
        },
        { pause: 1000 },
      );
      await context.system.nodesReady();
      context.endOfCause('the API server answers');
      // CoreDNS asks an API server that was away again after up to 30 s: the next scenario must not wait for that.
      context.atEnd(() => restartCoreDns(context));
    },
  },
];

const namespace = '--namespace=kube-system';

/** kubectl in the namespace of what the cluster itself runs. */
export function inKubeSystem(context: ScenarioContext, ...args: readonly string[]): Promise<string> {
  const [command = '', ...rest] = args;
  return context.workloads.kubectl.run([command, namespace, ...rest], { signal: context.system.signal });
}

/** Its new pods know what the API server knows. An old one goes on answering for the 5 s of its `lameduck`. */
export async function restartCoreDns(context: ScenarioContext): Promise<void> {
  await inKubeSystem(context, 'rollout', 'restart', 'deployment/coredns');
  await inKubeSystem(context, 'rollout', 'status', 'deployment/coredns', '--timeout=3m');
  await podsUntil(
    context.workloads.kubectl,
    ['pods', namespace, '--selector=k8s-app=kube-dns'],
    'the end of the old CoreDNS pods',
    (pods) => (pods.every(isReady) ? true : undefined),
    { signal: context.system.signal },
  );
}

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
