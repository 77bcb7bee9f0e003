import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { ClientRequest, ServerResponse } from 'node:http';
import { request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../../local/ports';
import { accessLog, type AccessLogOptions, LogField } from '../../../model/access-log/options';
import { until } from '../../until';
import { startGrpc, StubGrpc } from '../support/grpc';
import { proxyModel } from '../support/models';
import { startWithOneInstance } from '../support/one-instance';
import { RealNginx } from '../support/real-nginx';
import { StubApi } from '../support/stub-api';
import { StubDns } from '../support/stub-dns';

type Entry = Readonly<Record<string, unknown>>;

const host = 'api.example.com';
const share = 0.5;
/** Nothing takes so long. */
const never = '1d';
const ids = Array.from({ length: 60 }, (_, index) => `sampled-${index}`);

/** MurmurHash2 of a text, as `split_clients` has it. */
function hashOf(text: string): number {
  const bytes = Buffer.from(text);
  const factor = 0x5bd1e995;
  const whole = bytes.length - (bytes.length % 4);
  let hash = bytes.length;
  for (let at = 0; at < whole; at += 4) {
    const word = Math.imul(bytes.readUInt32LE(at), factor);
    hash = Math.imul(hash, factor) ^ Math.imul(word ^ (word >>> 24), factor);
  }
  if (whole < bytes.length) {
    hash = Math.imul(hash ^ bytes.readUIntLE(whole, bytes.length - whole), factor);
  }
  hash = Math.imul(hash ^ (hash >>> 13), factor);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function isChosen(id: string): boolean {
  return hashOf(id) < share * 0xffff_ffff;
}

const others = ids.filter((id) => !isChosen(id));

/** What was logged by now: one worker writes lines in turn, and what failed has one. */
async function logged(nginx: RealNginx): Promise<readonly Entry[]> {
  const id = randomUUID();
  await nginx.get({ path: '/fail', headers: { 'X-Request-Id': id } });
  return until(async () => {
    const entries = await nginx.accessLog(1);
    return entries.some(({ request_id }) => request_id === id) && entries;
  }, 'the line of a request that failed');
}

/** The lines of these requests that went by a path. */
function linesOf(entries: readonly Entry[], path: string, of: readonly string[] = ids): readonly Entry[] {
  return entries.filter((entry) => entry.path === path && of.includes(String(entry.request_id)));
}

const idOf = ({ request_id }: Entry): unknown => request_id;

let nginx: RealNginx;
/** Answers that have begun, or that nobody waits for. */
const held: ServerResponse[] = [];

beforeAll(async () => {
  const dns = await StubDns.start();
  const api = await StubApi.start('api', (incoming, response) => {
    incoming.resume();
    const { url = '' } = incoming;
    // More than nginx keeps for itself.
    if (url === '/begun') response.write('x'.repeat(200_000));
    if (url === '/begun' || url === '/never') held.push(response);
    else {
      response.statusCode = url === '/fail' ? 500 : 200;
      response.end('ok');
    }
  });
  dns.byHost.set('api.orders.svc.cluster.local', [api.instance]);
  dns.byHost.set('gone.orders.svc.cluster.local', [{ address: '127.0.0.1', port: await freePort() }]);
  nginx = await RealNginx.start(
    proxyModel({
      names: [host],
      workers: 1,
      backends: [{}, { name: 'gone', fallback: `127.0.0.1:${api.instance.port}` }],
      routes: [{}, { path: '/gone', target: 'gone' }, { path: '/small', maxBodySize: 1024 }],
      accessLog: accessLog('accessLog', { sample: share, slow: never }),
    }),
    { resolvers: [dns.server], workers: 1 },
  );
  for (const path of ['/', '/gone']) await nginx.untilAnswered(({ status }) => status === 200, { path });
});

test('some of the ids are chosen, and some are not', () => {
  expect(others.length).toBeGreaterThan(10);
  expect(others.length).toBeLessThan(ids.length - 10);
});

test('of requests that succeed those are logged whose id is chosen by its hash, each time', async () => {
  for (let time = 0; time < 2; time += 1) {
    await Promise.all(
      ids.map((id) => nginx.get({ path: '/routine?a=b', headers: { 'X-Request-Id': id, 'User-Agent': 'a "b"' } })),
    );
    await Promise.all(ids.map((id) => nginx.get({ path: '/plain', headers: { 'X-Request-Id': id } })));
  }
  const entries = await logged(nginx);
  for (const path of ['/routine', '/plain']) {
    const lines = linesOf(entries, path);
    expect(lines.map(idOf).sort()).toEqual(
      ids
        .filter(isChosen)
        .flatMap((id) => [id, id])
        .sort(),
    );
    expect(new Set(lines.map(({ sample }) => sample))).toEqual(new Set([share]));
  }
});

/** How a request is made to fail. */
interface Failing {
  readonly path: string;
  readonly status: number;
  readonly asked?: string;
  readonly sent?: { readonly method: string; readonly body: string };
}

test('what failed is always logged, whoever says so, and stands for itself', async () => {
  const failing: readonly Failing[] = [
    { path: '/fail', status: 500 },
    { path: '/misdirected', status: 421, asked: 'other.example.com' },
    { path: '/small', status: 413, sent: { method: 'POST', body: 'x'.repeat(2000) } },
  ];
  for (const { path, asked = host, sent } of failing) {
    const headers = (id: string) => ({ host: asked, 'X-Request-Id': id });
    await Promise.all(others.map((id) => nginx.get({ path, ...sent, headers: headers(id) })));
  }
  const entries = await logged(nginx);
  for (const { path, status } of failing) {
    const lines = linesOf(entries, path, others);
    expect(lines.map(idOf).sort()).toEqual([...others].sort());
    expect(lines.map((entry) => [entry.status, entry.sample])).toEqual(others.map(() => [status, 1]));
  }
});

test('what was tried more than once is always logged, though the fallback answered it', async () => {
  for (const id of others) {
    expect(await nginx.get({ path: '/gone', headers: { 'X-Request-Id': id } })).toMatchObject({ status: 200 });
  }
  const lines = linesOf(await logged(nginx), '/gone', others);
  expect(lines.map(idOf)).toEqual(others);
  for (const { status, sample, upstream_status: tries } of lines) {
    expect({ status, sample }).toEqual({ status: 200, sample: 1 });
    expect(tries).toMatch(/ : 200$/);
  }
});

/** A client that goes away once it has what it waits for. */
async function leave(path: string, id: string, has: (sent: ClientRequest) => Promise<unknown>): Promise<void> {
  const { place } = nginx;
  const sent = request({
    ...{ host: '127.0.0.1', port: place.httpsPort, servername: host, rejectUnauthorized: false, agent: false },
    ...{ path, headers: { host, 'X-Request-Id': id } },
  });
  sent.on('error', () => undefined);
  sent.end();
  await has(sent);
  sent.destroy();
}

test('what a client did not wait for is always logged, though its answer had begun', async () => {
  const [first = '', second = ''] = others;
  const before = held.length;
  await leave('/never', first, () => until(() => held.length > before, 'the request'));
  await leave('/begun', second, (sent) => once(sent, 'response'));
  const entries = await until(async () => {
    const all = await nginx.accessLog(1);
    const lines = [...linesOf(all, '/never', [first]), ...linesOf(all, '/begun', [second])];
    return lines.length === 2 && lines;
  }, 'the lines of clients that left');
  expect(entries.map(({ status, sample }) => [status, sample])).toEqual([
    [499, 1],
    [200, 1],
  ]);
});

test('what took longer than was said is always logged', async () => {
  const options: AccessLogOptions = { sample: 0.0001, slow: '1ms', add: { echoed: LogField.query('a') } };
  const system = await startWithOneInstance(
    { workers: 1, accessLog: accessLog('accessLog', options) },
    (incoming, response) => {
      if (incoming.url === '/fail') response.statusCode = 500;
      void delay(20).then(() => response.end('ok'));
    },
    { workers: 1 },
  );
  await Promise.all(ids.map((id) => system.nginx.get({ path: '/slow?a=b', headers: { 'X-Request-Id': id } })));
  const lines = linesOf(await logged(system.nginx), '/slow');
  expect(lines.map(idOf).sort()).toEqual([...ids].sort());
  for (const { sample, echoed } of lines) expect({ sample, echoed }).toEqual({ sample: 1, echoed: 'b' });
});

test('a call of gRPC that failed is always logged, though its status is 200', async () => {
  const api = await StubGrpc.start('api');
  const { nginx: own, client } = await startGrpc(
    {
      workers: 1,
      routes: [{ path: '/shop.Orders' }],
      accessLog: accessLog('accessLog', { sample: share, slow: never }),
    },
    [api.instance],
    { workers: 1 },
  );
  for (const id of ids) {
    const metadata = { 'x-request-id': id };
    expect(await client.call('/shop.Orders/Get', 'x', { metadata })).toMatchObject({ code: 0 });
    expect(await client.call('/shop.Orders/Fail', 'x', { metadata })).toMatchObject({ code: 9 });
    expect(await client.call('/none.Orders/Get', 'x', { metadata })).toMatchObject({ code: 12 });
  }
  const entries = await until(async () => {
    const all = await own.accessLog(1);
    return linesOf(all, '/none.Orders/Get').length === ids.length && all;
  }, 'the lines of calls that failed');
  expect(linesOf(entries, '/shop.Orders/Get').map(idOf)).toEqual(ids.filter(isChosen));
  expect(linesOf(entries, '/shop.Orders/Get').every(({ sample }) => sample === share)).toBe(true);
  for (const path of ['/shop.Orders/Fail', '/none.Orders/Get']) {
    const lines = linesOf(entries, path);
    expect(lines.map(idOf)).toEqual(ids);
    expect(lines.every(({ status, sample }) => status === 200 && sample === 1)).toBe(true);
  }
});
