import { STATUS_CODES } from 'node:http';

/** The status for an error that Node's parser of HTTP, or its watch over slow requests, has found. */
export function clientErrorStatus({ code }: NodeJS.ErrnoException): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 413;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  return 400;
}

/** A whole answer for a connection on which Node makes none; it is the last one there. */
export function rawErrorAnswer(status: number, requestId?: string): string {
  const error = STATUS_CODES[status];
  const body = JSON.stringify({ error, requestId });
  return [
    `HTTP/1.1 ${status} ${error}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Date: ${new Date().toUTCString()}`,
    ...(requestId === undefined ? [] : [`X-Request-Id: ${requestId}`]),
    '',
    body,
  ].join('\r\n');
}
