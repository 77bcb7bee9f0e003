import type { AccessLogModel } from './access-log/options';
import type { Budget } from './budget';
import type { LoadBalancing } from './load-balancing';
import type { Protocol, RouteModel } from './routes/route';
import type { Timeline } from './timeline';
import type { TracingModel } from './traces';

/** A backend as a proxy sees it. */
export interface BackendModel {
  /** Its name in nginx.conf: a DNS label; no other backend of the proxy has it. */
  readonly name: string;
  /** The DNS name whose records are the instances, and their port; or the service of SRV records, which bring one (`http` for `_http._tcp`). */
  readonly instances:
    { readonly host: string; readonly port: number } | { readonly host: string; readonly service: string };
  /** Host and port of a server that knows instances by other means than DNS, and refuses at once when there are none. */
  readonly fallback: string | undefined;
  readonly loadBalancing: LoadBalancing;
  readonly maxFails: number;
  /** In seconds. */
  readonly failTimeout: number;
  /** The greatest number of instances at a time. */
  readonly mostInstances: number;
  /** The most requests in progress at one instance, of one proxy. @default - any number */
  readonly maxConnections?: number | undefined;
  /** In seconds: when an instance closes an idle connection, and when nginx does. */
  readonly keepAliveTimeout: number;
  readonly upstreamKeepAliveTimeout: number;
  /** @default 'http' */
  readonly protocol?: Protocol | undefined;
  /** What a proxy that starts asks for; of gRPC a method. */
  readonly healthCheckPath: string;
  /** Of which backend it is a version, and what that is called. @default - it is not a version */
  readonly version?: { readonly of: string; readonly name: string } | undefined;
}

/** DNS names with the same routes, and what becomes of their requests. */
export interface HostModel {
  readonly names: readonly [string, ...string[]];
  /** What its certificate is called: a DNS name. @default - the certificate is that of the proxy */
  readonly certificate?: string | undefined;
  /** In seconds; 0 sends no Strict-Transport-Security. */
  readonly hstsMaxAge: number;
  readonly hstsIncludeSubDomains: boolean;
  /** In any order. */
  readonly routes: readonly RouteModel[];
  /** Raw directives of its server. */
  readonly snippets?: readonly string[];
}

/** What clients may take, by time. In milliseconds. */
export interface ClientTimes {
  readonly headerTimeout: number;
  readonly bodyTimeout: number;
  readonly sendTimeout: number;
}

/** A proxy with its backends and routes, whose every value is known and can be rendered. */
export interface ProxyModel {
  readonly hosts: readonly [HostModel, ...HostModel[]];
  readonly backends: readonly BackendModel[];
  /** Those of the proxy; what differs between routes is theirs. */
  readonly timeline: Timeline;
  readonly budget: Budget;
  readonly clientTimes: ClientTimes;
  readonly gzip: boolean;
  /** Headers of answers that do not bring them. */
  readonly defaultResponseHeaders: readonly (readonly [name: string, value: string])[];
  /** What becomes of traces, of which so many percent are sampled that begin here. @default - what a client says of one is passed on as it is */
  readonly traceContext?: { readonly sampledPercent: number } | undefined;
  /** Where its spans go; goes with `traceContext`. @default - it has none */
  readonly tracing?: TracingModel | undefined;
  readonly trustedProxies: readonly string[];
  readonly unlimitedClients: readonly string[];
  readonly accessLog: AccessLogModel;
  /** Raw directives of the http block. */
  readonly snippets?: readonly string[];
  /** What of it is measured, where its place has a port for that. @default - with the defaults */
  readonly metrics?: { readonly maxSeries: number } | undefined;
}

/** A certificate of a proxy. */
export interface CertificateModel {
  /** Undefined for that of the proxy. */
  readonly name: string | undefined;
  /** Every DNS name that clients get it for. */
  readonly hosts: readonly string[];
}

/** Every certificate of a proxy: its own, then those of hosts in the order of the hosts. */
export function certificatesOf(
  hosts: readonly Pick<HostModel, 'names' | 'certificate'>[],
): readonly [CertificateModel, ...CertificateModel[]] {
  const of = (name: string | undefined): CertificateModel => ({
    name,
    hosts: hosts.filter(({ certificate }) => certificate === name).flatMap(({ names }) => names),
  });
  const others = new Set(hosts.flatMap(({ certificate }) => certificate ?? []));
  return [of(undefined), ...[...others].map(of)];
}
