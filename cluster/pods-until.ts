import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from './failure';
import type { Kubectl } from './kubectl';
import type { Pod } from './pod';
import { watch } from './watch';

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
