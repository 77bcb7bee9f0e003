import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';
import { inKubeSystem, restartCoreDns } from './kube-system';

const outage = 60_000;
const staticPods = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/** Moves the control plane's manifests away, which ends its pods, or back. */
async function moveManifests(stage: Stage, from: string, to: string): Promise<void> {
  const node = `${stage.system.cluster.name}-control-plane`;
  await stage.inNode(node, 'mkdir', '-p', from, to);
  for (const name of staticPods) await stage.inNode(node, 'mv', '-f', `${from}/${name}.yaml`, `${to}/`);
}

export const clusterServices: readonly Scenario[] = [
  {
    name: 'dns-and-metrics-restarted',
    title: 'CoreDNS and metrics-server restarted',
    group: 'operations',
    description: '`kubectl rollout restart` of both.',
    reaches: 'nothing lost',
    act: async (stage) => {
      stage.event('restarted');
      for (const name of ['coredns', 'metrics-server']) {
        await inKubeSystem(stage, 'rollout', 'restart', `deployment/${name}`);
      }
      for (const name of ['coredns', 'metrics-server']) {
        await inKubeSystem(stage, 'rollout', 'status', `deployment/${name}`, '--timeout=3m');
      }
      stage.endOfCause('both are back');
    },
  },
  {
    name: 'control-plane-stopped',
    title: 'control plane stopped for 60 s',
    group: 'operations',
    description: 'API server, etcd, controller manager and scheduler are away for a minute.',
    reaches: 'nothing lost',
    act: async (stage) => {
      const [manifests, aside] = ['/etc/kubernetes/manifests', '/etc/kubernetes/aside'];
      let back = true;
      stage.atEnd(async () => {
        if (!back) await moveManifests(stage, aside, manifests);
      });
      stage.event('stopped');
      back = false;
      await moveManifests(stage, manifests, aside);
      await delay(outage, undefined, { signal: stage.system.signal });
      stage.event('started');
      await moveManifests(stage, aside, manifests);
      back = true;
      await stage.until(
        'the API server',
        async () => {
          try {
            return (await inKubeSystem(stage, 'get', '--raw=/readyz')) === 'ok' ? true : undefined;
          } catch {
            stage.system.signal.throwIfAborted();
            return undefined;
          }
        },
        { pause: 1000 },
      );
      await stage.system.nodesReady();
      stage.endOfCause('the API server answers');
      // CoreDNS asks an API server that was away again after up to 30 s: the next scenario must not wait for that.
      stage.atEnd(() => restartCoreDns(stage));
    },
  },
];
