import { gauge, Growth, type Scrape } from './scrape';
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

/** Of the whole proxy. */
export interface ProxyFigures extends RequestFigures {
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

export interface InstanceFigures {
  readonly name: string;
  /** Tries a second, their part of those of its backend, and what an answer took on average, in seconds. Null if there were none. */
  readonly requests: number;
  readonly share: number | null;
  readonly mean: number | null;
  /** Tries without an answer: in the time between the scrapes, and since the proxy counts. */
  readonly failures: number;
  readonly failed: number;
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

/** Since the proxy counts. */
export interface TlsFigures {
  readonly protocol: string;
  readonly connections: number;
  readonly resumed: number;
}

/** One of several proxies. */
export interface OneProxyFigures {
  readonly name: string;
  /** A second, and how many of them were answered with 5xx. */
  readonly requests: number;
  readonly errors: number;
  readonly connections: number;
}

/** What happened between two scrapes, and how it was at the later one. */
export interface Figures {
  readonly seconds: number;
  readonly proxy: ProxyFigures;
  readonly routes: readonly RouteFigures[];
  readonly backends: readonly BackendFigures[];
  readonly instances: readonly InstanceFigures[];
  readonly splits: readonly SplitFigures[];
  readonly tls: readonly TlsFigures[];
  /** Empty where there is only one. */
  readonly proxies: readonly OneProxyFigures[];
}

/** What the sum of several proxies says of each, by the label `proxy`. */
export const eachProxy = {
  requests: 'fairlead_proxy_requests_total',
  errors: 'fairlead_proxy_errors_total',
  connections: 'fairlead_proxy_connections',
} as const;

const requestsTotal = 'fairlead_http_requests_total';
const duration = 'fairlead_http_request_duration_seconds';

type Labels = Readonly<Record<string, string>>;

/** All figures from two scrapes, and from what is known of the system at the later one. */
export function figures(
  before: Scrape,
  after: Scrape,
  { backends, routes }: Pick<SystemDescription, 'backends' | 'routes'>,
  { instances, weights }: Pick<SystemState, 'instances' | 'weights'>,
): Figures {
  const growth = new Growth(before, after);
  return {
    seconds: growth.seconds,
    proxy: proxyFigures(growth, after),
    routes: routeFigures(growth, after, routes),
    backends: backends.map((backend) => backendFigures(growth, backend)),
    instances: instanceFigures(growth, after, instances),
    splits: routes
      .filter(({ shared }) => shared.length > 0)
      .map((route) => splitFigures(growth, route, backends, weights[route.route] ?? {})),
    tls: tlsFigures(after),
    proxies: figuresOfEach(growth, after),
  };
}

function requestFigures(growth: Growth, histogram: string, matches: (labels: Labels) => boolean): RequestFigures {
  const perSecond = (count: number): number => (growth.seconds > 0 ? count / growth.seconds : 0);
  const ofClass = (digit: string) =>
    perSecond(growth.of(requestsTotal, (labels) => labels.code?.startsWith(digit) === true && matches(labels)));
  return {
    requests: perSecond(growth.of(requestsTotal, matches)),
    errors: ofClass('5'),
    clientErrors: ofClass('4'),
    p50: growth.quantile(0.5, histogram, matches),
    p99: growth.quantile(0.99, histogram, matches),
  };
}

function proxyFigures(growth: Growth, after: Scrape): ProxyFigures {
  const counted = (digit: string): number =>
    [...(after.metrics.get(requestsTotal)?.values() ?? [])]
      .filter(({ labels }) => labels.code?.startsWith(digit) === true)
      .reduce((sum, { value }) => sum + value, 0);
  // Whoever asked for this had a connection, and was being answered.
  const ofClients = (state: string): number => Math.max(0, (gauge(after, 'fairlead_connections', state) ?? 0) - 1);
  return {
    ...requestFigures(growth, duration, () => true),
    counted: { requests: counted(''), errors: counted('5'), clientErrors: counted('4') },
    connections: ofClients('active'),
    inProgress: ofClients('writing'),
    connectionsLimit: gauge(after, 'fairlead_connections_limit') ?? null,
    requestsLimit: gauge(after, 'fairlead_requests_limit') ?? null,
  };
}

/** Those that are described, and what was asked for besides. */
function routeFigures(growth: Growth, after: Scrape, described: readonly RouteDescription[]): RouteFigures[] {
  const known = new Set(described.map(({ host, route }) => `${host} ${route}`));
  const others = new Map<string, RouteDescription>();
  for (const { labels } of after.metrics.get(requestsTotal)?.values() ?? []) {
    const { host = '', route = '' } = labels;
    const key = `${host} ${route}`;
    if (!known.has(key)) others.set(key, { host, route, ...undescribed(route), shared: [] });
  }
  return [...described, ...others.values()].map(({ host, route, path, target }) => ({
    host,
    route,
    path,
    target,
    ...requestFigures(growth, duration, (labels) => labels.host === host && labels.route === route),
  }));
}

function undescribed(route: string): { readonly path: string; readonly target: string } {
  if (route === '(http)') return { path: 'plain HTTP', target: 'redirect to HTTPS' };
  if (route === '(none)') return { path: 'no route', target: '404 of nginx' };
  return { path: 'refused before routing', target: 'nginx' };
}

function backendFigures(growth: Growth, { name, backend, version }: BackendDescription): BackendFigures {
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

function instanceFigures(growth: Growth, after: Scrape, instances: readonly Instance[]): InstanceFigures[] {
  const tries = growth.by('peer', 'fairlead_peer_requests_total');
  const failures = growth.by('peer', 'fairlead_peer_failures_total');
  const seconds = growth.by('peer', 'fairlead_peer_response_seconds_total');
  const failed = new Growth({ time: after.time, metrics: new Map() }, after).by('peer', 'fairlead_peer_failures_total');
  const sum = (counts: ReadonlyMap<string, number>, { addresses }: Instance): number =>
    addresses.reduce((all, address) => all + (counts.get(address) ?? 0), 0);
  const ofBackend = new Map<string, number>();
  for (const instance of instances) {
    ofBackend.set(instance.backend, (ofBackend.get(instance.backend) ?? 0) + sum(tries, instance));
  }
  return instances.map((instance) => {
    const own = sum(tries, instance);
    const all = ofBackend.get(instance.backend) ?? 0;
    const answered = own - sum(failures, instance);
    return {
      name: instance.name,
      requests: growth.seconds > 0 ? own / growth.seconds : 0,
      share: all > 0 ? own / all : null,
      mean: answered > 0 ? sum(seconds, instance) / answered : null,
      failures: sum(failures, instance),
      failed: sum(failed, instance),
    };
  });
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

function tlsFigures(after: Scrape): TlsFigures[] {
  const byProtocol = new Map<string, { connections: number; resumed: number }>();
  for (const { labels, value } of after.metrics.get('fairlead_tls_connections_total')?.values() ?? []) {
    const { protocol = '', resumed } = labels;
    const { connections, resumed: before } = byProtocol.get(protocol) ?? { connections: 0, resumed: 0 };
    byProtocol.set(protocol, {
      connections: connections + value,
      resumed: before + (resumed === 'true' ? value : 0),
    });
  }
  return [...byProtocol].sort().map(([protocol, counts]) => ({ protocol, ...counts }));
}

function figuresOfEach(growth: Growth, after: Scrape): OneProxyFigures[] {
  const requests = growth.by('proxy', eachProxy.requests);
  const errors = growth.by('proxy', eachProxy.errors);
  const perSecond = (count = 0): number => (growth.seconds > 0 ? count / growth.seconds : 0);
  return [...(after.metrics.get(eachProxy.connections)?.values() ?? [])].map(({ labels: { proxy = '' }, value }) => ({
    name: proxy,
    requests: perSecond(requests.get(proxy)),
    errors: perSecond(errors.get(proxy)),
    connections: value,
  }));
}
