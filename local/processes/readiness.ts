import { get, RequestOptions } from 'node:http';
import { get as getTls } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { grpcHealth } from './grpc-health';

const pollInterval = 100;
const answerTimeout = 5000;

export interface ReadinessCheck {
  readonly protocol: 'http' | 'https' | 'grpc';
  readonly port: number;
  /** Of gRPC the name of a service, or nothing for the server. */
  readonly path: string;
  /** Called with the reason each time that it is not ready yet. */
  readonly onNotYet?: (reason: string) => void;
  readonly signal: AbortSignal;
}

/** Resolves once `GET path` on this machine answers 2xx, or the health protocol of gRPC says so; rejects when it is aborted. */
export async function ready({ protocol, port, path, onNotYet, signal }: ReadinessCheck): Promise<void> {
  for (;;) {
    const reason =
      protocol === 'grpc'
        ? await grpcHealth({ port, service: path, timeout: answerTimeout, signal })
        : reasonOf(path, await ask(protocol, { host: '127.0.0.1', port, path, signal }));
    signal.throwIfAborted();
    if (reason === undefined) return;
    onNotYet?.(reason);
    await delay(pollInterval, undefined, { signal });
  }
}

/** Why an answer is not the one that is waited for. */
function reasonOf(path: string, answer: number | string): string | undefined {
  if (typeof answer === 'string') return `GET ${path}: ${answer}`;
  return answer >= 200 && answer < 300 ? undefined : `GET ${path} answers ${answer}`;
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
