import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { type Logger, pino } from 'pino';

export type LogLine = Readonly<Record<string, unknown>>;

/** The API's own logger, with its lines kept instead of printed. */
export class CapturedLogger {
  readonly logger: Logger;
  readonly lines: LogLine[] = [];
  private readonly stream = new PassThrough();

  constructor(level = 'info') {
    this.logger = pino({ level }, this.stream);
    this.stream.on('data', (data: Buffer) => {
      for (const line of data.toString().trim().split('\n')) this.lines.push(JSON.parse(line) as LogLine);
    });
  }

  async line(matches: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find(matches);
      if (found !== undefined) return found;
      await once(this.stream, 'data');
    }
  }
}
