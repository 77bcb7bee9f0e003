import { Readiness, serve } from 'fairlead-serve';
import { createApp } from './app';
import { readEnvironment } from './environment';
import { validOrEnd } from './fatal';
import { createLogger } from './logger';
import { webSocketEcho } from './routes/web-socket-echo';

const environment = validOrEnd(() => readEnvironment(process.env));
const logger = validOrEnd(() => createLogger(process.env));
const readiness = new Readiness();

const { server } = serve(createApp({ environment, readiness, logger }), { readiness, logger });
if (environment.diagnosticEndpoints) webSocketEcho(server, logger, environment.hostname);
