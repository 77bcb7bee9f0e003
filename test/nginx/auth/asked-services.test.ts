import type { IncomingMessage, ServerResponse } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import { Auth } from '../../../model/auth/auth';
import type { AuthTarget, ExternalAuthOptions } from '../../../model/auth/external';
import { ErrorPages } from '../../../model/routes/error-pages';
import { Match } from '../../../model/routes/matching';
import { onFileFinished, onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { AuthDirectory } from '../support/auth-files';
import { externalTarget, type RouteParts } from '../support/models';
import { echo, echoed, getByHttp2, type SeveralBackends, startWithBackends } from '../support/several-backends';
import { StubApi } from '../support/stub-api';

/** As a route has it that is bound to who is asked. */
function asking(target: AuthTarget, options: ExternalAuthOptions = {}): Pick<RouteParts, 'auth' | 'requestHeaders'> {
  const { asked } = Auth.external({ bindAuth: () => target }, options);
  if (asked === undefined) throw new Error('nobody is asked');
  return { auth: { ...asked, target }, requestHeaders: asked.requestHeaders };
}

const path = "/verify$(it);'now";
const sessions = asking({ kind: 'backend', backend: 'sessions' }, { path, responseHeaders: ['X-User'], timeout: '1s' });
const signIn = { url: 'https://id.example.com/login?app=$shop', returnTo: 'back' };
const signedIn = asking({ kind: 'backend', backend: 'sessions' }, { path, responseHeaders: ['X-User'], signIn });
const files = new AuthDirectory();
let system: SeveralBackends;
let hangs = false;
const webSockets = new WebSocketServer({ noServer: true });

/** Lets in who has a session. */
function sessionsListener(request: IncomingMessage, response: ServerResponse): void {
  if (hangs) return;
  const [, user] = /session=(\w+)/.exec(request.headers.cookie ?? '') ?? [];
  if (user === 'broken') {
    response.writeHead(502).end();
  } else if (user === 'moved') {
    response.writeHead(302, { Location: '/login' }).end();
  } else if (user === 'banned') {
    response.writeHead(403, { 'X-User': 'banned' }).end('banned');
  } else if (user === undefined) {
    response.writeHead(401, { 'WWW-Authenticate': 'Session realm="shop"' }).end('who?');
  } else {
    response.writeHead(user === 'empty' ? 204 : 200, user === 'empty' ? {} : { 'X-User': user }).end();
  }
}

beforeAll(async () => {
  files.write('docs/index.html', 'secret');
  const fallback = await StubApi.start('fallback', echo('fallback'));
  const outside = await StubApi.start('outside', sessionsListener);
  const { address, port } = fallback.instance;
  const routes: readonly RouteParts[] = [
    {},
    { path: '/orders', ...sessions },
    { path: '/again', target: 'gone', ...sessions },
    { path: '/once', retries: false, ...sessions },
    { path: '/chosen' },
    { path: '/chosen', when: Match.header('X-Canary', 'yes'), ...sessions },
    { path: '/events', streamTimeout: 60, ...sessions },
    { path: '/copied', mirror: { backend: 'next', percent: 100, timeout: 2 }, ...sessions },
    { path: '/docs', target: { kind: 'files', source: 'docs', singlePage: false, immutable: undefined }, ...sessions },
    { path: '/away', ...asking({ kind: 'backend', backend: 'gone' }) },
    { path: '/outside', ...asking(outsideTarget(outside.instance.port), { forwardHeaders: ['X-Key', 'Cookie'] }) },
    { path: '/nowhere', ...asking({ kind: 'nowhere' }) },
    { path: '/signed', ...signedIn },
    {
      path: '/here',
      ...asking({ kind: 'backend', backend: 'sessions' }, { path, signIn: { url: '/login' } }),
      errorPages: ErrorPages.html({ 401: '<h1>Who?</h1>' }),
    },
    { path: '/page', target: { kind: 'files', source: 'docs', singlePage: false, immutable: undefined }, ...signedIn },
  ];
  system = await startWithBackends(
    {
      backends: [
        { name: 'api' },
        { name: 'next' },
        { name: 'sessions' },
        { name: 'gone', fallback: `${address}:${port}` },
      ],
      routes,
    },
    { filesDirectories: { docs: `${files.path}/docs` } },
    (name) => (name === 'sessions' ? sessionsListener : echo(name)),
  );
  await system.apis.gone?.stop();
  onFileFinished(() => {
    for (const webSocket of webSockets.clients) webSocket.terminate();
  });
  system.apis.api?.on('upgrade', (incoming, socket) => {
    webSockets.handleUpgrade(incoming, socket, Buffer.alloc(0), () => undefined);
  });
});

function outsideTarget(port: number): AuthTarget {
  const target = externalTarget(`http://127.0.0.1:${port}/auth`);
  return target;
}

const asked = (): IncomingMessage[] => system.apis.sessions?.requests ?? [];
const seen = (): number =>
  ['api', 'next', 'gone'].reduce((all, name) => all + (system.apis[name]?.requests.length ?? 0), 0);
const as = (user: string) => ({ cookie: `session=${user}` });

describe('A service that is asked', () => {
  test('is told who asks for what, gets what it is to get, and no body', async () => {
    const { nginx } = system;
    const before = asked().length;
    const answer = await nginx.get({
      ...{ path: '/orders/a%2Fb?c=d', method: 'POST', body: 'x'.repeat(100_000) },
      headers: {
        ...as('ada'),
        ...{
          authorization: 'Bearer abc',
          'x-user': 'eve',
          'x-secret': 'a',
          'x-forwarded-uri': '/b',
          accept: 'text/html',
        },
      },
    });
    expect(echoed(answer)).toMatchObject({
      bodyLength: 100_000,
      url: '/orders/a%2Fb?c=d',
      headers: { 'x-user': 'ada' },
    });
    expect(asked()).toHaveLength(before + 1);
    const { method, url, headers } = asked()[before] ?? { headers: {} };
    expect([method, url]).toEqual(['GET', path]);
    expect(headers).toMatchObject({
      ...{ ...as('ada'), authorization: 'Bearer abc', host: nginx.host },
      ...{ 'x-forwarded-method': 'POST', 'x-forwarded-uri': '/orders/a%2Fb?c=d', 'x-forwarded-for': '127.0.0.1' },
    });
    for (const name of ['x-user', 'x-secret', 'accept', 'content-length', 'content-type', 'transfer-encoding']) {
      expect(headers).not.toHaveProperty(name);
    }
  });

  test.each<[string, object, number, string | undefined]>([
    ['nobody', {}, 401, 'Session realm="shop"'],
    ['one that it refuses', as('banned'), 403, undefined],
    ['one that it wants elsewhere', as('moved'), 500, undefined],
    ['one that it breaks at', as('broken'), 500, undefined],
  ])('keeps out %s', async (_who, headers, status, challenge) => {
    const before = seen();
    const answer = await system.nginx.get({ path: '/orders', headers: { 'x-request-id': 'refused', ...headers } });
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([status, challenge]);
    expect(JSON.parse(answer.body)).toMatchObject({ requestId: 'refused' });
    expect(answer.headers['content-type']).toBe('application/json');
    expect(seen()).toBe(before);
  });

  test('may say nothing of who it is: no client says it in its place, on any route', async () => {
    const { nginx } = system;
    const spoofed = { 'x-user': 'eve', ...as('empty') };
    for (const path of ['/orders', '/', '/chosen', '/outside']) {
      expect(echoed(await nginx.get({ path, headers: spoofed })).headers).not.toHaveProperty('x-user');
    }
  });

  test.each(['/orders', '/again', '/once', '/events', '/copied', '/docs/', '/docs'])(
    'is asked on every way: %s',
    async (path) => {
      const before = seen();
      // Files have no other method than the first, whoever asks.
      for (const method of path.startsWith('/docs') ? ['GET'] : ['GET', 'POST', 'OPTIONS'])
        expect((await system.nginx.get({ path, method })).status).toBe(401);
      expect((await getByHttp2(system.nginx, { ':path': path })).status).toBe(401);
      expect(seen()).toBe(before);
    },
  );

  test('is asked where a condition has chosen the route, and there alone', async () => {
    const { nginx } = system;
    const canary = { 'x-canary': 'yes' };
    expect((await nginx.get({ path: '/chosen', headers: canary })).status).toBe(401);
    expect(echoed(await nginx.get({ path: '/chosen', headers: { ...canary, ...as('ada') } })).headers['x-user']).toBe(
      'ada',
    );
    expect((await nginx.get({ path: '/chosen' })).status).toBe(200);
  });

  test('is asked once by a request that is tried again, and what it said holds at the fallback', async () => {
    const before = asked().length;
    const answer = await system.nginx.get({
      ...{ path: '/again', method: 'PUT', body: 'x'.repeat(100_000) },
      headers: { ...as('ada'), 'x-user': 'eve' },
    });
    expect(answer.headers['x-instance']).toBe('fallback');
    expect(echoed(answer)).toMatchObject({ bodyLength: 100_000, headers: { 'x-user': 'ada' } });
    expect(asked()).toHaveLength(before + 1);
  });

  test('is asked before a copy is sent, which says the same', async () => {
    const next = system.apis.next?.requests ?? [];
    const before = next.length;
    await system.nginx.get({ path: '/copied/refused' });
    await system.nginx.get({ path: '/copied/allowed', headers: { ...as('ada'), 'x-user': 'eve' } });
    await until(() => next.length > before, 'the copy');
    expect(next.slice(before).map(({ url, headers }) => [url, headers['x-user']])).toEqual([
      ['/copied/allowed', 'ada'],
    ]);
  });

  test('lets a WebSocket in, and a file out', async () => {
    const { nginx } = system;
    const webSocket = new WebSocket(`wss://127.0.0.1:${nginx.place.httpsPort}/events/ws`, {
      ...{ servername: nginx.host, rejectUnauthorized: false, headers: { host: nginx.host, ...as('ada') } },
    });
    onTestFinished(() => {
      webSocket.terminate();
    });
    await new Promise((resolve, reject) => webSocket.on('open', resolve).on('error', reject));
    expect((await nginx.get({ path: '/docs/', headers: as('ada') })).body).toBe('secret');
  });

  test.each(['/signed/a%2Fb?c=d&e=%26', '/signed//evil.example/?back=https://evil.example', '/page/'])(
    'leads a browser to where people sign in, which learns what it asked for: %s',
    async (address) => {
      const { nginx } = system;
      const asPage = { accept: 'application/xhtml+xml, text/html;q=0.9,*/*;q=0.8', 'x-user': 'eve' };
      const before = seen();
      for (const { status, headers } of [
        await nginx.get({ path: address, headers: asPage }),
        await getByHttp2(nginx, { ':path': address, ':authority': nginx.host, ...asPage }),
      ]) {
        const location = String(headers.location);
        expect([status, location]).toEqual([
          302,
          expect.stringMatching(/^https:\/\/id\.example\.com\/login\?app=\$shop&back=/),
        ]);
        expect(location).toMatch(/^[\x21-\x7e]+$/);
        const { searchParams } = new URL(location);
        expect([...searchParams]).toEqual([
          ['app', '$shop'],
          ['back', `https://${nginx.host}:${nginx.place.externalHttpsPort}${address}`],
        ]);
      }
      expect(seen()).toBe(before);
      expect((await nginx.get({ path: address, headers: { ...asPage, ...as('ada') } })).status).toBe(200);
    },
  );

  test('leads a browser to a page of the same host', async () => {
    const { nginx } = system;
    const { status, headers } = await nginx.get({ path: '/here', headers: { accept: 'text/html' } });
    const own = `https://${nginx.host}:${nginx.place.externalHttpsPort}`;
    expect([status, headers.location]).toEqual([302, `${own}/login?rd=${encodeURIComponent(`${own}/here`)}`]);
    const form = await nginx.get({ path: '/here', method: 'POST', headers: { accept: 'text/html' } });
    expect([form.status, form.body]).toEqual([401, '<h1>Who?</h1>']);
  });

  test.each<[string, object]>([
    ['asks for JSON', { headers: { accept: 'application/json' } }],
    ['takes anything', { headers: { accept: '*/*' } }],
    ['says nothing', {}],
    ['does not want a page', { headers: { accept: 'text/html;q=0, application/json' } }],
    ['wants something of a like name', { headers: { accept: 'text/htmlx, x-text/html' } }],
    ['sends a form', { method: 'POST', headers: { accept: 'text/html' }, body: 'a=b' }],
  ])('answers 401 to who %s', async (_what, options) => {
    const answer = await system.nginx.get({ path: '/signed', ...options });
    expect([answer.status, answer.headers.location]).toEqual([401, undefined]);
    expect(answer.headers['www-authenticate']).toBe('Session realm="shop"');
    expect(JSON.parse(answer.body)).toHaveProperty('error', 'Unauthorized');
  });

  test('leads nobody away whom it knows and refuses, nor anybody while it is broken, nor from another route', async () => {
    const accept = 'text/html';
    const status = async (path: string, headers: object): Promise<number> =>
      (await system.nginx.get({ path, headers: { accept, ...headers } })).status;
    expect(await status('/signed', as('banned'))).toBe(403);
    expect(await status('/signed', as('broken'))).toBe(500);
    expect(await status('/signed', as('moved'))).toBe(500);
    expect(await status('/orders', {})).toBe(401);
  });

  test('may be outside of the cluster, below a path', async () => {
    const { nginx } = system;
    expect((await nginx.get({ path: '/outside' })).status).toBe(401);
    expect((await nginx.get({ path: '/outside', headers: as('ada') })).status).toBe(200);
  });

  test.each(['/away', '/nowhere'])('that is away lets nobody in: %s', async (path) => {
    const before = seen();
    const { status, body } = await system.nginx.get({ path, headers: as('ada') });
    expect([status, JSON.parse(body)]).toMatchObject([500, { error: 'Internal Server Error' }]);
    expect(seen()).toBe(before);
    expect((await system.nginx.get({ path: '/orders', headers: as('ada') })).status).toBe(200);
  });

  test('that hangs lets nobody in', async () => {
    hangs = true;
    onTestFinished(() => {
      hangs = false;
    });
    const before = seen();
    expect((await system.nginx.get({ path: '/orders', headers: as('ada') })).status).toBe(500);
    expect(seen()).toBe(before);
  });

  test('is reached by no client through the path that nginx asks by', async () => {
    for (const path of ['/.asks-again', '/%2easks-again']) {
      const before = asked().length;
      expect((await system.nginx.get({ path, headers: as('ada') })).status).toBe(404);
      expect(asked()).toHaveLength(before);
    }
  });
});
