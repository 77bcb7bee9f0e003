import type { ReadStream, WriteStream } from 'node:tty';
import type { Size } from './screen';

/**
 * The other screen of a terminal, so that what was there before is there afterwards; no cursor, and no line that goes on below its end.
 * @see https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
 */
const taken = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const givenBack = '\u001b[?7h\u001b[?25h\u001b[?1049l';

const home = '\u001b[H';
const eraseLine = '\u001b[2K';
const eraseBelow = '\u001b[J';

const ctrlC = '\u0003';

type Input = Pick<ReadStream, 'isTTY' | 'setRawMode' | 'resume' | 'pause' | 'on' | 'off'>;
type Screen = Pick<WriteStream, 'columns' | 'rows' | 'write' | 'on' | 'off'>;

/** A terminal that is one screen for a while: q and Ctrl-C end it, and it follows the size of its window. */
export class Terminal {
  private isOpen = true;
  private lines: (size: Size) => readonly string[] = () => [];

  constructor(
    private readonly input: Input,
    private readonly screen: Screen,
    private readonly end: () => void,
  ) {
    screen.write(taken);
    screen.on('resize', this.draw);
    if (input.isTTY) {
      // Each key as it is typed; Ctrl-C is one of them then, and no signal.
      input.setRawMode(true);
      input.on('data', this.onKeys);
      input.on('error', this.end);
      input.resume();
    }
    // However this process ends; what it says of a mistake is said on the screen that stays.
    process.on('exit', this.close);
    process.on('uncaughtExceptionMonitor', this.close);
  }

  /** Shows lines, which are made anew for another size. */
  show(lines: (size: Size) => readonly string[]): void {
    this.lines = lines;
    this.draw();
  }

  /** Gives the terminal back; as often as one likes. */
  readonly close = (): void => {
    if (!this.isOpen) return;
    this.isOpen = false;
    process.off('exit', this.close);
    process.off('uncaughtExceptionMonitor', this.close);
    this.screen.off('resize', this.draw);
    if (this.input.isTTY) {
      this.input.off('data', this.onKeys);
      this.input.setRawMode(false);
      this.input.pause();
    }
    this.screen.write(givenBack);
  };

  private readonly draw = (): void => {
    // One that is not said, as some terminals do not.
    const columns = this.screen.columns > 0 ? this.screen.columns : 80;
    const rows = this.screen.rows > 0 ? this.screen.rows : 24;
    const lines = this.lines({ columns, rows });
    // Erased before they are written: behind a line that is as long as the screen is wide, its last character would be.
    const below = lines.length < rows ? `\r\n${eraseBelow}` : '';
    this.screen.write(`${home}${lines.map((line) => `${eraseLine}${line}`).join('\r\n')}${below}`);
  };

  private readonly onKeys = (keys: Buffer): void => {
    const typed = keys.toString();
    if (/^q$/i.test(typed) || typed.includes(ctrlC)) this.end();
  };
}
