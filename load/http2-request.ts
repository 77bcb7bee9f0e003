import { type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from 'node:http2';
import type { Readable } from 'node:stream';
import { type Http2Connection, NotProcessed } from './http2-connection';

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
