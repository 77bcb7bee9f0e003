import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import type { LoadTarget } from './load-target';

export interface Http2Target extends LoadTarget {
  /** Whom to trust; undefined for those that Node.js trusts. */
  readonly secureContext?: SecureContext;
}

/** The server says that it did nothing with a request: to send it again is safe, whatever its method. */
export class NotProcessed extends Error {}

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
