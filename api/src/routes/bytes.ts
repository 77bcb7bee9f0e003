import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Router } from 'express';
import { wholeNumber } from './whole-number';

const most = 100_000_000;
const chunk = Buffer.alloc(16_384);

function* zeros(count: number): Generator<Buffer> {
  for (let left = count; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length));
}

/** An answer so large that no buffer takes it whole; it is made as fast as it is read, and held nowhere. */
export function bytes(): Router {
  return Router().get('/bytes/:n', async (request, response) => {
    const count = wholeNumber(request.params.n, 0, most);
    if (count === undefined) {
      response.status(400).json({ error: `n: give a whole number of bytes from 0 to ${most}` });
      return;
    }
    response.type('application/octet-stream').set('Content-Length', String(count));
    // A client that goes away needs no more of it.
    await pipeline(Readable.from(zeros(count)), response).catch(() => undefined);
  });
}
