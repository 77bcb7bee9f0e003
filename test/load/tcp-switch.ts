import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Passes connections on to a port that a test changes, as a Service does: new ones go there, those that are open stay. */
export class TcpSwitch {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    public target: number,
  ) {
    server.on('connection', (client) => {
      this.passOn(client);
    });
  }

  static async start(target: number): Promise<TcpSwitch> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpSwitch(server, target);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private passOn(client: Socket): void {
    const server = connect({ host: '127.0.0.1', port: this.target, allowHalfOpen: true });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => to.resetAndDestroy());
      from.on('close', () => this.sockets.delete(from));
      from.pipe(to);
    }
  }
}
