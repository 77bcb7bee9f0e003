import { Router } from 'express';
import type { Environment } from '../environment';

/** How many bytes came, of a body of any size that is not kept. */
export function upload({ hostname }: Environment): Router {
  return Router().post('/upload', (request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      response.json({ hostname, bytes });
    });
  });
}
