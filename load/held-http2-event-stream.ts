import { type ClientHttp2Stream, constants } from 'node:http2';
import { answerHostname } from './answer-hostname';
import { eventReader, eventStreamPath } from './held-event-stream';
import { HeldStream } from './held-stream';
import type { Http2Connection } from './http2-connection';

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
