import { ExternalServiceModel } from '../model/routes/external-service';
import { BackendModel, CertificateModel, certificatesOf, HostModel, ProxyModel } from '../model/proxy';
import { isGrpc, RouteModel } from '../model/routes/route';
import { PlaceModel } from './place';
import { byCodePoints, candidates, Choice, isConditional, PathModel, paths } from './routes/routing';

/** What all sections of one nginx.conf are made from. */
export interface Plan {
  readonly proxy: ProxyModel;
  readonly place: PlaceModel;
  readonly hosts: readonly HostPlan[];
  /** That of the proxy, then those of hosts. */
  readonly certificates: readonly CertificateModel[];
  /** Those that answer requests, by name; and those that get copies of some. */
  readonly backends: readonly BackendModel[];
  readonly mirrors: readonly BackendModel[];
  /** Those that are not backends, by name. */
  readonly externalServices: readonly ExternalServiceModel[];
  /** Every route, in the order in which they are rendered. */
  readonly routes: readonly RouteModel[];
  /** What most routes allow, which stands once for all of them. */
  readonly common: CommonPolicies;
  /** Headers of requests that say who a client has proved to be, on any route: none is believed of a client. */
  readonly provedHeaders: readonly string[];
  /** What variables of a route end with: letters of its name that nginx takes there. */
  readonly variableOf: (route: RouteModel) => string;
  /** Of routes that say the same of these, the one whose name is in what they share. */
  readonly first: Readonly<
    Record<'allowFrom' | 'auth' | 'cors' | 'errorPages' | 'errors', (route: RouteModel) => RouteModel>
  >;
}

export interface HostPlan {
  readonly host: HostModel;
  readonly paths: readonly PathModel[];
  /** Locations that conditions choose from: those of routes that have some, and of routes that are asked after them. */
  readonly chosen: ReadonlySet<RouteModel>;
  /** Of these, routes that allow a shorter body than another one of the same location. */
  readonly shorter: ReadonlySet<RouteModel>;
}

export interface CommonPolicies {
  readonly connectTimeout: number;
  readonly requestTimeout: number;
  readonly nextUpstreamTimeout: number;
  readonly nextUpstreamTries: number;
  readonly maxBodySize: number;
  readonly requestHeaders: RouteModel['requestHeaders'];
}

export function plan(proxy: ProxyModel, place: PlaceModel): Plan {
  const hosts = proxy.hosts.map((host) => {
    const found = paths(host);
    const choices = found.flatMap(({ entries }) => entries.map(({ choice }) => choice)).filter(isConditional);
    const chosen = new Set(choices.flatMap(candidates));
    return { host, paths: found, chosen, shorter: new Set(choices.flatMap(shorterThanAnother)) };
  });
  const routes = hosts.flatMap(({ paths: found }) => found.flatMap(({ routes: all }) => all));
  const suffixes = variableSuffixes(routes);
  return {
    proxy,
    place,
    hosts,
    certificates: certificatesOf(proxy.hosts),
    ...upstreams(
      [...proxy.backends].sort((a, b) => byCodePoints(a.name, b.name)),
      routes,
    ),
    externalServices: externalServicesOf(routes),
    routes,
    common: commonPolicies(proxy, routes),
    provedHeaders: provedHeadersOf(routes),
    variableOf: (route) => suffixes.get(route) ?? '',
    first: {
      allowFrom: firstOfEach(routes, ({ allowFrom = [] }) => [...allowFrom].sort()),
      auth: firstOfEach(routes, ({ auth }) => auth),
      cors: firstOfEach(routes, ({ cors }) => cors),
      errorPages: firstOfEach(routes, pagesOf),
      errors: firstOfEach(routes, (route) => [route.cors, pagesOf(route)]),
    },
  };
}

function pagesOf({ errorPages }: RouteModel): unknown {
  return errorPages?.pages === undefined ? undefined : [...errorPages.pages];
}

/** Gives the first of all routes that have the same value as a route. */
function firstOfEach(
  routes: readonly RouteModel[],
  value: (route: RouteModel) => unknown,
): (route: RouteModel) => RouteModel {
  const byValue = new Map<string, RouteModel>();
  const first = new Map<RouteModel, RouteModel>();
  for (const route of routes) {
    const key = JSON.stringify([value(route)]);
    if (!byValue.has(key)) byValue.set(key, route);
    first.set(route, byValue.get(key) ?? route);
  }
  return (route) => first.get(route) ?? route;
}

/** Whom an address stands for: of IPv6 its network of 64 bits, all of which one client has. */
export function clientOf({ proxy, place }: Plan): '$client' | '$binary_remote_addr' {
  return place.ipFamilies.includes('IPv6') || proxy.trustedProxies.length > 0 ? '$client' : '$binary_remote_addr';
}

/** Whether a backend or an external service answers its requests. */
export function isForwarded({ target }: RouteModel): boolean {
  return target.kind === 'backend' || target.kind === 'split' || target.kind === 'external';
}

/** Which module of nginx forwards requests: what its directives begin with. */
export type ForwardingModule = 'proxy' | 'grpc';

