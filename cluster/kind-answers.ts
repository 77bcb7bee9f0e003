import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from './failure';
import type { HostPorts } from './kind-config';

/** How often both addresses are asked, once a second, before that counts as no answer. */
const attempts = 60;

/** Waits until HTTPS answers 200 and HTTP leads to it, through the very ports that a user will ask. */
export async function bothAnswer(ports: HostPorts, healthCheckPath: string, signal?: AbortSignal): Promise<void> {
  const { httpPort, httpsPort } = ports;
  let last = '';
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    try {
      const answer = await ask(`https://localhost:${httpsPort}${healthCheckPath}`);
      const redirect = await ask(`http://localhost:${httpPort}${healthCheckPath}`);
      const location = `https://localhost:${httpsPort}${healthCheckPath}`;
      if (answer.statusCode === 200 && redirect.statusCode === 308 && redirect.headers.location === location) return;
      last = `HTTPS answered ${answer.statusCode ?? 'nothing'}, HTTP ${redirect.statusCode ?? 'nothing'} with location ${redirect.headers.location ?? 'none'}`;
    } catch (error) {
      last = (error as Error).message;
    }
    await delay(1000, undefined, { signal });
  }
  throw new Failure(
    `https://localhost:${httpsPort} and http://localhost:${httpPort} do not answer as they should: ${last}`,
  );
}

function ask(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => {
      response.resume();
      resolve(response);
    };
    // The certificate is self-signed: this asks whether the ports lead to the proxies, not who they are.
    const options = { agent: false, rejectUnauthorized: false, family: 4, timeout: 5000 } as const;
    const request = url.startsWith('https:') ? httpsGet(url, options, answered) : httpGet(url, options, answered);
    request.on('timeout', () => request.destroy(new Error('no answer within 5 seconds'))).on('error', reject);
  });
}
