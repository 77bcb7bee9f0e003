import { type buildConnector, Client, type Dispatcher, Pool } from 'undici';
import type { ConnectionUse } from './load-request';
import { inTurn } from './load-target';

/** A connection for one request: the dispatcher to send it with, and what to do once it was answered. */
export interface LoadConnection {
  readonly connectionUse: ConnectionUse;
  readonly dispatcher: Dispatcher;
  /** Takes the seconds that the server promised to keep the connection (`Keep-Alive: timeout=`), if it did. */
  readonly done: (keepAliveSeconds: number | undefined) => void;
}

/** Kept connections, used in turn: so many that a Service's random choice spreads them over every proxy. */
const keptConnections = 20;

/**
 * Where in time, in seconds from the end of the server's promise, a paused connection is used again. undici closes a
 * connection two seconds before that end: some of these fall just before its own close, some just after, some on the end.
 */
const pauses = [-4, -3, -2.3, -2.1, -1.9, -1.5, -1, 0, 1, 2];

/** What undici assumes when a server promises nothing. */
const keepAliveWithoutPromise = 4;

interface KeptConnection {
  readonly origin: string;
  readonly dispatcher: Dispatcher;
}

interface PausedConnection extends KeptConnection {
  dueAt: number;
  turn: number;
}

/** The HTTP/1.1 connections of one load run: some kept ones pause, the rest are kept and busy. */
export class LoadConnections {
  private readonly kept: readonly KeptConnection[];
  private readonly paused: readonly PausedConnection[];
  private readonly open = new Set<Dispatcher>();
  private turn = 0;
  private newTurn = 0;

  constructor(
    origins: readonly string[],
    /** Those of the origins that new requests may go to at this moment. */
    private readonly usable: () => readonly string[],
    private readonly connect: buildConnector.BuildOptions,
    private readonly timeouts: { readonly headersTimeout: number; readonly bodyTimeout: number },
  ) {
    // A pool opens a further connection when all it has are busy: a slow answer never delays the next request.
    const pool = (turn: number): KeptConnection => {
      const origin = inTurn(origins, turn);
      return { origin, dispatcher: this.opened(new Pool(origin, { connect, ...timeouts })) };
    };
    this.kept = Array.from({ length: keptConnections }, (_, turn) => pool(turn));
    this.paused = pauses.map((_, turn) => ({ ...pool(turn), dueAt: 0, turn }));
  }

  /** A connection that is used in turn with others. */
  next(): LoadConnection {
    const now = Date.now();
    const usable = this.usable();
    const due = this.paused.find(({ origin, dueAt }) => dueAt <= now && usable.includes(origin));
    return due === undefined ? this.keptConnection() : this.pausedConnection(due);
  }

  /** A connection of its own for one request. */
  newConnection(): LoadConnection {
    const origin = inTurn(this.usable(), (this.newTurn += 1));
    const dispatcher = this.opened(new Client(origin, { connect: this.connect, ...this.timeouts }));
    return {
      connectionUse: 'new',
      dispatcher,
      done: () => {
        this.open.delete(dispatcher);
        void dispatcher.destroy();
      },
    };
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.open].map((dispatcher) => dispatcher.destroy()));
  }

  private keptConnection(): LoadConnection {
    const usable = this.usable();
    const { dispatcher } = inTurn(
      this.kept.filter(({ origin }) => usable.includes(origin)),
      (this.turn += 1),
    );
    return { connectionUse: 'kept', dispatcher, done: () => undefined };
  }

  private pausedConnection(connection: PausedConnection): LoadConnection {
    connection.dueAt = Number.POSITIVE_INFINITY;
    return {
      connectionUse: 'paused',
      dispatcher: connection.dispatcher,
      done: (keepAliveSeconds = keepAliveWithoutPromise) => {
        const offset = pauses[connection.turn % pauses.length] ?? 0;
        connection.turn += 1;
        connection.dueAt = Date.now() + Math.max(0, keepAliveSeconds + offset) * 1000;
      },
    };
  }

  private opened<T extends Dispatcher>(dispatcher: T): T {
    this.open.add(dispatcher);
    return dispatcher;
  }
}
