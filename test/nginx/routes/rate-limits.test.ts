import { Agent, RequestOptions } from 'node:https';
import { WebSocket, WebSocketServer } from 'ws';
import { RequestKey } from '../../../model/load-balancing';
import { Match } from '../../../model/routes/matching';
import { RateLimit } from '../../../model/routes/rate-limit';
import { nginxConf } from '../../../nginx/nginx-conf';
import { onFileFinished, onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { proxyModel, RouteParts, somePlace } from '../support/models';
import { startWithOneInstance } from '../support/one-instance';
import { Answer } from '../support/real-nginx';
import { echo, getByHttp2, SeveralBackends, startWithBackends } from '../support/several-backends';
import { StubApi } from '../support/stub-api';

/** Room for one more comes after a minute, which no test takes. */
const three = RateLimit.perClient('1/m', { burst: 2 });
const byKey = RateLimit.per(RequestKey.header('X-Api-Key'), '1/m', { burst: 1 });
const shares = ['api', 'canary'].map((backend) => ({ backend, weight: 50 }));
const routes: readonly RouteParts[] = [
  {},
  { path: '/limited', rateLimits: [three] },
  { path: '/limited-too', rateLimits: [three] },
  { path: '/chosen', rateLimits: [three] },
  { path: '/chosen', when: Match.header('X-Canary', 'yes'), target: 'canary', rateLimits: [three] },
  { path: '/chosen', when: Match.header('X-Staff', 'yes'), target: 'canary' },
  { path: '/split', target: { kind: 'split', shares, stickyBy: RequestKey.header('X-Turn') }, rateLimits: [three] },
  { path: '/events', streamTimeout: 60, rateLimits: [three] },
  { path: '/once', retries: false, rateLimits: [three] },
  { path: '/gone', target: 'gone', rateLimits: [three] },
  { path: '/keys', rateLimits: [byKey] },
  { path: '/both', rateLimits: [RateLimit.per(RequestKey.query('key'), '1/m'), three] },
];

let system: SeveralBackends;
const webSockets = new WebSocketServer({ noServer: true });

beforeAll(async () => {
  const fallback = await StubApi.start('fallback', echo('fallback'));
  const { address, port } = fallback.instance;
  system = await startWithBackends({
    unlimitedClients: ['127.0.0.1/32'],
    backends: [{ name: 'api' }, { name: 'canary' }, { name: 'gone', fallback: `${address}:${port}` }],
    routes,
  });
  await system.apis.gone?.stop();
  onFileFinished(() => {
    for (const webSocket of webSockets.clients) webSocket.terminate();
  });
  system.apis.api?.on('upgrade', (incoming, socket) => {
    webSockets.handleUpgrade(incoming, socket, Buffer.alloc(0), () => undefined);
  });
});

let clients = 0;

/** An address that no other test has. */
function newClient(): string {
  clients += 1;
  return `127.0.1.${clients}`;
}

async function statuses(count: number, options: (index: number) => RequestOptions): Promise<number[]> {
  const all: number[] = [];
  for (let index = 0; index < count; index += 1) all.push((await system.nginx.get(options(index))).status);
  return all;
}

const threeOf = (count: number): number[] => Array.from({ length: count }, (_, index) => (index < 3 ? 200 : 429));

describe('A limit of a client', () => {
  test('lets through what its burst allows, and refuses the rest until there is room, as other errors are said', async () => {
    const localAddress = newClient();
    expect(await statuses(4, () => ({ localAddress, path: '/limited' }))).toEqual(threeOf(4));
    const seen = system.apis.api?.requests.length;
    const refused = await system.nginx.get({
      ...{ localAddress, path: '/limited/a?token=secret', method: 'POST' },
      headers: { 'x-request-id': 'refused' },
      body: 'x'.repeat(100_000),
    });
    expect(refused.status).toBe(429);
    expect(refused.headers).toMatchObject({ 'retry-after': '60', 'content-type': 'application/json' });
    expect(JSON.parse(refused.body)).toEqual({ error: 'Too Many Requests', requestId: 'refused' });
    expect(system.apis.api?.requests).toHaveLength(seen ?? 0);
    const named = new RegExp(`limiting requests.* by zone "rate_of_limited".*client: ${localAddress}`);
    await until(() => named.test(system.nginx.errors), 'the line of the error log');
  });

  test('holds for no other client, no other route, and not for addresses of many clients', async () => {
    const localAddress = newClient();
    expect(await statuses(4, () => ({ localAddress, path: '/limited' }))).toEqual(threeOf(4));
    expect(await statuses(1, () => ({ localAddress: newClient(), path: '/limited' }))).toEqual([200]);
    expect(await statuses(4, () => ({ localAddress, path: '/limited-too' }))).toEqual(threeOf(4));
    expect(await statuses(1, () => ({ localAddress, path: '/' }))).toEqual([200]);
    expect(await statuses(6, () => ({ path: '/limited' }))).toEqual([200, 200, 200, 200, 200, 200]);
  });

  test('counts a request once that is tried again, and again at the fallback', async () => {
    const localAddress = newClient();
    const answers: Answer[] = [];
    for (let index = 0; index < 5; index += 1) answers.push(await system.nginx.get({ localAddress, path: '/gone' }));
    expect(answers.map(({ status }) => status)).toEqual(threeOf(5));
    expect(answers.slice(0, 3).map(({ headers }) => headers['x-instance'])).toEqual(Array(3).fill('fallback'));
  });

  test.each([
    ['its own requests', {}],
    ['those of another condition', { 'x-canary': 'yes' }],
  ])('holds for a route that conditions choose: %s', async (_whose, headers) => {
    const localAddress = newClient();
    expect(await statuses(4, () => ({ localAddress, path: '/chosen', headers }))).toEqual(threeOf(4));
    const staff = { 'x-staff': 'yes' };
    expect(await statuses(4, () => ({ localAddress, path: '/chosen', headers: staff }))).toEqual([200, 200, 200, 200]);
  });

  test('holds for a split, whoever answers, and for streams', async () => {
    const localAddress = newClient();
    const turn = (index: number): RequestOptions => ({
      ...{ localAddress, path: '/split' },
      headers: { 'x-turn': String(index) },
    });
    expect(await statuses(5, turn)).toEqual(threeOf(5));
    expect(await statuses(5, () => ({ localAddress, path: '/events' }))).toEqual(threeOf(5));
  });

  test('is said in the same way by a route without retries', async () => {
    const localAddress = newClient();
    await statuses(3, () => ({ localAddress, path: '/once' }));
    const { status, headers, body } = await system.nginx.get({ localAddress, path: '/once' });
    expect([status, headers['retry-after'], JSON.parse(body)]).toMatchObject([
      429,
      '60',
      { error: 'Too Many Requests' },
    ]);
  });

  test('counts a WebSocket as one request', async () => {
    const { nginx } = system;
    const localAddress = newClient();
    const opened = (): Promise<number> =>
      new Promise((resolve) => {
        const webSocket = new WebSocket(`wss://127.0.0.1:${nginx.place.httpsPort}/events/ws`, {
          ...{ localAddress, servername: nginx.host, rejectUnauthorized: false },
          headers: { host: nginx.host },
        });
        onTestFinished(() => {
          webSocket.terminate();
        });
        webSocket.on('error', () => undefined);
        webSocket.on('open', () => {
          resolve(200);
        });
        webSocket.on('unexpected-response', (_request, response) => {
          resolve(response.statusCode ?? 0);
        });
      });
    const all: number[] = [];
    for (let index = 0; index < 4; index += 1) all.push(await opened());
    expect(all).toEqual(threeOf(4));
  });
});

describe('A limit by another key', () => {
  const get = (localAddress: string, key?: string): Promise<number[]> =>
    statuses(1, () => ({ localAddress, path: '/keys', headers: key === undefined ? {} : { 'x-api-key': key } }));

  test('holds wherever the key comes from, over HTTP/2 and with a body too', async () => {
    expect(await get(newClient(), 'first')).toEqual([200]);
    expect(await get(newClient(), 'first')).toEqual([200]);
    expect(await get(newClient(), 'first')).toEqual([429]);
    const headers = { ':path': '/keys', ':method': 'POST', 'x-api-key': 'first' };
    const refused = await getByHttp2(system.nginx, headers, 'x'.repeat(100_000));
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '60']);
    expect(await get(newClient(), 'second')).toEqual([200]);
  });

  test('limits who leaves it out by address, which no key stands for', async () => {
    const client = newClient();
    const other = newClient();
    for (const key of [client, ` ${client}`, ` ${client}`]) await get(other, key);
    expect(await get(client)).toEqual([200]);
    expect(await get(client)).toEqual([200]);
    expect(await get(client)).toEqual([429]);
    expect(await get(other)).toEqual([200]);
  });

  test('tells long keys apart by their ends', async () => {
    const [start, end] = ['s'.repeat(1000), 'e'.repeat(47)];
    expect(await get(newClient(), `${start}1${end}`)).toEqual([200]);
    expect(await get(newClient(), `${start}1${end}`)).toEqual([200]);
    expect(await get(newClient(), `other-start-1${end}`)).toEqual([429]);
    expect(await get(newClient(), `${start}2${end}`)).toEqual([200]);
  });
});

