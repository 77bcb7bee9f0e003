import type { Second } from './scenario-result';

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
