import type { Pod } from '../../cluster/pod';
import { isReady } from '../../cluster/pod';
import { nodeOf } from '../../cluster/workloads';
import type { LossBound } from '../judgements';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';

export async function anyProxy(stage: Stage): Promise<Pod> {
  const [pod] = await stage.workloads.pods('proxy');
  if (pod === undefined) throw new Error('there are proxies');
  return pod;
}

/** Has it judged that nothing is lost but within the bound, and says how much was. */
export function lostAround(stage: Stage, bound: LossBound, what: string): void {
  const { from } = bound;
  const lost = stage.load.requests.filter(({ error }) => error !== undefined);
  const lastLoss = Math.max(0, ...lost.map(({ started }) => started - from)) / 1000;
  stage.note(what, `${lost.length} requests, the last one sent ${lastLoss.toFixed(1)} s after the fault`);
  stage.loss = bound;
}

export const proxies: readonly Scenario[] = [
  {
    name: 'nginx-worker-killed',
    title: 'nginx worker killed (SIGKILL)',
    group: 'faults',
    description:
      'One of the two workers of a proxy is killed; the master starts another. What the worker held is lost: its requests and its connections. Its requests stay counted, and their pods get less for that.',
    reaches: 'own',
    notesShares: true,
    act: async (stage) => {
      const proxy = await anyProxy(stage);
      const master = await stage.workloads.processId(proxy);
      const children = await stage.inNode(nodeOf(proxy), 'cat', `/proc/${master}/task/${master}/children`);
      const [worker] = children.trim().split(/\s+/);
      if (worker === undefined) throw new Error('the master has workers');
      // What stays counted goes with the proxy; other scenarios judge shares.
      stage.atEnd(async () => {
        await stage.workloads.restart('proxy');
        await stage.workloads.rolledOut('proxy');
      });
      stage.event('SIGKILL to a worker');
      const begin = Date.now();
      await stage.inNode(nodeOf(proxy), 'kill', '-KILL', worker);
      await stage.until('another worker', async () => {
        const now = await stage.inNode(nodeOf(proxy), 'cat', `/proc/${master}/task/${master}/children`);
        return now.trim().split(/\s+/).length >= children.trim().split(/\s+/).length && !now.includes(worker)
          ? true
          : undefined;
      });
      stage.endOfCause('another worker is there');
      lostAround(stage, { from: begin, seconds: 1 }, 'what the worker held');
    },
  },
  {
    name: 'nginx-pod-killed',
    title: 'nginx pod killed (SIGKILL)',
    group: 'faults',
    description:
      "A proxy's master and workers are killed; the kubelet starts the container again. What the proxy held is lost, and what kube-proxy goes on sending to it until it knows.",
    reaches: 'own',
    act: async (stage) => {
      const proxy = await anyProxy(stage);
      stage.event('SIGKILL');
      const begin = Date.now();
      await stage.workloads.killProcess(proxy);
      await stage.workloads.podsUntil('proxy', 'the proxy, ready again', (pods) => {
        const again = pods.find(({ metadata }) => metadata.name === proxy.metadata.name);
        const restarted = (again?.status.containerStatuses?.[0]?.restartCount ?? 0) > 0;
        return restarted && again !== undefined && isReady(again) ? true : undefined;
      });
      stage.endOfCause('its container is back, and ready');
      lostAround(
        stage,
        { from: begin, seconds: 5 },
        'what the proxy held, and what was sent to it until kube-proxy knew',
      );
    },
  },
];
