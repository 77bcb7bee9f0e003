import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import { Auth } from '../../../model/auth/auth';
import { Match } from '../../../model/routes/matching';
import { RateLimit } from '../../../model/routes/rate-limit';
import { onFileFinished, onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { AuthDirectory, authParts, basic, passwordLine } from '../support/auth-files';
import { RouteParts } from '../support/models';
import { echo, echoed, getByHttp2, SeveralBackends, startWithBackends } from '../support/several-backends';
import { StubApi } from '../support/stub-api';

const realm = 'Orders "of \\ $host"';
const admins = authParts(Auth.basic({ secret: 'admins', realm }));
const routes: readonly RouteParts[] = [
  {},
  { path: '/admin', ...admins },
  { path: '/once', retries: false, ...admins },
  { path: '/passed', ...authParts(Auth.basic({ secret: 'admins', passAuthorization: true })) },
  { path: '/gone', target: 'gone', ...admins },
  { path: '/chosen' },
  { path: '/chosen', when: Match.header('X-Canary', 'yes'), ...admins },
  { path: '/events', streamTimeout: 60, ...admins },
  { path: '/copied', mirror: { backend: 'next', percent: 100, timeout: 2 }, ...admins },
  { path: '/limited', rateLimits: [RateLimit.perClient('1/m', { burst: 1 })], ...admins },
  { path: '/missing', ...authParts(Auth.basic({ secret: 'missing' })) },
  {
    path: '/docs',
    target: { kind: 'files', source: 'docs', singlePage: false, immutable: undefined },
    ...authParts(Auth.basic({ secret: 'admins' })),
  },
];

const files = new AuthDirectory();
const ada = basic('ada', 'correct horse');
let system: SeveralBackends;
const webSockets = new WebSocketServer({ noServer: true });

beforeAll(async () => {
  files.write('secrets/admins/auth', passwordLine('ada', 'correct horse'));
  const docs = mkdtempSync(join(tmpdir(), 'fairlead-docs-'));
  onFileFinished(() => {
    rmSync(docs, { recursive: true });
  });
  writeFileSync(join(docs, 'app.3f2a9c1b.js'), 'secret');
  writeFileSync(join(docs, '404.html'), 'secret');
  mkdirSync(join(docs, 'below'));
  writeFileSync(join(docs, 'below', 'index.html'), 'secret');
  const fallback = await StubApi.start('fallback', echo('fallback'));
  const { address, port } = fallback.instance;
  system = await startWithBackends(
    {
      unlimitedClients: ['127.0.0.1/32'],
      backends: [{ name: 'api' }, { name: 'next' }, { name: 'gone', fallback: `${address}:${port}` }],
      routes,
    },
    { authDirectory: files.path, filesDirectories: { docs } },
  );
  await system.apis.gone?.stop();
  onFileFinished(() => {
    for (const webSocket of webSockets.clients) webSocket.terminate();
  });
  system.apis.api?.on('upgrade', (incoming, socket) => {
    webSockets.handleUpgrade(incoming, socket, Buffer.alloc(0), () => undefined);
  });
});

const seen = (): number => Object.values(system.apis).reduce((all, { requests }) => all + requests.length, 0);

describe('A password', () => {
  test.each([
    ['nobody', {}],
    ['another password', basic('ada', 'wrong')],
    ['an unknown name', basic('eve', 'correct horse')],
    ['another scheme', { authorization: 'Bearer correct horse' }],
  ])('is asked for: %s', async (_who, headers) => {
    const before = seen();
    const { nginx } = system;
    const refused = await nginx.get({
      ...{ path: '/admin/a', method: 'POST', body: 'x'.repeat(100_000) },
      headers: { 'x-request-id': 'refused', ...headers },
    });
    expect(refused.status).toBe(401);
    expect(refused.headers).toMatchObject({
      'content-type': 'application/json',
      'www-authenticate': 'Basic realm="Orders \\"of \\\\ $host\\""',
    });
    expect(JSON.parse(refused.body)).toEqual({ error: 'Unauthorized', requestId: 'refused' });
    expect(seen()).toBe(before);
  });

  test('lets in who knows it, and is kept from the backend unless it is to have it', async () => {
    const { nginx } = system;
    expect(echoed(await nginx.get({ path: '/admin', headers: ada })).headers).not.toHaveProperty('authorization');
    expect(echoed(await nginx.get({ path: '/passed', headers: ada })).headers).toMatchObject(ada);
    expect(echoed(await nginx.get({ path: '/', headers: ada })).headers).toMatchObject(ada);
  });

  test('opens no path that climbs, which the backend may read as that of a route with other rules', async () => {
    const before = seen();
    expect((await system.nginx.get({ path: '/admin/../admin', headers: ada })).status).toBe(400);
    expect(seen()).toBe(before);
  });

  test.each(['/admin', '/once', '/gone', '/events', '/copied', '/./admin', '//admin', '/%61dmin'])(
    'is asked for on every way: %s',
    async (path) => {
      const { nginx } = system;
      const before = seen();
      for (const method of ['GET', 'POST', 'OPTIONS', 'DELETE']) {
        expect((await nginx.get({ path, method })).status).toBe(401);
      }
      expect((await getByHttp2(nginx, { ':path': path })).status).toBe(401);
      expect(seen()).toBe(before);
      const copies = (): number => system.apis.next?.requests.length ?? 0;
      const copied = copies();
      expect((await nginx.get({ path, headers: ada })).status).toBe(200);
      // It may come later than the answer, and so in the next test.
      if (path === '/copied') await until(() => copies() > copied);
    },
  );

  test('is asked for where a condition has chosen the route, and there alone', async () => {
    const { nginx } = system;
    const headers = { 'x-canary': 'yes' };
    expect((await nginx.get({ path: '/chosen', headers })).status).toBe(401);
    expect((await nginx.get({ path: '/chosen', headers: { ...headers, ...ada } })).status).toBe(200);
    expect((await nginx.get({ path: '/chosen' })).status).toBe(200);
  });

  test('is enough for a request that is tried again, and for one that the fallback answers', async () => {
    const answer = await system.nginx.get({ path: '/gone', headers: ada });
    expect(answer.headers['x-instance']).toBe('fallback');
    expect(echoed(answer).headers).not.toHaveProperty('authorization');
  });

  test('is asked for before a copy is sent', async () => {
    const next = system.apis.next?.requests ?? [];
    const before = next.length;
    await system.nginx.get({ path: '/copied/refused' });
    await system.nginx.get({ path: '/copied/allowed', headers: ada });
    await until(() => next.length > before, 'the copy');
    expect(next.slice(before).map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/copied/allowed', undefined],
    ]);
  });

  test('is asked for by a WebSocket', async () => {
    const { nginx } = system;
    const opened = (headers: object): Promise<number> =>
      new Promise((resolve) => {
        const webSocket = new WebSocket(`wss://127.0.0.1:${nginx.place.httpsPort}/events/ws`, {
          ...{ servername: nginx.host, rejectUnauthorized: false, headers: { host: nginx.host, ...headers } },
        });
        onTestFinished(() => {
          webSocket.terminate();
        });
        webSocket.on('error', () => undefined);
        webSocket.on('open', () => {
          resolve(101);
        });
        webSocket.on('unexpected-response', (_request, response) => {
          resolve(response.statusCode ?? 0);
        });
      });
    expect([await opened({}), await opened(ada)]).toEqual([401, 101]);
  });

  test('is asked for before any file is, and what it is for is kept by no shared cache', async () => {
    const { nginx } = system;
    for (const path of ['/docs', '/docs/', '/docs/app.3f2a9c1b.js', '/docs/below', '/docs/none.js']) {
      const { status, body, headers } = await nginx.get({ path });
      expect([path, status, headers['www-authenticate']]).toEqual([path, 401, 'Basic realm="Restricted"']);
      expect(body).not.toContain('secret');
    }
    const { status, headers, body } = await nginx.get({ path: '/docs/app.3f2a9c1b.js', headers: ada });
    expect([status, body, headers['cache-control']]).toEqual([200, 'secret', 'private, max-age=31536000, immutable']);
    expect((await nginx.get({ path: '/docs/none.js', headers: ada })).body).toBe('secret');
    expect((await nginx.get({ path: '/docs/below', headers: ada })).status).toBe(308);
  });

  test('is guessed no faster than the limit of the route allows', async () => {
    const get = async (password: string): Promise<number> =>
      (await system.nginx.get({ localAddress: '127.0.1.1', path: '/limited', headers: basic('ada', password) })).status;
    expect([await get('a'), await get('b'), await get('correct horse')]).toEqual([401, 401, 429]);
  });
});

describe('A Secret', () => {
  test('that is not there shuts its own route, and no other; once it comes, and each time it changes, it holds', async () => {
    const { nginx } = system;
    const status = async (headers: { readonly authorization?: string } = {}): Promise<number> =>
      (await nginx.get({ path: '/missing', headers })).status;
    const before = seen();
    const refused = await nginx.get({ path: '/missing', headers: ada });
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([500, { error: 'Internal Server Error' }]);
    expect(await status()).toBe(500);
    expect(seen()).toBe(before);
    expect((await nginx.get({ path: '/admin', headers: ada })).status).toBe(200);
    files.write('secrets/missing/auth', passwordLine('ada', 'first'));
    expect([await status(basic('ada', 'first')), await status(ada), await status()]).toEqual([200, 401, 401]);
    files.write('secrets/missing/auth', passwordLine('ada', 'second'));
    expect([await status(basic('ada', 'second')), await status(basic('ada', 'first'))]).toEqual([200, 401]);
    files.write('secrets/missing/auth', '');
    expect([await status(basic('ada', 'second')), await status()]).toEqual([401, 401]);
    files.remove('secrets/missing');
    expect([await status(basic('ada', 'second')), await status()]).toEqual([500, 500]);
  });
});
