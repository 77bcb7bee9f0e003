import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../cluster/command-line';
import { Kubectl } from '../cluster/kubectl';
import { Output, terminalText } from '../local/terminal/output';
import { onNpmGone } from '../local/processes/npm-parent';
import type { Observation } from './observation';
import { PortForwards } from './port-forwards';
import { screenLines } from './screen';
import { proxiesAt, type Source } from './source';
import { Terminal } from './terminal';
import { Watch } from './watch';

/** Where proxies are looked for. */
export type Place =
  | { readonly kind: 'local'; readonly metricsPort: number }
  | { readonly kind: 'urls'; readonly urls: readonly string[] }
  | { readonly kind: 'cluster'; readonly namespace: string; readonly context?: string };

export interface TopOptions {
  readonly place: Place;
  /** In milliseconds. */
  readonly interval: number;
  /** Whether it ends after what happened in one interval. */
  readonly once: boolean;
}

/** In milliseconds: how long the first answers are waited for, as each kubectl has to connect first. */
const startPatience = 10_000;
/** In milliseconds: at least so long answers of later looks are waited for. */
const leastPatience = 1000;
const mostPatience = 5000;

/** `fairlead top`: shows what proxies do, until it is told to end. */
export async function top(options: TopOptions): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  const end = (): void => {
    stop.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, end);
  // Whoever read the output is gone.
  process.stdout.on('error', end);
  const stopWatching = onNpmGone(end);
  try {
    const source = await sourceOf(options.place, signal);
    try {
      await follow(source, options, end, signal);
    } finally {
      await source.close();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    stopWatching();
    for (const name of signals) process.off(name, end);
  }
}

async function sourceOf(place: Place, signal: AbortSignal): Promise<Source> {
  switch (place.kind) {
    case 'local':
      return proxiesAt(
        [`http://127.0.0.1:${place.metricsPort}/metrics`],
        'run fairlead start, or give the --metrics-port that it says, the URL of metrics, or --namespace NAME',
      );
    case 'urls':
      return proxiesAt(place.urls, 'give the URL of the metrics of a proxy that runs');
    case 'cluster': {
      const { namespace, context } = place;
      return PortForwards.open(new Kubectl(context === undefined ? {} : { context }), namespace, signal);
    }
  }
}

async function follow(
  source: Source,
  { interval, once }: TopOptions,
  end: () => void,
  signal: AbortSignal,
): Promise<void> {
  const watch = new Watch(source);
  const first = await watch.look(startPatience, signal);
  refuseWithoutAnswer(first, source.mend);
  const output = new Output(process.stdout);
  const patience = Math.min(mostPatience, Math.max(leastPatience, interval));
  const terminal = once || !isForScreens() ? undefined : new Terminal(process.stdin, process.stdout, end);
  try {
    terminal?.show((size) => screenLines(first, size, output));
    do {
      await delay(interval, undefined, { signal });
      const observed = await watch.look(patience, signal);
      if (terminal === undefined) printBlock(observed, output);
      else terminal.show((size) => screenLines(observed, size, output));
    } while (!once);
  } finally {
    terminal?.close();
  }
}

/** Whether output is a terminal on which things can be moved, and may be. @see https://no-color.org */
function isForScreens(): boolean {
  const { NO_COLOR: noColour = '', TERM: terminal } = process.env;
  return process.stdout.isTTY && noColour === '' && terminal !== 'dumb';
}

/** Lines of their own for each interval, with what happened in it. */
function printBlock(observed: Observation, output: Output): void {
  const { isTTY, columns } = process.stdout;
  const events = observed.events.filter(({ time }) => time === observed.time);
  const size = { columns: isTTY && columns > 0 ? columns : Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY };
  output.block([...screenLines({ ...observed, events }, size, output), '']);
}

function refuseWithoutAnswer({ proxies }: Observation, mend: string): void {
  const problems = proxies.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name} ${problem}`]));
  if (problems.length < proxies.length) return;
  const [first = 'there is no proxy', ...others] = problems;
  const more = others.length === 0 ? '' : ', nor does any other';
  throw new Failure(terminalText(`${first}${more}: ${mend}`));
}
