import { Router } from 'express';
import type { Environment } from '../environment';

const endpoints = ['GET /', 'GET /healthcheck', 'GET /livez', 'GET /readyz'];
const diagnosticEndpoints = [
  'POST /readyz/disable',
  'POST /readyz/enable',
  'POST /echo',
  'POST /upload',
  'GET /headers',
  'ALL /status/:code',
  'GET /delay/:ms',
  'GET /bytes/:n',
  'GET /chunked/:n',
  'GET /sse',
  'WebSocket /ws/echo',
];

/** What this is, for someone who meets it in a browser. */
export function about({ hostname, version, diagnosticEndpoints: diagnostics }: Environment): Router {
  return Router().get('/', (_request, response) => {
    response.json({
      name: 'fairlead-api',
      version,
      hostname,
      endpoints: diagnostics ? [...endpoints, ...diagnosticEndpoints] : endpoints,
    });
  });
}
