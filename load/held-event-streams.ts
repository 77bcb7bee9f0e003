import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { type ClientHttp2Stream, constants } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { HeldStream, type StreamTarget } from './held-streams';
import type { Http2Connection } from './http2-connection';
import { answerHostname } from './load-request';

const eventStreamPath = '/sse';

/**
 * An event stream, whose events name the instance.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export class HeldEventStream extends HeldStream {
  private readonly request: ClientRequest;

  constructor({ origin, host, secureContext, silence }: StreamTarget) {
    super(silence);
    const options = {
      // A connection of its own.
      agent: false as const,
      headers: { host, accept: 'text/event-stream' },
      ...(secureContext === undefined ? {} : { secureContext }),
    };
    const url = new URL(eventStreamPath, origin);
    this.request = url.protocol === 'https:' ? requestHttps(url, options) : requestHttp(url, options);
    const broken = (error: NodeJS.ErrnoException) => {
      this.gone({ how: 'broken', error: error.message });
    };
    this.request.on('error', broken);
    this.request.on('response', (response: IncomingMessage) => {
      response.on('error', broken);
      response.on('close', () => {
        this.gone({ how: 'broken', error: 'closed' });
      });
      this.read(response);
    });
    this.request.end();
  }

  protected override disconnect(): void {
    this.destroy();
  }

  protected override destroy(): void {
    this.request.destroy(new Error('ended by this side'));
  }

  private read(response: IncomingMessage): void {
    const type = response.headers['content-type'] ?? 'no content type';
    if (response.statusCode !== 200 || !type.startsWith('text/event-stream')) {
      this.fail({ how: 'broken', error: `status ${response.statusCode ?? 0}, ${type}` });
      return;
    }
    response.setEncoding('utf8');
    response.on(
      'data',
      eventReader((data) => {
        this.answered(answerHostname(data));
      }),
    );
    // Node.js gives it only if the last chunk came: a connection that breaks is an error.
    response.on('end', () => {
      this.gone({ how: 'ended' });
    });
  }
}

/** Takes an event stream piece by piece, and gives the data of each event, which is one line here. */
function eventReader(onData: (data: string) => void): (chunk: string) => void {
  let line = '';
  return (chunk) => {
    const lines = (line + chunk).split('\n');
    line = lines.pop() ?? '';
    for (const field of lines) if (field.startsWith('data:')) onData(field.slice(5));
  };
}

/** An event stream on an HTTP/2 connection that it shares with others. */
export class HeldHttp2EventStream extends HeldStream {
  private readonly stream: ClientHttp2Stream;

  constructor(
    private readonly connection: Http2Connection,
    silence: number,
  ) {
    super(silence);
    this.stream = connection.request({ ':path': eventStreamPath, accept: 'text/event-stream' }, true);
    let ended = false;
    let error: string | undefined;
    this.stream.on('response', (headers) => {
      const type = headers['content-type'] ?? 'no content type';
      const status = headers[':status'] ?? 0;
      if (status !== 200 || !type.startsWith('text/event-stream')) {
        this.fail({ how: 'broken', error: `status ${status}, ${type}` });
      }
    });
    this.stream.setEncoding('utf8');
    this.stream.on(
      'data',
      eventReader((data) => {
        this.answered(answerHostname(data));
      }),
    );
    this.stream.on('end', () => (ended = true));
    this.stream.on('error', ({ message }: Error) => (error = message));
    this.stream.on('close', () => {
      const whole = ended && this.stream.rstCode === constants.NGHTTP2_NO_ERROR;
      this.gone(whole ? { how: 'ended' } : { how: 'broken', error: error ?? 'aborted' });
    });
  }

  protected override disconnect(): void {
    this.stream.close(constants.NGHTTP2_CANCEL);
  }

  /** Nothing more is asked of a connection on which something is wrong. */
  protected override destroy(): void {
    this.connection.close();
    this.stream.destroy();
  }
}
