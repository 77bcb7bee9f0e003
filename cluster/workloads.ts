import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from './command-line';
import { ExternalCommandFailure, run } from './external-command';
import type { Kubectl, KubernetesObject } from './kubectl';
import { isReady, type Pod, podsUntil, whyNotReady } from './pods';

export type Component = 'api' | 'proxy';

/** What the objects of a component are called. */
export type ComponentNames = Readonly<Record<Component, string>>;

/** A backend and the proxy in front of it, as an operator sees and changes them. */
export class Workloads {
  constructor(
    readonly kubectl: Kubectl,
    readonly namespace: string,
    readonly names: ComponentNames,
    private readonly signal?: AbortSignal,
  ) {}

  /** As kubectl takes it: `deployment/api`. */
  deployment(component: Component): string {
    return `deployment/${this.names[component]}`;
  }

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
      `horizontalpodautoscaler/${this.names[component]}`,
      '--type=merge',
      `--patch=${JSON.stringify({ spec: { minReplicas: count, maxReplicas: count } })}`,
    );
  }

  /** Gives the autoscaler of a component, which goes by CPU, another aim: percent of what its pods request. */
  async setAim(component: Component, percent: number): Promise<void> {
    const path = '/spec/metrics/0/containerResource/target/averageUtilization';
    await this.run(
      'patch',
      `horizontalpodautoscaler/${this.names[component]}`,
      '--type=json',
      `--patch=${JSON.stringify([{ op: 'replace', path, value: percent }])}`,
    );
  }

  /** Makes the kubelet look at the Secrets and ConfigMaps of the proxies at once, as it does when a pod changes; else that takes it a minute or more. */
  async lookAtVolumes(): Promise<void> {
    for (const { metadata } of await this.pods('proxy')) {
      try {
        await this.run('annotate', 'pod', metadata.name, '--overwrite', `fairlead/looked-at=${Date.now()}`);
      } catch (error) {
        // One that was ending may be gone.
        if (!(error instanceof ExternalCommandFailure && error.stderr.includes('(NotFound)'))) throw error;
      }
    }
  }

  async scale(component: Component, count: number): Promise<void> {
    await this.run('scale', this.deployment(component), `--replicas=${count}`);
  }

  async restart(component: Component): Promise<void> {
    await this.run('rollout', 'restart', this.deployment(component));
  }

  /** To the revision before, or to a given one. */
  async undo(component: Component, revision?: string): Promise<void> {
    await this.run(
      'rollout',
      'undo',
      this.deployment(component),
      ...(revision === undefined ? [] : [`--to-revision=${revision}`]),
    );
  }

  /** Waits until every pod is of the newest revision and available; the old ones may still be ending. */
  async rolledOut(component: Component): Promise<void> {
    await this.run('rollout', 'status', this.deployment(component), '--timeout=5m');
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
    const selector = `app.kubernetes.io/component=${component},app.kubernetes.io/instance=${this.names[component]}`;
    return ['pods', `--namespace=${this.namespace}`, `--selector=${selector}`];
  }
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

export interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
}

/** The Deployments that a directory of manifests has made. */
export async function deploymentsOf(kubectl: Kubectl, manifests: string, signal?: AbortSignal): Promise<Deployment[]> {
  const objects = await kubectl.list(['--filename', manifests], { signal });
  return objects.filter((object): object is Deployment => object.kind === 'Deployment');
}

/** Waits until every pod of a Deployment is of its newest revision and available; says what holds it up if it is not. */
export async function rolledOut(
  kubectl: Kubectl,
  deployment: KubernetesObject,
  doing: (detail: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { name, namespace = 'default' } = deployment.metadata;
  try {
    await kubectl.run(['rollout', 'status', `deployment/${name}`, `--namespace=${namespace}`, '--timeout=5m'], {
      onLine: doing,
      signal,
    });
  } catch (error) {
    if (!(error instanceof ExternalCommandFailure)) throw error;
    const pods = await kubectl.list<Pod>(['pods', `--namespace=${namespace}`], { signal });
    const reasons = pods.map(whyNotReady).filter((reason) => reason !== undefined);
    throw new Failure(
      `the Deployment ${namespace}/${name} is not ready after 5 minutes: ${reasons[0] ?? error.message}`,
    );
  }
}

interface HorizontalPodAutoscaler extends KubernetesObject {
  readonly spec: { readonly minReplicas: number; readonly scaleTargetRef: { readonly name: string } };
}

interface ScaledDeployment extends KubernetesObject {
  readonly status: { readonly availableReplicas?: number };
}

/** How often the pods are counted, once a second, before that counts as never. */
const attempts = 300;

/**
 * Waits until every Deployment has as many pods as its autoscaler leaves at least: a new one has a single pod until the
 * autoscaler looks at it for the first time, a quarter of a minute later.
 */
export async function leastReplicas(
  kubectl: Kubectl,
  manifests: string,
  doing: (detail: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  let said = '';
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const objects = await kubectl.list(['--filename', manifests], { signal });
    const deployments = objects.filter((object): object is ScaledDeployment => object.kind === 'Deployment');
    const missing = objects
      .filter((object): object is HorizontalPodAutoscaler => object.kind === 'HorizontalPodAutoscaler')
      .map(({ spec }) => ({
        name: spec.scaleTargetRef.name,
        least: spec.minReplicas,
        has:
          deployments.find(({ metadata }) => metadata.name === spec.scaleTargetRef.name)?.status.availableReplicas ?? 0,
      }))
      .filter(({ has, least }) => has < least)
      .map(({ name, has, least }) => `${name} has ${has} of ${least}`)
      .join(', ');
    if (missing === '') return;
    if (missing !== said) doing(missing);
    said = missing;
    await delay(1000, undefined, { signal });
  }
  throw new Failure(`the autoscalers do not bring up the pods that they should: ${said}`);
}
