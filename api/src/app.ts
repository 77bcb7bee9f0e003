import express, { type Express } from 'express';
import type { Readiness } from 'fairlead-serve';
import type { Logger } from 'pino';
import type { Environment } from './environment';
import { errorHandler, notFound, refuseMalformedPath } from './errors';
import { requestLog } from './request-log';
import { about } from './routes/about';
import { bytes } from './routes/bytes';
import { chunked } from './routes/chunked';
import { delay } from './routes/delay';
import { echo } from './routes/echo';
import { headers } from './routes/headers';
import { healthcheck } from './routes/healthcheck';
import { probes } from './routes/probes';
import { readinessSwitch } from './routes/readiness-switch';
import { sse } from './routes/sse';
import { status } from './routes/status';
import { upload } from './routes/upload';

export interface AppOptions {
  readonly environment: Environment;
  readonly readiness: Readiness;
  readonly logger: Logger;
}

/** The API: what it always answers, and the diagnostic endpoints if they are on. */
export function createApp({ environment, readiness, logger }: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(requestLog(logger));
  app.use((_request, response, next) => {
    // Every answer is about this very moment and instance.
    response.set('Cache-Control', 'no-store');
    next();
  });

  app.use(refuseMalformedPath);
  app.use(about(environment), healthcheck(environment), probes(readiness));
  if (environment.diagnosticEndpoints) {
    app.use(
      readinessSwitch(readiness),
      echo(environment),
      upload(environment),
      headers(environment),
      status(environment),
      delay(environment),
      bytes(),
      chunked(environment),
      sse(environment),
    );
  }

  app.use(notFound);
  app.use(errorHandler(logger));
  return app;
}
