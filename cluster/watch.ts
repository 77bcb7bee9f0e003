import { setTimeout as delay } from 'node:timers/promises';
import type { Kubectl } from './kubectl';

export interface WatchOptions {
  /** What to watch: `['pods', '--namespace=orders']`. */
  readonly args: readonly string[];
  /** A line for each event, in JSONPath: `{.type}`, `{.object.metadata.name}`. */
  readonly line: string;
  readonly onLine: (line: string) => void;
  /** A watch begins, at first and after each that broke: every object comes again, those gone meanwhile do not. */
  readonly onBegin?: () => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Follows objects by one kubectl, and by another when the API server was away, until the signal is given. */
export async function watch(kubectl: Kubectl, { args, line, onLine, onBegin, signal }: WatchOptions): Promise<void> {
  const command = ['get', ...args, '--watch', '--output-watch-events', `--output=jsonpath=${line}{"\\n"}`];
  while (!signal.aborted) {
    onBegin?.();
    try {
      await kubectl.run(command, { signal, onLine });
    } catch {
      // The API server is away, or this is the end.
    }
    await delay(1000, undefined, { signal }).catch(() => undefined);
  }
}
