import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { PassThrough, type Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { whyNotStarted } from '../local/processes/child-output';
import { Failure } from './command-line';

export interface ExternalCommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Written to its standard input. */
  readonly input?: string;
  /** Ends it early; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** When ended early, it alone gets the signal, and programs that it has started come to their end. @default false */
  readonly letsOthersFinish?: boolean;
  /** Gets what it writes to standard output, line by line, while it runs. */
  readonly onLine?: (line: string) => void;
  /** Gets what it writes to standard output as it comes, which is not kept then. */
  readonly output?: Writable;
}

/** A program that ended with something else than exit code 0. */
export class ExternalCommandFailure extends Failure {
  constructor(
    command: string,
    readonly exitCode: number | null,
    readonly stdout: string,
    readonly stderr: string,
  ) {
    const said = lastLine(stderr) ?? lastLine(stdout) ?? 'it said nothing';
    super(`${command}: ${said} (exit code ${exitCode ?? 'none, it was ended by a signal'})`);
    this.name = 'ExternalCommandFailure';
  }
}

/** Where a program that is missing can be had. */
const homepages: Readonly<Record<string, string>> = {
  docker: 'https://docs.docker.com/engine/install/',
  kind: 'https://kind.sigs.k8s.io/docs/user/quick-start/#installation',
  kubectl: 'https://kubernetes.io/docs/tasks/tools/',
};

/** Runs a program to its end, without a shell, and gives what it wrote to standard output. */
export async function run(
  file: string,
  args: readonly string[],
  options: ExternalCommandOptions = {},
): Promise<string> {
  options.signal?.throwIfAborted();
  // A process group of its own: Ctrl-C reaches this program alone, which then ends the others in order.
  const child = spawn(file, [...args], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const end = (): void => {
    if (options.letsOthersFinish === true) child.kill('SIGTERM');
    else endGroup(child);
  };
  options.signal?.addEventListener('abort', end, { once: true });
  try {
    return await outcome(child, file, args, options);
  } finally {
    options.signal?.removeEventListener('abort', end);
    if (options.letsOthersFinish === true) await groupEnded(child);
  }
}

/** Runs a program to its end, and gives what it writes to standard output piece by piece: that may be more than a string holds. */
export async function* outputOf(
  file: string,
  args: readonly string[],
  { signal }: Pick<ExternalCommandOptions, 'signal'> = {},
): AsyncGenerator<string> {
  const stop = new AbortController();
  const output = new PassThrough({ encoding: 'utf8' });
  const running = run(file, args, {
    output,
    signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]),
  });
  // One that could not be started writes nothing, and no end of it either.
  const end = (): void => {
    output.end();
  };
  void running.then(end, end);
  try {
    for await (const piece of output) yield piece as string;
    await running;
  } finally {
    // Whoever has read enough goes on without it.
    stop.abort();
  }
}

async function outcome(
  child: ReturnType<typeof spawn>,
  file: string,
  args: readonly string[],
  options: ExternalCommandOptions,
): Promise<string> {
  const { stdin, stdout, stderr } = child;
  let written = '';
  let complaints = '';
  // Where no file descriptor is left (EMFILE) there are no streams, and the error says so.
  if (options.output === undefined) stdout?.setEncoding('utf8').on('data', (chunk: string) => (written += chunk));
  else stdout?.pipe(options.output);
  stderr?.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk));
  if (options.onLine !== undefined && stdout) createInterface({ input: stdout }).on('line', options.onLine);
  // A program may end without having read all of its input.
  stdin?.on('error', () => undefined);
  stdin?.end(options.input ?? '');

  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? missing(file) : new Failure(whyNotStarted(file, options.cwd, error)));
    });
    child.once('close', resolve);
  });
  options.signal?.throwIfAborted();
  if (exitCode !== 0) {
    throw new ExternalCommandFailure(commandName(file, args), exitCode, written, complaints);
  }
  return written;
}

/** A command as one says it: the program and its first words, without options, some of which are long. */
function commandName(file: string, args: readonly string[]): string {
  return [file, ...args.filter((arg) => !arg.startsWith('-')).slice(0, 2)].join(' ');
}

function missing(file: string): Failure {
  const homepage = homepages[file];
  return new Failure(
    `${file} is not installed, or not on the PATH${homepage === undefined ? '' : `: see ${homepage}`}`,
  );
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGTERM');
  } catch {
    // It ended by itself in the meantime.
  }
}

/** Waits a minute at most: where nobody collects the processes of others, they stay for ever. */
async function groupEnded({ pid }: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 600 && pid !== undefined; tries += 1) {
    try {
      process.kill(-pid, 0);
    } catch {
      return;
    }
    await delay(100);
  }
}

function lastLine(text: string): string | undefined {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .at(-1);
}

/** Refuses to begin without docker, kind and kubectl, or without a running Docker. */
export async function requireTools(signal?: AbortSignal): Promise<void> {
  await run('kind', ['version'], { signal });
  await run('kubectl', ['version', '--client'], { signal });
  try {
    await run('docker', ['info', '--format={{.ServerVersion}}'], { signal });
  } catch (error) {
    if (!(error instanceof ExternalCommandFailure)) throw error;
    const reason = error.stderr.trim().split('\n').at(-1) ?? error.message;
    throw new Failure(`Docker does not answer: start it, or let this user talk to it (${reason})`);
  }
}
