import { setTimeout as delay } from 'node:timers/promises';
import { isReady, type Pod } from '../../cluster/pods';
import { nodeOf } from '../../cluster/workloads';
import type { Scenario, ScenarioContext } from '../scenario';
import { waited } from './waited';

export async function anyApiPod(context: ScenarioContext): Promise<Pod> {
  const [pod] = await context.workloads.pods('api');
  if (pod === undefined) throw new Error('there are pods');
  return pod;
}

function restarts(pod: Pod | undefined): number {
  return pod?.status.containerStatuses?.[0]?.restartCount ?? 0;
}

/** Waits until the container of a pod has been started again, and is ready. */
async function containerRestarted(context: ScenarioContext, victim: Pod): Promise<void> {
  await context.workloads.podsUntil('api', 'the restarted container, ready', (pods) => {
    const again = pods.find(({ metadata }) => metadata.name === victim.metadata.name);
    return restarts(again) > restarts(victim) && again !== undefined && isReady(again) ? true : undefined;
  });
  context.endOfCause('its container is back, and ready');
}

/** The same after its process died, until it answers again. */
async function restarted(context: ScenarioContext, victim: Pod, died: number): Promise<void> {
  await containerRestarted(context, victim);
  await context.answersOf([victim.metadata.name]);
  context.measure('api-process-dies.first-request-again', (Date.now() - died) / 1000);
}

export const apiPods: readonly Scenario[] = [
  {
    name: 'api-killed',
    title: 'API process killed (SIGKILL)',
    group: 'faults',
    description: "The first process of one pod's container gets SIGKILL; the kubelet starts the container again.",
    reaches: 'no GET lost',
    act: async (context) => {
      const victim = await anyApiPod(context);
      context.event('SIGKILL');
      const died = Date.now();
      await context.workloads.killProcess(victim);
      await restarted(context, victim, died);
    },
  },
  {
    name: 'api-deleted-by-force',
    title: 'API pod deleted by force',
    group: 'faults',
    description: '`kubectl delete pod --force --grace-period=0`.',
    reaches: 'no GET lost',
    act: async (context) => {
      const victim = await anyApiPod(context);
      context.event('deleted');
      await context.workloads.run('delete', 'pod', victim.metadata.name, '--force', '--grace-period=0');
      await context.workloads.readyPods('api', 4);
      context.endOfCause('another pod is ready in its place');
    },
  },
  {
    name: 'api-out-of-memory',
    title: 'API pod out of memory',
    group: 'faults',
    description:
      "One pod's memory limit is cut to what it uses, and a program in it asks for more: the kernel's OOM killer ends the API.",
    reaches: 'no GET lost',
    needsExampleApi: true,
    act: async (context) => {
      const victim = await anyApiPod(context);
      const node = nodeOf(victim);
      const id = await context.workloads.processId(victim);
      const controllers = await context.inNode(node, 'cat', `/proc/${id}/cgroup`);
      context.event('memory limit cut');
      const cut = Date.now();
      await context.inNode(node, 'sh', '-c', memoryLimitCut, 'sh', controllers);
      // It is killed as well, sooner or later.
      await context.workloads.run('exec', victim.metadata.name, '--', 'tail', '/dev/zero').catch(() => undefined);
      await restarted(context, victim, cut);
      const again = (await context.workloads.pods('api')).find(
        ({ metadata }) => metadata.name === victim.metadata.name,
      );
      const ended = again?.status.containerStatuses?.[0]?.lastState?.terminated;
      // OOMKilled, or Error if the container runtime hears of the end before it hears of its cause.
      context.note('Kubernetes says', ended?.reason ?? 'nothing');
      context.judge('its process was killed (exit code 137)', ended?.exitCode === 137);
    },
  },
  {
    name: 'api-hangs',
    title: 'API process hangs',
    group: 'faults',
    description:
      'SIGSTOP: its kernel goes on accepting connections, and nothing is ever answered. Kubernetes takes it out of DNS by its readiness probe and restarts it by its liveness probe.',
    reaches: 'no GET lost',
    act: async (context) => {
      const victim = await anyApiPod(context);
      const id = await context.workloads.processId(victim);
      const begin = Date.now();
      context.event('SIGSTOP');
      await context.inNode(nodeOf(victim), 'kill', '-STOP', String(id));
      await context.workloads.podsUntil('api', 'the pod, not ready', (pods) => {
        const again = pods.find(({ metadata }) => metadata.name === victim.metadata.name);
        return again === undefined || !isReady(again) ? true : undefined;
      });
      context.event('not ready');
      await containerRestarted(context, victim);
      waited(context, begin);
    },
  },
  {
    name: 'all-api-gone',
    title: 'all API pods gone, and back',
    group: 'faults',
    description: '`kubectl scale --replicas=0`, ten seconds without any pod, `--replicas=4`.',
    reaches: 'own',
    act: async (context) => {
      const { workloads } = context;
      context.event('scaled to none');
      // A pod that is deleted serves until the kubelet tells its process to end; from then on it takes nothing new.
      const served = Date.now() + context.system.deployed.route.timeline.apiPreStop * 1000;
      await workloads.scale('api', 0);
      await workloads.podsUntil('api', 'no pod of api', (pods) => (pods.length === 0 ? true : undefined));
      const gone = Date.now();
      context.event('the last pod is gone');
      await delay(10_000, undefined, { signal: context.system.signal });
      context.event('scaled to four');
      const wanted = Date.now();
      await workloads.scale('api', 4);
      await workloads.readyPods('api', 4);
      const ready = Date.now();
      context.endOfCause('four pods are ready');
      await context.until('an answer', () =>
        context.load.requests.some(({ started, error }) => started > wanted && error === undefined) ? true : undefined,
      );
      const { requests } = context.load;
      const first = requests.find(({ started, error }) => started > wanted && error === undefined)?.started ?? ready;
      context.note('first answer after a pod was wanted', `${((first - wanted) / 1000).toFixed(1)} s`);
      const without = requests.filter(({ started }) => started > gone && started < wanted);
      const early = requests.filter(({ started, error }) => started < served && error !== undefined);
      context.note(
        'answered while there was no pod',
        `${without.length}, the slowest in ${Math.round(Math.max(...without.map(({ milliseconds }) => milliseconds)))} ms`,
      );
      context.judge(
        'without a pod, every answer is 503',
        without.every(({ status }) => status === 503),
      );
      context.judge(
        'and comes at once, not after a timeout',
        without.every(({ milliseconds }) => milliseconds < 1000),
      );
      context.judge('nothing is lost until the pods are told to end', early.length === 0);
    },
  },
];

/** In either hierarchy of control groups: leaves a megabyte above what is used. */
const memoryLimitCut = `
path=$(printf '%s' "$1" | sed -n 's/^0:://p; s/^[0-9]*:memory://p' | tail -n 1)
if [ -e "/sys/fs/cgroup/memory$path/memory.limit_in_bytes" ]; then
  usage=$(cat "/sys/fs/cgroup/memory$path/memory.usage_in_bytes")
  echo $((usage + 1048576)) > "/sys/fs/cgroup/memory$path/memory.limit_in_bytes"
else
  usage=$(cat "/sys/fs/cgroup$path/memory.current")
  echo $((usage + 1048576)) > "/sys/fs/cgroup$path/memory.max"
fi
`;
