import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from './command-line';
import type { Kubectl } from './kubectl';

/** Says what goes on: a line a step, with its seconds, and on a terminal what the step is doing at this moment. */
export class Progress {
  constructor(private readonly output: NodeJS.WriteStream) {}

  async step<T>(title: string, work: (doing: (detail: string) => void) => Promise<T>): Promise<T> {
    const begin = performance.now();
    const seconds = (): string => `${Math.round((performance.now() - begin) / 1000)} s`;
    let detail = '';
    const draw = (): void => {
      this.rewrite(`${title} … ${seconds()}${detail === '' ? '' : `  ${detail}`}`);
    };
    const terminal = this.output.isTTY;
    if (terminal) draw();
    else this.output.write(`${title} …\n`);
    const timer = terminal ? setInterval(draw, 1000) : undefined;
    try {
      const result = await work((said) => {
        detail = said;
        if (terminal) draw();
        else this.output.write(`  ${said}\n`);
      });
      this.finish(`${title}: ${seconds()}`);
      return result;
    } catch (error) {
      this.finish(`${title}: not done after ${seconds()}`);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  private finish(line: string): void {
    if (this.output.isTTY) this.rewrite(`${line}\n`);
    else this.output.write(`${line}\n`);
  }

  /** On a terminal the line of a step is written over itself, and cut so that it stays one line. */
  private rewrite(line: string): void {
    const ending = line.endsWith('\n') ? '\n' : '';
    const text = line.trimEnd().slice(0, Math.max(20, this.output.columns - 1));
    this.output.write(`\r\x1b[K${text}${ending}`);
  }
}

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
