import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onFileFinished } from '../../afterwards';
import type { LogLine } from './captured-logger';
import { typescriptProgram } from '../../typescript-program';

const root = join(__dirname, '../../..');

/** A program in a process of its own, and what it logs. */
export class NodeProcess {
  readonly lines: LogLine[] = [];
  /** What is on its output and is no JSON. */
  readonly text: string[] = [];
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  private readonly child: ChildProcess;
  private ended = false;

  constructor(file: string, environment: NodeJS.ProcessEnv = {}, loader: readonly string[] = typescriptProgram) {
    this.child = spawn(process.execPath, [...loader, file], {
      cwd: root,
      env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onFileFinished(() => this.child.kill('SIGKILL'));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream !== null)
        createInterface(stream).on('line', (line) => {
          this.take(line);
        });
    }
    this.exited = once(this.child, 'close').then(([code, signal]) => {
      this.ended = true;
      this.child.emit('taken');
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** The first line whose message begins so. */
  async line(message: string): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find(({ msg }) => typeof msg === 'string' && msg.startsWith(message));
      if (found !== undefined) return found;
      if (this.ended)
        throw new Error(`ended without "${message}": ${JSON.stringify(this.lines)} ${this.text.join('\n')}`);
      await once(this.child, 'taken');
    }
  }

  async port(): Promise<number> {
    const { msg } = await this.line('Now accepting requests at ');
    return Number(/:(\d+)$/.exec(msg as string)?.[1]);
  }

  private take(line: string): void {
    try {
      this.lines.push(JSON.parse(line) as LogLine);
    } catch {
      this.text.push(line);
    }
    this.child.emit('taken');
  }
}
