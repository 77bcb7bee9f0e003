import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { RequestKey } from '../../../model/load-balancing';
import { Match } from '../../../model/routes/matching';
import { RateLimit } from '../../../model/routes/rate-limit';
import { CacheModel } from '../../../model/routes/response-cache';
import { until } from '../../until';
import { RouteParts } from '../support/models';
import { Answer, RealNginx } from '../support/real-nginx';
import { getByHttp2, SeveralBackends, startWithBackends } from '../support/several-backends';
import { StubApi } from '../support/stub-api';

/** URLs that backends were asked for, each with the backend. */
const asked: string[] = [];
/** What a path is answered with beside its text. */
const headers: Record<string, Record<string, string>> = {
  '/said/private': { 'Cache-Control': 'private, max-age=60' },
  '/said/no-store': { 'Cache-Control': 'no-store' },
  '/said/cookie': { 'Cache-Control': 'max-age=60', 'Set-Cookie': 'session=1' },
  '/said/kept': { 'Cache-Control': 'max-age=60' },
  '/said/must': { 'Cache-Control': 'max-age=60, must-revalidate' },
  '/said/expires': { Expires: 'Fri, 31 Dec 2100 23:59:59 GMT' },
  '/all/private': { 'Cache-Control': 'private' },
  '/all/no-store': { 'Cache-Control': 'no-store' },
  '/all/cookie': { 'Set-Cookie': 'session=1' },
  '/all/language': { Vary: 'Accept-Language' },
  '/all/any': { Vary: '*' },
  '/all/dated': { Date: 'Sat, 01 Jan 2022 00:00:00 GMT' },
  '/all/tagged': { ETag: '"1"', 'Accept-Ranges': 'bytes' },
  '/short/tagged': { ETag: '"1"' },
  '/never-stale/must': { 'Cache-Control': 'max-age=60, must-revalidate' },
};
/** Requests that wait for their answer. */
const held: ServerResponse[] = [];
let holding = false;
let failing = false;
let count = 0;

function answer(backend: string, { url = '', method, headers: sent }: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(url, 'http://api');
  response.setHeaders(new Map(Object.entries(headers[pathname] ?? {})));
  response.statusCode = Number(searchParams.get('status') ?? (failing && pathname.startsWith('/failing') ? 503 : 200));
  if (sent['if-none-match'] === '"1"') {
    response.statusCode = 304;
    response.end();
    return;
  }
  count += 1;
  const text = `${backend} ${count} ${'x'.repeat(Number(searchParams.get('length') ?? 0))}`;
  response.setHeader('Content-Type', 'text/plain');
  if (searchParams.has('chunked')) response.write(text.slice(0, 3));
  else response.setHeader('Content-Length', text.length);
  response.end(method === 'HEAD' ? '' : searchParams.has('chunked') ? text.slice(3) : text);
}

function counting(backend: string): RequestListener {
  return (request, response) => {
    request.resume();
    request.on('end', () => {
      const { url = '' } = request;
      asked.push(`${backend} ${String(request.method)} ${url}`);
      if (url.startsWith('/many'))
        setTimeout(() => {
          answer(backend, request, response);
        }, 300);
      else if (holding && url.startsWith('/held')) held.push(response);
      else answer(backend, request, response);
    });
  };
}