describe('A key', () => {
  test('is what has its name to the letter, as the API finds it', async () => {
    const get = (path: string): Promise<number[]> => statuses(1, () => ({ localAddress: newClient(), path }));
    expect(await get('/both?KEY=any&key=letters')).toEqual([200]);
    expect(await get('/both?Key=other&key=letters')).toEqual([429]);
    expect(await get('/both?a_key=other&key=letters&key=more')).toEqual([429]);
  });
});

test('A client is a network of 64 bits where it has IPv6, and an address where it has IPv4', async () => {
  const { nginx, stop } = await startWithOneInstance({
    trustedProxies: ['127.0.0.0/8'],
    unlimitedClients: [],
    routes: [{}, { path: '/limited', rateLimits: [three] }, { path: '/keys', rateLimits: [byKey] }],
  });
  onTestFinished(stop);
  const get = async (path: string, client: string): Promise<number> =>
    (await nginx.get({ path, headers: { 'x-forwarded-for': client } })).status;
  for (const [path, from, other, most] of [
    ['/limited', '2001:db8:0:1:', '2001:db8:0:2::1', 3],
    ['/keys', '2001:db8:0:1:', '2001:db8:0:2::1', 2],
    ['/limited', '192.0.2.1', '192.0.2.2', 3],
  ] as const) {
    const asked: number[] = [];
    for (let index = 0; index <= most; index += 1) {
      asked.push(await get(path, from.endsWith(':') ? `${from}${index}:a:b:c` : from));
    }
    expect(asked).toEqual([...Array<number>(most).fill(200), 429]);
    expect(await get(path, other)).toBe(200);
  }
});

