import { Budget } from '../model/budget';
import { Timeline } from '../model/timeline';
import { Duration, Size } from '../validation/amounts';

/** How a proxy chooses the instance of the API for a request. */
export const loadBalancings = ['least_conn', 'round_robin', 'random_two_least_conn', 'hash', 'client_address'] as const;
export type LoadBalancing = (typeof loadBalancings)[number];

export const ipFamilies = ['IPv4', 'IPv6'] as const;
export type IpFamily = (typeof ipFamilies)[number];

export const defaultMaxBodySize: Size = '1m';

/** What a user may set about the proxy, wherever it runs. */
export interface ProxyOptions {
  /**
   * The DNS name that clients ask for. A request for any other name is refused: its TLS handshake is rejected, and over
   * plain HTTP its connection is closed.
   *
   * @default 'localhost'
   * @see https://nginx.org/en/docs/http/server_names.html
   */
  readonly host?: string;

  /**
   * More DNS names for the same API. The certificate has to be valid for each.
   *
   * @default - none
   */
  readonly additionalHosts?: readonly string[];

  /**
   * How an instance is chosen: `least_conn` (in turn when idle, to the idle one when not), `round_robin`,
   * `random_two_least_conn` (for many proxies, which do not know of each other's requests), `hash` (consistent, by
   * `hashKey`), `client_address` (consistent, by the client's address).
   *
   * @default 'least_conn'
   * @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#least_conn
   */
  readonly loadBalancing?: LoadBalancing;

  /**
   * What `loadBalancing: 'hash'` goes by: `uri`, `header:NAME` or `cookie:NAME`. Requests without that header or cookie
   * all go to one instance.
   *
   * @default - none; needed with `hash`, refused without
   * @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#hash
   */
  readonly hashKey?: string;

  /**
   * After how many failed tries within `failTimeout` an instance is left out for `failTimeout`. nginx's own value of 1
   * would let one broken connection take out an instance.
   *
   * @default 3
   * @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#max_fails
   */
  readonly maxFails?: number;

  /**
   * The time in which `maxFails` are counted, and for which an instance is then left out; in whole seconds. An instance that
   * was restarted gets requests again after this; one on a lost node costs `maxFails` × `connectTimeout` in each.
   *
   * @default '5s'
   * @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#fail_timeout
   */
  readonly failTimeout?: Duration;

  /**
   * The largest request body; a larger one is answered 413 before the API sees any of it.
   *
   * @default '1m'
   * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size
   */
  readonly clientMaxBodySize?: Size;

  /**
   * How long a client may take to send its whole request head.
   *
   * @default '10s'
   * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#client_header_timeout
   */
  readonly clientHeaderTimeout?: Duration;

  /**
   * How long a client may pause while it sends a body.
   *
   * @default '10s'
   * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#client_body_timeout
   */
  readonly clientBodyTimeout?: Duration;

  /**
   * How long a client may pause while it reads an answer.
   *
   * @default '10s'
   * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#send_timeout
   */
  readonly sendTimeout?: Duration;

  /**
   * Paths of event streams and WebSockets that may be silent for long; each holds for all below it. Their answers are not
   * buffered, and they are silent for `streamTimeout` at most. On any other path an answer, a WebSocket too, is silent for
   * `requestTimeout` at most, and an event stream has to say `X-Accel-Buffering: no`, as `serve()` does.
   *
   * @default - none
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
   */
  readonly streamPaths?: readonly string[];

  /**
   * How long a WebSocket or an event stream of `streamPaths` may be silent before nginx closes it, in whole seconds.
   *
   * @default '1h'
   * @see https://nginx.org/en/docs/http/websocket.html
   */
  readonly streamTimeout?: Duration;

  /**
   * Whether answers are compressed. Turn it off if answers carry a secret beside what a client chose (BREACH).
   *
   * @default true
   * @see https://nginx.org/en/docs/http/ngx_http_gzip_module.html
   */
  readonly gzip?: boolean;

  /**
   * `max-age` of Strict-Transport-Security: for how long browsers use nothing but HTTPS for the host. '0s' leaves the
   * header out.
   *
   * @default '365d', and '0s' when the host is localhost, which belongs to every project of a machine
   * @see https://www.rfc-editor.org/rfc/rfc6797
   */
  readonly hstsMaxAge?: Duration;

