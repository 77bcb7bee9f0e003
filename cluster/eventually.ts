import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from './failure';

export interface EventuallyOptions {
  /** Milliseconds from an answer to the next question. A kubectl costs a tenth of a second of CPU. @default 1000 */
  readonly pause?: number;
  /** Milliseconds that it may take before it counts as never: far above what is expected. @default 300000 */
  readonly patience?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Asks again and again until there is an answer, and says what did not come if there is none. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  { pause = 1000, patience = 300_000, signal }: EventuallyOptions = {},
): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    signal?.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Failure(`${what}: not within ${patience / 1000} seconds`);
    await delay(pause, undefined, { signal });
  }
}
