import { LocalRun } from './local-run';
import { Output } from './terminal/output';
import { onNpmGone } from './processes/npm-parent';
import { StartOptions } from './start-options';

/** One Ctrl-C may come twice, from the terminal and passed on by npm: a second one is later than this (milliseconds). */
const sameSignal = 500;

/** `fairlead start`: runs until it is told to end. */
export async function start(options: StartOptions): Promise<void> {
  const run = await LocalRun.prepare(options, new Output(process.stdout));
  let first: number | undefined;
  const end = (): void => {
    first ??= performance.now();
    run.end();
  };
  const onSignal = (): void => {
    if (first === undefined) end();
    else if (performance.now() - first > sameSignal) void run.kill().then(() => process.exit(130));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // Whoever read the output is gone.
  process.stdout.on('error', end);
  const stopWatching = onNpmGone(end);
  await run.run().finally(stopWatching);
}
