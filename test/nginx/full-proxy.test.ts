import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { budget } from '../../model/budget';
import { heldBack } from '../../model/memory-costs';
import { timeline } from '../../model/timeline';
import { upstreamZone } from '../../nginx/backends/upstream-section';
import { onTestFinished } from '../afterwards';
import { until } from '../until';
import { OneInstance, startWithOneInstance } from './support/one-instance';
import { oftenLooking } from './support/real-nginx';
import { keyPair } from './tls/key-pairs';

const hour = 3_600_000;

const least = budget({
  ...{ memoryLimit: 64 * 2 ** 20, workers: 1, maxBodySize: 2 ** 20, temporaryStorage: 2 ** 50, gzip: true },
  ...{ hasStreams: false, backends: 1, upstreamZones: upstreamZone(10), maxConnections: 64, maxRequests: 16 },
});
/** Those to instances that may be idle are left out, as none is: what is held back is all that is left. */
const limits = { ...least, workerConnections: least.connections + least.requests + heldBack };

interface FullProxy extends OneInstance {
  /** A connection that is one of the clients', and asks nothing. */
  readonly idle: TLSSocket;
  /** Requests that the API holds. */
  readonly answers: readonly Promise<number>[];
  /** Has it answer them. */
  readonly release: () => void;
}

/** As many connections of clients as there may be, and as many requests in progress on some of them. */
async function startFull(): Promise<FullProxy> {
  const certificateStore = mkdtempSync(join(tmpdir(), 'fairlead-store-'));
  onTestFinished(() => {
    rmSync(certificateStore, { recursive: true });
  });
  const held: ServerResponse[] = [];
  const system = await startWithOneInstance(
    {
      ...{ budget: limits, workers: 1, unlimitedClients: ['127.0.0.0/8'] },
      // Whoever asks nothing stays.
      clientTimes: { headerTimeout: hour, bodyTimeout: hour, sendTimeout: hour },
      timeline: timeline({ certificateValid: '1s', resolverValid: '1s', dnsCacheTtl: '0s' }),
    },
    (request, response) => {
      if (request.url === '/held') held.push(response);
      else response.end('ok');
    },
    { workers: 1, certificateStore },
    oftenLooking,
  );
  onTestFinished(() => system.stop());
  const { nginx } = system;
  const answers = Array.from({ length: limits.requests }, () =>
    nginx.get({ path: '/held' }).then(({ status }) => status),
  );
  const release = (): void => {
    for (const response of held.splice(0)) response.end('ok');
  };
  onTestFinished(async () => {
    release();
    await Promise.allSettled(answers);
  });
  await until(() => held.length === limits.requests, 'requests at the API');
  const idle = await Promise.all(
    Array.from({ length: limits.connections - limits.requests }, async () => {
      const socket = connectTls({
        ...{ host: '127.0.0.1', port: nginx.place.httpsPort, servername: nginx.host, rejectUnauthorized: false },
      });
      socket.on('error', () => undefined);
      onTestFinished(() => socket.destroy());
      await once(socket, 'secureConnect');
      return socket;
    }),
  );
  const [first] = idle;
  if (first === undefined) throw new Error('no connection without a request');
  return { ...system, idle: first, answers, release };
}

/** A line of the error log. */
function logged({ nginx }: OneInstance, text: string): Promise<true> {
  return until(() => nginx.errors.includes(text) && (true as const), text);
}

test('a full proxy closes one more connection at once, answers one more request 503 at once, and says so in its log', async () => {
  const system = await startFull();
  const { nginx, idle, answers, release } = system;

  const another = connect(nginx.place.httpsPort, '127.0.0.1');
  another.on('error', () => undefined).resume();
  await once(another, 'close');
  await logged(system, 'limiting connections by zone "connections"');

  idle.write(`GET / HTTP/1.1\r\nHost: ${nginx.host}\r\n\r\n`);
  const [answer] = (await once(idle, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 1\r\n/);
  await logged(system, 'limiting connections by zone "requests"');

  release();
  expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
});

test('a full proxy answers all of its probes at the same time, and serves a certificate that was renewed', async () => {
  const { nginx } = await startFull();
  const { probePort: port } = nginx.place;
  const probes = ['/healthz', '/healthz', '/startup', '/startup', '/certificate'];
  const probe = async (): Promise<number[]> =>
    (await Promise.all(probes.map((path) => nginx.get({ port, path })))).map(({ status }) => status);
  expect(await probe()).toEqual(probes.map(() => 200));

  const served = async (): Promise<string> => (await nginx.get({ port, path: '/certificate' })).body;
  const generation = async (): Promise<unknown> =>
    (JSON.parse(await served()) as { readonly served: { readonly generation: string } }).served.generation;
  const before = await generation();
  nginx.renewCertificate(await keyPair());
  await until(async () => (await generation()) !== before, 'the renewed certificate');
  expect(await probe()).toEqual(probes.map(() => 200));
  expect(nginx.errors).not.toContain('worker_connections are not enough');
});
