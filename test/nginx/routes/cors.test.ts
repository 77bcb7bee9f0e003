import { OutgoingHttpHeaders } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cors } from '../../../model/routes/cors';
import { ErrorPages } from '../../../model/routes/error-pages';
import { Match } from '../../../model/routes/matching';
import { RateLimit } from '../../../model/routes/rate-limit';
import { onFileFinished } from '../../afterwards';
import { Answer } from '../support/real-nginx';
import { getByHttp2, SeveralBackends, startWithBackends } from '../support/several-backends';

const page = 'https://app.example.com';
const cors = Cors.allow([page, 'https://*.trusted.example:8443', 'http://[::1]:3000'], {
  credentials: true,
  methods: ['GET', 'PUT'],
  headers: ['X-Team'],
  exposeHeaders: ['ETag', 'X-Total'],
  maxAge: '1h',
});
const limit = RateLimit.perClient('1/m', { burst: 1 });
const ownPages = ErrorPages.html({ default: '<h1>Sorry</h1>' });

const directory = mkdtempSync(join(tmpdir(), 'fairlead-cors-'));
onFileFinished(() => {
  rmSync(directory, { recursive: true });
});

let system: SeveralBackends;

beforeAll(async () => {
  writeFileSync(join(directory, 'data.json'), '{}');
  system = await startWithBackends(
    {
      unlimitedClients: ['127.0.0.1/32'],
      backends: [{ name: 'api' }, { name: 'gone' }],
      routes: [
        { path: '/plain' },
        { path: '/cors', cors, maxBodySize: 1024, responseHeaders: [['Referrer-Policy', 'origin']] },
        { path: '/any', cors: Cors.allow(['*'], { headers: [], methods: [] }) },
        { path: '/limited', cors, rateLimits: [limit] },
        { path: '/gone', cors, target: 'gone' },
        { path: '/once', cors, target: 'gone', retries: false },
        { path: '/pages', cors, target: 'gone', errorPages: ownPages, maxBodySize: 1024 },
        { path: '/closed', cors, allowFrom: ['127.0.3.0/24'] },
        { path: '/chosen', cors, maxBodySize: 1024 },
        { path: '/chosen', cors, when: Match.header('X-Canary', 'yes'), maxBodySize: 1024 },
        { path: '/differs', maxBodySize: 1024 },
        { path: '/differs', cors, when: Match.header('X-Canary', 'yes'), maxBodySize: 1024 },
        { path: '/differs', errorPages: ownPages, when: Match.cookie('page', 'yes'), maxBodySize: 1024 },
        { path: '/mixed' },
        { path: '/mixed', cors, when: Match.header('X-Canary', 'yes') },
        { path: '/files', cors, target: { kind: 'files', source: 'site', singlePage: false, immutable: [] } },
        { path: '/moved', cors, target: { kind: 'redirect', location: 'https://example.com', status: 307 } },
        { path: '/fixed', cors, target: { kind: 'response', status: 200, body: 'ok', contentType: 'text/plain' } },
      ],
    },
    { filesDirectories: { site: directory } },
    () => (request, response) => {
      request.resume();
      response.writeHead(request.url?.includes('fails') === true ? 500 : 200, {
        'Access-Control-Allow-Origin': '*',
        'Access-Control-Allow-Credentials': 'api',
        'Access-Control-Expose-Headers': 'X-Api',
        'Access-Control-Max-Age': '5',
        Vary: 'Accept-Language',
      });
      response.end('api');
    },
  );
  await system.apis.gone?.stop();
});

