import { json, type RequestHandler, Router, text } from 'express';
import type { Environment } from '../environment';

/** What a body may have once it is unpacked, in bytes: Express's own default. A few bytes sent make an API unpack as much. */
const maxUnpackedBodySize = 100 * 1024;

/** The body that came, parsed if it is JSON and as text if not. */
export function echo({ hostname, maxBodySize }: Environment): Router {
  const readAsSent = bodyReader(maxBodySize);
  const readUnpacked = bodyReader(Math.min(maxBodySize, maxUnpackedBodySize));
  const read: RequestHandler = (request, response, next) => {
    (request.get('content-encoding') === undefined ? readAsSent : readUnpacked)(request, response, next);
  };
  return Router().post('/echo', read, (request, response) => {
    const { body } = request as { readonly body?: unknown };
    response.json({ hostname, body: body === undefined ? '' : body });
  });
}

function bodyReader(limit: number): Router {
  return Router().use(json({ limit, strict: false }), text({ limit, type: () => true }));
}
