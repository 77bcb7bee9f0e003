import { once } from 'node:events';
import { createServer, IncomingMessage, RequestListener, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { onFileFinished } from '../../afterwards';
import { Instance } from './stub-dns';

/** An instance of an API, whose behaviour a test decides. It says who it is in the header X-Instance. */
export class StubApi {
  readonly requests: IncomingMessage[] = [];
  connections = 0;

  private constructor(
    readonly name: string,
    private readonly server: Server,
    readonly instance: Instance,
  ) {}

  static async start(name: string, listener: RequestListener, instance: Partial<Instance> = {}): Promise<StubApi> {
    const server = createServer({ keepAliveTimeout: 60_000, requireHostHeader: false });
    const address = instance.address ?? '127.0.0.1';
    server.listen(instance.port ?? 0, address);
    await once(server, 'listening');
    const api = new StubApi(name, server, { address, port: (server.address() as AddressInfo).port });
    onFileFinished(() => api.stop());
    server.on('connection', () => (api.connections += 1));
    server.on('request', (request, response) => {
      api.requests.push(request);
      response.setHeader('X-Instance', name);
      listener(request, response);
    });
    return api;
  }

  on(event: 'upgrade', listener: (request: IncomingMessage, socket: import('node:stream').Duplex) => void): void {
    this.server.on(event, listener);
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}
