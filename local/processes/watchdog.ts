import { ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { Command } from './child-output';

/** What must not outlive the runner. */
export type Leftover =
  | { readonly processGroup: number }
  /** Ends what no signal of ours reaches, such as a container. */
  | { readonly command: Command }
  | { readonly directory: string };

/** What the runner tells the watchdog, one JSON object a line. */
export type WatchdogMessage =
  | { readonly id: number; readonly leftover: Leftover }
  /** It is gone by itself. */
  | { readonly id: number; readonly gone: true };

/**
 * A small process that removes what the runner leaves behind. It holds one end of a pipe whose other end closes with the
 * runner, even when that is killed (SIGKILL) and can do nothing any more.
 */
export class Watchdog {
  private nextId = 1;

  private constructor(private readonly child: ChildProcessByStdio<Writable, null, null>) {}

  static start(): Watchdog {
    const child = spawn(process.execPath, [require.resolve('./watchdog-process.mjs')], {
      // A session of its own: Ctrl-C and the end of the terminal must not reach it.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    // If it is killed, writing to it fails; the runner still ends what it started by itself.
    child.stdin.on('error', () => undefined);
    return new Watchdog(child);
  }

  /** Tells it what to remove; the function returned says that this is gone already. */
  watch(leftover: Leftover): () => void {
    const id = this.nextId++;
    this.tell({ id, leftover });
    return () => {
      this.tell({ id, gone: true });
    };
  }

  /** Removes at once what is still there. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.stdin.end();
    await once(this.child, 'exit');
  }

  private tell(message: WatchdogMessage): void {
    this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }
}
