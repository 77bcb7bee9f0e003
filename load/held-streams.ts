import { isIP } from 'node:net';
import type { SecureContext } from 'node:tls';
import { type RawData, WebSocket } from 'ws';
import { answerHostname } from './load-request';
import type { LoadTarget } from './load-target';

export type StreamKind = 'WebSocket' | 'event stream' | 'HTTP/2 event stream' | 'gRPC stream';

/** How a connection that was held came to its end. */
export type StreamEnding =
  /** A WebSocket's close frame came; 1005 stands for one without a code. */
  | { readonly how: 'closed'; readonly code: number; readonly reason: string }
  /** The last chunk of an event stream came, or the end of its HTTP/2 stream, or the status OK of gRPC. */
  | { readonly how: 'ended' }
  /** The connection went away without either, or was refused. */
  | { readonly how: 'broken'; readonly error: string }
  /** Still open, as it seemed, but nothing came any more. */
  | { readonly how: 'silent' }
  /** Held until the run was over. */
  | { readonly how: 'stopped' };

/** What a client did after its connection had ended. */
export interface Comeback {
  /** From the end until a connection was open again; if none was, until the run was over. */
  readonly milliseconds: number;
  /** Attempts that led nowhere. */
  readonly refused: number;
  /** The instance it is on now; absent if no connection was open again. */
  readonly hostname?: string;
}

/** One connection, from its first answer to its end. Times are milliseconds since the epoch. */
export interface StreamSession {
  readonly kind: StreamKind;
  /** The number of its client, from 0: a client comes back with its number. */
  readonly client: number;
  readonly hostname: string;
  readonly openedAt: number;
  readonly endedAt: number;
  /** Echoes or events that came. */
  readonly messages: number;
  readonly ending: StreamEnding;
  /** Absent if it was held until the run was over. */
  readonly comeback?: Comeback;
}

/** An ending in words, the same for all that ended in the same way. */
export function endingText(ending: StreamEnding): string {
  switch (ending.how) {
    case 'closed':
      return `closed with ${ending.code}${ending.reason === '' ? '' : ` ${JSON.stringify(ending.reason)}`}`;
    case 'ended':
      return 'ended with its last chunk';
    case 'broken':
      return `broken: ${ending.error}`;
    case 'silent':
      return 'silent';
    case 'stopped':
      return 'held to the end';
  }
}

export interface StreamTarget extends LoadTarget {
  /** Whom to trust; undefined for those that Node.js trusts. */
  readonly secureContext?: SecureContext;
  /** Milliseconds without an answer after which a connection counts as silent, also while it opens. */
  readonly silence: number;
}

/** One connection that is held: it counts as open once an instance has said its name. */
export abstract class HeldStream {
  /** The instance's name; undefined if the connection ended without one. */
  readonly opened: Promise<string | undefined>;
  /** Resolves once the connection is gone. */
  readonly ended: Promise<StreamEnding>;
  /** Echoes or events that came after the first, which named the instance. */
  messages = -1;

  private readonly watch: NodeJS.Timeout;
  private cause: StreamEnding | undefined;
  private resolveOpened: (hostname: string | undefined) => void = () => undefined;
  private resolveEnded: (ending: StreamEnding) => void = () => undefined;

  protected constructor(silence: number) {
    this.opened = new Promise((resolve) => {
      this.resolveOpened = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
    this.watch = setTimeout(() => {
      this.fail({ how: 'silent' });
    }, silence);
  }

  /** Ends it from this side. */
  close(): void {
    this.cause ??= { how: 'stopped' };
    this.disconnect();
  }

  /** Takes the connection down at once. */
  protected abstract destroy(): void;
  /** Takes it down as a client does that has no more use for it. */
  protected abstract disconnect(): void;

  /** An answer came: the first one has to name the instance. */
  protected answered(hostname: string | undefined): void {
    this.watch.refresh();
    this.messages += 1;
    if (this.messages > 0) return;
    if (hostname === undefined) this.fail({ how: 'broken', error: 'the answer names no hostname' });
    else this.resolveOpened(hostname);
  }

  /** The first cause counts: what follows, follows from it. */
  protected fail(cause: StreamEnding): void {
    this.cause ??= cause;
    this.destroy();
  }

  protected gone(ending: StreamEnding): void {
    clearTimeout(this.watch);
    this.resolveOpened(undefined);
    this.resolveEnded(this.cause ?? ending);
  }
}

const path = '/ws/echo';
const closeMilliseconds = 1000;
const withoutCloseFrame = 1006;

/** A WebSocket that asks for the instance's name first, and then for an echo now and then. */
export class HeldWebSocket extends HeldStream {
  private readonly webSocket: WebSocket;
  private asking: NodeJS.Timeout | undefined;
  private error = 'no close frame (1006)';

  constructor({ origin, host, secureContext, silence }: StreamTarget, messageInterval: number) {
    super(silence);
    const { hostname } = new URL(`http://${host}`);
    const tls = {
      servername: isIP(hostname) === 0 ? hostname : '',
      ...(secureContext === undefined ? {} : { secureContext }),
    };
    this.webSocket = new WebSocket(`${origin.replace(/^http/, 'ws')}${path}`, {
      ...tls,
      headers: { host },
      // Contexts for compression would be most of the memory of hundreds of connections.
      perMessageDeflate: false,
    });
    let sent = 0;
    this.webSocket.on('open', () => {
      this.webSocket.send('hostname');
      this.asking = setInterval(() => {
        sent += 1;
        this.webSocket.send(String(sent));
      }, messageInterval);
    });
    this.webSocket.on('message', (data: RawData) => {
      this.answered(Buffer.isBuffer(data) ? answerHostname(data.toString()) : undefined);
    });
    this.webSocket.on('error', (error) => {
      this.error = error.message;
    });
    this.webSocket.on('close', (code, reason) => {
      clearInterval(this.asking);
      if (code === withoutCloseFrame) this.gone({ how: 'broken', error: this.error });
      else this.gone({ how: 'closed', code, reason: reason.toString() });
    });
  }

  protected override disconnect(): void {
    this.webSocket.close(1000);
    const timer = setTimeout(() => {
      this.webSocket.terminate();
    }, closeMilliseconds);
    this.webSocket.once('close', () => {
      clearTimeout(timer);
    });
  }

  protected override destroy(): void {
    this.webSocket.terminate();
  }
}
