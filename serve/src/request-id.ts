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

/** Neither a trace nor a span of zeros is one. @see https://www.w3.org/TR/trace-context/#traceparent-header */
const traceparent = /^00-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The id of the trace that a request belongs to, by its `traceparent`; undefined if it has none that is well formed. */
export function traceId({ headers }: IncomingMessage): string | undefined {
  const given = headers.traceparent;
  return typeof given === 'string' ? traceparent.exec(given)?.[1] : undefined;
}
