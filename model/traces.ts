import { InvalidOption, shown } from '../validation/invalid-option';
import { optional, required, type Table, withDefault } from '../validation/options';
import { isPrintable } from '../validation/text';
import { serviceUrl, type ServiceUrl } from '../validation/urls';

/** Traces that begin at a proxy, as no client has begun them. */
export interface TraceContextOptions {
  /**
   * Percent of them that are marked as sampled, from 0 to 100, with two decimals at most; chance names them. What an API records follows this
   * mark, unless it is told otherwise (`parentbased_always_on` is the default of OpenTelemetry's SDKs): a ratio has to be said here, not in the API.
   *
   * @default 100
   * @see https://www.w3.org/TR/trace-context/#sampled-flag
   */
  readonly sampledPercent?: number;
}

/** Spans of a proxy, one for each request that is sampled, and where they are sent. */
export interface TracingOptions extends TraceContextOptions {
  /**
   * The URL of a collector of OpenTelemetry that takes OTLP over HTTP, as JSON: `/v1/traces` is put behind it. A Service of the cluster by its
   * whole name; with `https://` its certificate has to be of a CA that the image of nginx trusts. The NetworkPolicy opens its port: to the
   * namespace of a Service, to the address, or for any other name to everyone.
   *
   * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
   */
  readonly endpoint: string;

  /**
   * What the proxy is called (`service.name`), in the namespace that it runs in (`service.namespace`).
   *
   * @default - the id of the proxy
   * @see https://opentelemetry.io/docs/specs/semconv/resource/#service
   */
  readonly serviceName?: string;

  /**
   * The same URL where there is no cluster (`npm start`); `localhost` is this machine.
   *
   * @default - none: no spans are made there
   */
  readonly localEndpoint?: string;
}

/** Where the spans of a proxy go, and what they say of it. */
export interface TracingModel {
  /** `/v1/traces` stands behind its path. */
  readonly collector: ServiceUrl;
  readonly service: { readonly name: string; readonly namespace: string };
}

export const traceContextOptions = {
  sampledPercent: withDefault(100, percent),
} satisfies Table<TraceContextOptions>;

export const tracingOptions = {
  ...traceContextOptions,
  endpoint: required(followedCollector),
  serviceName: optional(serviceName),
  localEndpoint: optional(collector),
} satisfies Table<TracingOptions>;

/** With as many decimals as nginx takes. @see https://nginx.org/en/docs/http/ngx_http_split_clients_module.html */
function percent(option: string, given: unknown): number {
  if (typeof given === 'number' && given >= 0 && given <= 100 && /^\d+(?:\.\d\d?)?$/.test(String(given))) return given;
  throw new InvalidOption(
    option,
    shown(given),
    'is not from 0 to 100 with two decimals at most: give percent, such as 10 or 0.5',
  );
}

function collector(option: string, given: unknown): ServiceUrl {
  const url = serviceUrl(option, given);
  if (url.path.endsWith('/v1/traces')) {
    throw new InvalidOption(option, given, 'has the path /v1/traces, which is put behind it: take that out');
  }
  if (url.isSecure && url.isAddress) {
    throw new InvalidOption(
      `${option} host`,
      url.host,
      'is an address, which nginx finds in no certificate: give the DNS name that the certificate has',
    );
  }
  return url;
}

/** One whose name DNS is asked for as it is written. */
function followedCollector(option: string, given: unknown): ServiceUrl {
  const url = collector(option, given);
  if (!url.isAddress && (!url.host.includes('.') || url.host.endsWith('.svc'))) {
    throw new InvalidOption(
      `${option} host`,
      url.host,
      'is not a whole name, and the resolver of nginx completes none: give that, such as "collector.observability.svc.cluster.local"',
    );
  }
  return url;
}

const longestName = 100;

function serviceName(option: string, given: unknown): string {
  if (isPrintable(given, longestName)) return given;
  throw new InvalidOption(
    option,
    shown(given),
    `is not the name of a service: give 1 to ${longestName} printable ASCII characters, without spaces around them, such as "shop-edge"`,
  );
}
