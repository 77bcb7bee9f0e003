import { Router } from 'express';
import type { Environment } from '../environment';
import { wholeNumber } from './whole-number';

const most = 1000;
const intervalMilliseconds = 50;

/** An answer that comes in pieces, for what a proxy does between them. */
export function chunked({ hostname }: Environment): Router {
  return Router().get('/chunked/:n', (request, response) => {
    const chunks = wholeNumber(request.params.n, 1, most);
    if (chunks === undefined) {
      response.status(400).json({ error: `n: give a whole number of chunks from 1 to ${most}` });
      return;
    }
    response.type('text/plain');
    let sent = 0;
    const send = () => {
      sent += 1;
      response.write(`chunk ${sent} of ${chunks} from ${hostname}\n`);
      if (sent === chunks) response.end();
    };
    const timer = setInterval(send, intervalMilliseconds);
    response.once('finish', () => {
      clearInterval(timer);
    });
    response.once('close', () => {
      clearInterval(timer);
    });
    send();
  });
}
