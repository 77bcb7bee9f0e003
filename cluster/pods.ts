import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from './command-line';
import type { Kubectl, KubernetesObject } from './kubectl';
import { watch } from './progress';

/** The pods of all proxies, as `kubectl get` and `kubectl logs` take it. */
export const proxySelector = '--selector=app.kubernetes.io/component=proxy,app.kubernetes.io/managed-by=fairlead';

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: object;
  readonly terminated?: { readonly reason?: string; readonly exitCode: number };
}

/** What of a pod is looked at here. */
export interface Pod extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly deletionTimestamp?: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly volumes?: readonly { readonly name: string; readonly emptyDir?: { readonly sizeLimit?: string } }[];
  };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
      readonly lastTransitionTime: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly containerID?: string;
      readonly restartCount: number;
      readonly state?: ContainerState;
      readonly lastState?: ContainerState;
    }[];
  };
}

export function isReady(pod: Pod): boolean {
  const ready = pod.status.conditions?.find((condition) => condition.type === 'Ready');
  return ready?.status === 'True' && pod.metadata.deletionTimestamp === undefined;
}

/** What keeps a pod from being ready, as Kubernetes says it; undefined for one that is. */
export function whyNotReady(pod: Pod): string | undefined {
  if (isReady(pod)) return undefined;
  const waiting = pod.status.containerStatuses?.map(({ state }) => state?.waiting).find((state) => state !== undefined);
  const condition = pod.status.conditions?.find(({ status, message }) => status === 'False' && message !== undefined);
  const reason = [waiting?.reason, waiting?.message ?? condition?.message].filter((part) => part !== undefined);
  return `pod ${pod.metadata.name}: ${reason.join(': ') || 'not ready'}`;
}

export interface PodsUntilOptions {
  /** Milliseconds that it may take before it counts as never: far above what is expected. @default 300000 */
  readonly patience?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits until the pods that `kubectl get` gives for these arguments are as wanted. A watch says when to look, as each kubectl
 * costs a tenth of a second of CPU; a list has the last word, as a watch that begins tells of one pod after the other.
 */
export async function podsUntil<T>(
  kubectl: Kubectl,
  args: readonly string[],
  what: string,
  wanted: (pods: readonly Pod[]) => T | undefined,
  { patience = 300_000, signal }: PodsUntilOptions = {},
): Promise<T> {
  const already = wanted(await kubectl.list<Pod>(args, { signal }));
  if (already !== undefined) return already;

  const done = new AbortController();
  const end = AbortSignal.any(signal === undefined ? [done.signal] : [done.signal, signal]);
  const pods = new Map<string, Pod>();
  let result: { readonly found: T } | undefined;
  let looking = false;
  let changed = false;
  const look = async (): Promise<void> => {
    changed = true;
    if (looking) return;
    looking = true;
    while (changed && result === undefined) {
      changed = false;
      if (wanted([...pods.values()]) === undefined) break;
      const listed = await kubectl.list<Pod>(args, { signal: end }).catch(() => undefined);
      if (listed === undefined) {
        // The API server is away, which says nothing about pods: it is asked again, as no event may follow.
        await delay(1000, undefined, { signal: end }).catch(() => undefined);
        changed = !end.aborted;
        continue;
      }
      const found = wanted(listed);
      if (found === undefined) continue;
      result = { found };
      done.abort();
    }
    looking = false;
  };
  const watching = watch(kubectl, {
    args,
    line: '{.type}{"|"}{.object}',
    onBegin: () => {
      pods.clear();
    },
    onLine: (line) => {
      const pod = JSON.parse(line.slice(line.indexOf('|') + 1)) as Pod;
      if (line.startsWith('DELETED|')) pods.delete(pod.metadata.name);
      else pods.set(pod.metadata.name, pod);
      void look();
    },
    signal: end,
  });
  await delay(patience, undefined, { signal: end }).catch(() => undefined);
  done.abort();
  await watching;
  signal?.throwIfAborted();
  if (result === undefined) throw new Failure(`${what}: not within ${patience / 1000} seconds`);
  return result.found;
}

/** One line of nginx's access log, as far as it is looked at here. */
export interface AccessLogEntry {
  readonly request_id: string;
  readonly status: number;
  /** One entry a try, in the order of the tries. */
  readonly tries: readonly { readonly address: string; readonly bytesSent: number }[];
}

/** What proxies logged about these requests. */
export function accessLog(lines: readonly string[], requestIds: ReadonlySet<string>): AccessLogEntry[] {
  return lines
    .filter((line) => line.startsWith('{'))
    .map(accessLogEntry)
    .filter(({ request_id }) => requestIds.has(request_id));
}

/** nginx separates tries by commas, and by colons where it went to another location in between. */
function accessLogEntry(line: string): AccessLogEntry {
  const { request_id, status, upstream_addr, upstream_bytes_sent } = JSON.parse(line) as {
    request_id: string;
    status: number;
    upstream_addr: string;
    upstream_bytes_sent: string;
  };
  const bytesSent = upstream_bytes_sent.split(/, | : /).map((count) => (count === '-' ? 0 : Number(count)));
  const tries = upstream_addr.split(/, | : /).map((address, index) => ({ address, bytesSent: bytesSent[index] ?? 0 }));
  return { request_id, status, tries };
}
