import type { ScenarioResult } from './scenario-result';

/** Where a value lies, in pixels, and which values to write at the axis. */
export interface ChartScale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

const secondSteps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600];
const mostTicks = 12;

/** From the first request to the last second or event, whichever is later. */
export function timeScale({ seconds, events }: ScenarioResult, left: number, right: number): ChartScale {
  const last = Math.max(1, ...seconds.map(({ second }) => second + 1), ...events.map(({ second }) => second));
  const step = secondSteps.find((candidate) => last / candidate <= mostTicks) ?? Math.ceil(last / mostTicks);
  return {
    at: (second) => left + (Math.max(0, second) / last) * (right - left),
    ticks: Array.from({ length: Math.floor(last / step) + 1 }, (_, index) => index * step),
  };
}

/** Logarithmic in decades from 1 ms; to 1 s at least, so that charts can be compared. */
export function latencyScale({ seconds }: ScenarioResult, top: number, bottom: number): ChartScale {
  const highest = Math.max(1000, ...seconds.flatMap(({ max = 0 }) => (Number.isFinite(max) ? [max] : [])));
  const decades = Math.ceil(Math.log10(highest));
  return {
    at: (milliseconds) => bottom - (Math.log10(Math.max(1, milliseconds)) / decades) * (bottom - top),
    ticks: Array.from({ length: decades + 1 }, (_, decade) => 10 ** decade),
  };
}
