import { Router } from 'express';
import type { Environment } from '../environment';

const intervalMilliseconds = 1000;

/**
 * An event stream with one event a second. A client that comes back, here or at another instance, goes on counting.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function sse({ hostname }: Environment): Router {
  return Router().get('/sse', (request, response) => {
    const last = request.get('Last-Event-ID') ?? '';
    let id = /^\d{1,15}$/.test(last) ? Number(last) : 0;
    response.set('Content-Type', 'text/event-stream');
    const send = () => {
      id += 1;
      response.write(`id: ${id}\ndata: ${JSON.stringify({ hostname, time: new Date().toISOString() })}\n\n`);
    };
    response.write('retry: 1000\n');
    send();
    const timer = setInterval(send, intervalMilliseconds);
    response.once('close', () => {
      clearInterval(timer);
    });
  });
}
