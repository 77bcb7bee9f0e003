import { isReady, type Pod } from '../../cluster/pods';
import { nodeOf } from '../../cluster/workloads';
import type { Scenario, ScenarioContext } from '../scenario';
import type { LossBound } from '../scenario-result';

async function anyProxy(context: ScenarioContext): Promise<Pod> {
  const [pod] = await context.workloads.pods('proxy');
  if (pod === undefined) throw new Error('there are proxies');
  return pod;
}

/** Has it judged that nothing is lost but within the bound, and says how much was. */
export function lostAround(context: ScenarioContext, bound: LossBound, what: string): void {
  const { from } = bound;
  const lost = context.load.requests.filter(({ error }) => error !== undefined);
  const lastLoss = Math.max(0, ...lost.map(({ started }) => started - from)) / 1000;
  context.note(what, `${lost.length} requests, the last one sent ${lastLoss.toFixed(1)} s after the fault`);
  context.loss = bound;
}

/** The number that nginx's master has on its node: of the first process, or of the one that a shell has started, where there are metrics. */
async function masterOf(context: ScenarioContext, proxy: Pod): Promise<string> {
  const first = String(await context.workloads.processId(proxy));
  const program = await context.inNode(nodeOf(proxy), 'cat', `/proc/${first}/comm`);
  if (program.trim() === 'nginx') return first;
  const [master = first] = await childrenOf(context, proxy, first);
  return master;
}

async function childrenOf(context: ScenarioContext, proxy: Pod, process: string): Promise<string[]> {
  const children = await context.inNode(nodeOf(proxy), 'cat', `/proc/${process}/task/${process}/children`);
  return children.split(/\s+/).filter((each) => each !== '');
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
    act: async (context) => {
      const proxy = await anyProxy(context);
      const master = await masterOf(context, proxy);
      const children = await childrenOf(context, proxy, master);
      const [worker = ''] = children;
      // What stays counted goes with the proxy; other scenarios judge shares.
      context.atEnd(async () => {
        await context.workloads.restart('proxy');
        await context.workloads.rolledOut('proxy');
      });
      context.event('SIGKILL to a worker');
      const begin = Date.now();
      await context.inNode(nodeOf(proxy), 'kill', '-KILL', worker);
      await context.until('another worker', async () => {
        const now = await childrenOf(context, proxy, master);
        return now.length >= children.length && !now.includes(worker) ? true : undefined;
      });
      context.endOfCause('another worker is there');
      lostAround(context, { from: begin, seconds: 1 }, 'what the worker held');
    },
  },
  {
    name: 'nginx-pod-killed',
    title: 'nginx pod killed (SIGKILL)',
    group: 'faults',
    description:
      "A proxy's master and workers are killed; the kubelet starts the container again. What the proxy held is lost, and what kube-proxy goes on sending to it until it knows.",
    reaches: 'own',
    act: async (context) => {
      const proxy = await anyProxy(context);
      context.event('SIGKILL');
      const begin = Date.now();
      await context.workloads.killProcess(proxy);
      await context.workloads.podsUntil('proxy', 'the proxy, ready again', (pods) => {
        const again = pods.find(({ metadata }) => metadata.name === proxy.metadata.name);
        const restarted = (again?.status.containerStatuses?.[0]?.restartCount ?? 0) > 0;
        return restarted && again !== undefined && isReady(again) ? true : undefined;
      });
      context.endOfCause('its container is back, and ready');
      lostAround(
        context,
        { from: begin, seconds: 5 },
        'what the proxy held, and what was sent to it until kube-proxy knew',
      );
    },
  },
];
