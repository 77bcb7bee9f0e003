import { Router } from 'express';
import type { Readiness } from 'fairlead-serve';

/**
 * Alive as long as it answers at all; ready unless switched off or ending.
 * @see https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
 */
export function probes(readiness: Readiness): Router {
  return Router()
    .get('/livez', (_request, response) => {
      response.json({ status: 'ok' });
    })
    .get('/readyz', (_request, response) => {
      if (readiness.ready) response.json({ status: 'ok' });
      else response.status(503).json({ status: readiness.draining ? 'draining' : 'disabled' });
    });
}
