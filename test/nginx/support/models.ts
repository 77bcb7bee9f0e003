import { targetByUrl } from '../../../charts/routes/external-service';
import { accessLogOptions } from '../../../model/access-log/options';
import { budget } from '../../../model/budget';
import { LoadBalancing } from '../../../model/load-balancing';
import { memoryOfWorker } from '../../../model/memory-costs';
import { Match, Path } from '../../../model/routes/matching';
import { BackendModel, HostModel, ProxyModel } from '../../../model/proxy';
import { securityHeaders } from '../../../model/proxy-options';
import { RouteModel, RouteTimes, TargetModel } from '../../../model/routes/route';
import { type Timeline, timeline } from '../../../model/timeline';
import { budgetSettings } from '../../../nginx/budget-settings';
import { Place } from '../../../nginx/place';
import { knownValues } from '../../../validation/options';
import { serviceUrl } from '../../../validation/urls';

/** A route with defaults for what a test does not say: it leads to the backend `api`. */
export interface RouteParts extends Partial<Omit<RouteModel, 'path' | 'when' | 'target' | 'times'>> {
  /** Text is a prefix. @default '/' */
  readonly path?: string | Path;
  readonly when?: Match;
  /** Text is the name of a backend. */
  readonly target?: string | TargetModel;
  readonly times?: Partial<RouteTimes>;
}

export interface HostParts extends Partial<Omit<HostModel, 'routes'>> {
  /** @default - one, for all paths */
  readonly routes?: readonly RouteParts[];
}

/** A proxy with defaults for what a test does not say: the host `localhost` and one backend. */
export interface ProxyParts extends Partial<Omit<ProxyModel, 'hosts' | 'backends'>> {
  readonly backends?: readonly Partial<BackendModel>[];
  /** The routes of the only host. */
  readonly routes?: readonly RouteParts[];
  /** Its names. */
  readonly names?: readonly [string, ...string[]];
  readonly hosts?: readonly [HostParts, ...HostParts[]];
  readonly workers?: number;
}

const year = 365 * 24 * 60 * 60;

export const fastTimeline = timeline({ resolverValid: '1s', dnsCacheTtl: '0s' });

export function proxyModel(parts: ProxyParts = {}): ProxyModel {
  const { backends = [{}], routes, names, hosts = [{}], workers = 2, ...given } = parts;
  const times = given.timeline ?? fastTimeline;
  const [first, ...others] = hosts;
  const onlyHost = {
    ...first,
    ...(names === undefined ? {} : { names }),
    ...(routes === undefined ? {} : { routes }),
  };
  const allHosts: ProxyModel['hosts'] = [
    hostModel(onlyHost, times, ''),
    ...others.map((host, index) => hostModel(host, times, `${index + 2}_`)),
  ];
  const allBackends = backends.map((backend) => backendModel(backend, times));
  const { gzip = true } = given;
  // No volume is made here: every body has room.
  const settings = { memoryLimit: memoryOfWorker * workers, workers, temporaryStorage: 2 ** 50, gzip };
  return {
    hosts: allHosts,
    backends: allBackends,
    timeline: times,
    budget: budget(budgetSettings(settings, allBackends, allHosts)),
    clientTimes: { headerTimeout: 10_000, bodyTimeout: 10_000, sendTimeout: 10_000 },
    gzip,
    trustedProxies: [],
    unlimitedClients: ['10.0.0.0/8', '127.0.0.0/8', 'fc00::/7'],
    accessLog: knownValues({}, accessLogOptions, ''),
    ...given,
    defaultResponseHeaders: withSecurityHeaders(given.defaultResponseHeaders ?? []),
  };
}

/** As the options of a proxy have them: beside those of the default, or in place of one. */
function withSecurityHeaders(headers: ProxyModel['defaultResponseHeaders']): ProxyModel['defaultResponseHeaders'] {
  const all = [...securityHeaders, ...headers].map((header) => [header[0].toLowerCase(), header] as const);
  return [...new Map(all).values()];
}

function hostModel(
  { names = ['localhost'], routes = [{}], ...given }: HostParts,
  times: Timeline,
  prefix: string,
): HostModel {
  const taken = new Set<string>();
  return {
    names,
    hstsMaxAge: names[0] === 'localhost' ? 0 : year,
    hstsIncludeSubDomains: false,
    ...given,
    routes: routes.map((route) => {
      const model = routeModel(route, times);
      const words = `${prefix}${model.name}`;
      let name = route.name ?? words;
      for (let index = 2; taken.has(name); index += 1) name = `${words}-${index}`;
      taken.add(name);
      return { ...model, name };
    }),
  };
}

/** Its name is made from its path. */
export function routeModel(parts: RouteParts = {}, times: Timeline = fastTimeline): RouteModel {
  const { path = '/', when, target = 'api', times: own = {}, ...given } = parts;
  const { connectTimeout, requestTimeout, nextUpstreamTimeout, nextUpstreamTries } = times;
  const where = Path.of(path);
  return {
    name: where.path === '/' ? 'all' : where.path.slice(1).replaceAll(/\W/g, '_'),
    path: where,
    when: when?.conditions ?? [],
    target: typeof target === 'string' ? { kind: 'backend', backend: target } : target,
    times: { connectTimeout, requestTimeout, nextUpstreamTimeout, nextUpstreamTries, ...own },
    streamTimeout: undefined,
    maxBodySize: 2 ** 20,
    rewrite: undefined,
    requestHeaders: typeof target !== 'string' && target.kind === 'external' ? target.requestHeaders : [],
    responseHeaders: [],
    ...given,
  };
}

/** A service that is no backend, by its URL. */
export function externalTarget(
  url: string,
  certificateAuthority?: string,
): TargetModel & { readonly kind: 'external' } {
  const options = { certificateAuthority, keepAliveTimeout: 5, identifiesClients: true };
  return targetByUrl(serviceUrl('url', url), options);
}

function backendModel(parts: Partial<BackendModel>, times: Timeline): BackendModel {
  const { name = 'api' } = parts;
  return {
    name,
    instances: { host: `${name}.orders.svc.cluster.local`, service: 'http' },
    fallback: undefined,
    loadBalancing: LoadBalancing.leastConnections(),
    maxFails: 3,
    failTimeout: 5,
    mostInstances: 10,
    keepAliveTimeout: times.keepAliveTimeout,
    upstreamKeepAliveTimeout: times.upstreamKeepAliveTimeout,
    healthCheckPath: '/healthcheck',
    ...parts,
  };
}

/** A place on this machine, for tests that change one thing. */
export function somePlace(place: Partial<Place> = {}): Place {
  return {
    resolvers: ['127.0.0.1:53'],
    workers: 2,
    httpPort: 8080,
    httpsPort: 8443,
    probePort: 8444,
    externalHttpsPort: 443,
    certificateDirectory: '/etc/nginx/tls',
    hostCertificatesDirectory: '/etc/nginx/tls-of-hosts',
    ...place,
  };
}
