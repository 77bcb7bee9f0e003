import { InvalidOption } from '../validation/invalid-option';

/** What a shell calls a program that a signal ended: 128 and the signal's number. */
const signalExitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Runs a command to its end and sets the exit code: 0, 1 for what could not be done, 2 for options that are not
 * understood. A signal aborts it; what it has to tidy up it does before this returns.
 */
export async function commandLine(
  name: string,
  command: (args: readonly string[], signal: AbortSignal) => Promise<void>,
): Promise<void> {
  try {
    await untilSignal(name, (signal) => command(process.argv.slice(2), signal));
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    process.stderr.write(`${name}: ${(error as Error).message}\n`);
  }
}

/** Runs what a signal aborts: it tidies up, and the exit code is the signal's, whatever it says of its end. */
export async function untilSignal(name: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) return;
    process.exitCode = signalExitCodes[signal as keyof typeof signalExitCodes];
    process.stderr.write(`\n${name}: ${signal}, tidying up\n`);
    controller.abort(new Failure('ended early'));
  };
  const signals = Object.keys(signalExitCodes) as NodeJS.Signals[];
  for (const signal of signals) process.on(signal, onSignal);
  try {
    await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  } finally {
    // npm passes on what the terminal has sent already.
    if (!controller.signal.aborted) for (const signal of signals) process.off(signal, onSignal);
  }
}

/** Ends a command once nobody reads what it says: `fairlead explain | head`. There must be nothing to tidy up by then. */
export function endWithReader(): void {
  process.stdout.off('error', onOutputError).on('error', onOutputError);
}

function onOutputError(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
}

/** Passes on what is a mistake in this program, with its stack. */
function exitCodeOf(error: unknown): number {
  if (error instanceof Failure) return 1;
  if (error instanceof InvalidOption) return 2;
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) return 2;
  throw error;
}

/** What went wrong outside of this program, in one line that says what would do. The command line prints it alone. */
export class Failure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Failure';
  }
}
