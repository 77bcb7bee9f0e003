import type { LoadRequest, Protocol } from './load-request';

/** What a load run amounts to. */
export interface LoadResult {
  readonly requests: readonly LoadRequest[];
  readonly sent: number;
  readonly ok: number;
  readonly lost: readonly LoadRequest[];
  /** Requests that were sent again, once or more, as the server had said that it did not process them. */
  readonly repeated: number;
  /** Answers by instance. */
  readonly byHostname: ReadonlyMap<string, number>;
  /** When the first request that an instance answered was sent, in milliseconds since the epoch. */
  readonly firstRequest: ReadonlyMap<string, number>;
  /** Milliseconds from sending to the answer's last byte; of answered requests alone. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** How late the client itself was to send, in milliseconds: 99 of 100 requests at most so much. */
  readonly delay: number;
}

/** What of a run was sent over one protocol. */
export type ProtocolResult = Pick<LoadResult, 'sent' | 'ok' | 'repeated' | 'p50' | 'p99' | 'max'>;

/** The same of each protocol of which there are requests. */
export function byProtocol(requests: readonly LoadRequest[]): Partial<Record<Protocol, ProtocolResult>> {
  const protocols = (['HTTP/1.1', 'HTTP/2'] as const).filter((one) =>
    requests.some(({ protocol }) => protocol === one),
  );
  return Object.fromEntries(
    protocols.map((one) => {
      const { sent, ok, repeated, p50, p99, max } = loadResult(requests.filter(({ protocol }) => protocol === one));
      return [one, { sent, ok, repeated, p50, p99, max }];
    }),
  );
}

/** Sums up the requests of a run. */
export function loadResult(requests: readonly LoadRequest[], delays: readonly number[] = []): LoadResult {
  const answered = requests.filter((request) => request.error === undefined);
  const milliseconds = answered.map((request) => request.milliseconds).sort((a, b) => a - b);
  const byHostname = new Map<string, number>();
  const firstRequest = new Map<string, number>();
  for (const { hostname, started } of answered) {
    if (hostname === undefined) continue;
    byHostname.set(hostname, (byHostname.get(hostname) ?? 0) + 1);
    firstRequest.set(hostname, Math.min(started, firstRequest.get(hostname) ?? started));
  }
  return {
    requests,
    sent: requests.length,
    ok: answered.length,
    lost: requests.filter((request) => request.error !== undefined),
    repeated: requests.filter(({ repeats = 0 }) => repeats > 0).length,
    byHostname,
    firstRequest,
    p50: percentile(milliseconds, 0.5),
    p99: percentile(milliseconds, 0.99),
    max: percentile(milliseconds, 1),
    delay: percentile(
      [...delays].sort((a, b) => a - b),
      0.99,
    ),
  };
}

/** The nearest rank of a sorted list; NaN when nothing was answered. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
