import { cidr, trustedNetworks } from '../validation/addresses';
import { milliseconds, seconds, type TimeText } from '../validation/amounts';
import { record } from '../validation/collections';
import { InvalidOption } from '../validation/invalid-option';
import { hostName } from '../validation/names';
import {
  flag,
  flagOrGroup,
  group,
  listOf,
  optional,
  type Table,
  type Values,
  withDefault,
} from '../validation/options';
import { accessLog, type AccessLogOptions } from './access-log/options';
import { budgetOptions, type BudgetProps } from './budget-options';
import { responseHeader } from './routes/headers';
import type { HostModel, ProxyModel } from './proxy';
import { proxyTimes, type ProxyTimes, timelineOptions } from './timeline';
import { type TraceContextOptions, traceContextOptions, type TracingOptions, tracingOptions } from './traces';

/** Whoever comes from one of these may be many clients: load balancers, nodes, and what runs beside them. */
export const privateNetworks = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
];

/** What clients may take, and who they are. */
export interface ClientOptions extends BudgetProps {
  /**
   * How long a client may leave a connection idle and then use it again without meeting its end, in whole seconds. It
   * is told to clients (`Keep-Alive: timeout=`), and a proxy that ends honours it.
   *
   * @default '20s'
   * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout
   */
  readonly keepAliveTimeout?: TimeText;

  /**
   * How long a client may take to send its whole request head.
   *
   * @default '10s'
   * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#client_header_timeout
   */
  readonly headerTimeout?: TimeText;

  /**
   * How long a client may pause while it sends a body.
   *
   * @default '10s'
   * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#client_body_timeout
   */
  readonly bodyTimeout?: TimeText;

  /**
   * How long a client may pause while it reads an answer.
   *
   * @default '10s'
   * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#send_timeout
   */
  readonly sendTimeout?: TimeText;

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
  readonly unlimited?: readonly string[];
}

/** Strict-Transport-Security: browsers use nothing but HTTPS. */
export interface StrictTransportSecurity {
  /**
   * `max-age`: for how long. '0s' leaves the header out.
   *
   * @default '365d', and '0s' when the host is localhost, which belongs to every project of a machine
   * @see https://www.rfc-editor.org/rfc/rfc6797
   */
  readonly maxAge?: TimeText;

  /**
   * Whether it holds for every subdomain of the host too.
   *
   * @default false
   */
  readonly includeSubDomains?: boolean;
}

/** What a proxy is, wherever it runs. */
export interface ProxyOptions extends ProxyTimes {
  /**
   * The DNS name that clients ask for. A request for any other name is refused: its TLS handshake is rejected, and over
   * plain HTTP its connection is closed.
   *
   * @default 'localhost'
   * @see https://nginx.org/en/docs/http/server_names.html
   */
  readonly host?: string;

  /**
   * More DNS names for the same routes. The certificate has to be valid for each.
   *
   * @default - none
   */
  readonly additionalHosts?: readonly string[];

  /**
   * What clients may take, and who they are.
   *
   * @default - what memory carries, and times that no honest client meets
   */
  readonly clients?: ClientOptions;

  /**
   * Whether answers are compressed. Turn it off if answers carry a secret beside what a client chose (BREACH).
   *
   * @default true
   * @see https://nginx.org/en/docs/http/ngx_http_gzip_module.html
   */
  readonly gzip?: boolean;

  /**
   * Whether browsers may use anything but HTTPS.
   *
   * @default { maxAge: '365d', includeSubDomains: false }
   * @see https://www.rfc-editor.org/rfc/rfc6797
   */
  readonly strictTransportSecurity?: StrictTransportSecurity;

  /**
   * Headers of answers that do not bring them themselves, beside those of the default, which lets a browser load nothing for an
   * answer of JSON, and a page of HTML what is of its own origin; `false` takes one of these out. One that is given is that of every answer, pages too.
   *
   * @default - Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; Referrer-Policy: no-referrer; Cross-Origin-Resource-Policy: same-origin; pages have the first two as files have them (docs/security.md)
   * @see https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
   */
  readonly defaultResponseHeaders?: Readonly<Record<string, string | false>>;

  /**
   * Which requests have a line in the access log, and what stands in it. One machine has the same lines. A change is a rollout of the proxies.
   *
   * @default - every request, with the fields of docs/access-log.md
   * @see https://nginx.org/en/docs/http/ngx_http_log_module.html
   */
  readonly accessLog?: AccessLogOptions;