const cacheWith = (parts: Partial<CacheModel> = {}): CacheModel => ({
  ...{ size: 2 ** 20, maxAnswerSize: 2 ** 16, valid: 60, staleFor: 600, backgroundUpdate: false, key: [] },
  ...parts,
});
const shared = cacheWith();
const short = cacheWith({ valid: 1 });
const shares = ['api', 'other'].map((backend) => ({ backend, weight: 50 }));
const routes: readonly RouteParts[] = [
  { path: '/all', cache: shared },
  { path: '/rewritten', rewrite: '/all', cache: shared },
  { path: '/said', cache: cacheWith({ valid: undefined, staleFor: 0 }) },
  { path: '/many', cache: shared },
  { path: '/chosen', when: Match.header('X-Canary', 'yes'), target: 'other', cache: shared },
  { path: '/chosen', cache: shared },
  { path: '/split', target: { kind: 'split', shares, stickyBy: RequestKey.header('X-Turn') }, cache: shared },
  {
    path: '/tenant',
    cache: cacheWith({
      key: [
        { kind: 'header', name: 'X-Tenant' },
        { kind: 'header', name: 'X-Zone' },
      ],
    }),
  },
  { path: '/own', cache: cacheWith({ key: [{ kind: 'header', name: 'authorization' }] }) },
  { path: '/currency', cache: cacheWith({ key: [{ kind: 'cookie', name: 'currency' }] }) },
  {
    path: '/unseen',
    requestHeaders: [
      ['Cookie', false],
      ['authorization', 'Basic YTpi'],
    ],
    cache: cacheWith(),
  },
  { path: '/limited', rateLimits: [RateLimit.perClient('1/m', { burst: 1 })], cache: shared },
  { path: '/uncached' },
  { path: '/short', cache: short },
  { path: '/held', cache: short },
  { path: '/failing', cache: short },
  { path: '/background', cache: cacheWith({ valid: 1, backgroundUpdate: true }) },
  { path: '/away', target: 'away', cache: short },
  { path: '/away/bounded', target: 'away', cache: cacheWith({ valid: 1, staleFor: 1 }) },
  { path: '/away/never', target: 'away', cache: cacheWith({ valid: 1, staleFor: 0 }) },
  { path: '/away/once', target: 'away', cache: short, retries: false },
  { path: '/fallback', target: 'fallback', cache: short },
  { path: '/never-stale', cache: cacheWith() },
];

let system: SeveralBackends;
let nginx: RealNginx;
let filled: number;
/** What was answered when everything was fresh. */
const before = new Map<string, string>();
const expiring = [
  ...['/short/a', '/short/tagged', '/held/a', '/failing/a', '/background/a', '/fallback/a'],
  ...['/away/a', '/away/bounded/a', '/away/never/a', '/away/once/a'],
];

beforeAll(async () => {
  const fallback = await StubApi.start('behind', counting('behind'));
  const { address, port } = fallback.instance;
  system = await startWithBackends(
    {
      unlimitedClients: [],
      names: ['localhost', 'www.test'],
      backends: [
        { name: 'api' },
        { name: 'other' },
        { name: 'away' },
        { name: 'fallback', fallback: `${address}:${port}` },
      ],
      routes,
    },
    {},
    counting,
    { change: (conf) => conf.replace('stale_answers.forget interval=250ms', 'stale_answers.forget interval=2ms') },
  );
  nginx = system.nginx;
  for (const path of expiring) before.set(path, (await nginx.get({ path })).body);
  filled = Date.now();
  await Promise.all([system.apis.away?.stop(), system.apis.fallback?.stop()]);
});

/** So long that nothing of `expiring` is fresh: nginx counts whole seconds. */
async function expired(): Promise<void> {
  await until(() => Date.now() > filled + 2_200, 'the end of what is fresh');
}

