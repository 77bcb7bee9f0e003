import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { RequestKey } from '../../../model/load-balancing';
import { Match } from '../../../model/routes/matching';
import { RateLimit } from '../../../model/routes/rate-limit';
import { onFileFinished, onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { externalTarget, RouteParts } from '../support/models';
import { echo, getByHttp2, SeveralBackends, startWithBackends } from '../support/several-backends';
import { StubApi } from '../support/stub-api';

/** A thousand networks that nobody here is in, and two of this machine's addresses. */
const allowFrom = [
  ...Array.from({ length: 1000 }, (_, index) => `198.18.${index >> 2}.${(index & 3) * 64}/26`),
  ...['127.0.1.0/24', '2001:db8::/32'],
];
const friend = '127.0.1.1';
const stranger = '127.0.2.1';

const directory = mkdtempSync(join(tmpdir(), 'fairlead-allowed-'));
onFileFinished(() => {
  rmSync(directory, { recursive: true });
});

let system: SeveralBackends;

beforeAll(async () => {
  writeFileSync(join(directory, 'index.html'), 'start');
  writeFileSync(join(directory, '404.html'), 'missing');
  const external = await StubApi.start('external', echo('external'));
  const fallback = await StubApi.start('fallback', echo('fallback'));
  const shares = ['api', 'next'].map((backend) => ({ backend, weight: 50 }));
  const guarded: readonly RouteParts[] = [
    { path: '/forwarded', mirror: { backend: 'next', percent: 100, timeout: 2 } },
    { path: '/once', retries: false, rateLimits: [RateLimit.perClient('1/m')] },
    { path: '/gone', target: 'gone' },
    { path: '/chosen', when: Match.header('X-Canary', 'yes') },
    { path: '/split', target: { kind: 'split', shares, stickyBy: RequestKey.uri() } },
    { path: '/stream', streamTimeout: 60 },
    { path: '/files', target: { kind: 'files', source: 'site', singlePage: false, immutable: undefined } },
    { path: '/elsewhere', target: { kind: 'files', source: 'other', singlePage: false, immutable: [] } },
    { path: '/external', target: externalTarget(`http://127.0.0.1:${external.instance.port}`) },
    { path: '/moved', target: { kind: 'redirect', location: 'https://example.com', status: 308 } },
    { path: '/fixed', target: { kind: 'response', status: 200, body: 'secret', contentType: 'text/plain' } },
    { path: '/empty', target: { kind: 'response', status: 204, body: '', contentType: 'text/plain' } },
  ];
  system = await startWithBackends(
    {
      trustedProxies: ['127.0.9.0/24'],
      backends: [
        { name: 'api' },
        { name: 'next' },
        { name: 'gone', fallback: `${fallback.instance.address}:${fallback.instance.port}` },
      ],
      routes: [
        {},
        { path: '/chosen' },
        { path: '/others', allowFrom: ['127.0.2.0/24'] },
        ...guarded.map((route) => ({ ...route, allowFrom })),
      ],
    },
    { filesDirectories: { site: directory } },
  );
  await system.apis.gone?.stop();
});

const canary = { 'x-canary': 'yes' };

describe('A route that some may use', () => {
  test.each<[string, number, RequestOptions?]>([
    ['/forwarded', 200],
    ['/forwarded/below?a=b', 200],
    ['/forwarded', 200, { method: 'POST' }],
    ['/once', 200],
    ['/gone', 200],
    ['/chosen', 200, { headers: canary }],
    ['/split', 200],
    ['/stream', 200],
    ['/files/', 200],
    ['/files', 308],
    ['/files/not-there', 404],
    ['/files/', 405, { method: 'POST' }],
    ['/elsewhere/', 503],
    ['/external', 200],
    ['/moved', 308],
    ['/fixed', 200],
    ['/empty', 204],
  ])('%s: answers them %i, and all others 403', async (path, status, options = {}) => {
    const asked = (localAddress: string) => system.nginx.get({ ...options, path, localAddress });
    expect((await asked(friend)).status).toBe(status);
    /** Copies may come later. */
    const asking = (): number[] =>
      Object.values(system.apis).map(
        ({ requests }) => requests.filter((each) => !('x-mirrored' in each.headers)).length,
      );
    const seen = asking();
    const refused = await asked(stranger);
    expect(refused.status).toBe(403);
    expect(refused.headers['content-type']).toBe('application/json');
    expect(JSON.parse(refused.body)).toMatchObject({ error: 'Forbidden' });
    expect((await asked('127.0.0.1')).status).toBe(403);
    expect(asking()).toEqual(seen);
  });

  test('is closed over HTTP/2, with a body, and to who names itself by headers', async () => {
    const { nginx } = system;
    const claims = { 'x-forwarded-for': friend, 'x-real-ip': friend, forwarded: `for=${friend}` };
    const sent = { ':path': '/fixed', ':method': 'POST', ...claims };
    expect((await getByHttp2(nginx, sent, 'x'.repeat(100_000))).status).toBe(403);
    expect((await nginx.get({ path: '/forwarded', headers: claims, localAddress: stranger })).status).toBe(403);
  });

  test('opens no WebSocket to others', async () => {
    const { nginx } = system;
    const webSocket = new WebSocket(`wss://127.0.0.1:${nginx.place.httpsPort}/stream/ws`, {
      ...{ localAddress: stranger, servername: nginx.host, rejectUnauthorized: false },
      headers: { host: nginx.host },
    });
    onTestFinished(() => {
      webSocket.terminate();
    });
    const status = await new Promise((resolve) => {
      webSocket.on('error', () => undefined);
      webSocket.on('unexpected-response', (_request, response) => {
        resolve(response.statusCode);
      });
    });
    expect(status).toBe(403);
  });

  test('sends no copy of what it refuses', async () => {
    const { nginx, apis } = system;
    const copied = (): number => apis.next?.requests.filter(({ url }) => url === '/forwarded/copied').length ?? 0;
    await nginx.get({ path: '/forwarded/copied', localAddress: stranger });
    await nginx.get({ path: '/forwarded/copied', localAddress: friend });
    await until(() => copied() > 0, 'the copy');
    expect(copied()).toBe(1);
  });

  test('judges the client that a trusted proxy names, and nobody else', async () => {
    const via = async (localAddress: string, client: string): Promise<number> =>
      (await system.nginx.get({ path: '/fixed', localAddress, headers: { 'x-forwarded-for': client } })).status;
    expect(await via('127.0.9.1', friend)).toBe(200);
    expect(await via('127.0.9.1', '198.18.249.255')).toBe(200);
    expect(await via('127.0.9.1', '198.18.250.0')).toBe(403);
    expect(await via('127.0.9.1', '2001:db8::1')).toBe(200);
    expect(await via('127.0.9.1', '2001:db9::1')).toBe(403);
    expect(await via('127.0.9.1', `${friend}, ${stranger}`)).toBe(403);
    expect(await via(friend, stranger)).toBe(200);
  });

  test('has its own list, and what no route closes is open', async () => {
    const status = async (path: string, localAddress: string): Promise<number> =>
      (await system.nginx.get({ path, localAddress })).status;
    expect(await status('/others', stranger)).toBe(200);
    expect(await status('/others', friend)).toBe(403);
    expect(await status('/', stranger)).toBe(200);
    expect(await status('/chosen', stranger)).toBe(200);
    const { probePort: port } = system.nginx.place;
    expect((await system.nginx.get({ port, path: '/healthz', localAddress: stranger })).status).toBe(200);
  });
});
