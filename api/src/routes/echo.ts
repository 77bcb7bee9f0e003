import { json, Router, text } from 'express';
import type { Environment } from '../environment';

/** The body that came, parsed if it is JSON and as text if not. */
export function echo({ hostname, maxBodySize: limit }: Environment): Router {
  const parseJson = json({ limit, strict: false });
  const readText = text({ limit, type: () => true });
  return Router().post('/echo', parseJson, readText, (request, response) => {
    const { body } = request as { readonly body?: unknown };
    response.json({ hostname, body: body === undefined ? '' : body });
  });
}
