import { count } from './report-format';
import type { Second } from './scenario-result';

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
