import { STATUS_CODES } from 'node:http';
import { inspect } from 'node:util';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { requestId } from 'fairlead-serve';
import type { Logger } from 'pino';

/** What a client is told of an error: its name and the id to find it by in the log, nothing from inside. */
function answerError(request: Request, response: Response, status: number): void {
  const id = requestId(request);
  response.status(status).set('X-Request-Id', id).json({ error: STATUS_CODES[status], requestId: id });
}

/** For paths that no route has answered. */
export const notFound: RequestHandler = (request, response) => {
  answerError(request, response, 404);
};

/** Paths that are not URIs: routes without parameters would never decode them. */
export const refuseMalformedPath: RequestHandler = (request, response, next) => {
  try {
    decodeURIComponent(request.path);
  } catch {
    answerError(request, response, 400);
    return;
  }
  next();
};

/** For what a route throws or rejects with, and for requests that Express or a body parser refuses. */
export function errorHandler(logger: Logger): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (error: unknown, request, response, next) => {
    const status = refusal(error);
    if (status === undefined) {
      const cause = error instanceof Error ? error : new Error(`Thrown, and no Error: ${inspect(error)}`);
      logger.error({ err: cause, requestId: requestId(request) }, 'request failed');
    }
    if (!response.headersSent) answerError(request, response, status ?? 500);
    // Only a connection that breaks off tells the client that an answer it has begun to get is not whole.
    else if (!response.writableEnded) response.destroy();
    else next();
  };
}

/**
 * The status of a request that was refused for what the client had sent. Only errors made to be shown count: those of
 * an HTTP client that a route uses have a status too, and it is not ours.
 */
function refusal(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined;
  const { status } = error;
  const meantForClients = error instanceof URIError || ('expose' in error && error.expose === true);
  return meantForClients && typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
