import { secondTicks } from '../../timeline/svg';
import type { ScenarioResult, Second } from '../scenario-result';
import { count } from './format';

/** Where a value lies, in pixels, and which values to write at the axis. */
export interface ChartScale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** From the first request to the last second or event, whichever is later. */
export function timeScale({ seconds, events }: ScenarioResult, left: number, right: number): ChartScale {
  const last = Math.max(1, ...seconds.map(({ second }) => second + 1), ...events.map(({ second }) => second));
  return {
    at: (second) => left + (Math.max(0, second) / last) * (right - left),
    ticks: secondTicks(last),
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

/** The path of a figure from second to second; where a second has none, the line is broken. */
export function linePath(
  seconds: readonly Second[],
  figure: 'p50' | 'max',
  point: (second: number, milliseconds: number) => string,
): string {
  const parts: string[] = [];
  let previous: number | undefined;
  for (const second of [...seconds].sort((a, b) => a.second - b.second)) {
    const value = second[figure];
    if (value === undefined || !Number.isFinite(value)) continue;
    // A line without length, which round ends make a dot: a second between two silent ones is seen as well.
    const command = previous === second.second - 1 ? 'L' : 'M';
    const at = point(second.second + 0.5, value);
    parts.push(command === 'L' ? `L${at}` : `M${at}h0`);
    previous = second.second;
  }
  return parts.join('');
}

/** Marks so near to each other that they share a number. */
export interface LostMarks {
  readonly xs: readonly number[];
  readonly lost: number;
  readonly text: string;
}

const characterWidth = 7;
const gap = 6;

/** Seconds that lost requests, grouped so that no number covers the next one. */
export function lostMarks(seconds: readonly Second[], at: (second: number) => number): readonly LostMarks[] {
  let groups = seconds
    .filter(({ lost }) => lost > 0)
    .map(({ second, lost }) => marks([at(second + 0.5)], lost))
    .sort((a, b) => (a.xs[0] ?? 0) - (b.xs[0] ?? 0));
  // A number that grows may reach the next one, so until nothing changes.
  for (let before = -1; before !== groups.length;) {
    before = groups.length;
    groups = groups.reduce<LostMarks[]>((kept, group) => {
      const last = kept.at(-1);
      if (last === undefined || end(last) + gap < begin(group)) return [...kept, group];
      return [...kept.slice(0, -1), marks([...last.xs, ...group.xs], last.lost + group.lost)];
    }, []);
  }
  return groups;
}

/** The middle of the marks, where their number stands. */
export function middle({ xs }: LostMarks): number {
  return ((xs[0] ?? 0) + (xs.at(-1) ?? 0)) / 2;
}

function marks(xs: readonly number[], lost: number): LostMarks {
  return { xs, lost, text: count(lost) };
}

function halfWidth(group: LostMarks): number {
  const [first = 0] = group.xs;
  return Math.max((group.text.length * characterWidth) / 2, middle(group) - first);
}

function begin(group: LostMarks): number {
  return middle(group) - halfWidth(group);
}

function end(group: LostMarks): number {
  return middle(group) + halfWidth(group);
}
