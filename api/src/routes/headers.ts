import { Router } from 'express';
import type { Environment } from '../environment';

/** What arrived here of the request after all proxies, and what Express makes of it. */
export function headers({ hostname }: Environment): Router {
  return Router().get('/headers', ({ headers: received, ip, protocol }, response) => {
    response.json({ hostname, ip, protocol, headers: received });
  });
}
