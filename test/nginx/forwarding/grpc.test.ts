import { once } from 'node:events';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { AddressInfo } from 'node:net';
import { onTestFinished } from '../../afterwards';
import { freePort } from '../../../local/ports';
import { Auth } from '../../../model/auth/auth';
import { RequestKey } from '../../../model/load-balancing';
import { Match } from '../../../model/routes/matching';
import { RateLimit } from '../../../model/routes/rate-limit';
import { until } from '../../until';
import { AuthDirectory, authParts, basic, passwordLine } from '../support/auth-files';
import { closedPort, taking } from '../support/failing-instances';
import { GrpcProxy, startGrpc, StubGrpc } from '../support/grpc';
import { ProxyParts } from '../support/models';
import { getByHttp2 } from '../support/several-backends';
import { StubApi } from '../support/stub-api';

/** Its routes have one backend, `api`, and more rules where a test has its own proxy. */
const parts: ProxyParts = {
  routes: [{ path: '/shop.Orders' }, { path: '/shop.Chat', streamTimeout: 60 }, { path: '/grpc.health.v1.Health' }],
};

let api: StubGrpc;
let proxy: GrpcProxy;

beforeAll(async () => {
  api = await StubGrpc.start('api');
  proxy = await startGrpc(parts, [api.instance]);
});

/** A proxy of one test's own. */
async function started(...args: Parameters<typeof startGrpc>): Promise<GrpcProxy> {
  const own = await startGrpc(...args);
  onTestFinished(() => own.nginx.stop());
  return own;
}

