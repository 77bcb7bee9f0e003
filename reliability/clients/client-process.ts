import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { Failure } from '../../cluster/command-line';
import type { AvailableClient } from './shipped-clients';

export type Protocol = 'h2' | 'http/1.1';

/** What a client asks. */
export interface ClientLoad {
  readonly protocol: Protocol;
  readonly url: string;
  /** Certificates to trust. */
  readonly certificateFile: string;
  readonly getPath: string;
  readonly postPath: string;
  /** Requests a second. */
  readonly rate: number;
}

/** What became of a client's requests. */
export interface ClientResult {
  readonly sent: number;
  readonly ok: number;
  /** How many failed, by what the client said; what differs from one connection to the next is left out of the text. */
  readonly errors: Readonly<Record<string, number>>;
}

/** Milliseconds until the first answer; and until the end, as no client waits longer than 30 s for an answer. */
const patience = 60_000;

/** A client's program at work. */
export class ClientProcess {
  /** Resolves once it has an answer. */
  readonly answered: Promise<void>;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly output: Interface;
  private readonly ended: Promise<ClientResult>;

  constructor(
    private readonly client: AvailableClient,
    load: ClientLoad,
  ) {
    const [file, ...args] = client.command;
    this.child = spawn(
      file,
      [...args, load.protocol, load.url, load.certificateFile, load.getPath, load.postPath, String(load.rate)],
      // A process group of its own: Ctrl-C in the terminal reaches the run alone, which ends this one.
      { detached: true },
    );
    this.child.stdin.on('error', () => undefined);
    this.output = createInterface({ input: this.child.stdout });
    this.ended = this.outcome();
    this.answered = this.firstAnswer();
    // Whoever waits for it or stops it sees why it ended.
    for (const promise of [this.ended, this.answered]) promise.catch(() => undefined);
  }

  /** Lets it finish what is under way, and gives what it has counted. */
  async stop(): Promise<ClientResult> {
    this.child.stdin.end();
    const timer = setTimeout(() => {
      this.kill();
    }, patience);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private async firstAnswer(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Failure(`${this.client.client.name} has no answer after ${patience / 1000} s`));
      }, patience);
    });
    try {
      await Promise.race([once(this.output, 'line'), late, this.ended]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async outcome(): Promise<ClientResult> {
    let last = '';
    let complaints = '';
    this.output.on('line', (line) => (last = line));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
    const reason = await new Promise<string | undefined>((resolve) => {
      this.child.once('error', ({ message }) => {
        resolve(message);
      });
      this.child.once('close', (code, signal) => {
        resolve(code === 0 ? undefined : (signal ?? `exit code ${String(code)}`));
      });
    });
    if (reason !== undefined) {
      const said = complaints.trim().split('\n').at(-1) ?? '';
      const what = said === '' ? reason : `${said} (${reason})`;
      throw new Failure(`${this.client.client.name} ended before it had counted its requests: ${what}`);
    }
    const { sent, ok, errors } = JSON.parse(last) as ClientResult;
    return { sent, ok, errors: withoutDifferences(errors) };
  }
}

/** The same errors under one name: ports and numbers of streams differ from one connection to the next. */
function withoutDifferences(errors: ClientResult['errors']): ClientResult['errors'] {
  const merged: Record<string, number> = {};
  for (const [text, times] of Object.entries(errors)) {
    const name = text.replaceAll(/:\d{2,}/g, ':N');
    merged[name] = (merged[name] ?? 0) + times;
  }
  return merged;
}
