import { type IncomingMessage, type Server, ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { requestId } from 'fairlead-serve';
import type { Logger } from 'pino';
import { type RawData, WebSocketServer } from 'ws';
import { requestLine } from '../request-log';
import { EchoedWebSocket } from './echoed-web-socket';

const path = '/ws/echo';
const largestMessageBytes = 64 * 1024;
const mostWebSockets = 1000;
/** How many clients may read too slowly at once: a stalled one may cost 2 MB, an idle one a hundredth of that. */
const mostStalled = 64;

/** A client cannot see in a handshake which instance it has reached: this text message asks for its name. */
const question = 'hostname';

/**
 * Sends every WebSocket message back as it came; the text `hostname` is answered with the name of this instance. No
 * proxy sees a connection that is silent for `requestTimeout`: each is pinged in time.
 */
export function webSocketEcho(server: Server, logger: Logger, hostname: string): void {
  const longestStall = Math.min(server.requestTimeout / 2, 30_000);
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: largestMessageBytes });
  const open = new Set<EchoedWebSocket>();
  const endLongestOpenOfTooMany = () => {
    const [longestOpen, ...others] = [...open].filter(({ isStalled }) => isStalled);
    if (others.length >= mostStalled) longestOpen?.terminate();
  };
  const pings = setInterval(
    () => {
      for (const webSocket of open) webSocket.ping();
    },
    Math.min(server.requestTimeout / 3, 20_000),
  );
  pings.unref();
  server.once('close', () => {
    clearInterval(pings);
  });

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const begun = performance.now();
    const known = request.url?.replace(/\?.*$/s, '') === path;
    if (!known || open.size >= mostWebSockets) {
      const status = known ? 503 : 404;
      refuse(request, status);
      logger.info(requestLine(request, status, begun), 'request completed');
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const echoed = new EchoedWebSocket(webSocket, request.socket, {
        longest: longestStall,
        begun: endLongestOpenOfTooMany,
        ended: () => {
          logger.info({ requestId: requestId(request) }, 'WebSocket reads too slowly: told to go');
        },
      });
      open.add(echoed);
      webSocket.on('message', (data, binary) => {
        if (!binary && rawText(data) === question) echoed.send({ data: JSON.stringify({ hostname }), binary });
        else echoed.send({ data, binary });
      });
      webSocket.on('error', (error) => {
        logger.debug({ err: error }, 'WebSocket failed');
      });
      webSocket.on('close', (code) => {
        open.delete(echoed);
        logger.info({ ...requestLine(request, 101, begun), code }, 'request completed');
      });
    });
  });
}

/** Node answers no upgrade by itself once there is a listener for them. */
function refuse(request: IncomingMessage, status: number): void {
  const { socket } = request;
  const id = requestId(request);
  const response = new ServerResponse(request);
  response.assignSocket(socket);
  response.setHeader('Connection', 'close').setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('X-Request-Id', id).writeHead(status);
  response.end(JSON.stringify({ error: STATUS_CODES[status], requestId: id }), () => socket.end());
}

/** `ws` gives one Buffer unless `binaryType` says otherwise. */
function rawText(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString() : '';
}
