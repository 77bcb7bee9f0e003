import type { AuthModel } from '../auth/auth';
import type { Cors } from './cors';
import type { ErrorPages } from './error-pages';
import type { ExternalServiceModel } from './external-service';
import type { RequestHeader } from './headers';
import type { RequestKey } from '../load-balancing';
import type { ConditionModel, Path } from './matching';
import type { RateLimit } from './rate-limit';
import type { CacheModel } from './response-cache';

/** The times of one route, in seconds. */
export interface RouteTimes {
  readonly connectTimeout: number;
  readonly requestTimeout: number;
  readonly nextUpstreamTimeout: number;
  readonly nextUpstreamTries: number;
}

export const protocols = ['http', 'grpc'] as const;
/** How a backend is spoken to: plain HTTP/1.1, or gRPC over HTTP/2 without TLS. */
export type Protocol = (typeof protocols)[number];

/** What a backend says that its routes have to keep to. */
export interface RouteBackend {
  readonly name: string;
  /** @default 'http' */
  readonly protocol?: Protocol | undefined;
  /** In seconds. */
  readonly requestTimeout: number;
}

/** Who gets copies of the requests of a route. */
export interface MirrorModel {
  readonly backend: string;
  /** From 1 to 100. */
  readonly percent: number;
  /** In seconds: how long a copy may be silent. */
  readonly timeout: number;
}

/** What answers the requests of a route. */
export type TargetModel =
  | { readonly kind: 'backend'; readonly backend: string }
  | {
      readonly kind: 'split';
      readonly shares: readonly ShareModel[];
      /** Who has the same version: whoever has the same key. */
      readonly stickyBy: RequestKey;
    }
  | {
      readonly kind: 'external';
      readonly service: ExternalServiceModel;
      /** What stands before every path that it is asked for: empty for none. */
      readonly pathPrefix: string;
      /** As those of a route, which come before them. */
      readonly requestHeaders: RouteModel['requestHeaders'];
      readonly responseHeaders: RouteModel['responseHeaders'];
    }
  | { readonly kind: 'redirect'; readonly location: string; readonly status: 301 | 302 | 307 | 308 }
  | { readonly kind: 'response'; readonly status: number; readonly body: string; readonly contentType: string }
  | FilesModel;

/** The part of a backend of the requests of a route. */
export interface ShareModel {
  readonly backend: string;
  /** Of 100 together. */
  readonly weight: number;
  /** The greatest weight that its pods carry. @default 100 */
  readonly mostWeight?: number;
}

/** Files that nginx itself serves. */
export interface FilesModel {
  readonly kind: 'files';
  /** What tells them from others, as people read it. Where they are is known to the place of a proxy. */
  readonly source: string;
  /** Whether a path without a file is answered with the page of the directory. */
  readonly singlePage: boolean;
  /** Directories of which no file ever changes. @default - files whose names have a fingerprint do not */
  readonly immutable: readonly string[] | undefined;
}

/** A route whose every value is known and can be rendered. */
export interface RouteModel {
  /** Its name in nginx.conf: letters, digits, "-" and "_"; no other route of the proxy has it. */
  readonly name: string;
  readonly path: Path;
  /** All have to hold. */
  readonly when: readonly ConditionModel[];
  readonly target: TargetModel;
  /** How all of its backends are spoken to. @default 'http' */
  readonly protocol?: Protocol;
  readonly times: RouteTimes;
  /** Whether a request that no instance has answered is passed to another. @default true */
  readonly retries?: boolean;
  /** In seconds: how long its answers, which are not buffered, may be silent. */
  readonly streamTimeout: number | undefined;
  /** Bytes. */
  readonly maxBodySize: number;
  /** What stands for the path of the route. */
  readonly rewrite: string | undefined;
  /** What is sent instead of what came; false: nothing. */
  readonly requestHeaders: readonly RequestHeader[];
  readonly responseHeaders: readonly (readonly [name: string, value: string | false])[];
  /** @default - everyone may use it */
  readonly auth?: AuthModel;
  /** All have to hold. @default - none */
  readonly rateLimits?: readonly RateLimit[];
  /** @default - nobody */
  readonly mirror?: MirrorModel;
  /** Where its answers are kept. @default - nowhere */
  readonly cache?: CacheModel;
  /** Networks (CIDR) of the clients that may ask. @default - everyone */
  readonly allowFrom?: readonly string[];
  /** Pages of which origins may ask. @default - what the API itself says */
  readonly cors?: Cors;
  /** What nginx's own errors are. @default - JSON */
  readonly errorPages?: ErrorPages;
  /** The most requests of one client that may be in progress. @default - any number */
  readonly maxConnectionsPerClient?: number;
  /** Raw directives of every location of the route. */
  readonly snippets?: readonly string[];
}

export function isGrpc({ protocol }: Pick<RouteModel, 'protocol'>): boolean {
  return protocol === 'grpc';
}

/** Whether what a client sends goes to an instance as it comes, so that nobody has all of it to send it to another one. */
export function passesBodyOn(route: Pick<RouteModel, 'protocol' | 'streamTimeout'>): boolean {
  return isGrpc(route) && route.streamTimeout !== undefined;
}

/** The greatest body that waits until it is whole, of all these routes: its bytes, and the path of the route that takes it. */
export function greatestBody(routes: readonly RouteModel[]): {
  readonly maxBodySize: number;
  readonly maxBodyPath: string | undefined;
} {
  const [greatest] = routes
    .filter((route) => !passesBodyOn(route))
    .sort((one, other) => other.maxBodySize - one.maxBodySize);
  return { maxBodySize: Math.max(1024, greatest?.maxBodySize ?? 0), maxBodyPath: greatest?.path.path };
}

/** Limits of the rate of requests, of all these routes. */
export function countOfRateLimits(routes: readonly RouteModel[]): number {
  return routes.reduce((all, { rateLimits = [] }) => all + rateLimits.length, 0);
}

/** Each cache once that a route has. */
export function cachesOf(routes: readonly RouteModel[]): CacheModel[] {
  return [...new Set(routes.flatMap(({ cache }) => cache ?? []))];
}

/** Limits of the requests that a client has in progress, of all these routes. */
export function countOfClientLimits(routes: readonly RouteModel[]): number {
  return routes.filter(({ maxConnectionsPerClient }) => maxConnectionsPerClient !== undefined).length;
}
