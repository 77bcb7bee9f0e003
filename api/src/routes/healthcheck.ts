import { Router } from 'express';
import type { Environment } from '../environment';

/** Which instance answers, and which version it is. */
export function healthcheck({ hostname, version }: Environment): Router {
  return Router().get('/healthcheck', (_request, response) => {
    response.json({ status: 'ok', hostname, version });
  });
}
