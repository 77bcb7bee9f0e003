import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { RequestOptions } from 'node:https';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Match } from '../../../model/routes/matching';
import { RateLimit } from '../../../model/routes/rate-limit';
import { FilesModel } from '../../../model/routes/route';
import { onFileFinished } from '../../afterwards';
import { Answer } from '../support/real-nginx';
import { getByHttp2, sendLine, SeveralBackends, startWithBackends } from '../support/several-backends';

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'fairlead-files-')));
onFileFinished(() => {
  rmSync(directory, { recursive: true });
});

function write(name: string, content: string | Buffer): void {
  const file = join(directory, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** As tools write them, and as people do. */
const fingerprinted = [
  ...['main.3f2a9c1b.chunk.js', 'app-0123456789abcdef.js', 'logo.d41d8cd98f00b204e980.svg', 'index-BfK3x9Zt.js'],
  ...['index-BfKxZtQw.js', 'chunk-7XQ2MNAB.js', 'styles-ABCDEFGH.css', 'index-_fK3x-Zt.css', 'photo-BfK3x9Zt.png'],
  ...['vendor.BfK3x9Zt.mjs', 'index-BfK3x9Zt.js.map', 'font-a1b2c3d4.woff2'],
];
const plain = [
  ...['jquery-3.6.0.min.js', 'photo-20240131.jpg', 'hero-background.png', 'icon-settings.svg', 'chart-version2.js'],
  ...[
    'logo-darkMode.svg',
    'theme-darkMode.css',
    'IMG-DSCN0042.jpg',
    'SKU-AB123456.jpg',
    'team-facade.js',
    'README-CHANGELOG.js',
  ],
  ...[
    '3f2a9c1b',
    'app.3f2a9c1b',
    'polyfills.js',
    'inter-latin-400.woff2',
    'deadbeef.js',
    'main-12345678.js',
    'a-cafebabe.js',
  ],
  ...['service-worker.js', 'manifest.webmanifest', 'data-2026-11-25.json', 'report-v2.0.1-rc.1.pdf'],
];

const script = `console.log('app');\n`.repeat(200);

function layOut(): void {
  write('secret.txt', 'SECRET');
  write('site/index.html', '<!doctype html><title>start</title>');
  write('site/404.html', '<!doctype html><title>missing</title>');
  write('site/app.3f2a9c1b.js', script);
  write('site/assets/plain.js', script);
  write('site/assets/index-BfK3x9Zt.css', 'a{}'.repeat(500));
  write('site/big.bin', Buffer.alloc(100_000, 'x'));
  write('site/docs/index.html', 'docs');
  write('site/empty/only.txt', 'only');
  write('site/ready.css', 'body{}');
  write('site/ready.css.gz', gzipSync('precompressed{}'));
  write('site/space and ünicode.txt', 'named');
  write('site/.env', 'SECRET');
  write('site/.git/config', 'SECRET');
  write('site/docs/.hidden/index.html', 'SECRET');
  write('site/.well-known/security.txt', 'Contact: x');
  for (const name of [...fingerprinted, ...plain]) write(`names/${name}`, name);
  for (const name of [
    '_next/static/x/manifest.js',
    '_astro/hoisted.js',
    '_app/immutable/start.js',
    '_app/version.json',
  ]) {
    write(`names/${name}`, name);
  }
  write('bare/index.html', 'bare');
  // As the kubelet mounts a ConfigMap.
  write('mounted/..2026_11_25/index.html', 'mounted');
  symlinkSync('..2026_11_25', join(directory, 'mounted/..data'));
  symlinkSync('..data/index.html', join(directory, 'mounted/index.html'));
}

const target = (source: string, more: Partial<FilesModel> = {}): FilesModel => ({
  kind: 'files',
  source,
  singlePage: false,
  immutable: undefined,
  ...more,
});

let system: SeveralBackends;

beforeAll(async () => {
  layOut();
  system = await startWithBackends(
    {
      backends: [{ name: 'api' }],
      unlimitedClients: ['127.0.0.1/32'],
      hosts: [
        {
          names: ['shop.example.com'],
          hstsMaxAge: 60,
          routes: [
            { name: 'root', target: target('site') },
            { name: 'api', path: '/api', target: 'api' },
            { name: 'office', path: '/office', target: target('site'), allowFrom: ['127.0.0.0/8'] },
            { name: 'docs-index', path: '/docs/index.html', target: 'api' },
            { name: 'app', path: '/app', target: target('site', { singlePage: true, immutable: ['/assets'] }) },
            { name: 'bare', path: '/bare', target: target('bare', { immutable: [] }) },
            { name: 'names', path: '/names', target: target('names') },
            { name: 'mounted', path: '/mounted', target: target('mounted') },
            { name: 'absent', path: '/absent', target: target('the image acme/web:1 ("$HOME")') },
            {
              name: 'headers',
              path: '/headers',
              target: target('site'),
              responseHeaders: [
                ['Content-Security-Policy', "default-src 'self'"],
                ['Cache-Control', 'no-store'],
                ['Referrer-Policy', false],
              ],
            },
            { name: 'closed', path: '/closed', target: target('site', { singlePage: true }), snippets: ['deny all;'] },
            {
              name: 'limited',
              path: '/limited',
              target: target('site'),
              rateLimits: [RateLimit.perClient('1/m', { burst: 1 })],
            },
            { name: 'when', path: '/when', target: 'api' },
            { name: 'when-beta', path: '/when', target: target('site'), when: Match.cookie('beta', 'yes') },
          ],
        },
        {
          names: ['other.example.com'],
          routes: [{ name: 'other', target: target('bare', { singlePage: true }) }],
        },
      ],
    },
    {
      filesDirectories: {
        site: join(directory, 'site'),
        bare: join(directory, 'bare'),
        names: join(directory, 'names'),
        mounted: join(directory, 'mounted'),
      },
      externalHttpsPort: 9443,
    },
  );
});

afterAll(() => system.stop());

function ask(path: string, options: RequestOptions & { readonly body?: string } = {}): Promise<Answer> {
  return system.nginx.get({ path, ...options });
}

const json = (error: string): unknown => expect.stringMatching(`^{"error":"${error}","requestId":"[0-9a-f]{32}"}$`);

describe('A file', () => {
  test('lies below the path of its route as it does in its directory', async () => {
    expect(await ask('/docs/')).toMatchObject({ status: 200, body: 'docs' });
    expect(await ask('/app/docs/')).toMatchObject({ status: 200, body: 'docs' });
    expect(await ask('/empty/only.txt?a=b')).toMatchObject({ status: 200, body: 'only' });
    expect(await ask('/app/empty/only.txt')).toMatchObject({ status: 200, body: 'only' });
    expect(await ask('/space%20and%20%C3%BCnicode.txt')).toMatchObject({ status: 200, body: 'named' });
    expect(await ask('/bare/')).toMatchObject({ status: 200, body: 'bare' });
    expect(await ask('/mounted/')).toMatchObject({ status: 200, body: 'mounted' });
  });

  test.each([
    ['/', 'text/html; charset=utf-8'],
    ['/assets/plain.js', 'text/javascript; charset=utf-8'],
    ['/ready.css', 'text/css; charset=utf-8'],
    ['/big.bin', 'application/octet-stream'],
  ])('%s is of the type %s', async (path, type) => {
    expect((await ask(path)).headers).toMatchObject({ 'content-type': type, 'x-content-type-options': 'nosniff' });
  });

  test('is not sent again to who has it', async () => {
    const { headers } = await ask('/');
    const [etag, modified] = [String(headers.etag), String(headers['last-modified'])];
    expect([etag, modified]).toEqual([expect.stringMatching(/^"/), expect.stringMatching(/GMT$/)]);
    for (const condition of [{ 'if-none-match': etag }, { 'if-modified-since': modified }]) {
      const again = await ask('/', { headers: condition });
      expect(again).toMatchObject({ status: 304, body: '', headers: { 'cache-control': 'no-cache' } });
    }
    expect((await ask('/', { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  test('is sent in parts, and its head alone', async () => {
    expect(await ask('/big.bin', { headers: { range: 'bytes=10-14' } })).toMatchObject({
      status: 206,
      body: 'xxxxx',
      headers: { 'content-range': 'bytes 10-14/100000', 'cache-control': 'no-cache' },
    });
    expect(await ask('/big.bin', { headers: { range: 'bytes=200000-' } })).toMatchObject({
      status: 416,
      body: json('Range Not Satisfiable'),
    });
    expect(await ask('/big.bin', { method: 'HEAD' })).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': '100000', 'accept-ranges': 'bytes' },
    });
    const whole = await getByHttp2(system.nginx, { ':path': '/big.bin' });
    expect([whole.status, whole.body.length]).toEqual([200, 100_000]);
  });

  test('is compressed, or was before', async () => {
    const accepting = { 'accept-encoding': 'gzip' };
    const compressed = await ask('/assets/plain.js', { headers: accepting });
    expect(compressed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(compressed.body.length).toBeLessThan(script.length / 4);
    const before = await getByHttp2(system.nginx, { ':path': '/ready.css', ...accepting });
    expect(before.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-type': 'text/css; charset=utf-8' });
    expect(Number(before.headers['content-length'])).toBe(gzipSync('precompressed{}').length);
    expect(gunzipSync(gzipSync('precompressed{}')).toString()).toBe('precompressed{}');
    expect(await ask('/ready.css')).toMatchObject({ body: 'body{}', headers: { vary: 'Accept-Encoding' } });
    expect((await ask('/big.bin', { headers: accepting })).headers).not.toHaveProperty('content-encoding');
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('is not there for %s', async (method) => {
    for (const path of ['/', '/docs/', '/app/a', '/missing.js', '/app']) {
      expect(await ask(path, { method, body: 'x' })).toMatchObject({
        status: 405,
        headers: { allow: 'GET, HEAD', 'content-type': 'application/json' },
        body: json('Method Not Allowed'),
      });
    }
  });
});

describe('A directory', () => {
  test('is asked for with a slash, at the address that the client knows', async () => {
    const location = async (path: string, options?: RequestOptions): Promise<unknown> => {
      const { status, headers } = await ask(path, options);
      expect([path, status]).toEqual([path, 308]);
      expect(headers).toMatchObject({ 'cache-control': 'no-cache', 'strict-transport-security': 'max-age=60' });
      return headers.location;
    };
    expect(await location('/docs?a=b/c')).toBe('https://shop.example.com:9443/docs/?a=b/c');
    expect(await location('/app/docs')).toBe('https://shop.example.com:9443/app/docs/');
    expect(await location('/app', { method: 'HEAD' })).toBe('https://shop.example.com:9443/app/');
    expect(await location('/bare')).toBe('https://shop.example.com:9443/bare/');
    expect(await location('//evil.example.com/..//docs')).toBe(
      'https://shop.example.com:9443//evil.example.com/..//docs/',
    );
    expect(await location('/%64ocs%3Fx/../docs')).toBe('https://shop.example.com:9443/%64ocs%3Fx/../docs/');
  });

  test('without a page is not there, and is never listed', async () => {
    for (const path of ['/empty', '/empty/', '/assets/']) {
      const { status, body } = await ask(path);
      expect([path, status]).toEqual([path, 404]);
      expect(body).not.toContain('only');
    }
  });
});

describe('A path without a file', () => {
  test('is answered 404 with the page of the directory', async () => {
    const answer = await ask('/nothing/here');
    expect(answer).toMatchObject({
      status: 404,
      body: '<!doctype html><title>missing</title>',
      headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' },
    });
    expect(answer.headers['content-security-policy']).toContain("default-src 'self'");
    const conditional = await ask('/nothing', { headers: { 'if-none-match': String(answer.headers.etag) } });
    expect(conditional.status).toBe(404);
  });

  test('is answered 404 as any other, where the directory has no page for it', async () => {
    expect(await ask('/bare/nothing')).toMatchObject({
      status: 404,
      body: json('Not Found'),
      headers: {
        'content-type': 'application/json',
        'content-security-policy': expect.stringContaining('none') as string,
      },
    });
  });

  test('is a path of the application on a single page, unless its name has a dot', async () => {
    for (const path of ['/app/orders/17', '/app/orders/', '/app/empty/', '/app/a.b/c', '/app/x%0Ay']) {
      const answer = await ask(path);
      expect([path, answer.status, answer.body]).toEqual([path, 200, '<!doctype html><title>start</title>']);
      expect(answer.headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
      });
    }
    for (const path of ['/app/chunk.0a1b2c3d.js', '/app/orders/a.png', '/app/x.', '/app/assets/gone.css']) {
      const answer = await ask(path);
      expect([path, answer.status, answer.headers['cache-control']]).toEqual([path, 404, 'no-cache']);
    }
  });
});

describe('A path that is not for everyone', () => {
  test.each([
    ...['/.env', '/.git/config', '/.git', '/.git/', '/docs/.hidden/', '/docs/.hidden', '/%2egit/config', '/%2Eenv'],
    ...['/app/.env', '/app/.git/config', '/app/.git', '/app/x/.y/z', '/.well-known/../.env', '/.well-knownx'],
    ...['/mounted/..data/index.html', '/mounted/..2026_11_25/index.html', '/mounted/..data', '/app/.env/', '/app/.'],
  ])('%s begins a name with a dot', async (path) => {
    const { status, body } = await ask(path);
    expect(body).not.toMatch(/SECRET|mounted/);
    // "." is the directory itself.
    if (path === '/app/.') expect([200, 308]).toContain(status);
    else expect(status).toBe(404);
  });

  test('.well-known is for everyone', async () => {
    expect(await ask('/.well-known/security.txt')).toMatchObject({ status: 200, body: 'Contact: x' });
  });

  test.each([
    ...['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/docs/..%2f..%2fsecret.txt', '/..%5csecret.txt'],
    ...[
      '/app/../../secret.txt',
      '/app/..%2f..%2fsecret.txt',
      '/app%2f..%2f..%2fsecret.txt',
      '/app/%252e%252e/secret.txt',
    ],
    ...['/app/%2e%2e%2f%2e%2e%2fsecret.txt', '/app/.%2e/secret.txt', '/app..%2fsecret.txt', '/app../secret.txt'],
    ...['/index.html%00.txt', '/secret.txt%00', '/app/\\..\\secret.txt', '/..;/secret.txt', '/app/..;/secret.txt'],
    ...['/docs/%0a', '/index.html%0a', '/index.html/', '/index.html/x', '/index.html%2f..%2f..%2fsecret.txt'],
    ...[`/${'a'.repeat(4000)}`, `/${'a/'.repeat(2000)}`],
  ])('%s leads out of no directory', async (path) => {
    for (const answer of [
      await ask(path).catch(() => undefined),
      await sendLine(`GET ${path} HTTP/1.1`, system.nginx),
    ]) {
      expect(answer?.body ?? '').not.toContain('SECRET');
      expect(answer?.status ?? 400).toBeGreaterThanOrEqual(path.startsWith('/app/.%2e') ? 404 : 400);
    }
  });

  test('a path that goes to another route of the proxy goes there, whatever file has its name', async () => {
    expect(await ask('/docs/index.html')).toMatchObject({ status: 200, headers: { 'x-instance': 'api' } });
    // The page of the directory is not asked for by a request of its own.
    expect(await ask('/docs/')).toMatchObject({ status: 200, body: 'docs' });
    expect(await ask('/api/index.html')).toMatchObject({ headers: { 'x-instance': 'api' } });
    expect((await ask('/.nginx-error')).status).toBe(404);
  });
});

describe('What may be kept', () => {
  const kept = 'public, max-age=31536000, immutable';

  test.each([
    ['/app.3f2a9c1b.js', kept],
    ['/assets/index-BfK3x9Zt.css', kept],
    ['/assets/plain.js', 'no-cache'],
    ['/', 'no-cache'],
    ['/docs/', 'no-cache'],
    ['/app/assets/plain.js', kept],
    ['/app/app.3f2a9c1b.js', 'no-cache'],
    ['/app/', 'no-cache'],
    // The page of an application below a directory that never changes.
    ['/app/assets/orders', 'no-cache'],
    ['/bare/', 'no-cache'],
    ['/headers/', 'no-store'],
    // A cache that others share would give it to whoever may not have it.
    ['/office/app.3f2a9c1b.js', 'private, max-age=31536000, immutable'],
    ['/office/', 'no-cache'],
  ])('%s: %s', async (path, value) => {
    const { status, headers } = await ask(path);
    expect([status, headers['cache-control']]).toEqual([200, value]);
  });
});

describe('A name', () => {
  const cacheControl = async (name: string): Promise<unknown> => {
    const { status, headers } = await ask(`/names/${name}`);
    expect([name, status]).toEqual([name, 200]);
    return headers['cache-control'];
  };

  test.each([...fingerprinted, '_next/static/x/manifest.js', '_astro/hoisted.js', '_app/immutable/start.js'])(
    '%s has a fingerprint',
    async (name) => {
      expect(await cacheControl(name)).toBe('public, max-age=31536000, immutable');
    },
  );

  test.each([...plain, '_app/version.json'])('%s has none', async (name) => {
    expect(await cacheControl(name)).toBe('no-cache');
  });
});

describe('Headers', () => {
  test('let a page have its own scripts and styles', async () => {
    const { headers, rawHeaders } = await ask('/');
    const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    expect(headers).toMatchObject({
      'content-security-policy': expect.stringMatching(/^default-src 'self'; .*frame-ancestors 'none'$/) as string,
      'referrer-policy': 'strict-origin-when-cross-origin',
      'cross-origin-resource-policy': 'same-origin',
      'strict-transport-security': 'max-age=60',
      'x-request-id': expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    expect((await ask('/api')).headers).toMatchObject({
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
    });
  });

  test('of the route replace them', async () => {
    const { headers } = await ask('/headers/');
    expect(headers).toMatchObject({ 'content-security-policy': "default-src 'self'", 'cache-control': 'no-store' });
    expect(headers).not.toHaveProperty('referrer-policy');
  });
});

test('files that are not on this machine are answered with what to do', async () => {
  expect(await ask('/absent/a.html')).toMatchObject({
    status: 503,
    headers: { 'content-type': 'text/plain' },
    body: 'The files of the image acme/web:1 ("$HOME") are not on this machine: say where they are by local.directory',
  });
});

test('who may not ask learns nothing of what is there', async () => {
  for (const path of ['/closed', '/closed/', '/closed/docs', '/closed/docs/', '/closed/nothing', '/closed/gone.js']) {
    expect(await ask(path)).toMatchObject({ status: 403, body: json('Forbidden') });
  }
});

test('a condition chooses between files and a backend', async () => {
  const beta = { cookie: 'beta=yes' };
  expect(await ask('/when/docs/', { headers: beta })).toMatchObject({ status: 200, body: 'docs' });
  expect(await ask('/when', { headers: beta })).toMatchObject({
    status: 308,
    headers: { location: 'https://shop.example.com:9443/when/' },
  });
  expect(await ask('/when/nothing', { headers: beta })).toMatchObject({
    status: 404,
    body: expect.stringContaining('missing') as string,
  });
  expect(await ask('/when', { headers: beta, method: 'POST' })).toMatchObject({ status: 405 });
  expect(await ask('/when/docs/')).toMatchObject({ headers: { 'x-instance': 'api' } });
});

test('another host has files of its own', async () => {
  const other = { servername: 'other.example.com', headers: { host: 'other.example.com' } };
  expect(await ask('/any', other)).toMatchObject({ status: 200, body: 'bare' });
});

test('nginx has nothing to say of any of it', () => {
  expect(system.nginx.errors).not.toMatch(/\[(?:warn|alert|crit|emerg)\]/);
});

test('a limit of the rate holds for files and for what is missing, each request once', async () => {
  const answers = [];
  for (const path of ['/limited/', '/limited/none.js', '/limited/app.3f2a9c1b.js', '/limited/none.js']) {
    answers.push(await ask(path, { localAddress: '127.0.3.1' }));
  }
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 429, 429]);
  expect(answers[2]?.headers).toMatchObject({ 'retry-after': '60', 'content-type': 'application/json' });
  expect(JSON.parse(answers[3]?.body ?? '')).toMatchObject({ error: 'Too Many Requests' });
});
