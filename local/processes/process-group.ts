import { ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { childOutput, Command, whyNotStarted } from './child-output';
import { Watchdog } from './watchdog';

export type OutputStream = 'stdout' | 'stderr';

export interface ProcessGroupOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly watchdog: Watchdog;
  /** Each line that the process writes, and where to. */
  readonly onLine: (line: string, stream: OutputStream) => void;
  /** A file descriptor for standard output. @default - a pipe, read line by line */
  readonly stdout?: number;
}

/** How long output that is on its way may take after a process has ended: another one may hold the pipe open. */
const outputGrace = 500;
const pollInterval = 25;

/** A program with all that it starts, which can be ended as a whole. */
export class ProcessGroup {
  /** Why it ended: `exit code 1`, `SIGKILL`, or why it could not be started. Settles once its output was read. */
  readonly exited: Promise<string>;
  private readonly child: ChildProcess;
  private ending = false;
  private readonly forget: (() => void)[] = [];

  constructor(
    private readonly command: Command,
    { environment, watchdog, onLine, stdout }: ProcessGroupOptions,
  ) {
    this.child = spawn(command.file, command.args, {
      // The leader of a group of its own: a Ctrl-C in the terminal reaches only the runner, which ends things in order.
      detached: true,
      stdio: ['ignore', stdout ?? 'pipe', 'pipe'],
      env: environment,
      cwd: command.directory,
    });
    if (this.child.pid !== undefined) this.forget.push(watchdog.watch({ processGroup: this.child.pid }));
    if (command.kill !== undefined) this.forget.push(watchdog.watch({ command: command.kill }));
    this.exited = this.whenExited(onLine);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Asks it to end, waits for all of its processes, and kills what is left after the grace period (milliseconds). */
  async end(signal: NodeJS.Signals, grace: number): Promise<void> {
    this.ending = true;
    const deadline = performance.now() + grace;
    // To the leader alone, as Kubernetes does: many programs pass a signal on, and would count a second one.
    this.child.kill(signal);
    const timer = new AbortController();
    await Promise.race([this.exited, delay(grace, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
    // A shell that was the leader may have ended without telling its child.
    if (this.signalGroup(signal)) {
      while (performance.now() < deadline && this.signalGroup(0)) await delay(pollInterval);
    }
    this.kill();
    await this.exited;
    await this.removeLeft();
  }

  /** Ends every process of the group at once. */
  kill(): void {
    this.signalGroup('SIGKILL');
  }

  /** Lets none of its processes run until `resume`. They see no signal but SIGKILL meanwhile. */
  suspend(): void {
    if (this.isThere()) this.signalGroup('SIGSTOP');
  }

  resume(): void {
    if (this.isThere()) this.signalGroup('SIGCONT');
  }

  /** What Docker runs is no process of the group. */
  get canBeSuspended(): boolean {
    return this.command.kill === undefined;
  }

  private isThere(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  private async whenExited(onLine: ProcessGroupOptions['onLine']): Promise<string> {
    const ended = new Promise<string>((resolve) => {
      this.child.once('error', (error: NodeJS.ErrnoException) => {
        resolve(whyNotStarted(this.command.file, this.command.directory, error));
      });
      this.child.once('exit', (code, signal) => {
        resolve(signal ?? `exit code ${String(code)}`);
      });
    });
    const outputs = (['stdout', 'stderr'] as const).map((stream) =>
      readLines(this.child[stream], (line) => {
        onLine(line, stream);
      }),
    );
    const reason = await ended;
    // What a dead leader leaves holds its port; one that ends in order is waited for by end().
    if (!this.ending) {
      this.kill();
      await this.removeLeft();
    }
    await Promise.race([Promise.all(outputs), delay(outputGrace, undefined, { ref: false })]);
    return reason;
  }

  /** What `docker run` leaves when it is killed goes on listening; if it left nothing, its removal fails. */
  private async removeLeft(): Promise<void> {
    if (this.command.kill !== undefined) await childOutput(this.command.kill).catch(() => undefined);
    for (const forget of this.forget.splice(0)) forget();
  }

  private signalGroup(signal: NodeJS.Signals | 0): boolean {
    if (this.child.pid === undefined) return false;
    try {
      return process.kill(-this.child.pid, signal);
    } catch {
      return false;
    }
  }
}

/** Resolves at the end of the output. Where no file descriptor is left (EMFILE), Node makes none. */
function readLines(output: Readable | null | undefined, onLine: (line: string) => void): Promise<void> {
  if (!output) return Promise.resolve();
  return new Promise((resolve) => {
    createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine).once('close', resolve);
  });
}
