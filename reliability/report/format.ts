const absent = '–';

/** `6,032` */
export function count(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : absent;
}

/** Milliseconds without their unit, which the head of a column says. */
export function wholeMilliseconds(value: number): string {
  if (value > 0 && value < 0.5) return '< 1';
  return count(value);
}

/** `2 ms` */
export function milliseconds(value: number): string {
  return Number.isFinite(value) ? `${wholeMilliseconds(value)} ms` : absent;
}

/** `12.3 s` */
export function seconds(value: number): string {
  return Number.isFinite(value) ? `${value.toLocaleString('en-US', decimal)} s` : absent;
}

/** `1 h 12 min`, `12 min`, `48 s` */
export function duration(value: number): string {
  if (!Number.isFinite(value)) return absent;
  if (value < 59.5) return `${Math.round(value)} s`;
  const minutes = Math.round(value / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `385 MiB` */
export function mebibytes(bytes: number): string {
  return Number.isFinite(bytes) ? `${count(bytes / 2 ** 20)} MiB` : absent;
}

/** `1 node`, `3 nodes` */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

const decimal = { minimumFractionDigits: 1, maximumFractionDigits: 1 };

/**
 * Text as one line of Markdown that means the text itself, in a paragraph, a list and a cell of a table alike. Only
 * `code` between backticks keeps its meaning, unless it has what a cell would read as its end.
 * @see https://github.github.com/gfm/#tables-extension-
 */
export function markdownText(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return (
    line
      .split(/(`[^`|\\]+`)/)
      .map((part, index) => (index % 2 === 1 ? part : part.replaceAll(/[\\`*_{}[\]<>|~&$]/g, '\\$&')))
      .join('')
      // At the beginning of a line these would begin a heading, a list or a rule.
      .replace(/^[-+#=]/, '\\$&')
      .replace(/^(\d+)([.)])(?=\s|$)/, '$1\\$2')
  );
}

/** A row of a table. */
export function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Text as a code span, whatever backticks it has. @see https://spec.commonmark.org/0.31.2/#code-spans */
export function codeSpan(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${line}${fence}` : `${fence} ${line} ${fence}`;
}
