import type { Output } from '../local/terminal/output';
import { type Chain, type Mover, rangeText, type Step } from './chain';
import { comparison, comparisonText, type Measured } from './measured';

/** A narrower terminal breaks the lines itself: columns could not hold the names of options. */
const narrowest = 80;
const gap = '  ';
const noBreak = '\u00a0';

/** A story in three columns: when, what, and what moves it. */
export function terminalLines(
  chains: readonly Chain[],
  measuredTimes: Measured,
  { output, width }: { readonly output: Output; readonly width: number },
): readonly string[] {
  const when = Math.max(...chains.flatMap(({ steps }) => steps.map(({ at }) => rangeText(at).length)));
  const rest = Math.max(narrowest, width) - when - 3 * gap.length;
  const moved = Math.floor(rest * 0.44);
  const columns = [when, rest - moved, moved] as const;
  return chains.flatMap(({ title, beginning, steps }) => [
    '',
    output.style('bold', title),
    ...wrapped(`0 s: ${beginning}`, Math.max(narrowest, width)).map((line) => output.style('dim', line)),
    ...steps.flatMap((step) => [...stepLines(step, columns), ...measuredLines(step, measuredTimes, columns, output)]),
  ]);
}

type Columns = readonly [when: number, what: number, moved: number];

function stepLines({ at, what, movedBy }: Step, [when, whatWidth, movedWidth]: Columns): string[] {
  const left = wrapped(what, whatWidth);
  const right = wrapped(movedBy.map((mover) => kept(moverText(mover), movedWidth)).join(', '), movedWidth);
  return Array.from({ length: Math.max(left.length, right.length) }, (_, line) =>
    [(line === 0 ? rangeText(at) : '').padStart(when), (left[line] ?? '').padEnd(whatWidth), right[line] ?? '']
      .map((cell) => gap + cell)
      .join('')
      .trimEnd(),
  );
}

function measuredLines(step: Step, measuredTimes: Measured, [when, what, moved]: Columns, output: Output): string[] {
  const compared = comparison(step, measuredTimes);
  if (compared === undefined) return [];
  const text = compared.outside ? `! ${comparisonText(compared)}: outside` : comparisonText(compared);
  const indent = ' '.repeat(when + 2 * gap.length);
  return wrapped(text, what + gap.length + moved).map(
    (line) => indent + output.style(compared.outside ? 'red' : 'green', line),
  );
}

/** Options as they are given; in parentheses what no option changes. */
function moverText(mover: Mover): string {
  return 'option' in mover ? `${mover.option} ${mover.seconds}s` : `(${mover.name} ${rangeText(mover.range)})`;
}

/** Holds a text and the comma after it on one line, if a line holds them. */
function kept(text: string, width: number): string {
  return text.length < width ? text.replaceAll(' ', noBreak) : text;
}

/** Lines of whole words; a word that is longer than a line has one of its own. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => line.replaceAll(noBreak, ' '));
}
