import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, TLSSocket } from 'node:tls';
import { type BudgetSettings } from '../../model/budget-options';
import { buffers, costs, sharesOfProxy } from '../../model/memory-costs';
import { upstreamZone } from '../../nginx/backends/upstream-section';
import { onTestFinished } from '../afterwards';
import { until } from '../until';
import { http2Session, statusOver } from './support/http2';
import { proxyModel, ProxyParts, RouteParts } from './support/models';
import { OneInstance, startWithOneInstance } from './support/one-instance';

const KiB = 1024;
const hour = 3_600_000;

const settings: BudgetSettings = {
  ...{ memoryLimit: 384 * KiB * KiB, workers: 1, maxBodySize: KiB * KiB, temporaryStorage: 2 ** 50 },
  ...{ gzip: true, hasStreams: true, backends: 1, upstreamZones: upstreamZone(10) },
};
const price = costs(settings);
/** A part of the price of a request that no process has: the kernel does. */
const socket = 2 * (buffers.socketSend + buffers.socketReceive) * KiB;

/** More than nginx, the sockets and a client that does not read take of it, compressed to three quarters as it is. */
const answer = Buffer.from(randomBytes(1.5 * KiB * KiB).toString('base64'));

const routes: readonly RouteParts[] = [
  {},
  { path: '/events', streamTimeout: 3600 },
  { path: '/fixed', target: { kind: 'response', status: 200, body: 'ok', contentType: 'text/plain' } },
];

/** One worker has them all, and no client is too slow. */
async function start(parts: Pick<ProxyParts, 'budget'> = {}): Promise<OneInstance> {
  const system = await startWithOneInstance(
    { workers: 1, routes, clientTimes: { headerTimeout: hour, bodyTimeout: hour, sendTimeout: hour }, ...parts },
    (request, response) => {
      request.resume();
      if (request.url === '/held') return;
      response.setHeader('Content-Type', 'text/plain');
      response.end(request.url === '/' ? 'ok' : answer);
    },
    { workers: 1 },
  );
  onTestFinished(() => system.stop());
  return system;
}

/** Bytes of a process: what it has of its own, and its part of what several share. Files that it has read are left out. */
function memoryOf(pid: number): { readonly own: number; readonly shared: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const bytes = (kind: string): number => KiB * Number(new RegExp(`^${kind}: +(\\d+) kB$`, 'm').exec(text)?.[1]);
  return { own: bytes('Pss_Anon'), shared: bytes('Pss_Shmem') };
}

/** What the worker has of its own, once that does not change any more. */
async function settledMemory({ nginx }: OneInstance): Promise<number> {
  const [worker = 0, ...others] = nginx.workers;
  expect(others).toEqual([]);
  let [last, times] = [0, 0];
  return until(async () => {
    // Who is answered came after all that was sent before.
    await nginx.get({ path: '/fixed' });
    const { own } = memoryOf(worker);
    times = own === last ? times + 1 : 0;
    last = own;
    return times === 10 && own;
  }, 'an end of the growth');
}

/** What the worker takes for each of so many that are opened, beside some that were opened before. */
async function growth(system: OneInstance, count: number, open: (count: number) => Promise<void>): Promise<number> {
  await open(Math.ceil(count / 10));
  const before = await settledMemory(system);
  await open(count);
  return ((await settledMemory(system)) - before) / count;
}

async function secured({ nginx: { host, place } }: OneInstance): Promise<TLSSocket> {
  const opened = connect({
    ...{ host: '127.0.0.1', port: place.httpsPort, servername: host, rejectUnauthorized: false },
  });
  opened.on('error', () => undefined);
  onTestFinished(() => opened.destroy());
  await once(opened, 'secureConnect');
  return opened;
}

/** Sends a text on each of so many connections, and reads nothing. */
async function sendOnEach(system: OneInstance, count: number, text: string): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const opened = await secured(system);
    await new Promise((resolve) => opened.write(text, resolve));
  }
}

