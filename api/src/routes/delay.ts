import { Router } from 'express';
import type { Environment } from '../environment';
import { wholeNumber } from './whole-number';

const longest = 300_000;

/** An answer that takes its time. */
export function delay({ hostname }: Environment): Router {
  return Router().get('/delay/:ms', (request, response) => {
    const ms = wholeNumber(request.params.ms, 0, longest);
    if (ms === undefined) {
      response.status(400).json({ error: `ms: give a whole number of milliseconds from 0 to ${longest}` });
      return;
    }
    const timer = setTimeout(() => response.json({ hostname, delay: ms }), ms);
    // Also when the client has gone away: nobody waits for the rest.
    response.once('close', () => {
      clearTimeout(timer);
    });
  });
}