describe('a call', () => {
  test('is answered, with metadata on both sides', async () => {
    const { code, messages, headers } = await proxy.client.call('/shop.Orders/Get', 'three', {
      metadata: { 'x-tenant': 'acme', 'x-forwarded-for': '192.0.2.1' },
    });
    expect({ code, messages, instance: headers.instance }).toEqual({ code: 0, messages: ['three'], instance: ['api'] });
    expect(headers['x-request-id']).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    const { metadata } = api.calls.at(-1) ?? {};
    expect(metadata).toMatchObject({
      host: ['localhost'],
      'x-tenant': ['acme'],
      'x-forwarded-for': ['127.0.0.1'],
      'x-forwarded-proto': ['https'],
      'x-request-id': headers['x-request-id'],
    });
    expect(metadata).not.toHaveProperty('upgrade');
    expect(metadata).not.toHaveProperty('connection');
  });

  test('that fails has the status, the text and the metadata that the backend gave it', async () => {
    const { code, details, trailers } = await proxy.client.call('/shop.Orders/Fail');
    expect({ code, details, why: trailers.why }).toEqual({ code: 9, details: 'nö, 100 %', why: ['sold out'] });
  });

  test('whose messages come one after the other gets each as it comes', async () => {
    const { send, end, messages, result } = proxy.client.open('/shop.Orders/List');
    send('all');
    end();
    await until(() => messages.length === 1, 'the first message');
    api.goOn();
    expect(await result).toMatchObject({ code: 0, messages: ['first', 'second'] });
  });

  test('of a client that sends several messages reaches the backend whole', async () => {
    const { send, end, result } = proxy.client.open('/shop.Orders/Import');
    send('x'.repeat(100_000));
    send('y'.repeat(100_000));
    end();
    expect(await result).toMatchObject({ code: 0, messages: ['200000'] });
  });

  test('in both directions at once goes on on a route with streaming', async () => {
    const { send, end, messages, result } = proxy.client.open('/shop.Chat/Talk');
    send('one');
    await until(() => messages.length === 1, 'an answer to the first message');
    send('two');
    await until(() => messages.length === 2, 'an answer to the second message');
    end();
    expect(await result).toMatchObject({ code: 0, messages: ['you said one', 'you said two'] });
  });

  test('that its client gives up is given up by the backend', async () => {
    const before = api.cancelled;
    const { send, messages, cancel, result } = proxy.client.open('/shop.Chat/Talk');
    send('one');
    await until(() => messages.length === 1, 'an answer');
    cancel();
    expect((await result).code).toBe(1);
    await until(() => api.cancelled === before + 1, 'the backend to know');
  });

  test('shares connections with those before it', async () => {
    const before = api.connections;
    for (let each = 0; each < 20; each += 1) await proxy.client.call('/shop.Orders/Get');
    // At most one new one for each worker.
    expect(api.connections - before).toBeLessThanOrEqual(2);
  });

  test('that is cut off in its midst does not look like one that is complete', async () => {
    const dying = await StubGrpc.start('dying');
    const { client } = await started(parts, [dying.instance]);
    const { send, end, messages, result } = client.open('/shop.Orders/List');
    send('all');
    end();
    await until(() => messages.length === 1, 'the first message');
    dying.cutOff();
    expect((await result).code).not.toBe(0);
  });

  test('goes on when the backend is about to end its connection, which gets no other call', async () => {
    const sessions: ServerHttp2Session[] = [];
    const server = createHttp2Server();
    server.on('session', (session) => {
      sessions.push(session.on('error', () => undefined));
    });
    server.on('stream', (stream, headers) => {
      // As servers do whose connections have an age: what has begun is answered.
      if (headers['x-about-to-end'] !== undefined) stream.session?.goaway();
      stream.resume().on('end', () => {
        stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => {
          stream.sendTrailers({ 'grpc-status': '0' });
        });
        stream.end(Buffer.from([0, 0, 0, 0, 2, 111, 107]));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      for (const session of sessions) session.destroy();
      server.close();
    });
    const { address, port } = server.address() as AddressInfo;
    const { client } = await started({ ...parts, workers: 1 }, [{ address, port }], { workers: 1 });
    const get = async (metadata = {}): Promise<unknown> =>
      (await client.call('/shop.Orders/Get', 'x', { metadata })).messages;
    expect(await get()).toEqual(['ok']);
    expect(await get({ 'x-about-to-end': 'yes' })).toEqual(['ok']);
    expect(sessions).toHaveLength(1);
    expect(await get()).toEqual(['ok']);
    expect(sessions).toHaveLength(2);
  });

  test('goes to the backend that its metadata or its client chooses', async () => {
    const [canary, stable] = [await StubGrpc.start('canary'), await StubGrpc.start('stable')];
    const { client } = await started(
      {
        backends: [{ name: 'canary' }, { name: 'stable' }],
        routes: [
          { path: '/shop.Orders', name: 'chosen', when: Match.header('x-canary', 'always'), target: 'canary' },
          {
            path: '/shop.Orders',
            name: 'shared',
            target: {
              kind: 'split',
              shares: [
                { backend: 'canary', weight: 50 },
                { backend: 'stable', weight: 50 },
              ],
              stickyBy: RequestKey.header('x-tenant'),
            },
          },
        ],
      },
      { canary: [canary.instance], stable: [stable.instance] },
    );
    const instance = async (metadata: Readonly<Record<string, string>>): Promise<unknown> =>
      (await client.call('/shop.Orders/Get', 'x', { metadata })).headers.instance?.[0];
    expect(await instance({ 'x-canary': 'always' })).toBe('canary');
    const tenants = Array.from({ length: 12 }, (_, index) => `tenant-${index}`);
    const chosen = await Promise.all(tenants.map((tenant) => instance({ 'x-tenant': tenant })));
    expect(new Set(chosen)).toEqual(new Set(['canary', 'stable']));
    expect(await Promise.all(tenants.map((tenant) => instance({ 'x-tenant': tenant })))).toEqual(chosen);
  });
});

describe("nginx's own answers", () => {
  /** What is refused, and what by: each route is another rule. */
  const rules: ProxyParts = {
    unlimitedClients: [],
    routes: [
      { path: '/shop.Orders', times: { requestTimeout: 1 } },
      { path: '/limited.Orders', rateLimits: [RateLimit.perClient('1/m')] },
      { path: '/closed.Orders', allowFrom: ['192.0.2.0/24'] },
      { path: '/secret.Orders', ...authParts(Auth.basic({ secret: 'admins' })) },
      { path: '/missing.Orders', ...authParts(Auth.basic({ secret: 'missing' })) },
      { path: '/small.Orders', maxBodySize: 1024 },
      { path: '/chosen.Orders', name: 'chosen', when: Match.header('x-a', 'b') },
    ],
  };
  let own: GrpcProxy;

  beforeAll(async () => {
    const auth = new AuthDirectory();
    auth.write('secrets/admins/auth', passwordLine('ann', 'secret'));
    own = await startGrpc(rules, [api.instance], { metricsPort: await freePort(), authDirectory: auth.path });
  });

  test.each([
    ['no route', '/none.Orders/Get', 12, 'Not Found'],
    ['a route whose condition does not hold', '/chosen.Orders/Get', 12, 'Not Found'],
    ['an address that may not ask', '/closed.Orders/Get', 7, 'Forbidden'],
    ['a client without a password', '/secret.Orders/Get', 16, 'Unauthorized'],
    ['a file of passwords that is missing', '/missing.Orders/Get', 13, 'Internal Server Error'],
    ['an instance that hangs', '/shop.Orders/Hang', 4, 'Gateway Timeout'],
  ])('to %s are a status of gRPC', async (_what, path, code, details) => {
    expect(await own.client.call(path)).toMatchObject({ code, details, messages: [] });
  });

  test('to a client with a password are those of the backend', async () => {
    const { code, trailers } = await own.client.call('/secret.Orders/Get', 'x', { metadata: basic('ann', 'secret') });
    // It knows no such service: the path is the one that was called.
    expect([code, trailers['x-request-id']]).toEqual([12, [expect.any(String)]]);
  });

  test('to a message that is too large are RESOURCE_EXHAUSTED', async () => {
    expect(await own.client.call('/small.Orders/Get', 'x'.repeat(2000))).toMatchObject({
      code: 8,
      details: 'Content Too Large',
    });
  });

  test('over a rate say when there is room again', async () => {
    expect((await own.client.call('/limited.Orders/Get')).code).toBe(12);
    const { code, details, trailers } = await own.client.call('/limited.Orders/Get');
    expect({ code, details }).toEqual({ code: 8, details: 'Too Many Requests' });
    expect(trailers).toMatchObject({ 'grpc-retry-pushback-ms': ['60000'], 'x-request-id': [expect.any(String)] });
  });

  test('are one frame of headers with the status 200, as gRPC has it', async () => {
    const { status, headers, body } = await getByHttp2(own.nginx, {
      ':method': 'POST',
      ':path': '/closed.Orders/Get',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    expect({ status, body }).toEqual({ status: 200, body: '' });
    expect(headers).toMatchObject({
      'content-type': 'application/grpc',
      'grpc-status': '7',
      'grpc-message': 'Forbidden',
    });
  });

  test('are JSON for a client that does not speak gRPC, where there is no route', async () => {
    const { status, body } = await own.nginx.get({ path: '/none.Orders/Get' });
    expect([status, JSON.parse(body)]).toEqual([404, expect.objectContaining({ error: 'Not Found' })]);
  });

  test('and those of the backend are in the access log and the metrics with their status', async () => {
    await own.client.call('/shop.Orders/Get');
    await own.client.call('/shop.Orders/Fail');
    await own.client.call('/closed.Orders/Get');
    await own.client.call('/small.Orders/Get', 'x'.repeat(2000));
    const lines = await until(async () => {
      const all = await own.nginx.accessLog(4);
      return ['0', '9', '7', '8'].every((code) => all.some(({ grpc_status: status }) => status === code)) && all;
    }, 'the lines');
    expect(lines).toContainEqual(expect.objectContaining({ path: '/shop.Orders/Fail', status: 200, grpc_status: '9' }));
    const counts = await until(async () => {
      const { body } = await metrics(own);
      return body.includes('code="413"') && body;
    }, 'the counts');
    for (const [route, code] of [
      ['shop_Orders', 200],
      ['shop_Orders', 400],
      ['closed_Orders', 403],
      ['small_Orders', 413],
    ]) {
      expect(counts).toMatch(new RegExp(`\\{[^}]*route="${String(route)}"[^}]*code="${String(code)}"`));
    }
  });
});

async function metrics({ nginx: { place } }: GrpcProxy): Promise<{ readonly body: string }> {
  return { body: await (await fetch(`http://127.0.0.1:${String(place.metricsPort)}/metrics`)).text() };
}

describe('retries', () => {
  test('an instance that refuses connections costs no call', async () => {
    const { client } = await started(parts, [await closedPort(), api.instance]);
    for (let each = 0; each < 6; each += 1) expect((await client.call('/shop.Orders/Get')).code).toBe(0);
  });

  test('a call is answered by the fallback when DNS names nobody who can be reached, whole though it came in parts', async () => {
    const fallback = await StubGrpc.start('fallback');
    const { address, port } = fallback.instance;
    const own = await started({ ...parts, backends: [{ fallback: `${address}:${port}` }] }, [await closedPort()], {
      metricsPort: await freePort(),
    });
    const { client } = own;
    expect(await client.call('/shop.Orders/Get')).toMatchObject({ code: 0, headers: { instance: ['fallback'] } });
    const { send, end, result } = client.open('/shop.Orders/Import');
    const first = 'first'.repeat(20_000);
    send(first);
    // By now nginx has the beginning of the call.
    expect((await client.call('/shop.Orders/Get')).code).toBe(0);
    send('second');
    end();
    expect((await result).code).toBe(0);
    expect(fallback.imports).toEqual([[first, 'second']]);
    const counted = /^fairlead_fallback_requests_total\{[^}]*backend="api"[^}]*\} 3$/m;
    await until(async () => counted.test((await metrics(own)).body), 'the count of what the fallback answered');
  });

  test('a stream of a client is sent whole to an instance that can be reached, and never in part to another one', async () => {
    const streaming: ProxyParts = { routes: [{ path: '/shop.Orders', streamTimeout: 60 }] };
    const importing = async ({ client }: GrpcProxy): Promise<number> => {
      const { send, end, result } = client.open('/shop.Orders/Import');
      send('first');
      // By now nginx has the beginning of it.
      await client.call('/shop.Orders/Get');
      send('second');
      end();
      return (await result).code;
    };
    const alive = await StubGrpc.start('alive');
    const one = await started(streaming, [await closedPort(), alive.instance]);
    for (let each = 0; each < 3; each += 1) expect(await importing(one)).toBe(0);
    expect(alive.imports).toEqual([1, 2, 3].map(() => ['first', 'second']));

    const fallback = await StubGrpc.start('fallback');
    const { address, port } = fallback.instance;
    const none = await started({ ...streaming, backends: [{ fallback: `${address}:${port}` }] }, [await closedPort()]);
    expect(await importing(none)).toBe(14);
    expect(fallback.imports).toEqual([]);
    expect(fallback.calls).toEqual([]);
  });

  test('a call that had reached an instance which died is UNAVAILABLE, and not repeated', async () => {
    const dying = [
      await taking((socket) => socket.resetAndDestroy()),
      await taking((socket) => socket.resetAndDestroy()),
    ];
    const { client } = await started(parts, dying);
    expect(await client.call('/shop.Orders/Get')).toMatchObject({ code: 14, details: 'Bad Gateway' });
    expect(dying.reduce((sum, { received }) => sum + received(), 0)).toBe(1);
  });

  test('where nobody saw the call, its client is told that it may try again in a second', async () => {
    const { client } = await started(parts, [await closedPort()]);
    expect(await client.call('/shop.Orders/Get')).toMatchObject({
      code: 14,
      details: 'Service Unavailable',
      trailers: { 'grpc-retry-pushback-ms': ['1000'] },
    });
  });
});

describe('a route with streaming', () => {
  const short: ProxyParts = {
    clientTimes: { headerTimeout: 10_000, bodyTimeout: 300, sendTimeout: 10_000 },
    routes: [
      { path: '/shop.Orders', times: { requestTimeout: 1 } },
      { path: '/shop.Chat', streamTimeout: 60, times: { requestTimeout: 1 }, maxBodySize: 1023 * 2 ** 30 },
    ],
  };

  test('lets both sides be silent for longer than others, and send more', async () => {
    const { client } = await started(short, [api.instance]);
    const talk = client.open('/shop.Chat/Talk');
    talk.send('x'.repeat(2 ** 21));
    await until(() => talk.messages.length === 1, 'an answer');
    // What is over by the time that another call has hung is not what ends this one.
    expect((await client.call('/shop.Orders/Hang')).code).toBe(4);
    talk.send('y');
    await until(() => talk.messages.length === 2, 'an answer after the silence');
    talk.end();
    expect((await talk.result).code).toBe(0);
  });

  test('is what a client needs that waits for an answer before it has said all', async () => {
    const { client } = await started(short, [api.instance]);
    const before = api.calls.length;
    const { send, result } = client.open('/shop.Orders/Import');
    send('first');
    expect((await result).code).not.toBe(0);
    expect(api.calls.length).toBe(before);
  });
});

describe('a new proxy', () => {
  const startup = ({ nginx }: GrpcProxy): Promise<number> =>
    nginx.get({ port: nginx.place.probePort, path: '/startup' }).then(({ status }) => status);

  test('starts once a backend answers by gRPC', async () => {
    expect(await startup(proxy)).toBe(200);
  });

  test('does not start while nobody does', async () => {
    expect(await startup(await started(parts, [await closedPort()]))).toBe(502);
    const http = await StubApi.start('http', (_request, response) => response.end('ok'));
    onTestFinished(() => http.stop());
    expect(await startup(await started(parts, [http.instance]))).toBe(502);
  });

  test('starts where one of several backends is there, whichever it speaks', async () => {
    const http = await StubApi.start('http', (_request, response) => response.end('ok'));
    onTestFinished(() => http.stop());
    const several: ProxyParts = {
      backends: [{ name: 'chat' }, { name: 'web', protocol: 'http', healthCheckPath: '/healthcheck' }],
      routes: [
        { path: '/shop.Chat', target: 'chat' },
        { path: '/', target: 'web', protocol: 'http' },
      ],
    };
    const gone = [await closedPort()];
    expect(await startup(await started(several, { chat: [api.instance], web: gone }))).toBe(200);
    expect(await startup(await started(several, { chat: gone, web: [http.instance] }))).toBe(200);
    expect(await startup(await started(several, { chat: gone, web: gone }))).toBe(502);
  });
});
