import { accessLog, type AccessLogEntry } from '../cluster/pods';
import type { LoadRequest } from '../load/load-request';
import { loadResult } from '../load/load-result';
import type { Latency, Second } from './scenario-result';

/** Shares and losses are looked at in windows of this length, in milliseconds, that begin every half of a second. */
const window = 3000;
const step = 500;

/** How far from its fair share an instance may be, as a part of that share. */
export const fairWithin = 0.2;

/** Latencies of the answered ones among these requests. */
export function latency(requests: readonly LoadRequest[]): Latency {
  const { p50, p99, max } = loadResult(requests);
  return { p50, p99, max };
}

/** One entry for each second of the run in which something was sent. */
export function perSecond(requests: readonly LoadRequest[], begin: number): Second[] {
  const seconds = new Map<number, LoadRequest[]>();
  for (const request of requests) {
    const second = Math.floor((request.started - begin) / 1000);
    const list = seconds.get(second);
    if (list === undefined) seconds.set(second, [request]);
    else list.push(request);
  }
  return [...seconds.entries()]
    .sort(([a], [b]) => a - b)
    .map(([second, list]) => {
      const { sent, ok, p50, p99, max } = loadResult(list);
      return { second, sent, lost: sent - ok, ...(ok === 0 ? {} : { p50, p99, max }) };
    });
}

/** The greatest deviation of an instance from its fair share of these requests, as a part of that share. */
export function shareDeviation(requests: readonly LoadRequest[], instances: readonly string[]): number {
  if (instances.length === 0) return Number.POSITIVE_INFINITY;
  const counts = new Map(instances.map((name) => [name, 0]));
  let all = 0;
  for (const { hostname } of requests) {
    if (hostname === undefined) continue;
    all += 1;
    counts.set(hostname, (counts.get(hostname) ?? 0) + 1);
  }
  if (all === 0) return Number.POSITIVE_INFINITY;
  const fair = all / instances.length;
  // An instance that should not answer any more has no fair share: any answer of it is a whole one too much.
  return Math.max(
    ...[...counts].map(([name, count]) => (instances.includes(name) ? Math.abs(count - fair) / fair : count / fair)),
  );
}

/** The same of those that were sent from a moment on. */
export function shareDeviationSince(
  from: number,
  requests: readonly LoadRequest[],
  instances: readonly string[],
): number {
  return shareDeviation(
    requests.filter(({ started }) => started >= from),
    instances,
  );
}

/**
 * When the system was as before, in milliseconds since the epoch: from then on no request is lost, none takes more than a
 * second, and every instance gets its fair share. Without instances, shares are not looked at. Undefined if never.
 */
export function asBeforeSince(
  requests: readonly LoadRequest[],
  from: number,
  instances: readonly string[] | undefined,
): number | undefined {
  const sorted = [...requests].sort((a, b) => a.started - b.started);
  const last = sorted.at(-1)?.started ?? 0;
  let since: number | undefined;
  for (let begin = from; begin + window <= last; begin += step) {
    const within = sorted.filter(({ started }) => started >= begin && started < begin + window);
    if (isAsBefore(within, instances)) since ??= begin;
    else since = undefined;
  }
  return since;
}

export function isAsBefore(requests: readonly LoadRequest[], instances: readonly string[] | undefined): boolean {
  return (
    requests.length > 0 &&
    requests.every(({ error, milliseconds }) => error === undefined && milliseconds < 1000) &&
    (instances === undefined || shareDeviation(requests, instances) <= fairWithin)
  );
}

/** The requests of the last window before a moment that leaves time for answers. */
export function recent(requests: readonly LoadRequest[], now: number): LoadRequest[] {
  return requests.filter(({ started }) => started >= now - window - 500 && started < now - 500);
}

export interface LostRequests {
  readonly get: readonly LoadRequest[];
  /** Two instances had got it, one after the other, and both hung: there is no third try, which could wait as long again. */
  readonly getHungTwice: readonly LoadRequest[];
  /** Some of it had been sent to an instance, or nobody is left who knows. */
  readonly postSent: readonly LoadRequest[];
  /** Nothing of it had been sent to any instance. */
  readonly postNotSent: readonly LoadRequest[];
}

/** Sorts lost requests by what the proxies logged about them. */
export function sortLost(lost: readonly LoadRequest[], proxyLogs: readonly string[]): LostRequests {
  const logged = new Map<string, AccessLogEntry['tries']>();
  for (const { request_id, tries } of accessLog(proxyLogs, new Set(lost.map(({ id }) => id)))) {
    logged.set(request_id, [...(logged.get(request_id) ?? []), ...tries]);
  }
  const posts = lost.filter(({ method }) => method === 'POST');
  const gets = lost.filter(({ method }) => method === 'GET');
  const hungTwice = ({ id, status }: LoadRequest): boolean => {
    const sentTo = logged.get(id)?.filter(({ bytesSent }) => bytesSent > 0) ?? [];
    return status === 504 && new Set(sentTo.map(({ address }) => address)).size >= 2;
  };
  const wasSent = (request: LoadRequest): boolean =>
    logged.get(request.id)?.some(({ bytesSent }) => bytesSent > 0) ?? !neverSent(request);
  return {
    get: gets.filter((request) => !hungTwice(request)),
    getHungTwice: gets.filter(hungTwice),
    postSent: posts.filter(wasSent),
    postNotSent: posts.filter((request) => !wasSent(request)),
  };
}

/** The lost ones sent after a moment, but POSTs that an instance had got: nginx says so, and gives them to no other. */
export function lostAfter(moment: number, { get, getHungTwice, postSent, postNotSent }: LostRequests): LoadRequest[] {
  const unexplained = postSent.filter(({ status }) => status !== 502 && status !== 504);
  return [...get, ...getHungTwice, ...postNotSent, ...unexplained].filter(({ started }) => started > moment);
}

/**
 * What tells without a log: the client had no connection to send it on, the server says that it did not process it, or nginx says
 * 503, which it does in no other case.
 */
function neverSent({ status, error = '' }: LoadRequest): boolean {
  const without = /ECONNREFUSED|CONNECT_TIMEOUT|EHOSTUNREACH|before secure TLS connection|did not process it/;
  return status === 503 || without.test(error);
}
