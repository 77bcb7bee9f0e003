import { constants, type OutgoingHttpHeaders } from 'node:http2';
import { type Http2Connection, NotProcessed } from './http2-connection';
import type { Http2Use } from './http2-connections';

/** How often a request is sent again at most: a server that never takes it has lost it. */
const mostRepeats = 10;

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
  body: string | null,
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
    if (body !== null) stream.end(body);
  });
}

/** What became of a request that was sent again as often as the server said that it had not processed it. */
export type Repeated = { readonly repeats: number } & ({ readonly answer: Http2Answer } | { readonly error: unknown });

/** Sends one request, and again on another connection whenever the protocol says that it may be. */
export async function http2RequestUntilProcessed(
  use: Http2Use,
  headers: OutgoingHttpHeaders,
  body: string | null,
  timeout: number,
): Promise<Repeated> {
  let { connection } = use;
  for (let repeats = 0; ; repeats += 1) {
    try {
      return { repeats, answer: await http2Request(connection, headers, body, timeout) };
    } catch (error) {
      if (!(error instanceof NotProcessed) || repeats === mostRepeats) return { repeats, error };
      connection = use.instead(connection);
    }
  }
}
