import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ErrorPages } from '../../../model/routes/error-pages';
import { Match } from '../../../model/routes/matching';
import { RateLimit } from '../../../model/routes/rate-limit';
import { InvalidOption } from '../../../validation/invalid-option';
import { onFileFinished } from '../../afterwards';
import { proxyModel } from '../support/models';
import { RealNginx } from '../support/real-nginx';
import { getByHttp2, SeveralBackends, startWithBackends } from '../support/several-backends';

/** Full of what means something to nginx. */
const gone = `<!doctype html>\n<style>body { color: red; }</style>\t<p>"$5" costs \${dollar} \\ $host; # 😀 } it's</p>`;
const long = `<!doctype html><title>long</title>${'<p>"quoted" \\ text</p>\n'.repeat(700)}`;
const pages = ErrorPages.html({
  404: gone,
  413: long,
  502: '<h1>502</h1>',
  503: '<h1>503</h1>',
  default: '<h1>other</h1>',
});
const limit = RateLimit.perClient('1/m', { burst: 0 });

const directory = mkdtempSync(join(tmpdir(), 'fairlead-error-pages-'));
onFileFinished(() => {
  rmSync(directory, { recursive: true });
});

let system: SeveralBackends;

beforeAll(async () => {
  writeFileSync(join(directory, 'index.html'), 'start');
  system = await startWithBackends(
    {
      unlimitedClients: ['127.0.0.1/32'],
      backends: [{ name: 'api' }, { name: 'gone' }, { name: 'breaks' }],
      routes: [
        { path: '/json', maxBodySize: 1024 },
        { path: '/html', errorPages: pages, maxBodySize: 1024, responseHeaders: [['X-Team', 'orders']] },
        { path: '/closed', errorPages: pages, allowFrom: ['127.0.9.9/32'] },
        { path: '/limited', errorPages: pages, rateLimits: [limit] },
        { path: '/gone', errorPages: pages, target: 'gone' },
        { path: '/once', errorPages: pages, target: 'gone', retries: false },
        { path: '/gone-json', target: 'gone' },
        { path: '/breaks', errorPages: pages, target: 'breaks' },
        { path: '/breaks-json', target: 'breaks' },
        { path: '/few', errorPages: ErrorPages.html({ 404: 'x' }), target: 'breaks', maxBodySize: 1024 },
        { path: '/chosen', errorPages: pages, when: Match.header('X-Canary', 'yes'), target: 'gone' },
        { path: '/chosen', maxBodySize: 1024 },
        {
          path: '/files',
          errorPages: pages,
          target: { kind: 'files', source: 'site', singlePage: false, immutable: [] },
        },
        { path: '/json-files', target: { kind: 'files', source: 'site', singlePage: false, immutable: [] } },
      ],
    },
    { filesDirectories: { site: directory } },
    (backend) => (request, response) => {
      request.resume();
      if (backend === 'breaks' && request.headers.host !== 'ready.test') {
        request.socket.destroy();
        return;
      }
      response.writeHead(Number(/\d{3}/.exec(request.url ?? '')?.[0] ?? 200), { 'Content-Type': 'application/json' });
      response.end('{"from":"api"}');
    },
  );
  await system.apis.gone?.stop();
});

const tooLong = { method: 'POST', body: 'x'.repeat(3000) };

