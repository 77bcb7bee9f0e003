import type { NginxProxy } from '../charts/proxy/nginx-proxy';
import type { Route, RouteHost } from '../charts/routes/route';
import type { ProxyModel } from '../model/proxy';

/** A proxy of main.ts, and who says there what its routes go by. */
export interface Deployment {
  readonly name: string;
  readonly namespace: string;
  readonly environment: string;
  readonly model: ProxyModel;
  /** Where clients find HTTPS. */
  readonly httpsPort: number;
  /** By the name that a route has in the model. */
  readonly routes: Readonly<Record<string, RouteOrigin>>;
  /** `requestTimeout` of each backend, by name. */
  readonly requestTimeouts: Readonly<Record<string, { readonly seconds: number; readonly isDefault: boolean }>>;
}

/** Where options of a route are given, and where they are not. */
export interface RouteOrigin {
  /** What stands for the route in main.ts: `= /orders with X-Canary`. */
  readonly text: string;
  /** Options that were given for it alone. */
  readonly own: readonly string[];
  /** Those of `routeDefaults`, each with what was given them: `edge`. */
  readonly inherited: Readonly<Record<string, string>>;
}

export function deploymentOf(proxy: NginxProxy, environment: string): Deployment {
  return {
    name: proxy.node.id,
    namespace: proxy.namespace.name,
    environment,
    model: proxy.model,
    httpsPort: proxy.settings.exposure.httpsPort,
    routes: Object.fromEntries(proxy.routes.map((route) => [route.model.name, originOf(route)])),
    requestTimeouts: Object.fromEntries(
      proxy.targets.map(({ node, timeline, props }) => {
        const isDefault = props.requestTimeout === undefined;
        return [node.id, { seconds: timeline.requestTimeout, isDefault }] as const;
      }),
    ),
  };
}

/** The proxies that have a host: those of the namespace that was looked in, if any has it there. On one machine the first host is called localhost too. */
export function deploymentsOfHost(all: readonly Deployment[], host: string, namespace?: string): readonly Deployment[] {
  const found = all.filter(({ model }) => model.hosts.some(({ names }) => names.includes(host)));
  const there = found.filter((each) => each.namespace === namespace);
  if (found.length > 0) return there.length > 0 ? there : found;
  return host === 'localhost' && all.length === 1 ? all : [];
}

function originOf(route: Route): RouteOrigin {
  const { proxy, node, options } = route;
  const host = node.scope as RouteHost;
  const given = (of: object): readonly string[] =>
    Object.entries(of).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const ofHost = given(host.routeDefaults).map((name) => [name, host.node.id] as const);
  const ofProxy = given(proxy.routeDefaults).map((name) => [name, proxy.node.id] as const);
  // What a host has from its proxy is the proxy's to change, unless the host says it too.
  const differing = ofHost.filter(([name]) => !isSame(host.routeDefaults, proxy.routeDefaults, name));
  return {
    text: routeText(route),
    own: given(options),
    inherited: Object.fromEntries([...ofHost, ...ofProxy, ...differing]),
  };
}

function isSame(one: object, other: object, name: string): boolean {
  const of = (options: object): unknown => (options as Readonly<Record<string, unknown>>)[name];
  return of(one) === of(other);
}

/** As one finds it in main.ts: the path, with what a request has to have beside it, and its host if that is not the proxy's. */
function routeText({ model: { path, when }, node, proxy }: Route): string {
  const host = node.scope === proxy ? '' : (node.scope?.node.id ?? '');
  const needs = when.map((condition) => (condition.kind === 'method' ? condition.methods.join('|') : condition.name));
  return `${path.kind === 'exact' ? '= ' : ''}${host}${path.path}${needs.length === 0 ? '' : ` with ${needs.join(', ')}`}`;
}
