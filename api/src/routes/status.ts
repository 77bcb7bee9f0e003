import { Router } from 'express';
import type { Environment } from '../environment';
import { wholeNumber } from './whole-number';

/** Any final status, as an answer to any method. */
export function status({ hostname }: Environment): Router {
  return Router().all('/status/:code', (request, response) => {
    const code = wholeNumber(request.params.code, 200, 599);
    if (code === undefined) response.status(400).json({ error: 'code: give a whole number from 200 to 599' });
    else response.status(code).json({ hostname, status: code });
  });
}
