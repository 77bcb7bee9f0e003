import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { requestId, traceId } from 'fairlead-serve';
import type { Logger } from 'pino';

const probePaths: readonly string[] = ['/livez', '/readyz'];

/** One line for each request when it has ended; for probes at debug level only, as they come every few seconds. */
export function requestLog(logger: Logger): RequestHandler {
  return (request, response, next) => {
    const begun = performance.now();
    response.once('close', () => {
      const line = requestLine(request, response.statusCode, begun);
      const level = probePaths.includes(line.path) ? 'debug' : 'info';
      logger[level](line, response.writableFinished ? 'request completed' : 'request aborted');
    });
    next();
  };
}

/** What is logged of a request: no query string, as it may carry what is secret. */
export function requestLine(request: IncomingMessage & { originalUrl?: string }, status: number, begun: number) {
  const trace = traceId(request);
  return {
    method: request.method,
    path: (request.originalUrl ?? request.url ?? '').replace(/\?.*$/s, ''),
    status,
    durationMs: Math.round((performance.now() - begun) * 10) / 10,
    requestId: requestId(request),
    // As nginx's log and OpenTelemetry call it.
    ...(trace !== undefined && { trace_id: trace }),
  };
}
