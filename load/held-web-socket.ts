import { isIP } from 'node:net';
import { type RawData, WebSocket } from 'ws';
import { answerHostname } from './answer-hostname';
import { HeldStream, type StreamTarget } from './held-stream';

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
