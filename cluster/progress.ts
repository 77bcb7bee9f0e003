/** Says what goes on: a line a step, with its seconds, and on a terminal what the step is doing at this moment. */
export class Progress {
  constructor(private readonly output: NodeJS.WriteStream) {}

  async step<T>(title: string, work: (doing: (detail: string) => void) => Promise<T>): Promise<T> {
    const begin = performance.now();
    const seconds = (): string => `${Math.round((performance.now() - begin) / 1000)} s`;
    let detail = '';
    const draw = (): void => {
      this.rewrite(`${title} … ${seconds()}${detail === '' ? '' : `  ${detail}`}`);
    };
    const terminal = this.output.isTTY;
    if (terminal) draw();
    else this.output.write(`${title} …\n`);
    const timer = terminal ? setInterval(draw, 1000) : undefined;
    try {
      const result = await work((said) => {
        detail = said;
        if (terminal) draw();
        else this.output.write(`  ${said}\n`);
      });
      this.finish(`${title}: ${seconds()}`);
      return result;
    } catch (error) {
      this.finish(`${title}: not done after ${seconds()}`);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  private finish(line: string): void {
    if (this.output.isTTY) this.rewrite(`${line}\n`);
    else this.output.write(`${line}\n`);
  }

  /** On a terminal the line of a step is written over itself, and cut so that it stays one line. */
  private rewrite(line: string): void {
    const ending = line.endsWith('\n') ? '\n' : '';
    const text = line.trimEnd().slice(0, Math.max(20, this.output.columns - 1));
    this.output.write(`\r\x1b[K${text}${ending}`);
  }
}
