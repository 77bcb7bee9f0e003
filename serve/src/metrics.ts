import type { IncomingMessage, ServerResponse } from 'node:http';
import { ServeError, type ServeMetrics } from 'fairlead-serve';
import type { Registry } from 'prom-client';
import { followExpress, routeOf, setRoute } from './routes';
import type { Exposition, Measured } from './serve-options';

export { setRoute };

/** Where metrics are served, and what of. */
export interface MetricsOptions {
  /**
   * TCP port of `/metrics`, which no route of the proxy may lead to; 0 takes any free one.
   *
   * @default METRICS_PORT, or 9464
   * @see https://github.com/prometheus/prometheus/wiki/Default-port-allocations
   */
  readonly port?: number;

  /**
   * How many routes are told apart; requests of any further one are counted as `other`.
   *
   * @default METRICS_MAX_ROUTES, or 100
   */
  readonly maxRoutes?: number;

  /**
   * Where metrics are registered, among them those of the app, which are served as well.
   *
   * @default - the register of prom-client that a metric has unless it is told otherwise
   */
  readonly register?: Registry;
}

/**
 * Lets `serve()` measure requests, the event loop and readiness, and serve them to Prometheus on a port of their own. It needs
 * prom-client, which an app installs beside fairlead-serve.
 *
 * @example
 * serve(app, { metrics: metrics() });
 */
export function metrics({ port, maxRoutes, register }: MetricsOptions = {}): ServeMetrics {
  return { port, maxRoutes, measure: (measured) => measure(measured, register) };
}

/** In seconds. @see https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpserverrequestduration */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** What a client may write as a method is more than these. */
const methods = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE']);

const names = {
  durations: 'http_server_request_duration_seconds',
  active: 'http_server_active_requests',
  ready: 'fairlead_ready',
  shuttingDown: 'fairlead_shutting_down',
} as const;

function measure({ server, readiness, maxRoutes }: Measured, given: Registry | undefined): Exposition {
  const { collectDefaultMetrics, Gauge, Histogram, register: ofAll } = promClient();
  const register = given ?? ofAll;
  const taken = new Set(register.getMetricsAsArray().map(({ name }) => name));
  const twice = Object.values(names).find((name) => taken.has(name));
  if (twice !== undefined) {
    throw new ServeError(
      `metrics.register: has ${twice} already: give each serve() a Registry of its own`,
      'ERR_INVALID_ARG_VALUE',
    );
  }
  // Unless the app has them: of the process, and of the event loop by monitorEventLoopDelay.
  if (!taken.has('nodejs_eventloop_lag_seconds')) collectDefaultMetrics({ register });

  const registers = [register];
  const durations = new Histogram({
    name: names.durations,
    help: 'From the head of a request to the last byte of its answer.',
    labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
    buckets,
    registers,
  });
  let active = 0;
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  };
  gauge(names.active, 'Requests that are not answered yet.', () => active);
  gauge(names.ready, '1 while new requests may come, as the readiness probe is told.', () => Number(readiness.ready));
  gauge(names.shuttingDown, '1 from the moment the process is asked to end.', () => Number(readiness.draining));

  const bounded = boundedTo(maxRoutes);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const begun = performance.now();
    active += 1;
    followExpress(request);
    response.once('close', () => {
      active -= 1;
      const { method = '' } = request;
      const labels = {
        http_request_method: methods.has(method) ? method : '_OTHER',
        http_route: bounded(routeOf(request) ?? ''),
        // Nothing of a request whose client left before it was answered.
        http_response_status_code: response.headersSent ? response.statusCode : '',
      };
      durations.observe(labels, (performance.now() - begun) / 1000);
    });
  });
  return async () => ({ contentType: register.contentType, text: await register.metrics() });
}

function promClient(): typeof import('prom-client') {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- only of who asks for metrics, and at once
    return require('prom-client') as typeof import('prom-client');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'MODULE_NOT_FOUND') throw error;
    throw new ServeError('metrics() needs prom-client, which is not installed: npm install prom-client', code, {
      cause: error,
    });
  }
}

/** However many routes there are, no more than so many become labels. */
function boundedTo(most: number): (route: string) => string {
  const known = new Set<string>();
  return (route) => {
    if (route === '' || known.has(route)) return route;
    if (known.size >= most) return 'other';
    known.add(route);
    return route;
  };
}
