import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type RawData, WebSocketServer } from 'ws';
import { requestLine } from '../request-log';

const path = '/ws/echo';
const largestMessageBytes = 1024 * 1024;

/** A client cannot see in a handshake which instance it has reached: this text message asks for its name. */
const question = 'hostname';

/** Sends every WebSocket message back as it came; the text `hostname` is answered with the name of this instance. */
export function webSocketEcho(server: Server, logger: Logger, hostname: string): void {
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: largestMessageBytes });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const begun = performance.now();
    if (request.url?.replace(/\?.*$/s, '') !== path) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      logger.info(requestLine(request, 404, begun), 'request completed');
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('message', (data, isBinary) => {
        if (!isBinary && rawText(data) === question) webSocket.send(JSON.stringify({ hostname }));
        else webSocket.send(data, { binary: isBinary });
      });
      webSocket.on('error', (error) => {
        logger.debug({ err: error }, 'WebSocket failed');
      });
      webSocket.on('close', () => {
        logger.info(requestLine(request, 101, begun), 'request completed');
      });
    });
  });
}

/** `ws` gives one Buffer unless `binaryType` says otherwise. */
function rawText(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString() : '';
}
