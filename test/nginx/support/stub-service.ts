import { once } from 'node:events';
import { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer, Server as TlsServer } from 'node:https';
import { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { KeyPair } from '../../../certificates/key-pair';
import { onFileFinished } from '../../afterwards';

/** A service over TLS that is no backend, and counts how it is reached. */
export class StubService {
  readonly requests: IncomingMessage[] = [];
  connections = 0;
  /** Connections whose handshake resumed a session. */
  resumed = 0;

  private constructor(
    private readonly server: Server & TlsServer,
    readonly port: number,
  ) {}

  static async start(
    { certificate: cert, privateKey: key }: KeyPair,
    listener: RequestListener,
    { port = 0, address = '127.0.0.1' } = {},
  ): Promise<StubService> {
    const server = createServer({ cert, key, keepAliveTimeout: 60_000 }) as Server & TlsServer;
    server.listen(port, address);
    await once(server, 'listening');
    const service = new StubService(server, (server.address() as AddressInfo).port);
    onFileFinished(() => service.stop());
    server.on('secureConnection', (socket: TLSSocket) => {
      service.connections += 1;
      if (socket.isSessionReused()) service.resumed += 1;
    });
    server.on('tlsClientError', () => undefined);
    server.on('request', (request, response) => {
      service.requests.push(request);
      listener(request, response);
    });
    return service;
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}
