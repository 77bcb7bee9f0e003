import { type Buckets, gauge, Growth, quantileOfAll, type ScrapePair } from './scrape';
import type { BackendDescription, Instance, RouteDescription, SystemDescription, SystemState } from './system';

/** Of requests: how many a second, how many of them were answered with 5xx and 4xx, and what they took. */
export interface RequestFigures {
  readonly requests: number;
  readonly errors: number;
  readonly clientErrors: number;
  /** In seconds: what half of them, and 99 of 100, took at most. Null if there were none. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/** Of a whole proxy; of several, of all together. */
export interface ProxyFigures extends RequestFigures {
  /** In seconds: what 95 of 100 took at most. Null if there were none. */
  readonly p95: number | null;
  /** Since the proxy counts. */
  readonly counted: { readonly requests: number; readonly errors: number; readonly clientErrors: number };
  /** Of clients, and how many of them are answered at this moment; and the most of each that the proxy takes on. */
  readonly connections: number;
  readonly inProgress: number;
  readonly connectionsLimit: number | null;
  readonly requestsLimit: number | null;
}

export interface RouteFigures extends RequestFigures {
  readonly host: string;
  readonly route: string;
  /** Undescribed are requests that no route has. */
  readonly path: string;
  readonly target: string;
}

/** Times are those of instances. */
export interface BackendFigures extends RequestFigures {
  readonly name: string;
  /** Requests that were tried more than once: answered in the end, or not. In the time between the scrapes. */
  readonly saved: number;
  readonly lost: number;
  /** Tries that found no instance. */
  readonly noInstance: number;
}

/** Of tries at an instance. */
interface TryFigures {
  /** How many a second, and their part of those of its backend; null if there were none. */
  readonly requests: number;
  readonly share: number | null;
  /** How many were in progress on average. Null where a proxy does not say, as those of older versions. */
  readonly inFlight: number | null;
  /** In seconds: what half of the answers, and 99 of 100, took at most. Null if there were none, or no proxy says. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** Tries without an answer, in the time between the scrapes. */
  readonly failures: number;
  /** Tries after which another one was tried, in the time between the scrapes. Null where a proxy does not say. */
  readonly retries: number | null;
}

export interface InstanceFigures extends TryFigures {
  readonly name: string;
  /** Tries without an answer since the proxy counts. */
  readonly failed: number;
}

/** An instance by what metrics call it. */
export interface PeerFigures extends TryFigures {
  readonly backend: string;
  readonly version: string;
  /** Address and port. */
  readonly peer: string;
}

/** A route that several backends share. */
export interface SplitFigures {
  readonly host: string;
  readonly route: string;
  readonly path: string;
  readonly shares: readonly {
    readonly backend: string;
    /** Percent that it is to have, and has. */
    readonly weight: number;
    readonly measured: number | null;
  }[];
}

/** Requests that failed alike. */
export interface FailureFigures {
  readonly host: string;
  readonly route: string;
  readonly path: string;
  readonly code: string;
  /** In the words of `fairlead explain`. */
  readonly reason: string;
  /** In the time between, and since the proxy counts. */
  readonly lately: number;
  readonly counted: number;
}

/** Since the proxy counts. */
export interface TlsFigures {
  readonly protocol: string;
  /** Of the key exchange; empty where there was none. */
  readonly group: string;
  readonly connections: number;
  readonly resumed: number;
}

/** What happened between two scrapes, and how it was at the later one. */
export interface Figures {
  readonly seconds: number;
  readonly proxy: ProxyFigures;
  readonly routes: readonly RouteFigures[];
  readonly backends: readonly BackendFigures[];
  readonly instances: readonly InstanceFigures[];
  readonly splits: readonly SplitFigures[];
  readonly failures: readonly FailureFigures[];
  readonly tls: readonly TlsFigures[];
  /** Each by itself. */
  readonly proxies: readonly ({ readonly name: string } & ProxyFigures)[];
}

/** A counter of requests, by all that is told apart. */
export const requestsTotal = 'fairlead_http_requests_total';
const duration = 'fairlead_http_request_duration_seconds';

type Labels = Readonly<Record<string, string>>;

/** All figures of what happened to proxies, by their names, from what is known of the system at the end of it. */
export function figures(
  pairs: ReadonlyMap<string, ScrapePair>,
  { backends, routes }: Pick<SystemDescription, 'backends' | 'routes'>,
  { instances, weights }: Pick<SystemState, 'instances' | 'weights'>,
): Figures {
  const growth = new Growth(...pairs.values());
  return {
    seconds: growth.seconds,
    proxy: proxyFigures(growth),
    routes: routeFigures(growth, routes),
    backends: backends.map((backend) => backendFigures(growth, backend)),
    instances: instanceFigures(growth, instances),
    splits: routes
      .filter(({ shared }) => shared.length > 0)
      .map((route) => splitFigures(growth, route, backends, weights[route.route] ?? {})),
    failures: failureFigures(growth, routes),
    tls: tlsFigures(growth),
    proxies: [...pairs].map(([name, pair]) => ({ name, ...proxyFigures(new Growth(pair)) })),
  };
}

function requestFigures(growth: Growth, histogram: string, matches: (labels: Labels) => boolean): RequestFigures {
  const ofClass = (digit: string) =>
    growth.perSecond(growth.of(requestsTotal, (labels) => labels.code?.startsWith(digit) === true && matches(labels)));
  return {
    requests: growth.perSecond(growth.of(requestsTotal, matches)),
    errors: ofClass('5'),
    clientErrors: ofClass('4'),
    p50: growth.quantile(0.5, histogram, matches),
    p99: growth.quantile(0.99, histogram, matches),
  };
}

export function proxyFigures(growth: Growth): ProxyFigures {
  const counted = (digit: string): number =>
    growth
      .latest(requestsTotal)
      .filter(({ labels }) => labels.code?.startsWith(digit) === true)
      .reduce((sum, { value }) => sum + value, 0);
  const all = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  // Whoever asked for this had a connection, and was being answered.
  const ofClients = (state: string): number =>
    all(growth.after.map((scrape) => Math.max(0, (gauge(scrape, 'fairlead_connections', state) ?? 0) - 1)));
  const limit = (name: string): number | null => {
    const limits = growth.after.flatMap((scrape) => gauge(scrape, name) ?? []);
    return limits.length === 0 ? null : all(limits);
  };
  return {
    ...requestFigures(growth, duration, () => true),
    p95: growth.quantile(0.95, duration),
    counted: { requests: counted(''), errors: counted('5'), clientErrors: counted('4') },
    connections: ofClients('active'),
    inProgress: ofClients('writing'),
    connectionsLimit: limit('fairlead_connections_limit'),
    requestsLimit: limit('fairlead_requests_limit'),
  };
}

/** Those that are described, and what was asked for besides. */
export function routeFigures(growth: Growth, described: readonly RouteDescription[]): RouteFigures[] {
  const known = new Set(described.map(({ host, route }) => `${host} ${route}`));
  const others = new Map<string, RouteDescription>();
  for (const { labels } of growth.latest(requestsTotal)) {
    const { host = '', route = '' } = labels;
    const key = `${host} ${route}`;
    if (!known.has(key)) others.set(key, { host, route, ...undescribed(host, route), shared: [] });
  }
  return [...described, ...others.values()].map(({ host, route, path, target }) => ({
    host,
    route,
    path,
    target,
    ...requestFigures(growth, duration, (labels) => labels.host === host && labels.route === route),
  }));
}

function undescribed(host: string, route: string): { readonly path: string; readonly target: string } {
  if (route === '(http)') return { path: 'plain HTTP', target: 'redirect to HTTPS' };
  if (route === '(none)') return { path: 'no route', target: '404 of nginx' };
  if (host === 'other') return { path: 'refused before routing', target: 'nginx' };
  // Nobody has said what it is.
  return { path: route, target: '' };
}

export function backendFigures(
  growth: Growth,
  { name, backend, version }: Pick<BackendDescription, 'name' | 'backend' | 'version'>,
): BackendFigures {
  const matches = (labels: Labels): boolean => labels.backend === backend && (labels.version ?? '') === version;
  const retried = (outcome: string): number =>
    growth.of('fairlead_retried_requests_total', (labels) => labels.outcome === outcome && matches(labels));
  return {
    name,
    ...requestFigures(growth, 'fairlead_upstream_response_seconds', matches),
    saved: retried('answered'),
    lost: retried('failed'),
    noInstance: growth.of('fairlead_upstream_no_peer_total', matches),
  };
}

const peerTries = 'fairlead_peer_requests_total';
const peerFailures = 'fairlead_peer_failures_total';
const peerRetried = 'fairlead_peer_retried_total';
const peerBusy = 'fairlead_peer_busy_seconds_total';
const peerDuration = 'fairlead_peer_response_duration_seconds';

/** What grew of tries at instances, by what is made of their labels. */
interface Tries {
  readonly tries: ReadonlyMap<string, number>;
  readonly failures: ReadonlyMap<string, number>;
  /** Null where a proxy does not say: a sum without it would be too low. */
  readonly retried: ReadonlyMap<string, number> | null;
  /** In seconds, as `retried`. */
  readonly busy: ReadonlyMap<string, number> | null;
  readonly durations: ReadonlyMap<string, Buckets>;
}

function triesBy(growth: Growth, key: (labels: Labels) => string): Tries {
  const isSaid = growth.after.every(({ metrics }) => metrics.has(peerBusy) || !metrics.has(peerTries));
  return {
    tries: growth.by(peerTries, key),
    failures: growth.by(peerFailures, key),
    retried: isSaid ? growth.by(peerRetried, key) : null,
    busy: isSaid ? growth.by(peerBusy, key) : null,
    durations: growth.buckets(peerDuration, key),
  };
}

function added(counts: ReadonlyMap<string, number>, keys: readonly string[]): number {
  return keys.reduce((sum, key) => sum + (counts.get(key) ?? 0), 0);
}

/** What is said of the tries of these keys together, out of so many of all. */
function tryFigures(
  growth: Growth,
  { tries, failures, retried, busy, durations }: Tries,
  keys: readonly string[],
  ofAll: number,
): TryFigures {
  const own = keys.flatMap((key) => durations.get(key) ?? []);
  return {
    requests: growth.perSecond(added(tries, keys)),
    share: ofAll > 0 ? added(tries, keys) / ofAll : null,
    inFlight: busy === null ? null : growth.perSecond(added(busy, keys)),
    p50: quantileOfAll(0.5, own),
    p99: quantileOfAll(0.99, own),
    failures: added(failures, keys),
    retries: retried === null ? null : added(retried, keys),
  };
}

function instanceFigures(growth: Growth, instances: readonly Instance[]): InstanceFigures[] {
  const byPeer = ({ peer = '' }: Labels): string => peer;
  const tries = triesBy(growth, byPeer);
  const failed = sinceCounted(growth).by(peerFailures, byPeer);
  const ofBackend = new Map<string, number>();
  for (const { backend, addresses } of instances) {
    ofBackend.set(backend, (ofBackend.get(backend) ?? 0) + added(tries.tries, addresses));
  }
  return instances.map(({ name, backend, addresses }) => ({
    name,
    ...tryFigures(growth, tries, addresses, ofBackend.get(backend) ?? 0),
    failed: added(failed, addresses),
  }));
}

/** All that was ever counted. */
function sinceCounted({ after }: Growth): Growth {
  return new Growth(...after.map((scrape): ScrapePair => [{ time: scrape.time, metrics: new Map() }, scrape]));
}

/** Of every instance that metrics name, whoever knows it. */
export function peerFigures(growth: Growth): PeerFigures[] {
  const byBackend = ({ backend = '', version = '' }: Labels): string => JSON.stringify([backend, version]);
  const byPeer = (labels: Labels): string => `${byBackend(labels)} ${labels.peer ?? ''}`;
  const tries = triesBy(growth, byPeer);
  const ofBackend = growth.by(peerTries, byBackend);
  const peers = new Map(growth.latest(peerTries).map(({ labels }) => [byPeer(labels), labels]));
  return [...peers].map(([key, labels]) => ({
    backend: labels.backend ?? '',
    version: labels.version ?? '',
    peer: labels.peer ?? '',
    ...tryFigures(growth, tries, [key], ofBackend.get(byBackend(labels)) ?? 0),
  }));
}

function splitFigures(
  growth: Growth,
  { host, route, path, shared }: RouteDescription,
  backends: readonly BackendDescription[],
  weights: Readonly<Record<string, number>>,
): SplitFigures {
  const counts = shared.map((name) => {
    const known = backends.find((backend) => backend.name === name);
    const count = growth.of(
      requestsTotal,
      (labels) =>
        labels.host === host &&
        labels.route === route &&
        labels.backend === known?.backend &&
        (labels.version ?? '') === known?.version,
    );
    return [name, count] as const;
  });
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  return {
    host,
    route,
    path,
    shares: counts.map(([backend, count]) => ({
      backend,
      weight: weights[backend] ?? 0,
      measured: all > 0 ? (100 * count) / all : null,
    })),
  };
}

/** Those of the last seconds first, and of these the most. */
function failureFigures(growth: Growth, described: readonly RouteDescription[]): FailureFigures[] {
  const likeness = ({ host = '', route = '', code = '', reason = '' }: Labels): string =>
    reason === '' ? '' : [host, route, code, reason].join(' ');
  const lately = growth.by(requestsTotal, likeness);
  const failures = new Map<string, FailureFigures>();
  for (const { labels, value } of growth.latest(requestsTotal)) {
    const key = likeness(labels);
    if (key === '') continue;
    const { host = '', route = '', code = '', reason = '' } = labels;
    const known = described.find((each) => each.host === host && each.route === route);
    const { path } = known ?? undescribed(host, route);
    const counted = (failures.get(key)?.counted ?? 0) + value;
    failures.set(key, { host, route, path, code, reason, lately: lately.get(key) ?? 0, counted });
  }
  return [...failures.values()].sort((one, other) => other.lately - one.lately || other.counted - one.counted);
}

function tlsFigures(growth: Growth): TlsFigures[] {
  const byHandshake = new Map<string, TlsFigures>();
  for (const { labels, value } of growth.latest('fairlead_tls_connections_total')) {
    const { protocol = '', group = '', resumed } = labels;
    const key = `${protocol} ${group}`;
    const before = byHandshake.get(key);
    byHandshake.set(key, {
      protocol,
      group,
      connections: (before?.connections ?? 0) + value,
      resumed: (before?.resumed ?? 0) + (resumed === 'true' ? value : 0),
    });
  }
  return [...byHandshake].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, counts]) => counts);
}
