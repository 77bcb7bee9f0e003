import { whole } from '../validation/amounts';
import { optional, type Table } from '../validation/options';
import type { CacheModel } from './routes/response-cache';

/** What a user may say about how much one proxy takes on at a time. Everything else follows from its memory. */
export interface BudgetProps {
  /**
   * The most connections of clients that one proxy holds at a time, idle ones too; one more is closed at once. Each takes 56 KiB of
   * memory at worst.
   *
   * @default - what is left of 80 % of its memory limit when requests and streams have theirs
   * @see https://nginx.org/en/docs/stream/ngx_stream_limit_conn_module.html
   */
  readonly maxConnections?: number;

  /**
   * The most requests in progress in one proxy, each stream of HTTP/2 counting as one; one more is answered 503 with `Retry-After`
   * at once. Each takes half a MiB at worst: its client sends a whole body, and does not read a compressed answer.
   *
   * @default - what half of 80 % of its memory limit carries, less what nginx itself takes; no more than the disk has room for bodies
   * @see https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html
   */
  readonly maxRequests?: number;

  /**
   * The same of routes with `streaming`: event streams and WebSockets, which take less memory as nothing of them is kept.
   *
   * @default - what a fifth of that memory carries; 0 without such a route
   * @see https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html
   */
  readonly maxStreams?: number;

  /**
   * The most connections that one client's address has to one proxy. It stays on one proxy if the Service has
   * `sessionAffinity: ClientIP`, and has as many with each of them else. Private addresses are not limited
   * (`unlimited`).
   *
   * @default - an eighth of `maxConnections`
   * @see https://nginx.org/en/docs/stream/ngx_stream_limit_conn_module.html
   */
  readonly maxConnectionsPerClient?: number;

  /**
   * The most requests in progress that one client's address has in one proxy, streams among them; one more is answered 503.
   *
   * @default - a quarter of `maxRequests`
   * @see https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html
   */
  readonly maxRequestsPerClient?: number;
}

/** Options of which each may be undefined. */
type Given<Options> = { readonly [Option in keyof Options]?: Options[Option] | undefined };

/** What a proxy has, and what it is asked to do. */
export interface BudgetSettings extends Given<BudgetProps> {
  /** Bytes: the limit of its container. */
  readonly memoryLimit: number;
  readonly workers: number;
  /** Bytes: the greatest `maxBodySize` of its routes. */
  readonly maxBodySize: number;
  /** The path of a route that has it, for what is said of it. @default - not known */
  readonly maxBodyPath?: string | undefined;
  /** Bytes for temporary files. @default - as many as they can be */
  readonly temporaryStorage?: number | undefined;
  /** Bytes of files that nginx itself serves, on the same disk. @default - none */
  readonly files?: number;
  readonly gzip: boolean;
  /** Whether a route is one of `streaming`. */
  readonly hasStreams: boolean;
  /** Backends, and those that get copies once more. */
  readonly backends: number;
  /** Certificates of hosts, beside that of the proxy. @default 0 */
  readonly hostCertificates?: number;
  /** Bytes: what metrics are counted in, and what waits for it. @default 0 */
  readonly metrics?: number;
  /** Bytes: where requests wait until their spans are sent, and what a collector is judged by. @default 0 */
  readonly tracing?: number;
  /** Bytes: the zones of their instances. */
  readonly upstreamZones: number;
  /** Limits of the rate of requests, of all routes. @default 0 */
  readonly rateLimits?: number | undefined;
  /** Limits of the requests that a client has in progress on a route. @default 0 */
  readonly clientLimits?: number | undefined;
  /** Whether requests of a route are copied. @default false */
  readonly hasMirrors?: boolean | undefined;
  /** Services that answer requests beside backends. @default - none */
  readonly externalServices?: ExternalServices | undefined;
  /** What answers are kept in, of all routes. @default - nothing */
  readonly caches?: readonly CacheModel[] | undefined;
  /** Whether a service is asked who may use a route. @default false */
  readonly asksServices?: boolean | undefined;
  /** Rules for access tokens. @default - none */
  readonly tokenRules?: TokenRules | undefined;
  /** Whether a route asks clients for certificates. @default false */
  readonly clientCertificates?: boolean | undefined;
}

/** Rules for access tokens: how many there are, and the bytes of shared memory that they take. */
export interface TokenRules {
  readonly count: number;
  readonly zone: number;
}

/** How many there are, and what they take. */
export interface ExternalServices {
  readonly count: number;
  /** Bytes: the zone of each. */
  readonly zone: number;
  /** Whether one is spoken to over TLS. */
  readonly hasTls: boolean;
}

/** The fewest that are worth while. */
export const least = { connections: 64, requests: 16, streams: 16 } as const;
const most = 200_000;

export const budgetOptions = {
  maxConnections: optional(whole(least.connections, most)),
  maxRequests: optional(whole(least.requests, most)),
  maxStreams: optional(whole(least.streams, most)),
  maxConnectionsPerClient: optional(whole(1, most)),
  maxRequestsPerClient: optional(whole(1, most)),
} satisfies Table<BudgetProps>;

/** The first number of requests that was given. */
export function counted({ maxRequests, maxStreams }: BudgetSettings): [string, unknown] | undefined {
  if (maxRequests !== undefined) return ['clients.maxRequests', maxRequests];
  return maxStreams === undefined ? undefined : ['clients.maxStreams', maxStreams];
}
