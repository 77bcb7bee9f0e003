import { RequestOptions } from 'node:https';
import { Path } from '../../../model/routes/matching';
import { TargetModel } from '../../../model/routes/route';
import { Answer } from '../support/real-nginx';
import { echoed, SeveralBackends, startWithBackends } from '../support/several-backends';

const text = (body: string, status = 200, contentType = 'text/plain'): TargetModel => ({
  kind: 'response',
  status,
  body,
  contentType,
});

let system: SeveralBackends;

beforeAll(async () => {
  system = await startWithBackends({
    backends: [{ name: 'orders' }],
    defaultResponseHeaders: [['X-Team', 'shop']],
    hosts: [
      {
        names: ['shop.example.com'],
        hstsMaxAge: 60,
        routes: [
          { name: 'root', target: 'orders' },
          {
            name: 'text',
            path: '/text',
            target: text('one $host "two"\n\t\\three\\ ä😀 {;} #'.repeat(60), 200, 'text/plain; charset=utf-8'),
          },
          { name: 'json', path: Path.exact('/a.html'), target: text('{}', 201, 'application/json') },
          { name: 'page', path: '/page', target: text('<!doctype html>', 200, 'text/html; charset=utf-8') },
          { name: 'teapot', path: '/teapot', target: text('short and stout', 418) },
          { name: 'gone', path: '/gone', target: text('', 410) },
          {
            name: 'headers',
            path: '/headers',
            target: 'orders',
            requestHeaders: [
              ['X-Set', 'a $host "b"'],
              ['Cookie', false],
            ],
            responseHeaders: [
              ['X-Team', 'orders $1'],
              ['Cache-Control', 'no-store'],
              ['Referrer-Policy', false],
              ['X-Instance', false],
            ],
          },
        ],
      },
      { names: ['without.example.com'], hstsMaxAge: 0, routes: [{ name: 'without', target: 'orders' }] },
      { names: ['other.example.com'], routes: [{ name: 'other', target: 'orders' }] },
    ],
  });
});

afterAll(() => system.stop());

function ask(path: string, options: RequestOptions & { readonly body?: string | Buffer } = {}): Promise<Answer> {
  return system.nginx.get({ path, ...options });
}

function askHost(
  host: string,
  path: string,
  { headers, ...options }: { headers?: Record<string, string>; method?: string; body?: string } = {},
): Promise<Answer> {
  return ask(path, { servername: host, ...options, headers: { host, ...headers } });
}

describe('an answer of its own', () => {
  test('has its body, status and type to the letter', async () => {
    const answer = await ask('/text/any');
    expect(answer).toMatchObject({ status: 200, body: 'one $host "two"\n\t\\three\\ ä😀 {;} #'.repeat(60) });
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    const json = await ask('/a.html');
    expect([json.status, json.headers['content-type'], json.body]).toEqual([201, 'application/json', '{}']);
  });

  test('is no error of nginx, whatever its status', async () => {
    expect(await ask('/teapot')).toMatchObject({ status: 418, body: 'short and stout' });
    expect(await ask('/gone', { method: 'POST', body: 'x' })).toMatchObject({ status: 410, body: '' });
  });

  test('that is a page has the headers of one', async () => {
    expect((await ask('/page')).headers).toMatchObject({
      'content-security-policy': expect.stringMatching(/^default-src 'self'; /) as string,
      'referrer-policy': 'strict-origin-when-cross-origin',
    });
    expect((await ask('/text')).headers).toHaveProperty('referrer-policy', 'no-referrer');
  });

  test('has the default headers, and the connection stays', async () => {
    const { headers } = await ask('/gone');
    expect(headers).toMatchObject({ 'x-team': 'shop', 'strict-transport-security': 'max-age=60' });
  });
});

describe('headers', () => {
  test('are set and taken away towards the backend, beside those that every route has', async () => {
    const { headers } = echoed(
      await ask('/headers', { headers: { cookie: 'a=b', 'x-set': 'client', forwarded: 'for=evil' } }),
    );
    expect(headers).toMatchObject({
      'x-set': 'a $host "b"',
      host: 'shop.example.com',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'https',
    });
    expect(headers).not.toHaveProperty('cookie');
    expect(headers).not.toHaveProperty('forwarded');
    expect(echoed(await ask('/orders', { headers: { cookie: 'a=b', 'x-set': 'client' } })).headers).toMatchObject({
      cookie: 'a=b',
      'x-set': 'client',
    });
  });

  test('of answers are replaced and left out, default ones too', async () => {
    const { rawHeaders, headers } = await ask('/headers');
    const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    expect(headers).toMatchObject({
      'x-team': 'orders $1',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'strict-transport-security': 'max-age=60',
      'x-content-type-options': 'nosniff',
    });
    expect(headers).toHaveProperty('x-request-id');
    for (const name of ['referrer-policy', 'x-instance']) expect(headers).not.toHaveProperty(name);
    expect((await ask('/orders')).headers).toMatchObject({
      'x-team': 'shop',
      'referrer-policy': 'no-referrer',
      'x-instance': 'orders',
    });
  });

  test('send Strict-Transport-Security by host', async () => {
    expect((await ask('/')).headers).toHaveProperty('strict-transport-security', 'max-age=60');
    expect((await askHost('without.example.com', '/')).headers).not.toHaveProperty('strict-transport-security');
    expect((await askHost('other.example.com', '/')).headers).toHaveProperty(
      'strict-transport-security',
      'max-age=31536000',
    );
  });
});
