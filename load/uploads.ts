import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { integer } from '../validation/amounts';
import { Http2Connection, http2RequestUntilProcessed, type Http2Target } from './http2-connection';
import { noAnswer } from './load-request';
import { loadTarget, trusting } from './load-target';

const path = '/upload';
/** Many uploads of one body, so that they cost the machine that they share little. */
const piece = Buffer.alloc(256 * 1024, 'fairlead ');

const pauseAfterFailure = 500;

export interface UploadsOptions {
  /** On this machine: `https://localhost:8443`. */
  readonly url: string;
  /** Certificates to trust, in PEM. @default - those that Node.js trusts */
  readonly certificates?: readonly string[];
  /** How long a body is. @default 100000000 */
  readonly bytes?: number;
  /** Of each upload, without a pause: it lasts, and leaves the machine to others. @default 10000000 */
  readonly bytesPerSecond?: number;
  /** How many clients upload, each one body after the other on a connection of its own. @default 2 */
  readonly clients?: number;
  /** How long an upload may make no progress, in milliseconds. @default 60000 */
  readonly timeout?: number;
}

/** One body, and what became of it. */
export interface Upload {
  readonly id: string;
  readonly milliseconds: number;
  /** The instance that answered with the number of bytes. */
  readonly hostname?: string;
  /** How often it was sent again, as the server had not processed it; absent if never. */
  readonly repeats?: number;
  readonly error?: string;
}

/** Clients that upload large bodies over HTTP/2 until they are stopped. */
export class Uploads {
  /** Those that ended so far. */
  readonly uploads: Upload[] = [];
  private readonly finished: Promise<unknown>;
  private readonly target: Http2Target;
  private readonly bytes: number;
  private readonly bytesPerSecond: number;
  private readonly timeout: number;
  private stopped = false;

  constructor(options: UploadsOptions) {
    const { bytes = 100_000_000, bytesPerSecond = 10_000_000, clients = 2, timeout = 60_000 } = options;
    this.target = { ...loadTarget(options.url), ...trusting(options.certificates) };
    this.bytes = integer('bytes', bytes, 1, 1_000_000_000);
    this.bytesPerSecond = integer('bytesPerSecond', bytesPerSecond, 1, 1_000_000_000);
    this.timeout = integer('timeout', timeout, 1, 3_600_000);
    integer('clients', clients, 1, 100);
    this.finished = Promise.all(Array.from({ length: clients }, (_, client) => this.run(client)));
  }

  /** Begins no more, and waits for those under way. */
  async stop(): Promise<readonly Upload[]> {
    this.stopped = true;
    await this.finished;
    return this.uploads;
  }

  private async run(client: number): Promise<void> {
    let connection: Http2Connection | undefined;
    const instead = () => {
      connection?.destroy();
      return (connection = new Http2Connection(this.target));
    };
    for (let count = 1; !this.stopped; count += 1) {
      const begin = performance.now();
      const id = `upload-${client + 1}-${count}`;
      const headers = { ':method': 'POST', ':path': path, 'x-request-id': id, 'content-length': this.bytes };
      const source = { connection: connection?.open === true ? connection : instead(), instead };
      const body = () => Readable.from(this.body(), { objectMode: false });
      const { repeats, ...ended } = await http2RequestUntilProcessed(source, headers, body, this.timeout);
      const upload: Upload = {
        id,
        milliseconds: performance.now() - begin,
        ...(repeats === 0 ? {} : { repeats }),
        ...('error' in ended ? noAnswer(ended.error) : this.judged(ended.answer.status, ended.answer.text)),
      };
      this.uploads.push(upload);
      // What fails at once must not be a load of its own.
      if (upload.error !== undefined) await delay(pauseAfterFailure);
    }
    connection?.destroy();
  }

  private judged(status: number, text: string): Pick<Upload, 'hostname' | 'error'> {
    if (status !== 200) return { error: `status ${status}` };
    try {
      const { hostname, bytes } = JSON.parse(text) as { readonly hostname: string; readonly bytes: number };
      return bytes === this.bytes ? { hostname } : { hostname, error: `${bytes} of ${this.bytes} bytes arrived` };
    } catch {
      return { error: 'the answer is not JSON' };
    }
  }

  private async *body(): AsyncGenerator<Buffer> {
    const begin = performance.now();
    for (let sent = 0; sent < this.bytes;) {
      const next = piece.subarray(0, this.bytes - sent);
      yield next;
      sent += next.length;
      const early = (sent * 1000) / this.bytesPerSecond - (performance.now() - begin);
      if (early > 0) await delay(early);
    }
  }
}
