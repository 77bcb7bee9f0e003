import { networks } from '../../validation/addresses';
import { bytes, seconds, type SizeText, type TimeText, whole } from '../../validation/amounts';
import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { instanceOf, knownValues, optional, type Reader, type Table, withDefault } from '../../validation/options';
import { Auth } from '../auth/auth';
import { timelineOptions } from '../timeline';
import { Cors } from './cors';
import { ErrorPages } from './error-pages';
import { requestHeader, responseHeader } from './headers';
import { Match, Rewrite } from './matching';
import { Mirror } from './mirror';
import { type RateLimit, rateLimits } from './rate-limit';
import { ResponseCache } from './response-cache';
import type { RouteModel } from './route';

/** How often a request is passed on that no pod has answered. */
export interface RetryOptions {
  /**
   * How many pods one request is passed to before the last try, from 1 to 10.
   *
   * @default 3
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream_tries
   */
  readonly tries?: number;

  /**
   * How long after its arrival a request may still be passed to another pod, in whole seconds. Where this is not longer
   * than `requestTimeout`, a GET that has waited on a pod that hangs is tried once more, but may meet that pod again.
   *
   * @default - `requestTimeout` and 10 s more
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream_timeout
   */
  readonly timeout?: TimeText;
}

/** What becomes of the requests of a route. */
export interface RouteOptions {
  /**
   * What a request has to have besides its path. It is looked at before the same path without `when`, in the order in which routes
   * were added; a request that does not match goes on to the next shorter path.
   *
   * @default - nothing
   */
  readonly when?: Match;

  /**
   * The longest that an answer may take between two reads, in whole seconds; no longer than that of the backend. An external
   * service sets no bound.
   *
   * @default - the backend's; 60s of an external service
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout
   */
  readonly requestTimeout?: TimeText;

  /**
   * How long nginx waits for a connection to a pod, in whole seconds. A pod on a lost node refuses nothing, it is
   * silent: this is what each request that is sent to it first costs.
   *
   * @default '2s'
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_connect_timeout
   */
  readonly connectTimeout?: TimeText;

  /**
   * Whether a request that no pod has answered is passed to another: of the methods that may be repeated, and of any method of which
   * nothing was sent yet.
   *
   * @default Retries.safe()
   */
  readonly retries?: Retries;

  /**
   * For event streams and WebSockets: answers are not buffered, and may be silent for so long, in whole seconds. On any other route
   * an answer, a WebSocket too, is silent for `requestTimeout` at most, and an event stream has to say
   * `X-Accel-Buffering: no`, as `serve()` does. To a gRPC backend what a client sends goes on as it comes too, and client and backend may be silent for so
   * long: client streams and bidirectional calls need it, as nginx else waits for the last message before it asks a pod. Such a call is passed to
   * another pod while none has taken its connection, and not to the fallback: nobody has its messages to send them again.
   *
   * @default - buffered, and silent for no longer than `requestTimeout`
   * @see https://nginx.org/en/docs/http/websocket.html
   */
  readonly streaming?: TimeText;

  /**
   * The largest request body; a larger one is answered 413 before the API sees any of it. Of gRPC it is what a call sends together
   * (RESOURCE_EXHAUSTED); a route to a gRPC backend with `streaming` has no bound unless it gives one itself.
   *
   * @default '1m'
   * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size
   */
  readonly maxBodySize?: SizeText;

  /**
   * What becomes of the path before the backend sees it. Of gRPC it is the name of a method, and stays.
   *
   * @default - it stays
   */
  readonly rewrite?: Rewrite;

  /**
   * Headers of requests that are set for the backend, whatever the client sent; `false` takes one away.
   *
   * @default - the client's own
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header
   */
  readonly requestHeaders?: Readonly<Record<string, string | false>>;

  /**
   * Headers of answers that are set, whatever the backend sent; `false` takes one away.
   *
   * @default - the backend's own, and the proxy's `defaultResponseHeaders`
   * @see https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header
   */
  readonly responseHeaders?: Readonly<Record<string, string | false>>;

  /**
   * Who may use the route: whoever proves it, before anything of the request reaches a backend, however often it is tried; WebSockets,
   * event streams and files too. What cannot be decided, as a Secret or a service is away, is answered 500 and never let through. A Redirect or
   * FixedResponse is answered before nginx asks: such a route has no `auth`, and takes none of `routeDefaults`.
   *
   * @default Auth.none()
   */
  readonly auth?: Auth;

