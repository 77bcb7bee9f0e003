import { once } from 'node:events';
import { RequestOptions } from 'node:https';
import { WebSocket, WebSocketServer } from 'ws';
import { RequestKey } from '../../../model/load-balancing';
import { Match, Path } from '../../../model/routes/matching';
import { Answer } from '../support/real-nginx';
import { echoed, getByHttp2, SeveralBackends, startWithBackends } from '../support/several-backends';

let system: SeveralBackends;

beforeAll(async () => {
  system = await startWithBackends({
    backends: ['stable', 'canary', 'orders'].map((name) => ({ name })),
    hosts: [
      {
        names: ['shop.example.com'],
        routes: [
          { name: 'root', target: 'stable' },
          { name: 'root-canary', target: 'canary', when: Match.header('X-Canary', 'always.$"\\') },
          { name: 'orders', path: '/orders', target: 'orders' },
          { name: 'checkout', path: Path.exact('/orders/checkout'), target: 'stable' },
          { name: 'slash', path: Path.exact('/slash/'), target: 'orders' },
          {
            name: 'both',
            path: '/orders/items',
            target: 'canary',
            when: Match.allOf(Match.method('GET', 'POST'), Match.cookie('staff', 'yes'), Match.query('as', 'A%20b')),
          },
          { name: 'uploads', path: '/uploads', target: 'orders', maxBodySize: 2 ** 21 },
          { name: 'small', path: '/uploads', target: 'canary', when: Match.header('X-Small', '1'), maxBodySize: 1500 },
        ],
      },
      {
        names: ['split.example.com', 'www.split.example.com'],
        hstsMaxAge: 0,
        routes: [
          {
            name: 'split',
            path: '/',
            target: {
              kind: 'split',
              shares: [
                { backend: 'orders', weight: 0 },
                { backend: 'stable', weight: 80 },
                { backend: 'canary', weight: 20 },
              ],
              stickyBy: RequestKey.cookie('session'),
            },
          },
          {
            name: 'split-v1',
            path: '/v1',
            rewrite: '',
            target: {
              kind: 'split',
              shares: [
                { backend: 'stable', weight: 50 },
                { backend: 'canary', weight: 50 },
              ],
              stickyBy: RequestKey.query('user'),
            },
          },
        ],
      },
      {
        names: ['only.example.com'],
        routes: [{ name: 'only', path: '/a', target: 'orders', when: Match.method('POST') }],
      },
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

const canary = { 'x-canary': 'always.$"\\' };

describe('the route of a request', () => {
  test.each([
    ['/', 'stable'],
    ['/ordersx', 'stable'],
    ['/orders', 'orders'],
    ['/orders/', 'orders'],
    ['/orders/7?a=b', 'orders'],
    ['/orders/checkout', 'stable'],
    ['/orders/checkout/', 'orders'],
    ['/slash/', 'orders'],
    ['/slash', 'stable'],
    ['/slash/x', 'stable'],
    ['/orders/items', 'orders'],
  ])('%s leads to %s by its path alone', async (path, backend) => {
    expect(echoed(await ask(path))).toMatchObject({ backend, url: path });
    expect(echoed(await ask(path, { method: 'POST', body: 'x' }))).toMatchObject({
      backend,
      method: 'POST',
      bodyLength: 1,
    });
    expect(echoed(await getByHttp2(system.nginx, { ':path': path }))).toMatchObject({ backend, url: path });
  });

  test.each([
    ['GET', '', {}, 'stable'],
    ['GET', '', canary, 'canary'],
    ['POST', 'x', canary, 'canary'],
    ['DELETE', '', canary, 'canary'],
    ['GET', '', { 'x-canary': 'ALWAYS.$"\\' }, 'stable'],
    ['GET', '', { 'x-canary': 'alwaysx$"\\' }, 'stable'],
    ['GET', '', { 'x-canary': 'always.$"\\x' }, 'stable'],
  ])('%s%s with %j leads to %s', async (method, body, headers, backend) => {
    const expected = { backend, method, url: '/x?y=%41', bodyLength: body.length };
    expect(echoed(await ask('/x?y=%41', { method, body, headers }))).toMatchObject(expected);
    const byHttp2 = await getByHttp2(system.nginx, { ':method': method, ':path': '/x?y=%41', ...headers }, body);
    expect(echoed(byHttp2)).toMatchObject(expected);
  });

  test.each([
    ['GET', '/orders/items/1?as=A%20b', 'staff=yes', 'canary'],
    ['POST', '/orders/items?x=y&as=A%20b', 'a=b; staff=yes', 'canary'],
    ['PUT', '/orders/items?as=A%20b', 'staff=yes', 'orders'],
    ['GET', '/orders/items?as=a%20b', 'staff=yes', 'orders'],
    ['GET', '/orders/items?as=A%20b', 'staff=no', 'orders'],
    ['GET', '/orders/items?has=A%20b', 'staff=yes', 'orders'],
    ['GET', '/orders/itemsx?as=A%20b', 'staff=yes', 'orders'],
  ])('has to meet all conditions: %s %s with %s leads to %s', async (method, path, cookie, backend) => {
    expect(echoed(await ask(path, { method, headers: { cookie } }))).toMatchObject({ backend, url: path });
  });

  test('is 404 in JSON where no path and no condition fits', async () => {
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/a'],
      ['GET', '/a/b'],
      ['POST', '/ab'],
    ] as const) {
      const answer = await askHost('only.example.com', path, { method });
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.body)).toEqual({ error: 'Not Found', requestId: answer.headers['x-request-id'] });
    }
    expect(echoed(await askHost('only.example.com', '/a/b', { method: 'POST', body: 'x' }))).toMatchObject({
      url: '/a/b',
    });
  });

  test('is logged once, with the status and the instance of its answer', async () => {
    await ask('/logged', { headers: { ...canary, 'x-request-id': 'chosen-one' } });
    const find = async (): Promise<Record<string, unknown>[]> => {
      for (let entries = 1; ; entries += 1) {
        const found = (await system.nginx.accessLog(entries)).filter(({ request_id }) => request_id === 'chosen-one');
        if (found.length > 0) return found;
      }
    };
    expect(await find()).toEqual([
      expect.objectContaining({
        path: '/logged',
        status: 200,
        upstream_addr: `127.0.0.1:${system.apis.canary?.instance.port ?? 0}`,
        upstream_status: '200',
      }),
    ]);
  });

  test('is open to WebSockets where a condition chooses it', async () => {
    const server = new WebSocketServer({ noServer: true });
    server.on('connection', (client) =>
      client.on('message', (data: Buffer) => {
        client.send(`echo ${data.toString()}`);
      }),
    );
    system.apis.canary?.on('upgrade', (incoming, socket) => {
      server.handleUpgrade(incoming, socket, Buffer.alloc(0), (client) => server.emit('connection', client, incoming));
    });
    const { nginx } = system;
    const options = { servername: nginx.host, headers: { host: nginx.host, ...canary }, rejectUnauthorized: false };
    const client = new WebSocket(`wss://127.0.0.1:${nginx.place.httpsPort}/socket`, options);
    await once(client, 'open');
    client.send('hello');
    const [message] = (await once(client, 'message')) as [Buffer];
    expect(message.toString()).toBe('echo hello');
    client.terminate();
    server.close();
  });
});

describe('the body of a request', () => {
  const long = Buffer.alloc(1_000_000, 'x');
  const small = { 'x-small': '1' };

  test.each([{ 'content-length': String(long.length) }, { 'transfer-encoding': 'chunked' }])(
    'of a megabyte reaches the backend that a condition chose: %j',
    async (headers) => {
      const answer = await ask('/big', { method: 'POST', headers: { ...headers, ...canary }, body: long });
      expect(echoed(answer)).toMatchObject({ backend: 'canary', bodyLength: long.length });
    },
  );

  test('of a megabyte reaches it over HTTP/2, and after 100 Continue', async () => {
    const byHttp2 = await getByHttp2(system.nginx, { ':method': 'POST', ...canary }, long);
    expect(echoed(byHttp2)).toMatchObject({ backend: 'canary', bodyLength: long.length });
    const expecting = await ask('/big', { method: 'POST', headers: { ...canary, expect: '100-continue' }, body: long });
    expect(echoed(expecting)).toMatchObject({ backend: 'canary', bodyLength: long.length });
  });

  test.each([
    [1500, {}, 200],
    [1501, {}, 413],
    [2000, {}, 413],
    [15_000, {}, 413],
    [999_999, {}, 413],
    [1501, { 'transfer-encoding': 'chunked' }, 413],
    [1500, { 'transfer-encoding': 'chunked' }, 200],
  ])('of %i bytes with %j is judged by the route that a condition chose: %i', async (length, headers, status) => {
    const body = Buffer.alloc(length, 'x');
    const options = { method: 'POST', headers: { ...small, ...headers }, body };
    const answer = await ask('/uploads', options);
    expect(answer.status).toBe(status);
    if (status === 413) expect(JSON.parse(answer.body)).toMatchObject({ error: 'Content Too Large' });
    const byHttp2 = await getByHttp2(
      system.nginx,
      {
        ':method': 'POST',
        ':path': '/uploads',
        ...small,
        ...('transfer-encoding' in headers ? {} : { 'content-length': length }),
      },
      body,
    );
    expect(byHttp2.status).toBe(status);
  });

  test('is judged by the other routes of its path where no condition is met', async () => {
    expect(echoed(await ask('/uploads', { method: 'POST', body: Buffer.alloc(2 ** 21) })).backend).toBe('orders');
    expect((await ask('/uploads', { method: 'POST', body: Buffer.alloc(2 ** 21 + 1) })).status).toBe(413);
    expect((await ask('/orders', { method: 'POST', body: Buffer.alloc(2 ** 20 + 1) })).status).toBe(413);
  });
});

describe('a split', () => {
  test('gives each backend its share of clients, and a client the same one each time', async () => {
    const counts: Record<string, number> = {};
    for (let client = 0; client < 200; client += 1) {
      const headers = { cookie: `session=${client}` };
      const { backend } = echoed(await askHost('split.example.com', '/x', { headers }));
      counts[backend] = (counts[backend] ?? 0) + 1;
      if (client % 20 > 0) continue;
      const again = await askHost('www.split.example.com', '/y', { method: 'POST', headers, body: 'x' });
      expect(echoed(again)).toMatchObject({ backend, bodyLength: 1, url: '/y' });
    }
    expect(Object.keys(counts).sort()).toEqual(['canary', 'stable']);
    expect(counts.canary).toBeGreaterThan(15);
    expect(counts.canary).toBeLessThan(70);
  });

  test('goes with a path that is rewritten', async () => {
    const backends = new Set<string>();
    for (let user = 0; user < 20; user += 1) {
      const { backend, url } = echoed(await askHost('split.example.com', `/v1/x?user=${user}`));
      expect(url).toBe(`/x?user=${user}`);
      backends.add(backend);
    }
    expect(backends).toEqual(new Set(['stable', 'canary']));
  });
});
