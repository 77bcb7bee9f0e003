import type { RequestListener, Server } from 'node:http';
import type { ServeLogger } from './logger';
import type { Readiness } from './readiness';
import { invalidSetting } from './serve-error';
import { integerSetting, textSetting } from './settings';

/** Each option wins over its environment variable, and that over the default. */
export interface ServeOptions {
  /**
   * TCP port to listen on; 0 takes any free one.
   *
   * @default PORT, or 3000
   */
  readonly port?: number;

  /**
   * Address or name of the interface to listen on.
   *
   * @default HOST, or all interfaces
   * @see https://nodejs.org/api/net.html#serverlistenport-host-backlog-callback
   */
  readonly host?: string;

  /**
   * Seconds that an idle connection is kept open. Longer than the proxy in front keeps it, or the proxy sends a request
   * on a connection that is just being closed.
   *
   * @default KEEP_ALIVE_TIMEOUT_SECONDS, or 65
   * @see https://nodejs.org/api/http.html#serverkeepalivetimeout
   */
  readonly keepAliveTimeoutSeconds?: number;

  /**
   * Seconds within which a whole request, its body included, has to arrive; its headers within the same, 60 at most.
   * A slower client gets 408.
   *
   * @default REQUEST_TIMEOUT_SECONDS, or 60
   * @see https://nodejs.org/api/http.html#serverrequesttimeout
   */
  readonly requestTimeoutSeconds?: number;

  /**
   * Seconds from SIGTERM or SIGINT until what is still in flight is cut off. Longer than the longest request, and
   * shorter than `terminationGracePeriodSeconds` less `preStop`.
   *
   * @default SHUTDOWN_TIMEOUT_SECONDS, or 60
   * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
   */
  readonly shutdownTimeoutSeconds?: number;

  /**
   * Seconds that an event stream (`Content-Type: text/event-stream`) may be silent for before a comment is sent, which
   * clients ignore: a proxy gives a silent answer up. Sent between events alone, and not to answers that are compressed;
   * 0 sends none.
   *
   * @default EVENT_STREAM_HEARTBEAT_SECONDS, or a third of the request timeout, 15 at most
   * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#authoring-notes
   */
  readonly eventStreamHeartbeatSeconds?: number;

  /**
   * How many proxies in front of an Express app to believe about the client (`X-Forwarded-For`, `-Proto`, `-Host`);
   * 0 believes none. An app that has set `trust proxy` by itself keeps its own, unless this option or the variable
   * is given.
   *
   * @default TRUST_PROXY_HOPS, or 1
   * @see https://expressjs.com/en/guide/behind-proxies.html
   */
  readonly trustProxyHops?: number;

  /**
   * What the app answers its readiness probe from; turns not-ready before anything is closed.
   *
   * @default a new one, found in what `serve()` returns
   */
  readonly readiness?: Readiness;

  /**
   * Where `serve()` logs its start and its end.
   *
   * @default JSON lines on standard output, from LOG_LEVEL (info) on
   */
  readonly logger?: ServeLogger;

  /**
   * Serves metrics to Prometheus, at `/metrics` on a port that the proxy does not lead to: what `metrics()` of
   * `fairlead-serve/metrics` gives, which needs prom-client.
   *
   * @default none
   */
  readonly metrics?: ServeMetrics;

  /**
   * Opens a span of OpenTelemetry for each request: what `tracing()` of `fairlead-serve/tracing` gives, which needs @opentelemetry/api.
   *
   * @default none
   */
  readonly tracing?: ServeTracing;
}

/** What is measured of. */
export interface Measured {
  readonly server: Server;
  readonly readiness: Readiness;
  /** More routes than so many are counted as one. */
  readonly maxRoutes: number;
}

/** What Prometheus is answered. */
export type Exposition = () => Promise<{ readonly contentType: string; readonly text: string }>;

/** What `metrics()` of `fairlead-serve/metrics` gives: how it was asked to measure, and what does so. */
export interface ServeMetrics {
  readonly port: number | undefined;
  readonly maxRoutes: number | undefined;
  /** Called once, before the app is; throws a `ServeError` if nothing can be measured. */
  readonly measure: (measured: Measured) => Exposition;
}

