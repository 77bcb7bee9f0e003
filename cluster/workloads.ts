import { run } from './external-command';
import type { Kubectl } from './kubectl';
import { isReady, type Pod } from './pod';
import { podsUntil } from './pods-until';

export type Component = 'api' | 'proxy';

/** The Deployment and the HorizontalPodAutoscaler of a component. */
const names = { api: 'api', proxy: 'nginx' } as const;

/** What runs in the namespace of one LoadBalancedApi, as an operator sees and changes it. */
export class Workloads {
  constructor(
    readonly kubectl: Kubectl,
    readonly namespace: string,
    private readonly signal?: AbortSignal,
  ) {}

  /** kubectl in this namespace. */
  run(...args: readonly string[]): Promise<string> {
    const [command = '', ...rest] = args;
    return this.kubectl.run([command, `--namespace=${this.namespace}`, ...rest], { signal: this.signal });
  }

  /** All pods of a component, those that end among them. */
  pods(component: Component): Promise<Pod[]> {
    return this.kubectl.list<Pod>(this.podsOf(component), { signal: this.signal });
  }

  /** Waits until the pods of a component, those that end among them, are as wanted. */
  podsUntil<T>(component: Component, what: string, wanted: (pods: readonly Pod[]) => T | undefined): Promise<T> {
    return podsUntil(this.kubectl, this.podsOf(component), what, wanted, { signal: this.signal });
  }

  /** Waits until there are exactly so many pods of a component, all of them ready and none ending. */
  readyPods(component: Component, count: number): Promise<readonly Pod[]> {
    return this.podsUntil(component, `${count} ready pods of ${component} and no other`, (all) =>
      all.length === count && all.every(isReady) ? all : undefined,
    );
  }

  /** Leaves the autoscaler of a component no choice. */
  async pinAutoscaler(component: Component, count: number): Promise<void> {
    await this.run(
      'patch',
      `horizontalpodautoscaler/${names[component]}`,
      '--type=merge',
      `--patch=${JSON.stringify({ spec: { minReplicas: count, maxReplicas: count } })}`,
    );
  }

  async scale(component: Component, count: number): Promise<void> {
    await this.run('scale', deploymentName(component), `--replicas=${count}`);
  }

  async restart(component: Component): Promise<void> {
    await this.run('rollout', 'restart', deploymentName(component));
  }

  /** To the revision before, or to a given one. */
  async undo(component: Component, revision?: string): Promise<void> {
    await this.run(
      'rollout',
      'undo',
      deploymentName(component),
      ...(revision === undefined ? [] : [`--to-revision=${revision}`]),
    );
  }

  /** Waits until every pod is of the newest revision and available; the old ones may still be ending. */
  async rolledOut(component: Component): Promise<void> {
    await this.run('rollout', 'status', deploymentName(component), '--timeout=5m');
  }

  /** What the proxies wrote, to standard output and error, since a moment; of those that are still there. */
  async proxyLogs(since?: Date): Promise<string[]> {
    const lines: string[] = [];
    for (const { metadata } of await this.pods('proxy')) {
      const log = await this.run(
        'logs',
        metadata.name,
        '--container=nginx',
        ...(since === undefined ? [] : [`--since-time=${since.toISOString()}`]),
      );
      lines.push(...log.split('\n').filter((line) => line !== ''));
    }
    return lines;
  }

  /** SIGKILL to the first process of a pod's container, sent by the node: from inside, a first process ignores it. */
  async killProcess(pod: Pod): Promise<void> {
    await run(
      'docker',
      ['exec', nodeOf(pod), 'ctr', '--namespace=k8s.io', 'tasks', 'kill', '--signal=SIGKILL', containerOf(pod)],
      { signal: this.signal },
    );
  }

  /** The number that a pod's first process has on its node. */
  async processId(pod: Pod): Promise<number> {
    const tasks = await run('docker', ['exec', nodeOf(pod), 'ctr', '--namespace=k8s.io', 'tasks', 'list'], {
      signal: this.signal,
    });
    const line = tasks.split('\n').find((row) => row.startsWith(containerOf(pod)));
    const id = Number(line?.trim().split(/\s+/)[1]);
    if (!Number.isInteger(id)) throw new Error(`pod ${pod.metadata.name} has no process on ${nodeOf(pod)}`);
    return id;
  }

  private podsOf(component: Component): string[] {
    return ['pods', `--namespace=${this.namespace}`, `--selector=app.kubernetes.io/component=${component}`];
  }
}

export function deploymentName(component: Component): string {
  return `deployment/${names[component]}`;
}

export function nodeOf(pod: Pod): string {
  if (pod.spec.nodeName === undefined) throw new Error(`pod ${pod.metadata.name} has no node yet`);
  return pod.spec.nodeName;
}

function containerOf(pod: Pod): string {
  const id = pod.status.containerStatuses?.[0]?.containerID?.replace('containerd://', '');
  if (id === undefined) throw new Error(`pod ${pod.metadata.name} does not run`);
  return id;
}

/** When a pod became ready, in milliseconds since the epoch; Kubernetes notes it to the second. */
export function readySince(pod: Pod): number {
  const ready = pod.status.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True');
  return Date.parse(ready?.lastTransitionTime ?? '');
}
