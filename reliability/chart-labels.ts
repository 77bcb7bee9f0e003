/** Something with a place in the chart that is `width` pixels wide around it. */
export interface Label {
  readonly x: number;
  readonly width: number;
}

const gap = 3;

/** The row of each label, from 0, such that none covers another: in order, each in the first row that has room. */
export function labelRows(labels: readonly Label[]): readonly number[] {
  const ends: number[] = [];
  const byPlace = labels.map((label, index) => ({ ...label, index })).sort((a, b) => a.x - b.x || a.index - b.index);
  const rows = new Map<number, number>();
  for (const { x, width, index } of byPlace) {
    const free = ends.findIndex((end) => end + gap <= x - width / 2);
    const row = free === -1 ? ends.length : free;
    ends[row] = x + width / 2;
    rows.set(index, row);
  }
  return labels.map((_, index) => rows.get(index) ?? 0);
}
