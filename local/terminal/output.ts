import { WriteStream } from 'node:tty';
import { Level, LogLine } from './log-line';

/** SGR codes. @see https://www.ecma-international.org/publications-and-standards/standards/ecma-48/ */
const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;
type Style = keyof typeof styles;

const levelStyles: Readonly<Record<Level, Style | undefined>> = {
  error: 'red',
  warn: 'yellow',
  info: undefined,
  debug: 'dim',
};
const sourceStyles: readonly Style[] = ['cyan', 'magenta', 'blue', 'green', 'yellow'];

/** A line that somebody has begun to type. */
export interface TypedLine {
  readonly takeAway: () => void;
  readonly putBack: () => void;
}

/** Short aligned lines, each with the time and with who said it; coloured on a terminal, unless NO_COLOR is set. */
export class Output {
  private readonly coloured: boolean;
  /** As wide as the longest of those who said something. */
  private sourceWidth = 8;
  private readonly styleOfSource = new Map<string, Style>();
  /** What is being typed below the last line. */
  private typed: TypedLine | undefined;

  constructor(private readonly stream: NodeJS.WritableStream) {
    // hasColors() knows of NO_COLOR. https://no-color.org
    this.coloured = stream instanceof WriteStream && stream.hasColors();
  }

  /** Lets lines of all of these begin at one column. */
  alignTo(sources: readonly string[]): void {
    this.sourceWidth = Math.max(this.sourceWidth, ...sources.map(({ length }) => length));
  }

  /** What fairlead itself has to say. */
  say(text: string, level: Level = 'info'): void {
    this.log('fairlead', { level, text });
  }

  /** What a process has written. */
  log(source: string, { level, text }: LogLine): void {
    const time = this.style('dim', new Date().toTimeString().slice(0, 8));
    this.alignTo([source]);
    const prefix = this.style(this.sourceStyle(source), source.padEnd(this.sourceWidth));
    const style = levelStyles[level];
    const shown = terminalText(text);
    this.write(`${time} ${prefix} ${style === undefined ? shown : this.style(style, shown)}\n`);
  }

  /** Lines without time or source. */
  block(lines: readonly string[]): void {
    this.write(`${lines.join('\n')}\n`);
  }

  /** The stream, if somebody sits before it. */
  get terminal(): NodeJS.WritableStream | undefined {
    return (this.stream as Partial<WriteStream>).isTTY === true ? this.stream : undefined;
  }

  /** Keeps what is being typed below all that is written from now on; nothing is, once it is undefined. */
  keepBelow(typed: TypedLine | undefined): void {
    this.typed = typed;
  }

  private write(text: string): void {
    this.typed?.takeAway();
    this.stream.write(text);
    this.typed?.putBack();
  }

  style(style: Style, text: string): string {
    return this.coloured ? `\u001b[${styles[style]}m${text}\u001b[0m` : text;
  }

  private sourceStyle(source: string): Style {
    if (source === 'fairlead') return 'bold';
    const known = this.styleOfSource.get(source);
    if (known !== undefined) return known;
    const style = sourceStyles[this.styleOfSource.size % sourceStyles.length] ?? 'cyan';
    this.styleOfSource.set(source, style);
    return style;
  }
}

const colour = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, 'g');

/** What a terminal shows of a text that clients, or an API, had a hand in: no control characters, no escape sequences. */
export function terminalText(text: string): string {
  return (
    text
      // Colours that a program gives its own lines are left out as a whole, and not piece by piece.
      .replace(colour, '')
      .replaceAll('\t', '  ')
      // Cc: control characters. Cf: among others those that turn the direction of the text around.
      .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
  );
}
