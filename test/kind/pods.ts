import { run } from '../../cluster/external-command';
import { isReady, type Pod } from '../../cluster/pod';
import { eventually } from './eventually';
import { kubectl, suite } from './suite';

export type Component = 'api' | 'proxy';

/** The Deployment and the HorizontalPodAutoscaler of a component. */
const names = { api: 'api', proxy: 'nginx' } as const;

export function deploymentName(component: Component): string {
  return `deployment/${names[component]}`;
}

/** All pods of a component, those that end among them. */
export function pods(component: Component): Promise<TestPod[]> {
  return kubectl.list<TestPod>([
    'pods',
    `--namespace=${suite().namespace}`,
    `--selector=app.kubernetes.io/component=${component}`,
  ]);
}

export interface TestPod extends Pod {
  readonly status: Pod['status'] & { readonly podIP?: string };
}

/** Waits until there are exactly so many pods of a component, all of them ready and none ending. */
export function readyPods(component: Component, count: number): Promise<TestPod[]> {
  return eventually(`${count} ready pods of ${component} and no other`, async () => {
    const all = await pods(component);
    return all.length === count && all.every(isReady) ? all : undefined;
  });
}

/** When a pod became ready, in milliseconds since the epoch; Kubernetes notes it to the second. */
export function readySince(pod: Pod): number {
  const ready = pod.status.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True');
  return Date.parse(ready?.lastTransitionTime ?? '');
}

/** Leaves the autoscaler of a component no choice. */
export async function setReplicas(component: Component, count: number): Promise<void> {
  await kubectl.run([
    'patch',
    `horizontalpodautoscaler/${names[component]}`,
    `--namespace=${suite().namespace}`,
    '--type=merge',
    `--patch=${JSON.stringify({ spec: { minReplicas: count, maxReplicas: count } })}`,
  ]);
}

/** Two proxies and so many pods of the API, ready, and nothing under way from an earlier scenario. */
export async function settled(apiReplicas = 2): Promise<void> {
  await setReplicas('api', apiReplicas);
  await setReplicas('proxy', 2);
  await readyPods('api', apiReplicas);
  await readyPods('proxy', 2);
}

export async function rolledOut(component: Component): Promise<void> {
  await kubectl.run([
    'rollout',
    'status',
    deploymentName(component),
    `--namespace=${suite().namespace}`,
    '--timeout=5m',
  ]);
}

/** SIGKILL to the first process of a pod's container, sent by the node: from inside, a first process ignores it. */
export async function killProcess(pod: Pod): Promise<void> {
  const container = pod.status.containerStatuses?.[0]?.containerID?.replace('containerd://', '');
  const node = pod.spec.nodeName;
  if (container === undefined || node === undefined) throw new Error(`pod ${pod.metadata.name} does not run`);
  await run('docker', ['exec', node, 'ctr', '--namespace=k8s.io', 'tasks', 'kill', '--signal=SIGKILL', container]);
}
