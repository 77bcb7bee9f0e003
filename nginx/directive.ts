import { InvalidOption } from '../validation/invalid-option';

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

export type Node = Directive | Heading;

export function directive(text: string, reason?: string): Directive {
  return reason === undefined ? { text } : { text, reason };
}

export function block(text: string, body: readonly Node[], reason?: string): Directive {
  return reason === undefined ? { text, body } : { text, body, reason };
}

export function heading(text: string): Heading {
  return { heading: text };
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

  const isBlock = node.body !== undefined;
  const code = `${indent}${node.text}${isBlock ? ' {' : ';'}`;
  const line = node.reason === undefined ? `${code}\n` : withReason(code, node.reason, indent);
  return isBlock ? `${line}${render(node.body, depth + 1)}${indent}}\n` : line;
}

function withReason(code: string, reason: string, indent: string): string {
  return code.length < reasonColumn ? `${code.padEnd(reasonColumn)}# ${reason}\n` : `${indent}# ${reason}\n${code}\n`;
}

/** nginx reads its configuration through a buffer of 4096 bytes, which no parameter may outgrow. */
const longestParameter = 2048;

/**
 * A string as one parameter of a directive that takes no variables. Refuses what no nginx parameter carries.
 * @see https://nginx.org/en/docs/beginners_guide.html#conf_structure
 */
export function quote(option: string, value: unknown): string {
  if (typeof value !== 'string') {
    throw new InvalidOption(option, value, 'is not text: give a string');
  }
  if (!value.isWellFormed()) {
    throw new InvalidOption(
      option,
      value,
      'has half of a surrogate pair, which UTF-8 cannot carry: give whole characters',
    );
  }
  if (/\p{Cc}/u.test(value)) {
    throw new InvalidOption(option, value, 'has a control character, which nginx cannot carry here: take it out');
  }
  if (Buffer.byteLength(value) > longestParameter) {
    throw new InvalidOption(
      option,
      value,
      `is longer than ${longestParameter} bytes, which nginx cannot read: shorten it`,
    );
  }
  return `"${value.replaceAll(/[\\"]/g, '\\$&')}"`;
}

/** The same for a directive that takes variables: `$` comes from a variable, as nginx has no escape for it. */
export function quoteWithVariables(option: string, value: unknown): string {
  return quote(option, value).replaceAll('$', '${dollar}');
}
