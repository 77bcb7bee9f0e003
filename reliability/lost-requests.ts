import { accessLog } from '../cluster/access-log';
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
  const logged = new Map(
    accessLog(proxyLogs, new Set(lost.map(({ id }) => id))).map(({ request_id, tries }) => [request_id, tries]),
  );
  const posts = lost.filter(({ method }) => method === 'POST');
  const gets = lost.filter(({ method }) => method === 'GET');
  const hungTwice = ({ id, error }: LoadRequest): boolean =>
    error === 'status 504' && (logged.get(id)?.filter(({ bytesSent }) => bytesSent > 0).length ?? 0) >= 2;
  const wasSent = ({ id, error }: LoadRequest): boolean =>
    logged.get(id)?.some(({ bytesSent }) => bytesSent > 0) ?? !neverSent(error);
  return {
    get: gets.filter((request) => !hungTwice(request)),
    getHungTwice: gets.filter(hungTwice),
    postSent: posts.filter(wasSent),
    postNotSent: posts.filter((request) => !wasSent(request)),
  };
}

/** The lost ones sent after a moment, but POSTs that an instance had got: nginx says so, and gives them to no other. */
export function lostAfter(moment: number, { get, getHungTwice, postSent, postNotSent }: LostRequests): LoadRequest[] {
  const unexplained = postSent.filter(({ error = '' }) => !/^status 50[24]$/.test(error));
  return [...get, ...getHungTwice, ...postNotSent, ...unexplained].filter(({ started }) => started > moment);
}

/** The client had no answer but an end of its connection, or never had one: it was with no proxy that answers. */
export function withoutProxy({ error = '' }: LoadRequest): boolean {
  return /ECONNRESET|CONNECT_TIMEOUT|EHOSTUNREACH/.test(error);
}

/** What tells without a log: the client had no connection to send it on, or nginx says 503, which it does in no other case. */
function neverSent(error = ''): boolean {
  return /ECONNREFUSED|CONNECT_TIMEOUT|EHOSTUNREACH|before secure TLS connection|^status 503$/.test(error);
}
