import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import { requestLine } from '../request-log';

const path = '/ws/echo';
const largestMessageBytes = 1024 * 1024;

/** Sends every WebSocket message back as it came. */
export function webSocketEcho(server: Server, logger: Logger): void {
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
        webSocket.send(data, { binary: isBinary });
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