/** Every value of a header, as a browser would see it. */
function values({ rawHeaders }: Pick<Answer, 'rawHeaders'>, name: string): string[] {
  return rawHeaders.filter(
    (_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name.toLowerCase(),
  );
}

function allowedOf(answer: Answer): Record<string, string[]> {
  const said = answer.rawHeaders.filter((name, index) => index % 2 === 0 && /^access-control-/i.test(name));
  return Object.fromEntries(said.map((name) => [name.toLowerCase(), values(answer, name)]));
}

const forPage = {
  'access-control-allow-origin': [page],
  'access-control-allow-credentials': ['true'],
  'access-control-expose-headers': ['ETag, X-Total'],
};

const ask = (path: string, origin?: string, more: Parameters<SeveralBackends['nginx']['get']>[0] = {}) =>
  system.nginx.get({
    path,
    ...more,
    headers: {
      ...(origin === undefined ? {} : { origin }),
      ...(more.headers as OutgoingHttpHeaders | undefined),
    },
  });

const preflight = (path: string, origin: string, more: object = {}): Promise<Answer> =>
  ask(path, origin, {
    method: 'OPTIONS',
    ...more,
    headers: { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-team' },
  });

describe('An answer of a route with CORS', () => {
  test('says who may read it in place of the API, each header once', async () => {
    const answer = await ask('/cors', page);
    expect([answer.status, answer.body]).toEqual([200, 'api']);
    expect(allowedOf(answer)).toEqual(forPage);
    expect(values(answer, 'vary')).toEqual(expect.arrayContaining(['Origin', 'Accept-Language']));
    expect(values(answer, 'referrer-policy')).toEqual(['origin']);
  });

  test.each([
    ['https://a.trusted.example:8443', true],
    ['https://a.b-c.trusted.example:8443', true],
    ['http://[::1]:3000', true],
    ['https://trusted.example:8443', false],
    ['https://a.trusted.example', false],
    ['http://a.trusted.example:8443', false],
    ['https://atrusted.example:8443', false],
    ['https://a.trusted.example:8443.evil.example', false],
    ['https://evil.example/.trusted.example:8443', false],
    ['https://evil.example?.trusted.example:8443', false],
    ['https://a@b.trusted.example:8443', false],
    ['https://app.example.com.evil.example', false],
    ['https://app.example.comx', false],
    ['https://xapp.example.com', false],
    ['https://app-example.com', false],
    ['http://app.example.com', false],
    ['https://app.example.com:443', false],
    ['https://app.example.com/', false],
    ['null', false],
    ['*', false],
  ])('names the origin %s: %s', async (origin, isListed) => {
    for (const answer of [await ask('/cors', origin), await preflight('/cors', origin)]) {
      expect(values(answer, 'access-control-allow-origin')).toEqual(isListed ? [origin] : []);
      expect(values(answer, 'access-control-allow-credentials')).toEqual(isListed ? ['true'] : []);
      expect(values(answer, 'vary')).toContain('Origin');
    }
  });

  test('never has the spelling of a client for an origin', async () => {
    const [said = page] = values(await ask('/cors', page.toUpperCase()), 'access-control-allow-origin');
    expect(said).toBe(page);
  });

  test('says nothing to who sends no origin, and is asked of the API all the same', async () => {
    const answer = await ask('/cors');
    expect([answer.status, allowedOf(answer), values(answer, 'vary')]).toMatchObject([
      200,
      {},
      ['Accept-Language', 'Origin'],
    ]);
  });

  test('is open to any page where that was said, and to none with cookies', async () => {
    expect(allowedOf(await ask('/any', 'https://x.example'))).toEqual({
      'access-control-allow-origin': ['*'],
      'access-control-expose-headers': ['Retry-After, X-Request-Id'],
    });
    const asked = await preflight('/any', 'https://x.example');
    expect([asked.status, allowedOf(asked)]).toEqual([
      204,
      {
        'access-control-allow-origin': ['*'],
        'access-control-expose-headers': ['Retry-After, X-Request-Id'],
        'access-control-max-age': ['600'],
      },
    ]);
  });

  test('has what the API says where the route has no CORS', async () => {
    const answer = await ask('/plain', page);
    expect(allowedOf(answer)).toMatchObject({ 'access-control-allow-origin': ['*'], 'access-control-max-age': ['5'] });
    expect(values(answer, 'vary')).toEqual(['Accept-Language']);
    expect(await preflight('/plain', page)).toMatchObject({ status: 200, body: 'api' });
  });
});

describe('A preflight', () => {
  test.each(['/cors', '/cors/below', '/gone', '/once', '/chosen', '/files/data.json', '/moved', '/fixed', '/pages'])(
    'of %s is answered by nginx',
    async (path) => {
      const seen = system.apis.api?.requests.length;
      const answer = await preflight(path, page);
      expect([answer.status, answer.body]).toEqual([204, '']);
      expect(allowedOf(answer)).toEqual({
        ...forPage,
        'access-control-allow-methods': ['GET, PUT'],
        'access-control-allow-headers': ['X-Team'],
        'access-control-max-age': ['3600'],
      });
      expect(values(answer, 'vary')).toEqual(['Origin']);
      expect(values(answer, 'x-content-type-options')).toEqual(['nosniff']);
      expect(system.apis.api?.requests).toHaveLength(seen ?? -1);
    },
  );

  test('goes by the conditions that choose a route', async () => {
    expect(await preflight('/mixed', page)).toMatchObject({ status: 200, body: 'api' });
    const chosen = await ask('/mixed', page, {
      method: 'OPTIONS',
      headers: { 'x-canary': 'yes', 'access-control-request-method': 'PUT' },
    });
    expect(chosen.status).toBe(204);
  });

  test('of an origin that is not listed is refused, and says so in JSON', async () => {
    const answer = await preflight('/cors', 'https://evil.example');
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([403, { error: 'Forbidden' }]);
    expect(allowedOf(answer)).toEqual({});
  });

  test('over HTTP/2 is answered in the same way', async () => {
    const answer = await getByHttp2(system.nginx, {
      ...{ ':path': '/cors', ':method': 'OPTIONS', origin: page },
      'access-control-request-method': 'PUT',
    });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([204, page]);
  });

  test('is no other OPTIONS request, and no other method', async () => {
    expect((await ask('/cors', page, { method: 'OPTIONS' })).body).toBe('api');
    const method = { 'access-control-request-method': 'PUT' };
    expect((await ask('/cors', undefined, { method: 'OPTIONS', headers: method })).body).toBe('api');
    expect((await ask('/cors', page, { headers: method })).body).toBe('api');
  });

  test('counts in the limits of its route', async () => {
    const localAddress = '127.0.1.1';
    const statuses: number[] = [];
    for (let index = 0; index < 3; index += 1) {
      statuses.push((await preflight('/limited', page, { localAddress })).status);
    }
    expect(statuses).toEqual([204, 204, 429]);
    const asked = await ask('/limited', page, { localAddress });
    expect([asked.status, allowedOf(asked)]).toEqual([429, forPage]);
    expect(asked.headers['retry-after']).toBe('60');
  });
});

describe("A page can read nginx's own errors", () => {
  const body = { method: 'POST', body: 'x'.repeat(3000) };
  test.each<[number, string, object?]>([
    [413, '/cors', body],
    [413, '/cors/below', { ...body, headers: { 'transfer-encoding': 'chunked' } }],
    [413, '/chosen', body],
    [413, '/chosen', { ...body, headers: { 'x-canary': 'yes' } }],
    [413, '/differs', { ...body, headers: { 'x-canary': 'yes' } }],
    [413, '/pages', body],
    [403, '/closed'],
    [404, '/files/not-there'],
    [405, '/files/data.json', { method: 'POST' }],
    [503, '/gone'],
    [503, '/once'],
    [503, '/pages'],
  ])('%i of %s', async (status, path, more = {}) => {
    const answer = await ask(path, page, more);
    expect(answer.status).toBe(status);
    expect(allowedOf(answer)).toEqual(forPage);
    expect(values(answer, 'vary')).toContain('Origin');
    expect(values(answer, 'x-request-id')).toHaveLength(1);
    if (status === 503) expect(answer.headers['retry-after']).toBe('1');
    if (!path.startsWith('/pages')) expect(JSON.parse(answer.body)).toHaveProperty('error');
  });

  test('and those of the API, redirects, files and fixed answers', async () => {
    for (const path of ['/cors/fails', '/moved', '/files/data.json', '/fixed']) {
      expect(allowedOf(await ask(path, page))).toEqual(forPage);
    }
  });

  test('of the route that a condition would have chosen, and of no other', async () => {
    const byCookie = await ask('/differs', page, { ...body, headers: { cookie: 'page=yes' } });
    expect([byCookie.status, byCookie.body, allowedOf(byCookie)]).toEqual([413, '<h1>Sorry</h1>', {}]);
    const plain = await ask('/differs', page, body);
    expect([plain.status, JSON.parse(plain.body), allowedOf(plain)]).toMatchObject([
      413,
      { error: 'Content Too Large' },
      {},
    ]);
    const answer = await getByHttp2(
      system.nginx,
      { ':path': '/differs', ':method': 'POST', origin: page, 'x-canary': 'yes' },
      'x'.repeat(3000),
    );
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([413, page]);
    expect((await ask('/differs', page, { headers: { 'x-canary': 'yes' } })).status).toBe(200);
  });

  test('of HTTP/2 too', async () => {
    const answer = await getByHttp2(
      system.nginx,
      { ':path': '/cors', ':method': 'POST', origin: page },
      'x'.repeat(3000),
    );
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([413, page]);
  });
});
