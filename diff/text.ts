import { terminalText } from '../local/terminal/output';

/** What is said, in pieces: words of ours, and values as they stand in a manifest or in what one types. */
export type Text = readonly (string | { readonly value: string })[];

/** A sentence in which all that is put in is a value, unless it is a text itself. */
export function say(words: TemplateStringsArray, ...values: readonly (string | number | Text)[]): Text {
  return words.flatMap((word, index): Text => {
    const value = values[index];
    if (value === undefined) return [word];
    return [word, ...(typeof value === 'object' ? value : [{ value: String(value) }])];
  });
}

/** Words of ours with what nginx.conf calls things: as they are if they are plain, and else a value, which is escaped. */
export function words(text: string): Text {
  return [/^[\w ,:()-]*$/.test(text) ? text : { value: text }];
}

/** Values with commas between them, and how many more there are. */
export function listed(values: readonly string[], most = 6): Text {
  const shown = values.slice(0, most).flatMap((value, index): Text => [...(index === 0 ? [] : [', ']), { value }]);
  return values.length > most ? [...shown, ` and ${values.length - most} more`] : shown;
}

/** As a terminal shows it, on one line. */
export function plainText(text: Text): string {
  return text.map((piece) => (typeof piece === 'string' ? piece : terminalText(oneLine(piece.value)))).join('');
}

/** As Markdown, on one line: values are code. */
export function markdownText(text: Text): string {
  return text
    .map((piece) => (typeof piece === 'string' ? piece : codeSpan(terminalText(oneLine(piece.value)))))
    .join('');
}

function oneLine(value: string): string {
  return value.replaceAll(/\s*\n\s*/g, ' ');
}

/** @see https://spec.commonmark.org/0.31.2/#code-spans */
function codeSpan(value: string): string {
  if (value === '') return '""';
  const longest = Math.max(0, ...(value.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  const gap = longest > 0 ? ' ' : '';
  return `${fence}${gap}${value}${gap}${fence}`;
}

/** A value of a field, on one line and not too long; without what variables hold, which may be secret. */
export function shownValue(value: unknown): string {
  const withoutVariables = (key: string, inside: unknown): unknown => (key === 'env' ? '…' : inside);
  const text = typeof value === 'string' ? value : JSON.stringify(value, withoutVariables);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** Whether a value is worth more than to be named. */
export function isShort(value: unknown): boolean {
  return shownValue(value).length <= longest;
}

const longest = 200;
