import { existsSync, readFileSync } from 'node:fs';
import { Failure } from '../cluster/command-line';
import { type Chain, type Moment, type Range, rangeText, type Step } from './chain';

/** In seconds, of every scenario that measured the moment. */
export type Measured = Partial<Readonly<Record<Moment, readonly number[]>>>;

/** What the reliability run has written; undefined if there is nothing yet. */
export function measured(file: string): Measured | undefined {
  if (!existsSync(file)) return undefined;
  const all: Partial<Record<Moment, number[]>> = {};
  for (const result of results(file)) {
    for (const [moment, seconds] of Object.entries(result.measured) as [Moment, readonly number[]][]) {
      all[moment] = [...(all[moment] ?? []), ...seconds];
    }
  }
  return all;
}

function results(file: string): readonly { readonly measured: Measured }[] {
  try {
    const content = JSON.parse(readFileSync(file, 'utf8')) as { readonly scenarios?: unknown } | null;
    if (Array.isArray(content?.scenarios)) return content.scenarios as ReturnType<typeof results>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Failure(`${file}: is not what the reliability run writes: run it again`);
}

/** A step's measured times, and whether they contradict the computed one. */
export interface Comparison {
  readonly range: Range;
  readonly times: number;
  readonly outside: boolean;
}

/** By more than this, in seconds, a measured time may not lie outside the computed one. */
const tolerance = 1;

export function comparison({ at, moment }: Step, measuredTimes: Measured): Comparison | undefined {
  const seconds = moment === undefined ? [] : (measuredTimes[moment] ?? []);
  if (seconds.length === 0) return undefined;
  const range = { from: Math.min(...seconds), to: Math.max(...seconds) };
  return {
    range,
    times: seconds.length,
    outside: range.from < at.from - tolerance || range.to > at.to + tolerance,
  };
}

/** `measured 1.7 to 2.7 s (24 times)` */
export function comparisonText({ range, times }: Comparison): string {
  return `measured ${rangeText(range)} (${times === 1 ? 'once' : `${times} times`})`;
}

/** One line for every moment whose computed time is wrong. */
export function contradictions(chains: readonly Chain[], measuredTimes: Measured): readonly string[] {
  return chains
    .flatMap(({ steps }) => steps)
    .flatMap((step) => {
      const compared = comparison(step, measuredTimes);
      if (compared?.outside !== true) return [];
      return [`${String(step.moment)}: ${comparisonText(compared)}, computed ${rangeText(step.at)}`];
    });
}
