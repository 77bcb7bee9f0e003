import { Http2Connection, type Http2ConnectionSource, type Http2Target } from './http2-connection';
import type { ConnectionUse } from './load-request';
import { inTurn } from './load-target';

/** Kept connections, used in turn: so many that a Service's random choice spreads them over every proxy. */
const keptConnections = 6;

/**
 * Seconds for which a connection pauses before it is used again, in turn. HTTP/2 servers promise nothing; java.net.http
 * gives a connection up after 30 s.
 */
const pauses = [1, 3, 7, 15, 20, 25];

/** Milliseconds after which an idle connection is given up instead of used: what a network or a server may have forgotten. */
const idleLimit = 30_000;

/** A connection for some requests at once, and another for those of them that the server did not process. */
export interface Http2Use extends Http2ConnectionSource {
  readonly connectionUse: ConnectionUse;
  /** All requests were answered or lost. */
  readonly done: () => void;
}

interface KeptConnection {
  readonly origin: string;
  current: Http2Connection | undefined;
}

interface PausedConnection extends KeptConnection {
  dueAt: number;
  turn: number;
}

/** The HTTP/2 connections of one load run. One that gets GOAWAY or breaks is replaced, and ends when its streams have. */
export class Http2Connections {
  private readonly kept: readonly KeptConnection[];
  private readonly paused: readonly PausedConnection[];
  private readonly connections = new Set<Http2Connection>();
  private turn = 0;
  private newTurn = 0;

  constructor(
    private readonly target: Http2Target,
    origins: readonly string[],
    /** Those of the origins that new requests may go to at this moment. */
    private readonly usable: () => readonly string[],
  ) {
    const place = (turn: number): KeptConnection => ({ origin: inTurn(origins, turn), current: undefined });
    this.kept = Array.from({ length: keptConnections }, (_, turn) => place(turn));
    this.paused = pauses.map((_, turn) => ({ ...place(turn), dueAt: 0, turn }));
  }

  /** A connection for requests that are sent together. */
  next(): Http2Use {
    const usable = this.usable();
    // As a load balancer does that takes a node out: what is idle there would be found broken when the node is back.
    for (const place of [...this.kept, ...this.paused]) if (!usable.includes(place.origin)) this.giveUp(place);
    const now = Date.now();
    const due = this.paused.find(({ origin, dueAt }) => dueAt <= now && usable.includes(origin));
    if (due !== undefined) return this.pausedConnection(due);
    const kept = this.kept.filter(({ origin }) => usable.includes(origin));
    return this.use('kept', inTurn(kept, (this.turn += 1)), () => undefined);
  }

  /** A connection of its own for one request. */
  newConnection(): Http2Use {
    const place = { origin: inTurn(this.usable(), (this.newTurn += 1)), current: undefined };
    return this.use('new', place, () => {
      this.giveUp(place);
    });
  }

  destroy(): void {
    for (const connection of this.connections) connection.destroy();
  }

  private pausedConnection(place: PausedConnection): Http2Use {
    place.dueAt = Number.POSITIVE_INFINITY;
    return this.use('paused', place, () => {
      place.dueAt = Date.now() + inTurn(pauses, place.turn) * 1000;
      place.turn += 1;
    });
  }

  private use(connectionUse: ConnectionUse, place: KeptConnection, done: () => void): Http2Use {
    return {
      connectionUse,
      connection: this.connectionAt(place),
      instead: (refused) => {
        if (place.current === refused || place.current?.open !== true) this.giveUp(place);
        return (place.current ??= this.connect(place.origin));
      },
      done,
    };
  }

  /** A slow answer never delays the next requests: where some are under way, another connection takes these. */
  private connectionAt(place: KeptConnection): Http2Connection {
    const { current } = place;
    const good = current?.open === true && current.active === 0 && current.idleSince > Date.now() - idleLimit;
    if (!good) this.giveUp(place);
    return (place.current ??= this.connect(place.origin));
  }

  private giveUp(place: KeptConnection): void {
    place.current?.close();
    place.current = undefined;
  }

  private connect(origin: string): Http2Connection {
    const connection = new Http2Connection({ ...this.target, origin }, () => this.connections.delete(connection));
    this.connections.add(connection);
    return connection;
  }
}

/** So many that each connection carries several, and no proxy has all. */
const streamsPerConnection = 10;

/** The HTTP/2 connections that held streams share. */
export class SharedHttp2Connections {
  private readonly connections = new Set<Http2Connection>();
  private current: Http2Connection | undefined;

  constructor(private readonly target: Http2Target) {}

  /** A connection for one more stream; it ends once its streams have. */
  next(): Http2Connection {
    if (this.current?.open === true && this.current.active < streamsPerConnection) return this.current;
    this.current?.close();
    const connection = new Http2Connection(this.target, () => this.connections.delete(connection));
    this.connections.add(connection);
    this.current = connection;
    return connection;
  }

  destroy(): void {
    for (const connection of this.connections) connection.destroy();
  }
}