  /**
   * How often requests may come; of several limits all have to hold. A request beyond one is answered 429 with `Retry-After`, and no
   * pod sees it. Each route counts for itself, one that has its limit from `routeDefaults` too. A request counts once, however often it is
   * tried, and so does a WebSocket or an event stream; one that is refused does not count. Each proxy counts what it gets: a client
   * stays on one proxy if the Service has `sessionAffinity: ClientIP`; any other key, and a client without that, has up to as many times
   * the rate as there are proxies. A proxy that starts has counted nothing. Each limit has room for 16000 keys at most, less where a proxy has many limits or
   * little memory; when it is full, the key that was not seen for longest is forgotten, and nobody is refused for it. A Redirect or
   * FixedResponse is answered before nginx counts: such a route has no limit, and takes none of `routeDefaults`. An empty list takes away that of `routeDefaults`.
   *
   * @default - no limit
   * @see https://nginx.org/en/docs/http/ngx_http_limit_req_module.html
   */
  readonly rateLimit?: RateLimit | readonly RateLimit[];

  /**
   * Who gets copies of the requests, whose answers are dropped: what goes wrong there changes no answer. A copy is sent once, whole with its body, when the
   * request has arrived, and has `X-Mirrored: true`, which no client can send here; it counts in no limit and has no line in the access log. It may be
   * silent for `connectTimeout` (and no longer than the `requestTimeout` of who gets it), and is given up then. Until it is
   * answered, a client of HTTP/1.1 waits with its next request on that connection, and the request counts as one in progress (`request_time` in the log);
   * who fails three times (`maxFails`) is left out for `failTimeout`. WebSockets are not copied, nor are requests of routes with `streaming`.
   * Routes whose requests nginx, an external service, a gRPC backend or the mirror itself answers cannot have one, and take none of `routeDefaults`.
   *
   * @default Mirror.none()
   * @see https://nginx.org/en/docs/http/ngx_http_mirror_module.html
   */
  readonly mirror?: Mirror;

  /**
   * Answers that nginx keeps and gives again: to GET and HEAD, and of no request with credentials. It comes behind every rule of the route: a request that is answered
   * from the cache has been limited, counted and copied (`mirror`) like any other. Versions that share a route have answers of their own.
   * `Cache-Status` of an answer says what became of it. Routes whose requests nginx itself or a gRPC backend answers, and those with `streaming`, cannot
   * have one, and take none of `routeDefaults`; routes that have it from there share one.
   *
   * @default ResponseCache.none()
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache
   */
  readonly cache?: ResponseCache;

  /**
   * Networks (CIDR) and single addresses of the clients that may ask; all others are answered 403, on every way of the route. The client is
   * who connects, or whom `clients.trustedProxies` of the proxy name. Behind a load balancer that is not among these, or a node that hides addresses
   * (`externalTrafficPolicy: 'Cluster'`), every client has a private address: such a list then lets in nobody, and one that has
   * that address lets in everyone. The list of a route takes the place of that of `routeDefaults`; `['0.0.0.0/0', '::/0']` is everyone. Probes ask on a port of
   * their own. On one machine, whoever has a private address is let in as well.
   *
   * @default - everyone
   * @see https://nginx.org/en/docs/http/ngx_http_geo_module.html
   */
  readonly allowFrom?: readonly string[];

  /**
   * Pages of which other origins may use the route from a browser. nginx answers their preflights, and says in every answer, in errors too, who may
   * read it; what the API itself says of it (`Access-Control-…`) is taken away. It is no protection: a client that is not a browser asks what it likes. No
   * browser speaks gRPC: a route to such a backend has none.
   *
   * @default Cors.none()
   * @see https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS
   */
  readonly cors?: Cors;

  /**
   * What nginx's own errors on the route look like, such as 404, 413, 429 and 503. What the API answers is never replaced, its errors neither; and what
   * nginx refuses before it knows the route (a head that is too large, a path without a route) is JSON. To a gRPC backend they are a status of gRPC, whatever is
   * said here for all routes.
   *
   * @default ErrorPages.json()
   * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#error_page
   */
  readonly errorPages?: ErrorPages;

  /**
   * The most requests that one client's address has in progress on the route, in one proxy, from 1 to 100000; one more is answered 503 with `Retry-After`, and no
   * pod sees it. Each stream of HTTP/2 is one, and so is a WebSocket or an event stream for as long as it lasts. Each route counts for itself, beside `clients.maxRequestsPerClient`.
   * Addresses that may be those of many clients are not limited (`clients.unlimited` and `trustedProxies` of the proxy: the private networks by default). A client
   * stays on one proxy if the Service has `sessionAffinity: ClientIP`, and has as many with each of them else. A Redirect or FixedResponse is answered before nginx counts: such a
   * route has no limit, and takes none of `routeDefaults`.
   *
   * @default - no limit
   * @see https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html
   */
  readonly maxConnectionsPerClient?: number;
}