/** What `tracing()` of `fairlead-serve/tracing` gives. */
export interface ServeTracing {
  /** Gives a listener that opens a span and calls the app in it; throws a `ServeError` if there is nothing to open one by. */
  readonly trace: (app: RequestListener) => RequestListener;
  /** Sends what was recorded and is not sent yet. */
  readonly flush: () => Promise<void>;
}

export interface ServeSettings {
  readonly port: number;
  readonly host: string | undefined;
  readonly keepAliveTimeout: number;
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly shutdownTimeout: number;
  readonly eventStreamHeartbeat: number;
  readonly trustProxyHops: number;
  readonly trustProxyHopsGiven: boolean;
  readonly metrics: MetricsSettings | undefined;
}

export interface MetricsSettings extends Pick<ServeMetrics, 'measure'> {
  readonly port: number;
  readonly maxRoutes: number;
}

const day = 86_400;
/** Less than what other proxies and mobile networks give a silent connection. */
const longestHeartbeatSeconds = 15;

/** Options over environment over defaults, checked; times in milliseconds, as Node takes them. */
export function serveSettings(options: ServeOptions, environment: NodeJS.ProcessEnv): ServeSettings {
  const seconds = (
    variable: string,
    name:
      'keepAliveTimeoutSeconds' | 'requestTimeoutSeconds' | 'shutdownTimeoutSeconds' | 'eventStreamHeartbeatSeconds',
    fallback: number,
    least = 1,
  ) => integerSetting({ variable, environment, option: { name, value: options[name] } }, fallback, least, day);
  const requestTimeout = seconds('REQUEST_TIMEOUT_SECONDS', 'requestTimeoutSeconds', 60);
  const port = integerSetting(
    { variable: 'PORT', environment, option: { name: 'port', value: options.port } },
    3000,
    0,
    65_535,
  );

  return {
    port,
    host: textSetting(
      { variable: 'HOST', environment, option: { name: 'host', value: options.host } },
      /^[\w.:%-]{1,253}$/,
      'is not an address or a host name: give one, such as "127.0.0.1"',
    ),
    keepAliveTimeout: seconds('KEEP_ALIVE_TIMEOUT_SECONDS', 'keepAliveTimeoutSeconds', 65) * 1000,
    headersTimeout: Math.min(requestTimeout, 60) * 1000,
    requestTimeout: requestTimeout * 1000,
    shutdownTimeout: seconds('SHUTDOWN_TIMEOUT_SECONDS', 'shutdownTimeoutSeconds', 60) * 1000,
    eventStreamHeartbeat:
      seconds(
        'EVENT_STREAM_HEARTBEAT_SECONDS',
        'eventStreamHeartbeatSeconds',
        Math.min(requestTimeout / 3, longestHeartbeatSeconds),
        0,
      ) * 1000,
    trustProxyHops: integerSetting(
      {
        variable: 'TRUST_PROXY_HOPS',
        environment,
        option: { name: 'trustProxyHops', value: options.trustProxyHops },
      },
      1,
      0,
      100,
    ),
    trustProxyHopsGiven: options.trustProxyHops !== undefined || (environment.TRUST_PROXY_HOPS ?? '') !== '',
    metrics: options.metrics && metricsSettings(options.metrics, environment, port),
  };
}

function metricsSettings(
  { port: given, maxRoutes, measure }: ServeMetrics,
  environment: NodeJS.ProcessEnv,
  portOfApp: number,
): MetricsSettings {
  const option = { name: 'metrics.port', value: given };
  const port = integerSetting({ variable: 'METRICS_PORT', environment, option }, 9464, 0, 65_535);
  if (port !== 0 && port === portOfApp) {
    throw invalidSetting(
      given === undefined ? 'METRICS_PORT' : option.name,
      port,
      'is the port of the app: give another, which the proxy does not lead to',
    );
  }
  const most = { name: 'metrics.maxRoutes', value: maxRoutes };
  return {
    port,
    maxRoutes: integerSetting({ variable: 'METRICS_MAX_ROUTES', environment, option: most }, 100, 1, 10_000),
    measure,
  };
}
