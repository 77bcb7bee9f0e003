import { once } from 'node:events';
import { createServer as createHttpServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { KeyPair } from '../../certificates/key-pair';
import { type WebSocket, WebSocketServer } from 'ws';

/** A server of WebSockets and event streams that a test makes end in any way. */
export class StubStreams {
  readonly webSockets = new Set<WebSocket>();
  readonly eventStreams = new Set<ServerResponse>();
  /** When each connection came, in milliseconds of this process. */
  readonly connectedAt: number[] = [];
  /** Every connection gets this status instead of being held. */
  refuse: number | undefined;
  /** Whether answers are given at all. */
  silent = false;
  /** What answers carry. */
  hostname: string | undefined;

  private constructor(
    private readonly server: Server,
    hostname: string,
  ) {
    this.hostname = hostname;
  }

  static async start(hostname: string, keyPair?: KeyPair): Promise<StubStreams> {
    const server =
      keyPair === undefined
        ? createHttpServer()
        : createHttpsServer({ cert: keyPair.certificate, key: keyPair.privateKey });
    const stub = new StubStreams(server, hostname);
    const webSocketServer = new WebSocketServer({ noServer: true });
    server.on('connection', () => stub.connectedAt.push(performance.now()));
    server.on('upgrade', (request, socket: Socket, head: Buffer) => {
      // A client may reset a connection that it was refused on.
      socket.on('error', () => socket.destroy());
      if (stub.refuse !== undefined) {
        socket.end(`HTTP/1.1 ${stub.refuse} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        return;
      }
      webSocketServer.handleUpgrade(request, socket, head, (webSocket) => {
        stub.hold(webSocket);
      });
    });
    server.on('request', (_request, response: ServerResponse) => {
      stub.stream(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return stub;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** One more event on every event stream. */
  event(): void {
    for (const response of this.eventStreams) response.write(this.text());
  }

  stop(): void {
    for (const webSocket of this.webSockets) webSocket.terminate();
    this.server.closeAllConnections();
    this.server.close();
  }

  private hold(webSocket: WebSocket): void {
    this.webSockets.add(webSocket);
    webSocket.on('close', () => this.webSockets.delete(webSocket));
    webSocket.on('message', (data: Buffer, isBinary) => {
      if (this.silent) return;
      if (data.toString() === 'hostname') webSocket.send(JSON.stringify({ hostname: this.hostname }));
      else webSocket.send(data, { binary: isBinary });
    });
  }

  private stream(response: ServerResponse): void {
    if (this.refuse !== undefined) {
      response.writeHead(this.refuse, { 'content-type': 'text/plain' }).end('no');
      return;
    }
    this.eventStreams.add(response);
    response.on('close', () => this.eventStreams.delete(response));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (this.silent) response.flushHeaders();
    else response.write(`retry: 1000\n${this.text()}`);
  }

  private text(): string {
    return `data: ${JSON.stringify({ hostname: this.hostname })}\n\n`;
  }
}