  /**
   * Whether each request has a trace context of the W3C on its way to a backend: the client's own `traceparent` and `tracestate`, if they are
   * well formed, or else a new `traceparent`. The id of the trace is in the access log (`trace_id`). Without it nginx passes on what a client
   * sends, whatever that is.
   *
   * @default false
   * @see https://www.w3.org/TR/trace-context/
   */
  readonly traceContext?: boolean | TraceContextOptions;

  /**
   * Whether the proxy has spans for OpenTelemetry: one of each request that is sampled, sent to a collector in batches. It has a trace context by that,
   * in which its own span is the parent of the backend's. What a client has marked as sampled is recorded: who may set it costs you spans.
   *
   * @default - there are no spans of the proxy
   * @see https://opentelemetry.io/docs/concepts/signals/traces/
   */
  readonly tracing?: TracingOptions;
}

/** Security headers that the API may replace. */
export const securityHeaders: readonly (readonly [name: string, value: string])[] = [
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
];

/** Of these, what pages need instead, the API's and files: their own scripts and styles, and to be known to their own API. */
export const pageHeaders: typeof securityHeaders = [
  [
    'Content-Security-Policy',
    "default-src 'self'; img-src 'self' data:; font-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
  ],
  ['Referrer-Policy', 'strict-origin-when-cross-origin'],
];

/** And what error pages of nginx's own need: styles and pictures in themselves, and nothing else. */
export const errorPageHeaders: typeof securityHeaders = [
  [
    'Content-Security-Policy',
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  ],
];

export const clientOptions = {
  keepAliveTimeout: timelineOptions.clientKeepAliveTimeout,
  headerTimeout: withDefault('10s', duration),
  bodyTimeout: withDefault('10s', duration),
  sendTimeout: withDefault('10s', duration),
  trustedProxies: withDefault([], trustedNetworks),
  unlimited: withDefault(privateNetworks, listOf(cidr, '["10.0.0.0/8"]')),
  ...budgetOptions,
} satisfies Table<ClientOptions>;

export const strictTransportSecurityOptions = {
  maxAge: optional(seconds({ max: '3650d' })),
  includeSubDomains: withDefault(false, flag),
} satisfies Table<StrictTransportSecurity>;

export const proxyOptions = {
  host: withDefault('localhost', hostName),
  additionalHosts: withDefault([], listOf(hostName, '["www.example.com"]')),
  clients: withDefault({}, group(clientOptions, '{ maxConnections: 1000 }')),
  gzip: withDefault(true, flag),
  strictTransportSecurity: withDefault({}, group(strictTransportSecurityOptions, '{ maxAge: "730d" }')),
  defaultResponseHeaders: withDefault({}, defaultResponseHeaders),
  accessLog: withDefault({}, accessLog),
  traceContext: withDefault(false, flagOrGroup(traceContextOptions, '{ sampledPercent: 10 }')),
  tracing: optional(group(tracingOptions, '{ endpoint: "http://collector.observability.svc.cluster.local:4318" }')),
  ...proxyTimes,
} satisfies Table<ProxyOptions>;

export type ProxySettings = Values<typeof proxyOptions>;

/** Strict-Transport-Security of a host, in seconds. */
export function strictTransportSecurity(
  { strictTransportSecurity: given }: ProxySettings,
  host: string,
): Pick<HostModel, 'hstsMaxAge' | 'hstsIncludeSubDomains'> {
  const hstsMaxAge = given.maxAge ?? (host === 'localhost' ? 0 : year);
  if (given.includeSubDomains && hstsMaxAge === 0) {
    throw new InvalidOption(
      'strictTransportSecurity.includeSubDomains',
      true,
      'does nothing while maxAge is 0s, as it is for localhost: take it out, or give maxAge',
    );
  }
  return { hstsMaxAge, hstsIncludeSubDomains: given.includeSubDomains };
}

/** In seconds. */
const year = 365 * 24 * 60 * 60;

function defaultResponseHeaders(option: string, given: unknown): ProxyModel['defaultResponseHeaders'] {
  const headers = new Map(securityHeaders.map(([name, value]) => [name.toLowerCase(), [name, value] as const]));
  for (const [name, value] of Object.entries(record(option, given, '{ "X-Team": "orders" }'))) {
    const named = `${option}[${JSON.stringify(name)}]`;
    if (value !== false) headers.set(name.toLowerCase(), [name, responseHeader(named, name, value)]);
    else if (!headers.delete(name.toLowerCase())) {
      throw new InvalidOption(
        named,
        value,
        `is not a header of the default: of an API's own, a route's responseHeaders can take it away`,
      );
    }
  }
  return [...headers.values()];
}

/** In milliseconds: nginx reads a zero timeout as none at all. */
function duration(option: string, value: unknown): number {
  return milliseconds(option, value, { min: '1ms', max: '1d' });
}
