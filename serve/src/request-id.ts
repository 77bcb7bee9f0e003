import type { IncomingMessage } from 'node:http';

const wellFormed = /^[\w.-]{1,128}$/;
const ids = new WeakMap<IncomingMessage, string>();

/** The X-Request-Id that a request was given, if it is safe to log and to send back, else a new one. */
export function requestId(request: IncomingMessage): string {
  const known = ids.get(request);
  if (known !== undefined) return known;
  const given = request.headers['x-request-id'];
  // The global `crypto` is loaded when it is first used: node:crypto took a third of what it takes to load this package.
  const id = typeof given === 'string' && wellFormed.test(given) ? given : crypto.randomUUID();
  ids.set(request, id);
  return id;
}
