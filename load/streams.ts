import { integer } from '../validation/amounts';
import { HeldEventStream, HeldHttp2EventStream } from './held-event-streams';
import { endingText, HeldWebSocket, type StreamSession, type StreamTarget } from './held-streams';
import { SharedHttp2Connections } from './http2-connections';
import { loadTarget, trusting } from './load-target';
import { StreamClient } from './stream-client';

export interface StreamsOptions {
  /** On this machine: `https://localhost:8443`. */
  readonly url: string;
  /** How many WebSockets to hold at `/ws/echo`. @default 0 */
  readonly webSockets?: number;
  /** How many event streams to hold at `/sse`. @default 0 */
  readonly eventStreams?: number;
  /** How many event streams to hold over HTTP/2, ten on a connection. @default 0 */
  readonly http2EventStreams?: number;
  /** Certificates to trust, in PEM. @default - those that Node.js trusts */
  readonly certificates?: readonly string[];
  /** How many connections to open a second at first: each costs both sides a TLS handshake. @default 66 */
  readonly openingRate?: number;
  /** How long all of them may take to open, in milliseconds, before `opened` rejects. @default 60000 */
  readonly openingTimeout?: number;
  /** How often a WebSocket asks for an echo, in milliseconds. @default 3000 */
  readonly messageInterval?: number;
  /** How long a connection may say nothing, in milliseconds, before its client gives it up. @default 10000 */
  readonly silence?: number;
}

/** Clients that hold WebSockets and event streams, and come back whenever one ends; every connection is accounted for. */
export class Streams {
  /** Resolves once every client has been connected; rejects if one has not been in time, or before `stop`. */
  readonly opened: Promise<void>;

  private readonly streamClients: readonly StreamClient[];
  private readonly http2Connections: SharedHttp2Connections;
  private readonly refusals = new Map<string, number>();
  private readonly opening: NodeJS.Timeout;
  private readonly deadline: NodeJS.Timeout;
  private readonly started = Date.now();
  private openedClients = 0;
  private resolveOpened: () => void = () => undefined;
  private rejectOpened: (error: Error) => void = () => undefined;
  private result: Promise<StreamsResult> | undefined;

  constructor(options: StreamsOptions) {
    const { openingTimeout = 60_000, openingRate = 66, messageInterval = 3000, silence = 10_000 } = options;
    const webSockets = integer('webSockets', options.webSockets ?? 0, 0, 10_000);
    const eventStreams = integer('eventStreams', options.eventStreams ?? 0, 0, 10_000);
    const http2EventStreams = integer('http2EventStreams', options.http2EventStreams ?? 0, 0, 10_000);
    const all = webSockets + eventStreams + http2EventStreams;
    integer('webSockets, eventStreams and http2EventStreams', all, 1, 20_000);
    integer('openingRate', openingRate, 1, 1000);
    integer('openingTimeout', openingTimeout, 1, 3_600_000);
    integer('messageInterval', messageInterval, 1, 3_600_000);
    // A WebSocket says nothing that it was not asked for.
    integer('silence', silence, messageInterval + 1, 3_600_000);
    const target: StreamTarget = {
      ...loadTarget(options.url),
      ...trusting(options.certificates),
      silence,
    };
    const events = {
      opened: () => {
        this.openedClients += 1;
        if (this.openedClients < this.clients) return;
        clearTimeout(this.deadline);
        this.resolveOpened();
      },
      refused: (reason: string) => this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1),
    };
    this.http2Connections = new SharedHttp2Connections(target);
    this.streamClients = Array.from({ length: all }, (_, client) => {
      if (client < webSockets) {
        return new StreamClient('WebSocket', client, () => new HeldWebSocket(target, messageInterval), events);
      }
      if (client < webSockets + eventStreams) {
        return new StreamClient('event stream', client, () => new HeldEventStream(target), events);
      }
      const connect = () => new HeldHttp2EventStream(this.http2Connections.next(), silence);
      return new StreamClient('HTTP/2 event stream', client, connect, events);
    });
    this.opened = new Promise((resolve, reject) => {
      this.resolveOpened = resolve;
      this.rejectOpened = reject;
    });
    // Who does not wait for it asks the result.
    this.opened.catch(() => undefined);
    this.deadline = setTimeout(() => {
      this.rejectOpened(new Error(`${this.notOpen()} within ${openingTimeout / 1000} s${this.mostRefusals()}`));
    }, openingTimeout);
    this.opening = this.startGradually(openingRate);
  }

  /** How many clients there are, connected or not. */
  get clients(): number {
    return this.streamClients.length;
  }

  /** Connections that are open now, by instance. */
  get byHostname(): ReadonlyMap<string, number> {
    const result = new Map<string, number>();
    for (const { hostname } of this.streamClients) {
      if (hostname !== undefined) result.set(hostname, (result.get(hostname) ?? 0) + 1);
    }
    return result;
  }

  /** Closes every connection, and says what became of each. */
  stop(): Promise<StreamsResult> {
    return (this.result ??= this.end());
  }

  private startGradually(rate: number): NodeJS.Timeout {
    const begin = performance.now();
    let started = 0;
    const timer = setInterval(() => {
      const due = Math.min(this.clients, 1 + Math.floor(((performance.now() - begin) * rate) / 1000));
      for (const client of this.streamClients.slice(started, due)) client.start();
      started = due;
      if (started === this.clients) clearInterval(timer);
    }, 1000 / rate);
    return timer;
  }

  private async end(): Promise<StreamsResult> {
    clearInterval(this.opening);
    clearTimeout(this.deadline);
    this.rejectOpened(new Error(`${this.notOpen()} before the end${this.mostRefusals()}`));
    const endedAt = Date.now();
    await Promise.all(this.streamClients.map((client) => client.stop()));
    this.http2Connections.destroy();
    return {
      startedAt: this.started,
      endedAt,
      clients: this.clients,
      sessions: this.streamClients.flatMap(({ sessions }) => sessions),
      refusals: new Map([...this.refusals].sort(([, a], [, b]) => b - a)),
    };
  }

  private notOpen(): string {
    return `${this.clients - this.openedClients} of ${this.clients} connections did not open`;
  }

  private mostRefusals(): string {
    const [most] = [...this.refusals].sort(([, a], [, b]) => b - a);
    return most === undefined ? '' : `: ${most[0]} (${most[1]} times)`;
  }
}

