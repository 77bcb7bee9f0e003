import { Backend } from '../charts/backend';
import type { NginxProxy } from '../charts/proxy/nginx-proxy';
import type { Route } from '../charts/routes/route';
import type { Timeline } from '../model/timeline';
import { certificateInterval } from '../nginx/tls/last-good-certificate-section';

/** What happens after one event, in order. */
export interface Chain {
  readonly title: string;
  /** What second 0 is. */
  readonly beginning: string;
  readonly steps: readonly Step[];
}

export interface Step {
  /** In seconds from the chain's beginning. */
  readonly at: Range;
  readonly what: string;
  readonly movedBy: readonly Mover[];
  /** What the reliability run measures of it. */
  readonly moment?: Moment;
}

/** What happens to a running system, and when: every moment has a computed range and, where it can be had, a measured time. */
export type Moment =
  /** From a pod's being Ready to its first request. */
  | 'api-pod-starts.first-request'
  /** From the decision to end a pod of the API to its last new request, and until it is gone. */
  | 'api-pod-ends.last-request'
  | 'api-pod-ends.gone'
  /** From the death of a process of the API to the last request that was tried on it, and to its first one when it is back. */
  | 'api-process-dies.last-try'
  | 'api-process-dies.first-request-again'
  /** From the loss of a node: idle connections found dead; its pods out of DNS; its pods replaced elsewhere. */
  | 'node-dies.connections-found'
  | 'node-dies.not-ready'
  | 'node-dies.last-try'
  | 'node-dies.pods-replaced'
  /** From a changed Secret to its first handshake, and to every proxy's. */
  | 'certificate-changes.first-handshake'
  | 'certificate-changes.every-proxy'
  /** From the decision to end a proxy to its last new connection, and until it is gone. */
  | 'proxy-ends.last-connection'
  | 'proxy-ends.gone';

/** Options that move a time, as one writes them, and the interface that has them. */
export const optionInterfaces = {
  dnsCacheTtl: 'NamespaceOptions',
  resolverValid: 'NamespaceOptions',
  unreachableToleration: 'NamespaceOptions',
  requestTimeout: 'BackendProps',
  failTimeout: 'BackendProps',
  connectTimeout: 'RouteOptions',
  'retries.timeout': 'RetryOptions',
  certificateValid: 'NginxProxyProps',
  'clients.keepAliveTimeout': 'ClientOptions',
  'exposure.deregistrationDelay': 'ClusterIpOptions',
} as const;

export type OptionName = keyof typeof optionInterfaces;

/** What a time follows from: an option, or a figure that no option changes. */
export type Mover = { readonly option: OptionName; readonly seconds: number } | Figure;

/** A time that Kubernetes or fairlead has fixed. */
export interface Figure {
  readonly name: string;
  readonly range: Range;
  /** Where it stands, or why it is taken. */
  readonly source: string;
}

export const option = (name: OptionName, seconds: number): Mover => ({ option: name, seconds });

/** From the earliest to the latest, in seconds. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export const exactly = (seconds: number): Range => ({ from: seconds, to: seconds });

export const upTo = (seconds: number): Range => ({ from: 0, to: seconds });

/** When the last of several things that follow each other has happened. */
export function after(...lengths: readonly Range[]): Range {
  return lengths.reduce((sum, { from, to }) => ({ from: sum.from + from, to: sum.to + to }), exactly(0));
}

/** `5 s`, `0 to 7 s`: at most one decimal. */
export function rangeText({ from, to }: Range): string {
  const [first, last] = [decimal(from), decimal(to)];
  return first === last ? `${first} s` : `${first} to ${last} s`;
}

function decimal(seconds: number): string {
  return String(Math.round(seconds * 10) / 10);
}

/** What of a deployment moves what happens in it, and when: a route, the backend that it leads to, and their proxy. */
export interface Configuration {
  /** What stands for the route where others have other times: `/orders`. */
  readonly name: string;
  readonly route: Timeline;
  readonly backend: Timeline;
  readonly proxy: Timeline;
  /** In seconds: how long nginx leaves an instance out that failed. */
  readonly failTimeout: number;
  /** In seconds: how often nginx looks at the certificate. */
  readonly certificateInterval: number;
}

/** One for each route of a proxy and each backend that it leads to. */
export function configurations(proxy: NginxProxy): readonly Configuration[] {
  const certificate = certificateInterval(proxy.timeline);
  return proxy.routes.flatMap((route) =>
    backendsOf(route).map((backend) => ({
      name: routeName(route, backend),
      route: route.timeline,
      backend: backend.timeline,
      proxy: proxy.timeline,
      failTimeout: backend.settings.failTimeout,
      certificateInterval: certificate,
    })),
  );
}

function backendsOf({ model: { target }, proxy }: Route): readonly Backend[] {
  const names =
    target.kind === 'backend'
      ? [target.backend]
      : target.kind === 'split'
        ? target.shares.map(({ backend }) => backend)
        : [];
  const backends = proxy.namespace.node.findAll().filter((construct) => construct instanceof Backend);
  return backends.filter(({ node }) => names.includes(node.id));
}

/** `/orders`, `= /orders with X-Canary`, `shop.example.com/orders`; of a split, with the backend. */
function routeName({ model: { path, when, target }, node, proxy }: Route, backend: Backend): string {
  const host = node.scope === proxy ? '' : (node.scope?.node.id ?? '');
  const needs = when.map((condition) => (condition.kind === 'method' ? condition.methods.join('|') : condition.name));
  return [
    path.kind === 'exact' ? '= ' : '',
    `${host}${path.path}`,
    needs.length === 0 ? '' : ` with ${needs.join(', ')}`,
    target.kind === 'split' ? ` to ${backend.node.id}` : '',
  ].join('');
}
