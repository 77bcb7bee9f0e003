import { get, RequestOptions } from 'node:http';
import { get as getTls } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';

const pollInterval = 100;
const answerTimeout = 5000;

export interface ReadinessCheck {
  readonly protocol: 'http' | 'https';
  readonly port: number;
  readonly path: string;
  /** Called with the reason each time that it is not ready yet. */
  readonly onNotYet?: (reason: string) => void;
  readonly signal: AbortSignal;
}

/** Resolves once `GET path` on this machine answers 2xx; rejects when it is aborted. */
export async function ready({ protocol, port, path, onNotYet, signal }: ReadinessCheck): Promise<void> {
  for (;;) {
    const answer = await ask(protocol, { host: '127.0.0.1', port, path, signal });
    signal.throwIfAborted();
    if (typeof answer === 'number' && answer >= 200 && answer < 300) return;
    onNotYet?.(typeof answer === 'number' ? `GET ${path} answers ${answer}` : `GET ${path}: ${answer}`);
    await delay(pollInterval, undefined, { signal });
  }
}

/** The status of the answer, or why there is none. */
function ask(protocol: 'http' | 'https', where: RequestOptions): Promise<number | string> {
  return new Promise((resolve) => {
    // The certificate is our own, and what is asked is only whether it can be served.
    const options = { ...where, agent: false, timeout: answerTimeout, rejectUnauthorized: false };
    const request = (protocol === 'https' ? getTls : get)(options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.once('timeout', () => request.destroy(new Error('no answer')));
    request.once('error', (error) => {
      resolve(error.message);
    });
  });
}
