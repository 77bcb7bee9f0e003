import { createServer, type Server } from 'node:http';
import type { ServeLogger } from './logger';
import type { Exposition } from './serve-options';

/** Answers `/metrics` and nothing else, and keeps no process running. */
export function metricsServer(exposition: Exposition, logger: ServeLogger): Server {
  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    if (url.replace(/\?.*$/s, '') !== '/metrics') {
      response.statusCode = 404;
      response.end();
    } else if (method !== 'GET' && method !== 'HEAD') {
      response.statusCode = 405;
      response.setHeader('Allow', 'GET, HEAD').end();
    } else {
      exposition().then(
        ({ contentType, text }) => {
          response.setHeader('Content-Type', contentType).end(text);
        },
        (error: unknown) => {
          // A metric of the app's own that cannot be read: its reason may be one that a scraper is not to know.
          logger.error(`Metrics cannot be read: ${String(error)}`);
          response.statusCode = 500;
          response.end();
        },
      );
    }
  });
  return server.unref();
}
