import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { connect as connectTls, type SecureContext } from 'node:tls';
import type { LoadTarget } from './load-target';

export interface Http2Target extends LoadTarget {
  /** Whom to trust; undefined for those that Node.js trusts. */
  readonly secureContext?: SecureContext;
}

/** The server says that it did nothing with a request: to send it again is safe, whatever its method. */
class NotProcessed extends Error {}

/** One HTTP/2 connection. It is opened at once; requests may be given to it before it is open. */
export class Http2Connection {
  /** Streams that have not ended. */
  active = 0;
  /** When the last stream ended, or the connection was opened; in milliseconds since the epoch. */
  idleSince = Date.now();
  private readonly socket: Socket;
  private readonly session: ClientHttp2Session;
  private readonly host: string;
  /** The last stream that the server took, once it has sent GOAWAY. */
  private lastTaken = Number.POSITIVE_INFINITY;
  private closing = false;

  constructor(target: Http2Target, closed: () => void = () => undefined) {
    this.host = target.host;
    this.socket = openSocket(target);
    this.session = connect(target.origin, { createConnection: () => this.socket, settings: { enablePush: false } });
    this.session.on('goaway', (_code: number, lastStreamId: number) => {
      this.lastTaken = lastStreamId;
    });
    // What breaks the connection breaks its streams, and each says so.
    this.session.on('error', () => undefined);
    this.session.on('close', closed);
  }

  /** Whether it takes requests: neither side has begun to close it. */
  get open(): boolean {
    return !this.closing && !this.session.closed && !this.session.destroyed;
  }

  get connecting(): boolean {
    return this.session.connecting;
  }

  request(headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
    const stream = this.session.request({ ':authority': this.host, ...headers }, { endStream });
    this.active += 1;
    stream.once('close', () => {
      this.active -= 1;
      this.idleSince = Date.now();
      if (this.closing) this.close();
    });
    return stream;
  }

  /**
   * Whether the server did nothing with a stream that ended without an answer: it refused it, or its GOAWAY came first.
   * @see https://www.rfc-editor.org/rfc/rfc9113#section-8.7
   */
  didNotProcess(stream: ClientHttp2Stream): boolean {
    return stream.rstCode === constants.NGHTTP2_REFUSED_STREAM || (stream.id ?? 0) > this.lastTaken;
  }

  /** Takes no more requests, and ends when those under way have: Node.js would drop those that wait for the connection. */
  close(): void {
    this.closing = true;
    if (this.active === 0) this.session.close();
  }

  destroy(): void {
    this.session.destroy();
    // A session that is closing waits for the other side, which may be gone.
    this.socket.destroy();
  }
}

function openSocket({ origin, host, secureContext }: Http2Target): Socket {
  const { protocol, hostname, port } = new URL(origin);
  if (protocol === 'http:') return connectTcp({ host: hostname, port: port === '' ? 80 : Number(port) });
  const { hostname: name } = new URL(`http://${host}`);
  return connectTls({
    host: hostname,
    port: port === '' ? 443 : Number(port),
    servername: isIP(name) === 0 ? name : '',
    ALPNProtocols: ['h2'],
    ...(secureContext === undefined ? {} : { secureContext }),
  });
}

/** How often a request is sent again at most: a server that never takes it has lost it. */
const mostRepeats = 10;

/** None, text, or what makes a stream of bytes, once for each time that the request is sent. */
export type Http2Body = null | string | (() => Readable);

export interface Http2Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * Sends one request, and gives its answer once it is whole. Rejects with `NotProcessed` if the protocol says that it may
 * be sent again, and otherwise with what broke it.
 */
function http2Request(
  connection: Http2Connection,
  headers: OutgoingHttpHeaders,
  body: Http2Body,
  timeout: number,
): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const stream = connection.request(headers, body === null);
    let status: number | undefined;
    let text = '';
    let ended = false;
    let failure: Error | undefined;
    stream.setEncoding('utf8');
    stream.setTimeout(timeout, () => {
      const what = connection.connecting ? 'CONNECT_TIMEOUT: no connection' : 'no answer';
      stream.destroy(new Error(`${what} within ${timeout / 1000} s`));
    });
    stream.on('response', (answer) => {
      status = answer[':status'];
    });
    stream.on('data', (chunk: string) => (text += chunk));
    stream.on('end', () => (ended = true));
    stream.on('error', (error: Error) => (failure ??= error));
    stream.on('close', () => {
      if (failure === undefined && ended && status !== undefined && stream.rstCode === constants.NGHTTP2_NO_ERROR) {
        resolve({ status, text });
      } else if (status === undefined && connection.didNotProcess(stream)) {
        reject(new NotProcessed('the server did not process it'));
      } else {
        reject(failure ?? new Error(`the stream was closed without a whole answer (code ${stream.rstCode})`));
      }
    });
    if (typeof body === 'string') stream.end(body);
    else if (body !== null) send(body(), stream);
  });
}

/** What became of a request that was sent again as often as the server said that it had not processed it. */
export type Repeated = { readonly repeats: number } & ({ readonly answer: Http2Answer } | { readonly error: unknown });

/** A server may answer, and close the stream, before all has been sent. */
function send(body: Readable, stream: ClientHttp2Stream): void {
  stream.on('close', () => body.destroy());
  body.pipe(stream);
}

/** A connection for a request, and another if the server did not process it. */
export interface Http2ConnectionSource {
  readonly connection: Http2Connection;
  /** A connection that takes requests, in place of one that refused this one. */
  readonly instead: (refused: Http2Connection) => Http2Connection;
}

/** Sends one request, and again on another connection whenever the protocol says that it may be. */
export async function http2RequestUntilProcessed(
  source: Http2ConnectionSource,
  headers: OutgoingHttpHeaders,
  body: Http2Body,
  timeout: number,
): Promise<Repeated> {
  let { connection } = source;
  for (let repeats = 0; ; repeats += 1) {
    try {
      return { repeats, answer: await http2Request(connection, headers, body, timeout) };
    } catch (error) {
      if (!(error instanceof NotProcessed) || repeats === mostRepeats) return { repeats, error };
      connection = source.instead(connection);
    }
  }
}
