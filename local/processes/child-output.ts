import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';

/** A program with its arguments, to be spawned without a shell. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Where it runs. @default - where fairlead does */
  readonly directory?: string;
  /** Ends for certain what killing it does not: a container outlives the `docker run` that started it. */
  readonly kill?: Command;
}

export interface ChildOutputOptions {
  readonly cwd?: string;
  /** Milliseconds after which the child is killed. @default - none */
  readonly timeout?: number;
  /** Ends the child. */
  readonly signal?: AbortSignal | undefined;
  /** Whether its output is returned, or shown on standard error while it is written. @default 'returned' */
  readonly output?: 'returned' | 'shown';
  /** Leaves standard output out: some open it as a file, which does not work with what Node gives them. @default false */
  readonly ignoreStdout?: boolean;
}

export interface ChildOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** What a child that ends on its own wrote. Rejects with its last words if it fails, and never before it has ended. */
export async function childOutput(command: Command, options: ChildOutputOptions = {}): Promise<ChildOutput> {
  const { cwd, timeout, signal, output = 'returned', ignoreStdout = false } = options;
  signal?.throwIfAborted();
  const pipe = output === 'shown' ? 2 : 'pipe';
  const child = spawn(command.file, command.args, {
    stdio: ['ignore', ignoreStdout ? 'ignore' : pipe, pipe],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const kill = (): void => {
    child.kill();
  };
  const late = AbortSignal.timeout(timeout ?? 2 ** 31 - 1);
  late.addEventListener('abort', kill);
  signal?.addEventListener('abort', kill);

  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      resolve(whyNotStarted(command.file, cwd, error));
    });
    child.once('close', (code, name) => {
      resolve(code === 0 ? undefined : `${command.file} ended (${name ?? `exit code ${String(code)}`})`);
    });
  });
  const [failure, stdout, stderr] = await Promise.all([
    ended,
    // Where no file descriptor is left (EMFILE), they are undefined.
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
  ]);
  late.removeEventListener('abort', kill);
  signal?.removeEventListener('abort', kill);

  signal?.throwIfAborted();
  if (failure === undefined) return { stdout, stderr };
  if (late.aborted) throw new Error(`${command.file} did not answer within ${(timeout ?? 0) / 1000} s`);
  const said = `${stdout}${stderr}`.trim();
  throw new Error(child.pid === undefined || said === '' ? failure : said);
}

/** Why a program could not be started, and what would do. */
export function whyNotStarted(
  file: string,
  directory: string | undefined,
  { code, message }: NodeJS.ErrnoException,
): string {
  const program = JSON.stringify(file);
  if (code === 'EACCES') return `${program} may not be executed: chmod +x would let it`;
  if (code !== 'ENOENT') return message;
  // The system says ENOENT of the directory too, which may go while fairlead runs.
  if (directory !== undefined && !existsSync(directory)) {
    return `the directory ${JSON.stringify(directory)}, in which ${program} runs, is not there: make it again`;
  }
  if (file.includes('/')) return `${program} is not a program: give the path of one`;
  return `${program} is not a program on the PATH: install it, or give its path`;
}
