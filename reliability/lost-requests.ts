import { accessLog, type AccessLogEntry } from '../cluster/access-log';
import type { LoadRequest } from '../load/load-request';

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
