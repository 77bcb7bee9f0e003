import { setTimeout as delay } from 'node:timers/promises';
import { isReady, type Pod } from '../../cluster/pod';
import { nodeOf } from '../../cluster/workloads';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';
import { waited } from './waited';

export async function anyApiPod(stage: Stage): Promise<Pod> {
  const [pod] = await stage.workloads.pods('api');
  if (pod === undefined) throw new Error('there are pods');
  return pod;
}

function restarts(pod: Pod | undefined): number {
  return pod?.status.containerStatuses?.[0]?.restartCount ?? 0;
}

/** Waits until the container of a pod has been started again, and is ready. */
async function containerRestarted(stage: Stage, victim: Pod): Promise<void> {
  await stage.workloads.podsUntil('api', 'the restarted container, ready', (pods) => {
    const again = pods.find(({ metadata }) => metadata.name === victim.metadata.name);
    return restarts(again) > restarts(victim) && again !== undefined && isReady(again) ? true : undefined;
  });
  stage.endOfCause('its container is back, and ready');
}

/** The same after its process died, until it answers again. */
async function restarted(stage: Stage, victim: Pod, died: number): Promise<void> {
  await containerRestarted(stage, victim);
  await stage.answersOf([victim.metadata.name]);
  stage.measure('api-process-dies.first-request-again', (Date.now() - died) / 1000);
}

export const apiPods: readonly Scenario[] = [
  {
    name: 'api-killed',
    title: 'API process killed (SIGKILL)',
    group: 'faults',
    description: "The first process of one pod's container gets SIGKILL; the kubelet starts the container again.",
    reaches: 'no GET lost',
    act: async (stage) => {
      const victim = await anyApiPod(stage);
      stage.event('SIGKILL');
      const died = Date.now();
      await stage.workloads.killProcess(victim);
      await restarted(stage, victim, died);
    },
  },
  {
    name: 'api-deleted-by-force',
    title: 'API pod deleted by force',
    group: 'faults',
    description: '`kubectl delete pod --force --grace-period=0`.',
    reaches: 'no GET lost',
    act: async (stage) => {
      const victim = await anyApiPod(stage);
      stage.event('deleted');
      await stage.workloads.run('delete', 'pod', victim.metadata.name, '--force', '--grace-period=0');
      await stage.workloads.readyPods('api', 4);
      stage.endOfCause('another pod is ready in its place');
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
    act: async (stage) => {
      const victim = await anyApiPod(stage);
      const node = nodeOf(victim);
      const id = await stage.workloads.processId(victim);
      const controllers = await stage.inNode(node, 'cat', `/proc/${id}/cgroup`);
      stage.event('memory limit cut');
      const cut = Date.now();
      await stage.inNode(node, 'sh', '-c', memoryLimitCut, 'sh', controllers);
      // It is killed as well, sooner or later.
      await stage.workloads.run('exec', victim.metadata.name, '--', 'tail', '/dev/zero').catch(() => undefined);
      await restarted(stage, victim, cut);
      const again = (await stage.workloads.pods('api')).find(({ metadata }) => metadata.name === victim.metadata.name);
      const ended = again?.status.containerStatuses?.[0]?.lastState?.terminated;
      // OOMKilled, or Error if the container runtime hears of the end before it hears of its cause.
      stage.note('Kubernetes says', ended?.reason ?? 'nothing');
      stage.judge('its process was killed (exit code 137)', ended?.exitCode === 137);
    },
  },
  {
    name: 'api-hangs',
    title: 'API process hangs',
    group: 'faults',
    description:
      'SIGSTOP: its kernel goes on accepting connections, and nothing is ever answered. Kubernetes takes it out of DNS by its readiness probe and restarts it by its liveness probe.',
    reaches: 'no GET lost',
    act: async (stage) => {
      const victim = await anyApiPod(stage);
      const id = await stage.workloads.processId(victim);
      const begin = Date.now();
      stage.event('SIGSTOP');
      await stage.inNode(nodeOf(victim), 'kill', '-STOP', String(id));
      await stage.workloads.podsUntil('api', 'the pod, not ready', (pods) => {
        const again = pods.find(({ metadata }) => metadata.name === victim.metadata.name);
        return again === undefined || !isReady(again) ? true : undefined;
      });
      stage.event('not ready');
      await containerRestarted(stage, victim);
      waited(stage, begin);
    },
  },
  {
    name: 'all-api-gone',
    title: 'all API pods gone, and back',
    group: 'faults',
    description: '`kubectl scale --replicas=0`, ten seconds without any pod, `--replicas=4`.',
    reaches: 'own',
    act: async (stage) => {
      const { workloads } = stage;
      stage.event('scaled to none');
      await workloads.scale('api', 0);
      await workloads.readyPods('api', 0);
      const gone = Date.now();
      stage.event('the last pod is gone');
      await delay(10_000, undefined, { signal: stage.system.signal });
      stage.event('scaled to four');
      const wanted = Date.now();
      await workloads.scale('api', 4);
      await workloads.readyPods('api', 4);
      const ready = Date.now();
      stage.endOfCause('four pods are ready');
      await stage.until('an answer', () =>
        stage.load.requests.some(({ started, error }) => started > wanted && error === undefined) ? true : undefined,
      );
      const { requests } = stage.load;
      const first = requests.find(({ started, error }) => started > wanted && error === undefined)?.started ?? ready;
      stage.note('first answer after a pod was wanted', `${((first - wanted) / 1000).toFixed(1)} s`);
      const without = requests.filter(({ started }) => started > gone && started < wanted);
      const early = requests.filter(({ started, error }) => started < gone - 10_000 && error !== undefined);
      stage.note(
        'answered while there was no pod',
        `${without.length}, the slowest in ${Math.round(Math.max(...without.map(({ milliseconds }) => milliseconds)))} ms`,
      );
      stage.judge(
        'without a pod, every answer is 503',
        without.every(({ status }) => status === 503),
      );
      stage.judge(
        'and comes at once, not after a timeout',
        without.every(({ milliseconds }) => milliseconds < 1000),
      );
      stage.judge('nothing is lost while there are pods', early.length === 0);
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