export function forwardingModule(route: Pick<RouteModel, 'protocol'>): ForwardingModule {
  return isGrpc(route) ? 'grpc' : 'proxy';
}

/** Each once that a route leads to, or asks; a name stands for all that one is. */
export function externalServicesOf(routes: readonly RouteModel[]): ExternalServiceModel[] {
  const all = routes.flatMap(({ target, auth }) =>
    [target, ...(auth?.kind === 'external' ? [auth.target] : [])].flatMap((asked) =>
      asked.kind === 'external' ? [asked.service] : [],
    ),
  );
  return [...new Map(all.map((service) => [service.name, service])).values()].sort((a, b) =>
    byCodePoints(a.name, b.name),
  );
}

/** The backends that requests of a route may go to. */
export function backendsOf({ target }: RouteModel): string[] {
  if (target.kind === 'backend') return [target.backend];
  if (target.kind !== 'split') return [];
  return target.shares.map(({ backend }) => backend);
}

/** Backends that answer requests, and those that get copies: who does both has an upstream for each. */
export function upstreams(
  all: readonly BackendModel[],
  routes: readonly RouteModel[],
): Pick<Plan, 'backends' | 'mirrors'> {
  const answering = new Set([...routes.flatMap(backendsOf), ...routes.flatMap(askedBackends)]);
  const mirrors = new Set(routes.map(({ mirror }) => mirror?.backend));
  return {
    backends: all.filter(({ name }) => answering.has(name) || !mirrors.has(name)),
    mirrors: all.filter(({ name }) => mirrors.has(name)),
  };
}

/** Who is asked who may use a route. */
function askedBackends({ auth }: RouteModel): string[] {
  return auth?.kind === 'external' && auth.target.kind === 'backend' ? [auth.target.backend] : [];
}

/** Whether any of these routes asks a service. */
export function asksServices(routes: readonly RouteModel[]): boolean {
  return routes.some(({ auth }) => auth?.kind === 'external');
}

/** Whether several backends share its requests. */
export function isSplit(route: RouteModel): boolean {
  return route.target.kind === 'split';
}

/** Each once, whatever its letters are. */
function provedHeadersOf(routes: readonly RouteModel[]): string[] {
  const all = routes.flatMap(({ requestHeaders }) =>
    requestHeaders.flatMap(([name, value]) => (typeof value === 'object' ? [name] : [])),
  );
  return [...new Map(all.map((name) => [name.toLowerCase(), name])).values()].sort(byCodePoints);
}

function shorterThanAnother(choice: Choice): RouteModel[] {
  const routes = candidates(choice);
  const most = Math.max(...routes.map(({ maxBodySize }) => maxBodySize));
  return routes.filter(({ maxBodySize }) => maxBodySize < most);
}

function commonPolicies({ timeline }: ProxyModel, routes: readonly RouteModel[]): CommonPolicies {
  const forwarded = routes.filter(isForwarded);
  const toBackends = forwarded.filter(({ target }) => target.kind !== 'external');
  const most = <Value>(of: readonly RouteModel[], value: (route: RouteModel) => Value, otherwise: Value): Value =>
    mostFrequent(of.map(value)) ?? otherwise;
  const waiting = forwarded.filter(({ streamTimeout }) => streamTimeout === undefined);
  return {
    connectTimeout: most(forwarded, ({ times }) => times.connectTimeout, timeline.connectTimeout),
    requestTimeout: most(waiting, ({ times }) => times.requestTimeout, timeline.requestTimeout),
    nextUpstreamTimeout: most(forwarded, ({ times }) => times.nextUpstreamTimeout, timeline.nextUpstreamTimeout),
    nextUpstreamTries: most(forwarded, ({ times }) => times.nextUpstreamTries, timeline.nextUpstreamTries),
    maxBodySize: most(routes, ({ maxBodySize }) => maxBodySize, 2 ** 20),
    requestHeaders: most(toBackends, ({ requestHeaders }) => requestHeaders, []),
  };
}

/** The first of those that are there as often as no other. */
function mostFrequent<Value>(values: readonly Value[]): Value | undefined {
  const counts = new Map<string, { readonly value: Value; count: number }>();
  for (const value of values) {
    const key = JSON.stringify(value);
    const found = counts.get(key);
    if (found === undefined) counts.set(key, { value, count: 1 });
    else found.count += 1;
  }
  return [...counts.values()].reduce<{ value: Value; count: number } | undefined>(
    (most, next) => (most === undefined || next.count > most.count ? next : most),
    undefined,
  )?.value;
}

/** nginx's variables have no "-", and no capitals of their own. */
function variableSuffixes(routes: readonly RouteModel[]): Map<RouteModel, string> {
  const taken = new Set<string>();
  const suffixes = new Map<RouteModel, string>();
  for (const route of routes) {
    const words = route.name.toLowerCase().replaceAll('-', '_');
    let suffix = words;
    for (let index = 2; taken.has(suffix); index += 1) suffix = `${words}_${index}`;
    taken.add(suffix);
    suffixes.set(route, suffix);
  }
  return suffixes;
}
