import type { ServerResponse } from 'node:http';

/** What a header of the answer says, if it has one. */
export type Header = (name: string) => string | undefined;

/** What is said of an event stream unless the app says otherwise: nginx passes every event on at once, nobody keeps it. */
export const eventStreamHeaders = [
  ['X-Accel-Buffering', 'no'],
  ['Cache-Control', 'no-cache'],
] as const;

const comment = ':\n\n';

export function isEventStream(contentType: string | undefined): boolean {
  return contentType !== undefined && /^text\/event-stream\b/i.test(contentType);
}

/**
 * An answer of events without an end of its own.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export class EventStream {
  /** The last bytes of what was written: enough to see whether they end an event. */
  private tail = '';
  private heartbeat: NodeJS.Timeout | undefined;

  /** @param write writes to the response, unseen by `wrote` */
  constructor(
    private readonly response: ServerResponse,
    private readonly write: (chunk: string) => unknown,
  ) {}

  /** From now on no more than so many milliseconds pass without a byte: a comment, which clients ignore. */
  keepAlive(interval: number): void {
    const heartbeat = setTimeout(() => {
      this.beat();
      heartbeat.refresh();
    }, interval);
    this.heartbeat = heartbeat.unref();
  }

  /** Told of everything that the app writes. */
  wrote(chunk: unknown, encodingOrCallback?: unknown): void {
    if (this.heartbeat === undefined) return;
    const bytes =
      typeof chunk === 'string'
        ? Buffer.from(chunk, typeof encodingOrCallback === 'string' ? (encodingOrCallback as BufferEncoding) : 'utf8')
        : (chunk as Uint8Array);
    this.tail = (this.tail + Buffer.from(bytes.subarray(-4)).toString('latin1')).slice(-4);
    this.heartbeat.refresh();
  }

  /** Ends it properly, so that its client comes back and reaches another instance. */
  end(): void {
    if (this.response.writableEnded) return;
    // What the app goes on writing until it hears of the end must not bring the process down.
    this.response.on('error', () => undefined);
    this.response.end();
  }

  /** Its connection is gone. */
  stop(): void {
    clearTimeout(this.heartbeat);
  }

  /** Not within an event, which it would break in two, and not while the client does not take what it has been sent. */
  private beat(): void {
    const { socket, writableEnded, writableNeedDrain } = this.response;
    if (socket === null || writableEnded || writableNeedDrain || !this.betweenEvents) return;
    this.write(comment);
  }

  /** A line ends with CR, LF or both; an empty line ends an event. */
  private get betweenEvents(): boolean {
    return this.tail === '' || this.tail.replaceAll(/\r\n?/g, '\n').endsWith('\n\n');
  }
}

/** Whether a comment can be added to the answer: its length is not given, and nothing has encoded it. */
export function takesComments(header: Header): boolean {
  return header('content-length') === undefined && (header('content-encoding') ?? 'identity') === 'identity';
}
