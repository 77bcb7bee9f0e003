import { once } from 'node:events';
import { IncomingMessage, request } from 'node:http';
import { RequestOptions } from 'node:https';
import { AddressInfo, createServer } from 'node:net';
import { Match, Path } from '../../../model/routes/matching';
import { onTestFinished } from '../../afterwards';
import { proxyModel } from '../support/models';
import { Answer, RealNginx } from '../support/real-nginx';
import { echoed, getByHttp2, sendLine, SeveralBackends, startWithBackends } from '../support/several-backends';
import { StubDns } from '../support/stub-dns';

let system: SeveralBackends;

beforeAll(async () => {
  system = await startWithBackends({
    backends: ['stable', 'canary', 'orders'].map((name) => ({ name })),
    hosts: [
      {
        names: ['shop.example.com'],
        routes: [
          { name: 'root', target: 'stable' },
          { name: 'strip', path: '/v1', target: 'orders', rewrite: '' },
          { name: 'replace', path: '/v2', target: 'orders', rewrite: '/api/v2' },
          { name: 'exact-strip', path: Path.exact('/v3'), target: 'orders', rewrite: '' },
          {
            name: 'chosen-strip',
            path: '/v1/beta',
            target: 'canary',
            when: Match.header('X-Canary', 'beta'),
            rewrite: '',
          },
          { name: 'old', path: '/old', target: { kind: 'redirect', location: '/new', status: 308 } },
          {
            name: 'older',
            path: '/older',
            target: { kind: 'redirect', location: 'https://other.example/', status: 301 },
          },
          { name: 'to-root', path: '/to-root', target: { kind: 'redirect', location: '/', status: 302 } },
          {
            name: 'fixed',
            path: '/fixed',
            target: { kind: 'redirect', location: 'https://other.example/?a=$b', status: 307 },
          },
        ],
      },
      { names: ['other.example.com', 'www.other.example.com'], routes: [{ name: 'other', target: 'canary' }] },
    ],
  });
});

afterAll(() => system.stop());

function ask(path: string, options: RequestOptions & { readonly body?: string | Buffer } = {}): Promise<Answer> {
  return system.nginx.get({ path, ...options });
}

describe('a path that is rewritten', () => {
  test.each([
    ['/v1', '/'],
    ['/v1/', '/'],
    ['/v1?a=b', '/?a=b'],
    ['/v1?', '/?'],
    ['/v1/x', '/x'],
    ['/v1/v1/x', '/v1/x'],
    ['/v1/a%2Fb//c/%20d;e?f=%00&x=$host&y=/../', '/a%2Fb//c/%20d;e?f=%00&x=$host&y=/../'],
    ['/v1/%0d%0aX-Evil:%20yes', '/%0d%0aX-Evil:%20yes'],
    ['/v1/..a/b..', '/..a/b..'],
    ['/v2', '/api/v2'],
    ['/v2/', '/api/v2/'],
    ['/v2?a', '/api/v2?a'],
    ['/v2/x?y', '/api/v2/x?y'],
    ['/v3?a=b', '/?a=b'],
  ])('%s is asked for as %s', async (path, url) => {
    expect(echoed(await ask(path))).toMatchObject({ backend: 'orders', url });
    expect(echoed(await ask(path, { method: 'POST', body: 'x' }))).toMatchObject({ url, bodyLength: 1 });
    expect(echoed(await getByHttp2(system.nginx, { ':path': path })).url).toBe(url);
  });

  test('is that of the route, whichever location the request came by', async () => {
    expect(echoed(await ask('/v1/beta/x?y'))).toMatchObject({ backend: 'orders', url: '/beta/x?y' });
    expect(echoed(await ask('/v1/beta/x?y', { headers: { 'x-canary': 'beta' } }))).toMatchObject({
      backend: 'canary',
      url: '/x?y',
    });
  });

  test('leaves bytes that are no characters as they are', async () => {
    const lines: string[] = [];
    // Node itself would refuse them.
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        lines.push(data.toString('latin1').split('\r\n')[0] ?? '');
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => server.close());
    const { port } = server.address() as AddressInfo;
    const dns = await StubDns.start();
    dns.instances = [{ address: '127.0.0.1', port }];
    const nginx = await RealNginx.start(proxyModel({ routes: [{ path: '/v1', rewrite: '/api' }] }), {
      resolvers: [dns.server],
    });
    await nginx.untilAnswered(({ status }) => status === 200, { path: '/v1' });
    await sendLine('GET /v1/\xc3(\xff\\ HTTP/1.1', nginx);
    expect(lines.at(-1)).toBe('GET /api/\xc3(\xff\\ HTTP/1.1');
    await nginx.stop();
  });

  test('is found in a request line in absolute form', async () => {
    expect(echoed(await sendLine(`GET https://${system.nginx.host}/v1/x?y HTTP/1.1`, system.nginx)).url).toBe('/x?y');
  });

  test.each([
    '/%761/x',
    '//v1/x',
    '/x/../v1/x',
    '/./v1/x',
    '/v1%2fx',
    '/v1#x',
    '/v1/../v1/x',
    '/v1/a/%2e%2E/x',
    '/v1/a/..%2fx',
    '/v1/a%5c..%5Cx',
    '/v1/a/..;/x',
    '/v1/a/..',
    '/old/../old/x',
    '//old',
  ])('is refused where it is spelt otherwise: %s', async (path) => {
    const before = Object.values(system.apis).map(({ requests }) => requests.length);
    const answer = await sendLine(`GET ${path} HTTP/1.1`, system.nginx);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'Bad Request' });
    expect(Object.values(system.apis).map(({ requests }) => requests.length)).toEqual(before);
  });
});

describe('a redirect', () => {
  test.each([
    ['/old', 308, '/new'],
    ['/old?a=b', 308, '/new?a=b'],
    ['/old/x%2Fy?z', 308, '/new/x%2Fy?z'],
    ['/to-root', 302, '/'],
    ['/to-root//evil.example/x', 302, '//evil.example/x'],
  ])('of %s is %i to %s of the same host, at the port that clients see', async (path, status, location) => {
    const { nginx } = system;
    const at = `https://${nginx.host}:${nginx.place.externalHttpsPort}`;
    for (const method of ['GET', 'POST']) {
      const answer = await ask(path, { method, ...(method === 'POST' ? { body: 'x' } : {}) });
      expect([answer.status, answer.headers.location]).toEqual([status, `${at}${location}`]);
    }
    expect((await getByHttp2(nginx, { ':path': path })).headers.location).toBe(`${at}${location}`);
  });

  test.each([
    ['/older', 301, 'https://other.example/'],
    ['/older?a', 301, 'https://other.example/?a'],
    ['/older/x?y', 301, 'https://other.example/x?y'],
    ['/fixed/x?y', 307, 'https://other.example/?a=$b'],
  ])('of %s is %i to %s', async (path, status, location) => {
    const answer = await ask(path);
    expect([answer.status, answer.headers.location]).toEqual([status, location]);
  });

  test('over plain HTTP leads every host to its own HTTPS first', async () => {
    const { place } = system.nginx;
    for (const host of ['shop.example.com', 'other.example.com', 'www.other.example.com']) {
      const sent = request({
        host: '127.0.0.1',
        port: place.httpPort,
        path: '/old?x',
        agent: false,
        headers: { host },
      });
      sent.end();
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      answer.resume();
      expect([answer.statusCode, answer.headers.location]).toEqual([
        308,
        `https://${host}:${place.externalHttpsPort}/old?x`,
      ]);
    }
  });
});
