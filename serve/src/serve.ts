import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Connections } from './connections/connections';
import { listen, url } from './listening';
import { jsonLogger, type ServeLogger } from './logger';
import { metricsServer } from './metrics-server';
import { Readiness } from './readiness';
import { requestId, traceId } from './request-id';
import { ServeError } from './serve-error';
import {
  type ServeMetrics,
  type ServeOptions,
  type ServeSettings,
  serveSettings,
  type ServeTracing,
} from './serve-options';
import { endInOneLine, endOnSignals, forgetEnding } from './termination';

export {
  Readiness,
  requestId,
  ServeError,
  type ServeLogger,
  type ServeMetrics,
  type ServeOptions,
  type ServeTracing,
  traceId,
};

/** A server that accepts requests, and ends gracefully. */
export interface Served {
  /** For what needs the server itself, such as a WebSocket library. */
  readonly server: Server;
  /** What the app answers its readiness probe from. */
  readonly readiness: Readiness;
  /** Resolves once requests are accepted; rejects with a `ServeError` if a port cannot be listened on. */
  readonly listening: Promise<AddressInfo>;
  /** Ends as on SIGTERM, but leaves the process running; resolves with false if something had to be cut off. */
  readonly close: () => Promise<boolean>;
}

const idleGraceMilliseconds = 1000;
const noListener =
  'app: is not a listener for requests: give an Express app, app.callback() of Koa, app.routing of Fastify, or a function of (request, response)';
const noMetrics = 'metrics: is nothing that measures: give metrics() of fairlead-serve/metrics';
const noTracing = 'tracing: is nothing that traces: give tracing() of fairlead-serve/tracing';
/** In milliseconds: less than what is left of a pod's grace period. */
const flushTimeout = 2000;

/**
 * Serves an Express app, or any other listener for HTTP requests, so that a proxy in front of it loses none: connections
 * are kept longer than the proxy keeps them, silent event streams are kept alive and not buffered, and on SIGTERM or SIGINT
 * the process turns not-ready, answers what is in flight, tells clients to close, ends event streams and WebSockets (1001),
 * and ends. A second signal ends it at once.
 *
 * A `ServeError` that is not caught ends the process with exit code 1 and one line, not with a stack trace.
 *
 * @throws {ServeError} at a setting that cannot be
 *
 * @example
 * const { readiness } = serve(app);
 * app.get('/readyz', (request, response) => response.sendStatus(readiness.ready ? 200 : 503));
 */
export function serve(app: RequestListener, options: ServeOptions = {}): Served {
  endInOneLine();
  if (typeof (app as unknown) !== 'function') throw new ServeError(noListener, 'ERR_INVALID_ARG_TYPE');
  if (options.metrics !== undefined && !measures(options.metrics)) {
    throw new ServeError(noMetrics, 'ERR_INVALID_ARG_TYPE');
  }
  if (options.tracing !== undefined && !traces(options.tracing)) {
    throw new ServeError(noTracing, 'ERR_INVALID_ARG_TYPE');
  }
  const settings = serveSettings(options, process.env);
  const logger = options.logger ?? jsonLogger(process.env);
  const readiness = options.readiness ?? new Readiness();
  if (isExpressApplication(app)) trustProxies(app, settings);
  const { tracing } = options;
  const listener = tracing === undefined ? app : tracing.trace(app);

  const server = createServer({
    keepAliveTimeout: settings.keepAliveTimeout,
    headersTimeout: settings.headersTimeout,
    requestTimeout: settings.requestTimeout,
    // Node looks for requests that are too slow only every 30 s by default.
    connectionsCheckingInterval: 1000,
  });
  // Before the app: it has to see a request first.
  const connections = new Connections(server, idleGraceMilliseconds, settings.eventStreamHeartbeat);
  const { metrics } = settings;
  const scraped =
    metrics === undefined
      ? undefined
      : metricsServer(metrics.measure({ server, readiness, maxRoutes: metrics.maxRoutes }), logger);
  server.on('request', listener);

  const drain = async (): Promise<boolean> => {
    readiness.drain();
    const listens = await listening.then(
      () => true,
      () => false,
    );
    if (!listens) return true;
    const { requestsInFlight, upgraded } = connections;
    logger.info(
      `Ending: not ready any more, answers what is in flight (requests: ${requestsInFlight}, upgraded connections: ${upgraded})`,
    );
    const cut = await connections.drain(settings.shutdownTimeout);
    if (tracing !== undefined) await flushed(tracing, logger);
    forgetEnding(ending);
    scraped?.close();
    if (cut.connections === 0) {
      logger.info('Ended: nothing was cut off');
      return true;
    }
    logger.error(
      `Ended: cut off ${cut.requests} requests and ${cut.connections} connections after ${settings.shutdownTimeout / 1000} s`,
    );
    return false;
  };
  let ended: Promise<boolean> | undefined;
  const close = () => (ended ??= drain());
  const ending = { logger, end: close };
  endOnSignals(ending);

  const start = async (): Promise<AddressInfo> => {
    const { host, port } = settings;
    try {
      // From before requests are accepted until all of them are answered.
      if (metrics !== undefined && scraped !== undefined) {
        const address = await listen(scraped, { host, port: metrics.port, variable: 'METRICS_PORT' });
        logger.info(`Now serving metrics at ${url(host, address.port)}/metrics`);
      }
      const address = await listen(server, { host, port, variable: 'PORT' });
      logger.info(`Now accepting requests at ${url(host, address.port)}`);
      return address;
    } catch (error) {
      scraped?.close();
      forgetEnding(ending);
      throw error;
    }
  };
  const listening = start();

  return { server, readiness, listening, close };
}

function measures(given: unknown): boolean {
  return typeof given === 'object' && given !== null && 'measure' in given && typeof given.measure === 'function';
}

function traces(given: unknown): boolean {
  return typeof given === 'object' && given !== null && 'trace' in given && typeof given.trace === 'function';
}

/** A collector that is away keeps no process from ending. */
async function flushed({ flush }: ServeTracing, logger: ServeLogger): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, flushTimeout);
  });
  try {
    await Promise.race([flush(), timeout]);
  } catch (error) {
    logger.error(`Spans cannot be sent: ${String(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

interface ExpressApplication {
  get(setting: string): unknown;
  set(setting: string, value: unknown): unknown;
}

function isExpressApplication(app: RequestListener): app is RequestListener & ExpressApplication {
  return 'set' in app && typeof app.set === 'function' && 'get' in app && typeof app.get === 'function';
}

/** A setting of Express' own, which is false once an app has set `trust proxy`, be it to false. */
const trustProxyIsDefault = '@@symbol:trust_proxy_default';

function trustProxies(app: ExpressApplication, { trustProxyHops, trustProxyHopsGiven }: ServeSettings): void {
  if (trustProxyHopsGiven || app.get(trustProxyIsDefault) === true) app.set('trust proxy', trustProxyHops);
}
