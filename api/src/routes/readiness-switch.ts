import { Router } from 'express';
import type { Readiness } from 'fairlead-serve';

/** Takes an instance out of rotation and back, without ending it. */
export function readinessSwitch(readiness: Readiness): Router {
  return Router()
    .post('/readyz/disable', (_request, response) => {
      readiness.disable();
      response.json({ ready: readiness.ready });
    })
    .post('/readyz/enable', (_request, response) => {
      readiness.enable();
      response.json({ ready: readiness.ready });
    });
}
