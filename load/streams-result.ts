import { endingText, type StreamSession } from './stream-session';

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