const get = (path: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  nginx.get({ path, headers: more });
const statusOf = ({ headers: { 'cache-status': status } }: Answer): unknown => status;
/** How often a backend was asked for what begins so. */
const times = (start: string): number => asked.filter((line) => line.split(' ')[2]?.startsWith(start)).length;

/** What became of two requests, one after the other. */
async function twice(path: string, more: Readonly<Record<string, string>> = {}): Promise<unknown[]> {
  return [statusOf(await get(path, more)), statusOf(await get(path, more))];
}

const rangeOf = ({ headers: { range } }: IncomingMessage): unknown => range;

const kept = ['nginx; fwd=miss', 'nginx; hit'];
const notKept = ['nginx; fwd=miss', 'nginx; fwd=miss'];
const passedBy = ['nginx; fwd=bypass', 'nginx; fwd=bypass'];

describe('What is kept', () => {
  test('an answer is given again without the API, by its whole URL', async () => {
    const [first, second] = [await get('/all/a?b=1'), await get('/all/a?b=1')];
    expect(second.body).toBe(first.body);
    expect([first, second].map(statusOf)).toEqual(kept);
    expect(statusOf(await get('/all/a?b=2'))).toBe('nginx; fwd=miss');
    expect(times('/all/a')).toBe(2);
    expect(second.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-instance': 'api' });
    expect(second.headers['x-request-id']).not.toBe(first.headers['x-request-id']);
  });

  test('HEAD and GET share an answer, and another method has none', async () => {
    expect(statusOf(await nginx.get({ path: '/all/head', method: 'HEAD' }))).toBe('nginx; fwd=miss');
    expect(statusOf(await get('/all/head'))).toBe('nginx; hit');
    expect(statusOf(await nginx.get({ path: '/all/head', method: 'POST', body: 'x' }))).toBe('nginx; fwd=method');
    expect(asked.filter((line) => line.includes('/all/head'))).toEqual(['api GET /all/head', 'api POST /all/head']);
  });

  test.each([
    ['/all/private', notKept],
    ['/all/no-store', notKept],
    ['/all/cookie', notKept],
    ['/all/any', notKept],
    ['/all/large?length=70000', notKept],
    ['/all/chunked?chunked', notKept],
    ['/all/missing?status=404', notKept],
    ['/all/broken?status=500', notKept],
    ['/all/moved?status=301', kept],
    ['/said/nothing', notKept],
    ['/said/private', notKept],
    ['/said/no-store', notKept],
    ['/said/cookie', notKept],
    ['/said/kept', kept],
    ['/said/kept?status=404', kept],
    ['/said/expires', kept],
    ['/said/must', kept],
    ['/never-stale/must', notKept],
    ['/never-stale/a', kept],
  ])('the API says what is: %s', async (path, expected) => {
    expect(await twice(path)).toEqual(expected);
  });

  test('what the API varies by is kept apart', async () => {
    expect(await twice('/all/language', { 'accept-language': 'de' })).toEqual(kept);
    expect(await twice('/all/language', { 'accept-language': 'fr' })).toEqual(kept);
    expect(statusOf(await get('/all/language', { 'accept-language': 'de' }))).toBe('nginx; hit');
  });

  test('who keeps it too is told when the API made it', async () => {
    await get('/all/dated');
    expect((await get('/all/dated')).headers.date).toBe('Sat, 01 Jan 2022 00:00:00 GMT');
  });

  test('a part, a 304 and a compressed form are made of it', async () => {
    const whole = await get('/all/tagged?length=2000');
    const path = '/all/tagged?length=2000';
    expect(await get(path, { range: 'bytes=0-2' })).toMatchObject({ status: 206, body: whole.body.slice(0, 3) });
    expect(await get(path, { 'if-none-match': '"1"' })).toMatchObject({ status: 304, body: '' });
    const { compressed, encoding } = await getCompressed(path);
    expect(encoding).toBe('gzip');
    expect(gunzipSync(compressed).toString()).toBe(whole.body);
    expect(times('/all/tagged')).toBe(1);
  });

  test('a part of what is not there is asked for as a part, and not kept', async () => {
    const part = { range: 'bytes=0-2' };
    expect(await twice('/all/parts?length=2000', part)).toEqual(notKept);
    expect(system.apis.api?.requests.filter(({ url }) => url?.startsWith('/all/parts')).map(rangeOf)).toEqual([
      'bytes=0-2',
      'bytes=0-2',
    ]);
    expect(await twice('/all/parts?length=2000')).toEqual(kept);
    expect(statusOf(await get('/all/parts?length=2000', part))).toBe('nginx; hit');
  });

  test('one request fetches what a hundred ask for at once', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => get('/many/a')));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`)).size).toBe(1);
    expect(times('/many/a')).toBe(1);
  });

  test('a line of the access log says what became of the request', async () => {
    await twice('/all/logged');
    const found = await until(async () => {
      const lines = (await nginx.accessLog(2)).filter(({ path }) => path === '/all/logged');
      return lines.length === 2 ? lines : undefined;
    }, 'two lines');
    // Each worker writes its own lines when it likes.
    expect(found.map(({ cache, upstream_status: status }) => [cache, status]).sort()).toEqual([
      ['HIT', ''],
      ['MISS', '200'],
    ]);
  });

  test('a request counts in the limit of its route, answered by the API or not', async () => {
    const statuses = [];
    for (let turn = 0; turn < 3; turn += 1) statuses.push((await get('/limited/a')).status);
    expect(statuses).toEqual([200, 200, 429]);
  });
});

/** An answer in bytes. */
async function getCompressed(path: string): Promise<{ readonly compressed: Buffer; readonly encoding: unknown }> {
  const { request } = await import('node:https');
  return new Promise((resolve, reject) => {
    request(
      {
        ...{ host: '127.0.0.1', port: nginx.place.httpsPort, servername: 'localhost', rejectUnauthorized: false },
        ...{ path, agent: false, headers: { host: 'localhost', 'accept-encoding': 'gzip' } },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          resolve({ compressed: Buffer.concat(chunks), encoding: response.headers['content-encoding'] });
        });
      },
    )
      .on('error', reject)
      .end();
  });
}

describe('Whose answers are not mixed', () => {
  test.each([
    ['credentials', { authorization: 'Bearer a' }],
    ['cookies', { cookie: 'session=1' }],
  ])('a request with %s passes the cache by, and leaves nothing in it', async (what, sent) => {
    const path = `/all/with-${what}`;
    expect(await twice(path, sent)).toEqual(passedBy);
    expect(await twice(path)).toEqual(kept);
    expect(await twice(path, sent)).toEqual(passedBy);
    expect(times(path)).toBe(5);
  });

  test('a request with a body passes it by, over HTTP/2 without a length too', async () => {
    const path = '/all/with-body';
    const { headers: one } = await nginx.get({ path, method: 'GET', headers: { 'content-length': '1' }, body: 'x' });
    expect(one['cache-status']).toBe('nginx; fwd=bypass');
    const { headers: two } = await getByHttp2(nginx, { ':path': path, ':method': 'GET' }, 'x');
    expect(two['cache-status']).toBe('nginx; fwd=bypass');
    expect(await twice(path)).toEqual(kept);
  });

  test('a credential in the key, or one that the API does not see, is no reason to pass by', async () => {
    expect(await twice('/own/a', { authorization: 'Bearer a' })).toEqual(kept);
    expect(await twice('/own/a', { authorization: 'Bearer b' })).toEqual(kept);
    expect(await twice('/own/a', { authorization: 'Bearer b', cookie: 'a=b' })).toEqual(passedBy);
    expect(await twice('/currency/a', { cookie: 'currency=EUR; session=1' })).toEqual(kept);
    expect(statusOf(await get('/currency/a', { cookie: 'session=2; currency=EUR' }))).toBe('nginx; hit');
    expect(await twice('/currency/a', { cookie: 'currency=USD' })).toEqual(kept);
    expect(await twice('/currency/a', { cookie: 'currency=EUR', authorization: 'Bearer a' })).toEqual(passedBy);
    expect(await twice('/unseen/a', { cookie: 'session=1', authorization: 'Bearer a' })).toEqual(kept);
    expect(statusOf(await get('/unseen/a'))).toBe('nginx; hit');
  });

  test('a cookie is that of its name to the letter, as the API finds it', async () => {
    const cookie = 'CURRENCY=EUR; currency=USD';
    expect(await twice('/currency/letters', { cookie })).toEqual(kept);
    expect(statusOf(await get('/currency/letters', { cookie: 'a=b;\tcurrency = USD' }))).toBe('nginx; hit');
    expect(await twice('/currency/letters', { cookie: 'currency=EUR' })).toEqual(kept);
  });

  test('several keys are told apart by their parts', async () => {
    expect(await twice('/tenant/a', { 'x-tenant': 'a b', 'x-zone': 'c' })).toEqual(kept);
    expect(await twice('/tenant/a', { 'x-tenant': 'a', 'x-zone': 'b c' })).toEqual(kept);
    expect(await twice('/tenant/a', { 'x-tenant': 'a b c' })).toEqual(kept);
    expect(await twice('/tenant/a')).toEqual(kept);
  });

  test('hosts have answers of their own, and routes of one path too', async () => {
    expect(await twice('/all/of-host')).toEqual(kept);
    expect(await twice('/all/of-host', { host: 'www.test' })).toEqual(kept);
    expect(await twice('/chosen/a')).toEqual(kept);
    expect(await twice('/chosen/a', { 'x-canary': 'yes' })).toEqual(kept);
    const canary = await get('/chosen/a', { 'x-canary': 'yes' });
    expect([(await get('/chosen/a')).headers['x-instance'], canary.headers['x-instance']]).toEqual(['api', 'other']);
  });

  test('versions that share a route have answers of their own', async () => {
    const seen = new Map<unknown, Set<unknown>>();
    for (let turn = 0; turn < 40; turn += 1) {
      const { body, headers: got } = await get('/split/a', { 'x-turn': String(turn) });
      const bodies = seen.get(got['x-instance']) ?? new Set();
      seen.set(got['x-instance'], bodies.add(body));
      expect(body.split(' ')[0]).toBe(got['x-instance']);
    }
    expect([...seen.keys()].sort()).toEqual(['api', 'other']);
    expect([...seen.values()].map(({ size }) => size)).toEqual([1, 1]);
  });

  test('a rewritten path is asked for as it is rewritten, and kept as it was asked for', async () => {
    expect(await twice('/rewritten/z')).toEqual(kept);
    expect(asked.filter((line) => line.endsWith('/z'))).toEqual(['api GET /all/z']);
    expect(await twice('/all/z')).toEqual(kept);
  });
});

describe('When an answer is no longer fresh', () => {
  test('the API is asked anew, by its tag where it has one', async () => {
    await expired();
    const fresh = await get('/short/a');
    expect(statusOf(fresh)).toBe('nginx; fwd=stale');
    expect(fresh.body).not.toBe(before.get('/short/a'));
    const tagged = await get('/short/tagged');
    expect(statusOf(tagged)).toBe('nginx; fwd=stale; fwd-status=304');
    expect(tagged).toMatchObject({ status: 200, body: before.get('/short/tagged') });
  });

  test('whoever asks while it is fetched does not wait', async () => {
    await expired();
    holding = true;
    const first = get('/held/a');
    const [response] = await until(() => (held.length > 0 ? held : undefined), 'the request of the first');
    const second = await get('/held/a');
    expect(statusOf(second)).toBe('nginx; hit; detail=updating');
    expect(second.body).toBe(before.get('/held/a'));
    holding = false;
    response?.setHeader('Content-Length', 3).end('new');
    expect((await first).body).toBe('new');
    expect((await get('/held/a')).body).toBe('new');
  });

  test('it is given when the API answers 503, and no longer when that is over', async () => {
    await expired();
    failing = true;
    const old = await get('/failing/a');
    expect(old).toMatchObject({ status: 200, body: before.get('/failing/a') });
    expect(statusOf(old)).toBe('nginx; fwd=stale; detail=stale');
    expect((await get('/failing/unknown')).status).toBe(503);
    failing = false;
    expect((await get('/failing/a')).body).not.toBe(before.get('/failing/a'));
  });

  test.each(['/away/a', '/away/once/a'])('it is given when the API is away: %s', async (path) => {
    await expired();
    const old = await get(path);
    expect(old).toMatchObject({ status: 200, body: before.get(path) });
    expect(statusOf(old)).toBe('nginx; fwd=stale; detail=stale');
    expect((await get(`${path}unknown`)).status).toBe(503);
  });

  test('it is not given where nothing old may be, nor after its time', async () => {
    await expired();
    expect((await get('/away/never/a')).status).toBe(503);
    await until(async () => (await get('/away/bounded/a')).status === 503, 'the end of its time');
    expect((await get('/away/a')).status).toBe(200);
    expect(nginx.errors).not.toContain('cache: ');
  });

  test('what nginx left behind when it was killed goes too, and nothing that it may still write to or that is not its own', async () => {
    await until(() => existsSync(join(nginx.directory, 'cache_of_away_bounded')), 'the cache');
    const directory = join(nginx.directory, 'cache_of_away_bounded', 'ff');
    mkdirSync(directory, { recursive: true });
    const old = new Date(Date.now() - 2 * 86_400_000);
    const put = (name: string, modified: Date): string => {
      const file = join(directory, name);
      writeFileSync(file, Buffer.alloc(16));
      utimesSync(file, modified, modified);
      return file;
    };
    const hash = 'f'.repeat(32);
    const gone = put(`${hash}.0000000001`, old);
    const stay = [put(`${hash}.0000000002`, new Date()), put('README', old), put(hash, old)];
    await until(() => !existsSync(gone), 'the file of a fetch that was cut');
    // It has no version that the script knows: said once, and left alone.
    await until(() => nginx.errors.includes('cache: a file of another version than 5'), 'what is logged');
    expect(stay.map((file) => existsSync(file))).toEqual([true, true, true]);
    expect(nginx.errors.match(/cache: a file/g)).toHaveLength(1);
  });

  test('the fallback is asked before it is given', async () => {
    await expired();
    const { status, headers: got } = await get('/fallback/a');
    expect([status, got['x-instance']]).toEqual([200, 'behind']);
  });

  test('nobody waits for the new one where it is fetched in the background', async () => {
    await expired();
    const old = await get('/background/a');
    expect(old.body).toBe(before.get('/background/a'));
    await until(async () => (await get('/background/a')).body !== old.body, 'the new answer');
    expect(times('/background/a')).toBe(2);
  });
});
