import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { integer, port } from '../validation/amounts';

export interface DelayingRelayOptions {
  /** Where the connections lead to, on this machine. */
  readonly port: number;
  /** What a round trip takes longer, in milliseconds: half of it each way. */
  readonly roundTrip: number;
}

/**
 * The distance between a client and a server, on loopback: every byte and every end of a direction takes half a round trip longer
 * each way (TCP's own handshake does not), and a reset arrives as the end of both directions. What is sent meanwhile is on its way too, so throughput stays what it is; a
 * receiver that does not read holds its sender up.
 */
export class DelayingRelay {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly options: DelayingRelayOptions,
  ) {
    server.on('connection', (client: Socket) => {
      this.join(client);
    });
  }

  /** Resolves once it accepts connections. */
  static async start(options: DelayingRelayOptions): Promise<DelayingRelay> {
    port('port', options.port);
    integer('roundTrip', options.roundTrip, 0, 10_000);
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const relay = new DelayingRelay(server, options);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends every connection, and resolves once none is left. */
  async stop(): Promise<void> {
    const closed = [this.server, ...this.sockets].map((one) => new Promise((resolve) => one.once('close', resolve)));
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(closed);
  }

  private join(client: Socket): void {
    const server = connect({ port: this.options.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    }
    this.forward(client, server);
    this.forward(server, client);
  }

  private forward(from: Socket, to: Socket): void {
    // Timers of one duration fire in the order in which they were set: nothing overtakes.
    const later = (act: () => void): void => void setTimeout(act, this.options.roundTrip / 2);
    from.on('data', (chunk: Buffer) => {
      later(() => {
        if (!to.write(chunk)) from.pause();
      });
    });
    to.on('drain', () => from.resume());
    from.once('end', () => {
      later(() => to.end());
    });
    from.once('error', () => {
      later(() => {
        to.destroySoon();
      });
    });
  }
}
