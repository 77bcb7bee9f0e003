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