/** What became of every connection. Times are milliseconds since the epoch. */
export interface StreamsResult {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly clients: number;
  /** Client by client, each in the order of time. A client that was never connected has none. */
  readonly sessions: readonly StreamSession[];
  /** Attempts that led nowhere, by what was wrong, the most frequent first. */
  readonly refusals: ReadonlyMap<string, number>;
}

export interface StreamsSummary {
  /** Connections by kind and way of ending: `WebSocket closed with 1001`. */
  readonly endings: ReadonlyMap<string, number>;
  /** Clients by the instance that each was on at first, and by the one it was on when the run was over. */
  readonly before: ReadonlyMap<string, number>;
  readonly after: ReadonlyMap<string, number>;
  /** Connections that ended in the run; of these, clients that came back, and to another instance than they had. */
  readonly ended: number;
  readonly cameBack: number;
  readonly cameBackElsewhere: number;
  /** Clients that had no connection when the run was over, and clients that never had one. */
  readonly away: number;
  readonly neverOpen: number;
  /** Attempts that led nowhere. */
  readonly refused: number;
  /** The longest that a client was without a connection after it had had one, in milliseconds. */
  readonly longestGap: number;
}

/** Sums up the connections of a run. */
export function streamsSummary({ clients, sessions, refusals }: StreamsResult): StreamsSummary {
  const first = new Map<number, StreamSession>();
  for (const session of sessions) if (!first.has(session.client)) first.set(session.client, session);
  const held = sessions.filter(({ ending }) => ending.how === 'stopped');
  const comebacks = sessions.flatMap(({ hostname, comeback }) =>
    comeback === undefined ? [] : [{ from: hostname, to: comeback.hostname, milliseconds: comeback.milliseconds }],
  );
  const back = comebacks.filter(({ to }) => to !== undefined);
  return {
    endings: counts(sessions.map(({ kind, ending }) => `${kind} ${endingText(ending)}`)),
    before: counts([...first.values()].map(({ hostname }) => hostname)),
    after: counts(held.map(({ hostname }) => hostname)),
    ended: comebacks.length,
    cameBack: back.length,
    cameBackElsewhere: back.filter(({ from, to }) => from !== to).length,
    away: comebacks.length - back.length,
    neverOpen: clients - first.size,
    refused: [...refusals.values()].reduce((sum, count) => sum + count, 0),
    longestGap: Math.max(0, ...comebacks.map(({ milliseconds }) => milliseconds)),
  };
}

/** How often each value stands in the list, by value, so that the order is always the same. */
function counts(values: readonly string[]): ReadonlyMap<string, number> {
  const result = new Map<string, number>();
  for (const value of [...values].sort()) result.set(value, (result.get(value) ?? 0) + 1);
  return result;
}