describe('Several limits', () => {
  test('all hold, and what one refuses the other does not count', async () => {
    const localAddress = newClient();
    const get = (key: string) => ({ localAddress, path: `/both?key=${key}` });
    expect(await statuses(3, () => get('one'))).toEqual([200, 429, 429]);
    expect(await statuses(3, (index) => get(`other-${index}`))).toEqual([200, 200, 429]);
  });
});

describe('A zone', () => {
  const budget = { ...proxyModel().budget, rateLimitZone: 64 * 1024 };
  const parts = { budget, routes: [{ rateLimits: [RateLimit.per(RequestKey.query('key'), '1/m', { burst: 0 })] }] };

  test('has room for as many keys as it says; beyond them it refuses nobody, and forgets the oldest', async () => {
    const said = /when (\d+) have come/.exec(nginxConf(proxyModel(parts), somePlace()));
    const room = Number(said?.[1]);
    expect(room).toBeGreaterThan(250);
    const { nginx, stop } = await startWithOneInstance(parts);
    onTestFinished(stop);
    const agent = new Agent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false });
    onTestFinished(() => {
      agent.destroy();
    });
    const get = async (key: string): Promise<number> => (await nginx.get({ agent, path: `/?key=${key}` })).status;
    const all = async (from: number, to: number): Promise<number[]> =>
      Promise.all(Array.from({ length: to - from }, (_, index) => get(`${'k'.repeat(index % 50)}${from + index}`)));
    expect(await get('first')).toBe(200);
    expect(new Set(await all(0, room - 1))).toEqual(new Set([200]));
    expect(await get('first')).toBe(429);
    expect(new Set(await all(room, 3 * room))).toEqual(new Set([200]));
    expect(await get('first')).toBe(200);
    expect(nginx.errors).not.toContain('could not allocate');
  });
});
