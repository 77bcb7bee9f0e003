import { InvalidOption } from '../validation/invalid-option';
import { oneLine } from '../validation/text';

/** A line of nginx.conf, with the reason why it is there. */
export interface Directive {
  readonly text: string;
  readonly reason?: string;
  /** Makes it a block. */
  readonly body?: readonly Node[];
}

/** A heading for what follows. */
export interface Heading {
  readonly heading: string;
}

/** Text of a user, which nothing but nginx reads. */
export interface Snippet {
  readonly raw: string;
}

export type Node = Directive | Heading | Snippet;

export function directive(text: string, reason?: string): Directive {
  return reason === undefined ? { text } : { text, reason };
}

export function block(text: string, body: readonly Node[], reason?: string): Directive {
  return reason === undefined ? { text, body } : { text, body, reason };
}

export function snippets(texts: readonly string[] = []): Snippet[] {
  return texts.map((raw) => ({ raw }));
}

export function heading(text: string): Heading {
  return { heading: text };
}

/** The same with each reason where it is needed first: what many locations have is explained once. */
export function reasonsOnce(nodes: readonly Node[], given = new Set<string>()): Node[] {
  return nodes.map((node) => {
    if ('heading' in node || 'raw' in node) return node;
    const { text, reason, body } = node;
    const known = reason === undefined || given.has(reason);
    if (reason !== undefined) given.add(reason);
    return {
      text,
      ...(known ? {} : { reason }),
      ...(body === undefined ? {} : { body: reasonsOnce(body, given) }),
    };
  });
}

/** Reasons stand beside a directive from this column on, and above it when it reaches further. */
const reasonColumn = 60;

export function render(nodes: readonly Node[], depth = 0): string {
  return nodes.map((node, index) => renderNode(node, depth, index === 0)).join('');
}

function renderNode(node: Node, depth: number, first: boolean): string {
  const indent = '  '.repeat(depth);
  const gap = first ? '' : '\n';
  if ('heading' in node) return `${gap}${indent}# ${node.heading}\n`;
  if ('raw' in node) return node.raw.replaceAll(/^(?=.)/gm, indent) + (node.raw.endsWith('\n') ? '' : '\n');

  const isBlock = node.body !== undefined;
  const code = `${indent}${node.text}${isBlock ? ' {' : ';'}`;
  const line = node.reason === undefined ? `${code}\n` : withReason(code, node.reason, indent);
  return isBlock ? `${line}${render(node.body, depth + 1)}${indent}}\n` : line;
}

function withReason(code: string, reason: string, indent: string): string {
  return code.length < reasonColumn ? `${code.padEnd(reasonColumn)}# ${reason}\n` : `${indent}# ${reason}\n${code}\n`;
}

/**
 * A string as one parameter of a directive that takes no variables. Refuses what no nginx parameter carries.
 * @see https://nginx.org/en/docs/beginners_guide.html#conf_structure
 */
export function quote(option: string, value: unknown): string {
  return fitting(option, value, `"${escaped(oneLine(option, value))}"`);
}

/** The same for a directive that takes variables: `$` comes from a variable, as nginx has no escape for it. */
export function quoteWithVariables(option: string, value: unknown): string {
  return fitting(option, value, withDollars(quote(option, value)));
}

/** What a parameter is written with has to fit in the 4096 bytes that nginx reads at a time. */
function fitting(option: string, value: unknown, written: string): string {
  if (Buffer.byteLength(written) < 4096) return written;
  throw new InvalidOption(option, value, 'has more quotes, backslashes and "$" than nginx can read: take some out');
}

/** Text of any length and of several lines, as parameters that take variables; together they are the text. */
export function quotedPieces(option: string, value: string): string[] {
  const pieces = value.match(/[^]{1,400}/gu) ?? [''];
  return pieces.map((piece) => {
    oneLine(option, piece.replaceAll(/[\t\n\r]/g, ' '));
    return withDollars(`"${onOneLine(escaped(piece))}"`);
  });
}

/** The same as parameters that take no variables: a "$" is one. As few as nginx can read. */
export function literalPieces(value: string): string[] {
  const pieces: string[] = [];
  let [piece, bytes] = ['', 0];
  for (const character of value) {
    const written = onOneLine(escaped(character));
    const more = Buffer.byteLength(written);
    if (bytes + more > longestPiece) {
      pieces.push(piece);
      [piece, bytes] = ['', 0];
    }
    piece += written;
    bytes += more;
  }
  return [...pieces, piece].map((text) => `"${text}"`);
}

/** Of the 4096 bytes that nginx reads at a time. */
const longestPiece = 4000;

/** In a parameter that stands in quotation marks. */
function escaped(text: string): string {
  return text.replaceAll(/[\\"]/g, '\\$&');
}

function onOneLine(text: string): string {
  return text.replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}

function withDollars(quoted: string): string {
  return quoted.replaceAll('$', '${dollar}');
}