/** Of two lines, each of which fills a buffer: the largest that nginx takes. */
const largeHeaders = { 'x-first': 'a'.repeat(6900), 'x-second': 'b'.repeat(6900) };
const head = (line: string, headers: Readonly<Record<string, string>>): string =>
  [line, 'Host: localhost', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), ''].join('\r\n');

/** Holds where as much is taken as was counted on, and where what was opened is the worst, or nearly so. */
function expectPaid(bytes: number, most: number): void {
  expect(bytes).toBeLessThanOrEqual(most);
  expect(bytes).toBeGreaterThan(most / 2);
}

test('a connection whose head does not come to its end takes no more than its price', async () => {
  const system = await start();
  const bytes = await growth(system, 50, (count) => sendOnEach(system, count, head('GET / HTTP/1.1', largeHeaders)));
  expectPaid(bytes, price.connection);
});

test('a request with a body whose compressed answer is not read takes no more than its price', async () => {
  const system = await start();
  const body = 'x'.repeat(15 * KiB);
  const lengths = { ...largeHeaders, 'accept-encoding': 'gzip', 'content-length': String(body.length) };
  const bytes = await growth(system, 30, (count) =>
    sendOnEach(system, count, `${head('POST /large HTTP/1.1', lengths)}\r\n${body}`),
  );
  expectPaid(bytes, price.connection + price.request - socket);
});

test('streams of HTTP/2 whose answers are not read take no more than their price', async () => {
  const system = await start();
  const body = Buffer.alloc(15 * KiB, 'x');
  const headers = { 'x-first': 'a'.repeat(6700), 'x-second': 'b'.repeat(6700), 'accept-encoding': 'gzip' };
  const ofConnection = 20;
  const bytes = await growth(system, 3, async (count) => {
    for (let index = 0; index < count; index += 1) {
      const session = http2Session(system.nginx);
      await Promise.all(
        Array.from({ length: ofConnection }, async () => {
          const stream = session.request({ ':method': 'POST', ':path': '/large', ...headers });
          stream.on('error', () => undefined).end(body);
          await once(stream, 'response');
        }),
      );
    }
  });
  expectPaid(bytes, price.connection + ofConnection * (price.request - socket));
});

test('an event stream that is not read takes no more than its price', async () => {
  const system = await start();
  const bytes = await growth(system, 40, (count) =>
    sendOnEach(system, count, `${head('GET /events HTTP/1.1', largeHeaders)}\r\n`),
  );
  expectPaid(bytes, price.connection + price.stream - socket);
});

test('a connection of HTTP/2 that is never idle takes no more for 2,000 requests, and is not ended', async () => {
  const system = await start();
  const session = http2Session(system.nginx);
  let goAways = 0;
  session.on('goaway', () => (goAways += 1));
  const held = session.request({ ':path': '/held' });
  held.on('error', () => undefined);
  const ask = async (requests: number): Promise<void> => {
    for (let sent = 0; sent < requests; sent += 50) {
      const statuses = await Promise.all(Array.from({ length: 50 }, () => statusOver(session, '/fixed')));
      expect(new Set(statuses)).toEqual(new Set([200]));
    }
  };
  await ask(500);
  const before = await settledMemory(system);
  await ask(2000);
  expect((await settledMemory(system)) - before).toBeLessThan(price.connection);
  expect([goAways, held.closed]).toEqual([0, false]);
});

test('an idle proxy takes no more than its processes are counted with', async () => {
  const budget = { ...proxyModel({ workers: 1, routes }).budget, workerConnections: 256 };
  const { nginx } = await start({ budget });
  const [ofNginx, ofWorkers] = sharesOfProxy(settings);
  const [first, worker, ...others] = nginx.processes.map(memoryOf);
  expect(others).toEqual([]);
  expect(worker?.own).toBeLessThan(ofWorkers?.each ?? 0);
  expect((first?.own ?? NaN) + (first?.shared ?? NaN) + (worker?.shared ?? NaN)).toBeLessThan(ofNginx?.each ?? 0);
});
