import type { metricFamilies } from '../../../nginx/metrics/metric-families';

type Family = keyof typeof metricFamilies;
type Histogram = {
  [Name in Family]: (typeof metricFamilies)[Name]['type'] extends 'histogram' ? Name : never;
}[Family];
type Sample = Family | `${Histogram}_bucket`;

export const requestsTotal = 'fairlead_http_requests_total';

/** Of the backends that are chosen; and of requests those alone that a backend has. */
export const chosen = 'backend=~"$backend"';
export const ofBackends = [chosen, 'backend!=""'] as const;

/** What sums are told apart by, and how each of them is called. */
export const byRoute = ['host', 'route'] as const;
export const byVersion = ['backend', 'version'] as const;
export const byPeer = ['backend', 'version', 'peer'] as const;
export const routeName = '{{host}} {{route}}';
export const versionName = '{{backend}} {{version}}';
export const peerName = '{{backend}} {{version}} {{peer}}';

/** The series of a metric that are of the proxy that is chosen, and have these labels. */
export function series(name: Sample | 'up', labels: readonly string[] = []): string {
  return `${name}{${['namespace="$namespace"', 'job="$proxy"', ...labels].join(',')}}`;
}

/** How much a counter grows a second. */
export function rate(name: Sample, labels: readonly string[] = [], window = '$__rate_interval'): string {
  return `rate(${series(name, labels)}[${window}])`;
}

/** Over all proxies, told apart by labels if there are any. */
export function sum(expression: string, by: readonly string[] = []): string {
  return by.length === 0 ? `sum(${expression})` : `sum by (${by.join(', ')}) (${expression})`;
}

/** What so many percent of what was measured took at most. */
export function percentile(
  percent: number,
  histogram: Histogram,
  by: readonly string[] = [],
  labels: readonly string[] = [],
): string {
  return `histogram_quantile(${percent / 100}, ${sum(rate(`${histogram}_bucket`, labels), ['le', ...by])})`;
}

/** Of which requests, over which time. */
interface Requests {
  readonly by?: readonly string[];
  readonly labels?: readonly string[];
  readonly window?: string;
}

/** Requests a second that were answered with such codes; 0 where there are others alone: "no data" would say that nobody knows. */
export function answered(code: string, { by = [], labels = [], window }: Requests = {}): string {
  const some = sum(rate(requestsTotal, [...labels, `code=~"${code}"`], window), by);
  return `${some} or 0 * ${sum(rate(requestsTotal, labels, window), by)}`;
}

/** The part of the requests that was answered with such codes. */
export function partAnswered(code: string, requests: Requests = {}): string {
  const { by = [], labels = [], window } = requests;
  return `(${answered(code, requests)}) / ${sum(rate(requestsTotal, labels, window), by)}`;
}

/** How much of what one proxy holds is there, in the proxy that is fullest. */
export function fullest(state: 'active' | 'writing', limit: Family): string {
  return `max(${series('fairlead_connections', [`state="${state}"`])} / ignoring (state) ${series(limit)})`;
}
