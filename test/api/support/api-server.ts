import { Readiness, serve, type Served, type ServeOptions } from 'fairlead-serve';
import { createApp } from '../../../api/src/app';
import { readEnvironment } from '../../../api/src/environment';
import { webSocketEcho } from '../../../api/src/routes/web-socket-echo';
import { onFileFinished } from '../../afterwards';
import { CapturedLogger } from './captured-logger';

export interface ApiServer extends Served {
  readonly port: number;
  readonly log: CapturedLogger;
}

/** The whole API in this process, as main.ts puts it together. */
export async function apiServer(
  variables: NodeJS.ProcessEnv = {},
  log = new CapturedLogger(),
  options: ServeOptions = {},
): Promise<ApiServer> {
  const environment = readEnvironment({ HOSTNAME: 'api-1', VERSION: '1.2.3', ...variables });
  const { logger } = log;
  const readiness = new Readiness();
  const served = serve(createApp({ environment, readiness, logger }), {
    port: 0,
    host: '127.0.0.1',
    readiness,
    logger,
    ...options,
  });
  onFileFinished(() => served.close());
  if (environment.diagnosticEndpoints) webSocketEcho(served.server, logger, environment.hostname);
  const { port } = await served.listening;
  return { ...served, port, log };
}