/** Whether a request is passed on that no pod has answered. */
export class Retries {
  private constructor(
    readonly options: RetryOptions,
    readonly isOn = true,
  ) {}

  /** Where nobody can tell: a method that may be repeated (RFC 9110, 9.2.2), or a request of which nothing was sent. */
  static safe(options: RetryOptions = {}): Retries {
    const name = 'Retries.safe';
    knownValues(record(name, options, '{ tries: 3 }'), retryOptions, `${name} `);
    return new Retries(options);
  }

  /** Never: what the first pod does not answer is an error at once, 503 if it saw nothing of the request. */
  static none(): Retries {
    return new Retries({ tries: 1 }, false);
  }
}

export const retryOptions = {
  tries: timelineOptions.nextUpstreamTries,
  timeout: timelineOptions.nextUpstreamTimeout,
} satisfies Table<RetryOptions>;

/** Bytes: no body is that large. The greatest that may be given. */
export const greatestSize = 1023 * 2 ** 30;

export const routeOptions = {
  when: optional(instanceOf(Match, 'Match.header("X-Canary", "always")')),
  requestTimeout: optional(timelineOptions.requestTimeout.read),
  connectTimeout: timelineOptions.connectTimeout,
  retries: withDefault(Retries.safe(), instanceOf(Retries, 'Retries.safe()')),
  streaming: optional(seconds({ min: '1s', max: '1d' })),
  maxBodySize: withDefault('1m', (option, given) => bytes(option, given, { max: '1023g' })),
  rewrite: optional(instanceOf(Rewrite, 'Rewrite.stripPrefix()')),
  requestHeaders: withDefault({}, headers(requestHeader)),
  responseHeaders: withDefault({}, headers(responseHeader)),
  auth: withDefault(Auth.none(), instanceOf(Auth, 'Auth.basic({ secret: "admins" })')),
  rateLimit: withDefault([], rateLimits),
  mirror: withDefault(Mirror.none(), instanceOf(Mirror, 'Mirror.to(next)')),
  cache: withDefault(ResponseCache.none(), instanceOf(ResponseCache, 'ResponseCache.of({ valid: "1m" })')),
  allowFrom: optional(networks),
  cors: withDefault(Cors.none(), instanceOf(Cors, 'Cors.allow(["https://app.example.com"])')),
  errorPages: withDefault(ErrorPages.json(), instanceOf(ErrorPages, 'ErrorPages.json()')),
  maxConnectionsPerClient: optional(whole(1, 100_000)),
} satisfies Table<RouteOptions>;

/** They are read again with the options of each route; what is wrong is said where it was given. */
export function readRouteDefaults(routeDefaults: unknown): void {
  const name = 'routeDefaults';
  const { when, ...defaults } = record(name, routeDefaults, '{ maxBodySize: "8m" }');
  if (when !== undefined) {
    throw new InvalidOption(
      `${name}.when`,
      '(object)',
      'is of one route, as others of its path have to be without: give it to addRoute',
    );
  }
  knownValues(defaults, routeOptions, `${name}.`);
}

/** A group of headers, each with the value that is set, or false. */
function headers(
  value: (option: string, name: string, given: unknown) => string,
): Reader<RouteModel['responseHeaders']> {
  return (option, given) =>
    Object.entries(record(option, given, '{ "X-Team": "orders" }')).map(([name, header]) => {
      const named = `${option}[${JSON.stringify(name)}]`;
      // What may be set may be taken away.
      if (header === false) value(named, name, 'x');
      return [name, header === false ? false : value(named, name, header)] as const;
    });
}

/** Defaults of routes below what is given for one of them: a route has all that it does not say itself, headers one by one. */
export function inherited(...options: readonly (RouteOptions | undefined)[]): RouteOptions {
  return options.reduce<RouteOptions>(
    (all, more) => ({
      ...all,
      ...more,
      requestHeaders: mergedHeaders(all.requestHeaders, more?.requestHeaders),
      responseHeaders: mergedHeaders(all.responseHeaders, more?.responseHeaders),
    }),
    {},
  );
}

type Headers = Readonly<Record<string, string | false>>;

/** A name in another case is the same header. What is not a group of headers is left as it is, to be refused. */
function mergedHeaders(all: Headers = {}, more: Headers = {}): Headers {
  if (typeof more !== 'object' || (more as Headers | null) === null || Array.isArray(more)) return more;
  const headers = [...Object.entries(all), ...Object.entries(more)];
  return Object.fromEntries(
    new Map(headers.map(([name, value]) => [name.toLowerCase(), [name, value] as const])).values(),
  );
}