describe('An error of nginx on a route with pages', () => {
  test.each<[number, string, string, object?]>([
    [413, '/html', long, tooLong],
    [413, '/html/below', long, { ...tooLong, headers: { 'transfer-encoding': 'chunked' } }],
    [403, '/closed', '<h1>other</h1>'],
    [503, '/gone', '<h1>503</h1>'],
    [503, '/gone', '<h1>503</h1>', { method: 'POST' }],
    [503, '/once', '<h1>503</h1>'],
    [502, '/breaks', '<h1>502</h1>', { method: 'POST', body: 'x' }],
    [502, '/breaks', '<h1>502</h1>'],
    [503, '/chosen', '<h1>503</h1>', { headers: { 'x-canary': 'yes' } }],
    [404, '/files/not-there', gone],
    [405, '/files/', '<h1>other</h1>', { method: 'PUT' }],
  ])('is a page: %i of %s', async (status, path, body, options = {}) => {
    const answer = await system.nginx.get({ path, ...options });
    expect([answer.status, answer.body]).toEqual([status, body]);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    expect(answer.headers['content-security-policy']).toContain("style-src 'unsafe-inline'");
    expect(answer.rawHeaders.filter((name) => /^(content-security-policy|x-request-id)$/i.test(name))).toHaveLength(2);
    if (status === 503) expect(answer.headers['retry-after']).toBe('1');
    if (status === 405) expect(answer.headers.allow).toBe('GET, HEAD');
  });

  test('keeps when to come again, over a limit', async () => {
    const asked = () => system.nginx.get({ path: '/limited', localAddress: '127.0.1.1' });
    expect((await asked()).status).toBe(200);
    const { status, headers, body } = await asked();
    expect([status, headers['retry-after'], body]).toEqual([429, '60', '<h1>other</h1>']);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
  });

  test('has no body for HEAD, and is the same over HTTP/2', async () => {
    const head = await system.nginx.get({ path: '/gone', method: 'HEAD' });
    expect([head.status, head.body, head.headers['content-type']]).toEqual([503, '', 'text/html; charset=utf-8']);
    const { status, body } = await getByHttp2(system.nginx, { ':path': '/html', ':method': 'POST' }, 'x'.repeat(3000));
    expect([status, body]).toEqual([413, long]);
  });

  test('that has no page says what it is called', async () => {
    const headers = { 'x-request-id': 'asked-1' };
    for (const [status, reason, options] of [
      [413, 'Content Too Large', tooLong],
      [502, 'Bad Gateway', { method: 'POST', body: 'x' }],
    ] as const) {
      const answer = await system.nginx.get({ path: '/few', headers, ...options });
      expect([answer.status, answer.headers['content-type']]).toEqual([status, 'text/html; charset=utf-8']);
      expect(answer.body).toContain(`<title>${reason}</title>`);
      expect(answer.body).toContain('asked-1');
    }
  });

  test.each([404, 429, 500, 502, 503, 504])("is never the API's own: %i", async (status) => {
    const answer = await system.nginx.get({ path: `/html/${status}` });
    expect([answer.status, answer.body]).toEqual([status, '{"from":"api"}']);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'x-team': 'orders' });
  });
});

describe('An error of nginx on any other route', () => {
  test.each<[number, string, object?]>([
    [413, '/json', tooLong],
    [413, '/chosen', tooLong],
    [503, '/gone-json'],
    [502, '/breaks-json', { method: 'POST', body: 'x' }],
    [404, '/json-files/not-there'],
    [405, '/json-files/', { method: 'PUT' }],
    [404, '/'],
  ])('is JSON: %i of %s', async (status, path, options = {}) => {
    const answer = await system.nginx.get({ path, ...options });
    expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/json']);
    expect(JSON.parse(answer.body)).toHaveProperty('error');
    expect(answer.headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'");
  });
});

test('a page is sent to the letter, or is refused', async () => {
  const awkward = fc.constantFrom(
    ...[
      '"',
      "'",
      '\\',
      ';',
      '{',
      '}',
      '$',
      '${',
      '#',
      ' # ',
      '$host',
      '\\"',
      '\\n',
      '%',
      '`',
      '<',
      '&',
      '~',
      'default',
    ],
    ...['\n', '\r\n', '\t', '\0', '\u007f', '\u0085', 'ä', '€', '😀', '\ud800', ' ', 'x'.repeat(3999)],
  );
  const texts = fc.array(fc.array(awkward, { minLength: 1, maxLength: 12 }), { minLength: 60, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(texts, async (given) => {
      const carried = given
        .map((parts) => parts.join(''))
        .flatMap((text) => {
          try {
            return [[text, ErrorPages.html({ 403: text })] as const];
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidOption);
            return [];
          }
        });
      const nginx = await RealNginx.start(
        proxyModel({
          routes: carried.map(([, errorPages], index) => ({
            path: `/${index}`,
            errorPages,
            allowFrom: ['192.0.2.1/32'],
          })),
        }),
      );
      try {
        for (const [index, [text]] of carried.entries()) {
          expect(await nginx.get({ path: `/${index}` })).toMatchObject({ status: 403, body: text });
        }
      } finally {
        await nginx.stop();
      }
    }),
    { numRuns: 1 },
  );
});
