import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Connection } from './connection';

/** What was cut off when the time to end was over. */
export interface Cut {
  readonly requests: number;
  readonly connections: number;
}

/** Every connection of a server, upgraded ones too, and how they all end. */
export class Connections {
  private readonly open = new Map<Duplex, Connection>();
  private draining = false;
  private onEmpty: (() => void) | undefined;

  /**
   * @param idleGrace milliseconds that a connection has to be idle for, and that the listener goes on accepting for,
   * once draining: a request that is on its way meanwhile is answered
   * @param heartbeat milliseconds that an event stream may be silent for before a comment is sent; 0 sends none
   */
  constructor(
    private readonly server: Server,
    private readonly idleGrace: number,
    private readonly heartbeat: number,
  ) {
    server.on('connection', (socket) => {
      this.add(socket);
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.open.get(request.socket)?.begin(request, response);
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
      // An app that listens for them answers them itself.
      if (server.listenerCount('clientError') === 1) this.open.get(socket)?.refuse(error);
    });
    this.followUpgrades();
  }

  get requestsInFlight(): number {
    return this.sum((connection) => connection.requestsInFlight);
  }

  get upgraded(): number {
    return this.sum((connection) => Number(connection.isUpgraded));
  }

  /** Ends every connection as soon as nothing is in flight on it, and cuts off what is left after a time. */
  async drain(timeout: number): Promise<Cut> {
    this.draining = true;
    this.open.forEach((connection) => {
      connection.drain();
    });
    let cut: Cut = { requests: 0, connections: 0 };
    const cutOff = setTimeout(() => {
      cut = { requests: this.requestsInFlight, connections: this.open.size };
      this.stopListening();
      this.open.forEach((connection) => {
        connection.destroy();
      });
    }, timeout);
    const stopListening = setTimeout(() => {
      this.stopListening();
    }, this.idleGrace);

    // Another connection may have come in by the time that the first emptiness is heard of.
    while (this.open.size > 0) {
      await new Promise<void>((resolve) => {
        this.onEmpty = resolve;
      });
    }
    this.stopListening();
    clearTimeout(stopListening);
    clearTimeout(cutOff);
    return cut;
  }

  /**
   * `http.Server` would close connections whose last answer is still being sent as if they were idle, and so cut that
   * answer short; and it would no longer enforce `headersTimeout` and `requestTimeout`.
   */
  private stopListening(): void {
    if (this.server.listening) NetServer.prototype.close.call(this.server);
  }

  private add(socket: Socket): void {
    const connection = new Connection(socket, this.idleGrace, this.heartbeat);
    this.open.set(socket, connection);
    socket.once('close', () => {
      this.open.delete(socket);
      if (this.open.size === 0) this.onEmpty?.();
    });
    if (this.draining) connection.drain();
  }

  /** Only while the app listens for upgrades: with any listener for them Node answers none by itself. */
  private followUpgrades(): void {
    const { server } = this;
    const follow = (request: IncomingMessage, socket: Duplex) => {
      this.open.get(socket)?.upgrade(request);
    };
    server.on('newListener', (event: string | symbol, listener: unknown) => {
      if (event === 'upgrade' && listener !== follow && !server.listeners('upgrade').includes(follow)) {
        server.prependListener('upgrade', follow);
      }
    });
    server.on('removeListener', (event: string | symbol) => {
      if (event === 'upgrade' && server.listeners('upgrade').every((listener) => listener === follow)) {
        server.off('upgrade', follow);
      }
    });
  }

  private sum(count: (connection: Connection) => number): number {
    return [...this.open.values()].reduce((total, connection) => total + count(connection), 0);
  }
}