  /**
   * Whether Strict-Transport-Security holds for every subdomain of the host too.
   *
   * @default false
   */
  readonly hstsIncludeSubDomains?: boolean;

  /**
   * Content-Security-Policy of answers that do not bring their own. The default lets a browser load nothing, which suits
   * JSON; set it in the API for its HTML pages.
   *
   * @default "default-src 'none'; frame-ancestors 'none'"
   * @see https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
   */
  readonly contentSecurityPolicy?: string;

  /**
   * More headers for every answer that does not bring them itself.
   *
   * @default - none
   * @see https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header
   */
  readonly responseHeaders?: Readonly<Record<string, string>>;

  /**
   * Addresses (CIDR) of the load balancers in front whose `X-Forwarded-For` names the client. Of anyone else it is
   * ignored; networks that hold every address are refused, as any client could then say who it is.
   *
   * @default - none: the client is who connects
   * @see https://nginx.org/en/docs/http/ngx_http_realip_module.html#set_real_ip_from
   */
  readonly trustedProxies?: readonly string[];

  /**
   * Networks (CIDR) whose addresses are not limited by `maxConnectionsPerClient` and `maxRequestsPerClient`: a load balancer or
   * a node that hides the addresses of clients has one for all of them. `trustedProxies` are always among them.
   *
   * @default - the private networks: 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, ::1/128, fc00::/7 and fe80::/10
   * @see https://www.rfc-editor.org/rfc/rfc6890
   */
  readonly unlimitedClients?: readonly string[];
}

/** What follows from the place where the proxy runs; charts/ and local/ each know all of it. */
export interface ProxyProps extends ProxyOptions {
  readonly timeline: Timeline;
  readonly budget: Budget;
  /** The DNS name whose records are the instances of the API. */
  readonly upstreamHost: string;
  /** The instances' port, when discovery is by address records. Exactly one of this and `upstreamService`. */
  readonly upstreamPort?: number;
  /** The SRV service (`http` for `_http._tcp.HOST`), which brings a port and a name for each instance. */
  readonly upstreamService?: string;
  /**
   * A server that knows instances by other means than DNS, and refuses at once when there are none. It is asked when no
   * instance that DNS named was reached. The host is an address, or a name that the system resolves when nginx starts.
   * @default - none: the answer is 503
   */
  readonly upstreamFallback?: { readonly host: string; readonly port: number };
  /** The greatest number of instances at a time; shared memory is sized for twice as many. */
  readonly maxUpstreams: number;
  /** A path of the API that answers 2xx when it works. @default '/healthcheck' */
  readonly healthCheckPath?: string;
  /** DNS servers: addresses, or names that the system resolves when nginx starts; each with an optional port. */
  readonly resolvers: readonly string[];
  /** @default ['IPv4'] */
  readonly ipFamilies?: readonly IpFamily[];
  /** `worker_processes`: one for each CPU that nginx may use. */
  readonly workers: number;
  /** The address to listen on. @default - every address */
  readonly listenAddress?: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** The port of the probes' own TLS server, which clients never reach. */
  readonly probePort: number;
  /**
   * Ports of the loopback address for the servers that clients reach, who then come through a count of their connections. Needs
   * nginx's stream module. @default - connections are not counted
   */
  readonly connectionCount?: { readonly httpPort: number; readonly httpsPort: number };
  /** The port of HTTPS as clients see it, which the redirect names. */
  readonly externalHttpsPort: number;
  /** Holds `tls.crt` and `tls.key`, and may be written to while nginx runs. */
  readonly certificateDirectory: string;
  /**
   * A writable directory, in memory as it holds keys: pairs that proved good are kept here, and the last one is served
   * while `certificateDirectory` holds a pair that is broken or expired. Needs njs, and the script of
   * last-good-certificate-section.ts beside nginx.conf. @default - none: what `certificateDirectory` holds is served
   */
  readonly certificateStore?: string;
  /** A port of the loopback address, on which a new pair is proved. Goes with `certificateStore`. */
  readonly certificateCheckPort?: number;
  /** Where nginx's dynamic modules are. @default '/usr/lib/nginx/modules' */
  readonly modulesDirectory?: string;
  /** Writable: the pid file and temporary files. @default '/tmp' */
  readonly runtimeDirectory?: string;
  /** @default '/dev/stdout' */
  readonly accessLog?: string;
}
