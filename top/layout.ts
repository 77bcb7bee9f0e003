import { type Output, terminalText } from '../local/terminal/output';

type Style = Parameters<Output['style']>[0];

/** What a terminal shows: without control characters, and as wide as its text, whatever its style. */
export interface Piece {
  readonly text: string;
  readonly style: Style | undefined;
}

export function piece(text: string, style?: Style): Piece {
  return { text: terminalText(text), style };
}

/** Red where something is bad. */
export function judged(text: string, isBad: boolean): Piece {
  return piece(text, isBad ? 'red' : undefined);
}

export interface Row {
  readonly cells: readonly Piece[];
  /** Stands in the place of all cells after the first. */
  readonly note?: Piece;
  /** Where not all have room, those with the greatest are shown. */
  readonly rank: number;
}

/** The most important columns first; texts are aligned to the left, as the first one is, and figures to the right. */
export interface Table {
  readonly columns: readonly { readonly title: string; readonly isText?: true }[];
  readonly rows: readonly Row[];
}

/** Between columns, and between pieces of a line. */
const gap = 2;
const pieceGap = 3;
/** Of the first column, which is cut before others are left out. */
const leastNameWidth = 16;

/** A table of so many rows at most, below its titles. Columns that have no room are left out. */
export function tableLines({ columns, rows }: Table, width: number, most: number, output: Output): string[] {
  const natural = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map(({ cells }) => cells[index]?.text.length ?? 0)),
  );
  const widths = fittingWidths(natural, width);
  const line = (cells: readonly Piece[]): string =>
    widths
      .map((own, index) => {
        const { text = '', style } = cells[index] ?? {};
        const isLeft = index === 0 || columns[index]?.isText === true;
        const shown = cut(text, own);
        return styled(isLeft ? shown.padEnd(own) : shown.padStart(own), style, output);
      })
      .join(' '.repeat(gap))
      .trimEnd();
  const shown = chosen(rows, most);
  const left = rows.length - shown.length;
  const [nameWidth = 0] = widths;
  return [
    line(columns.map(({ title }) => piece(title, 'bold'))),
    ...shown.map(({ cells, note }) => {
      if (note === undefined) return line(cells);
      const name = cut(cells[0]?.text ?? '', nameWidth).padEnd(nameWidth);
      const text = cut(note.text, Math.max(0, width - nameWidth - gap));
      return `${name}${' '.repeat(gap)}${styled(text, note.style, output)}`.trimEnd();
    }),
    ...(left > 0 && saysWhatIsLeft(most) ? [styled(cut(`and ${left} more`, width), 'dim', output)] : []),
  ];
}

/** Of the columns that have room; what is left over is the first one's. */
function fittingWidths(natural: readonly number[], width: number): number[] {
  const [name = 0, ...others] = natural;
  const least = Math.min(name, leastNameWidth);
  const shown: number[] = [];
  let used = least;
  for (const own of others) {
    if (used + gap + own > width) break;
    used += gap + own;
    shown.push(own);
  }
  return [Math.min(name, least + Math.max(0, width - used), width), ...shown];
}

/** Of too many rows, those that matter most, in their order; if there is room, a line less, which says how many are left out. */
function chosen(rows: readonly Row[], most: number): readonly Row[] {
  if (rows.length <= most) return rows;
  const byRank = [...rows].sort((one, other) => other.rank - one.rank);
  const kept = new Set(byRank.slice(0, saysWhatIsLeft(most) ? most - 1 : most));
  return rows.filter((row) => kept.has(row));
}

function saysWhatIsLeft(most: number): boolean {
  return most > 2;
}

/** Pieces beside one another, on as many lines as they take. */
export function flowingLines(pieces: readonly Piece[], width: number, output: Output): string[] {
  const lines: string[][] = [[]];
  let used = 0;
  for (const { text, style } of pieces) {
    const shown = cut(text, width);
    if (used > 0 && used + pieceGap + shown.length > width) {
      lines.push([]);
      used = 0;
    }
    used += (used > 0 ? pieceGap : 0) + shown.length;
    lines.at(-1)?.push(styled(shown, style, output));
  }
  return lines.map((line) => line.join(' '.repeat(pieceGap)));
}

/** How many lines each gets that wants so many: no more than a bound, which all together keep; what is left over, the first ones. */
export function fairShares(available: number, wanted: readonly number[]): number[] {
  const taken = (bound: number): number => wanted.reduce((sum, each) => sum + Math.min(each, bound), 0);
  let bound = Math.max(0, ...wanted);
  while (bound > 0 && taken(bound) > available) bound -= 1;
  let left = Math.max(0, available - taken(bound));
  return wanted.map((each) => {
    if (each <= bound || left < 1) return Math.min(each, bound);
    left -= 1;
    return bound + 1;
  });
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`.slice(0, width);
}

function styled(text: string, style: Style | undefined, output: Output): string {
  return style === undefined ? text : output.style(style, text);
}
