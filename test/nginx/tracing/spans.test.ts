import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get as plainGet, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { RequestKey } from '../../../model/load-balancing';
import { serviceUrl } from '../../../validation/urls';
import { onFileFinished } from '../../afterwards';
import { until } from '../../until';
import { StubGrpc, startGrpc } from '../support/grpc';
import { proxyModel } from '../support/models';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver';
import { type Answer, RealNginx } from '../support/real-nginx';
import { sendLine } from '../support/several-backends';
import { StubApi } from '../support/stub-api';
import { StubDns } from '../support/stub-dns';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';
const host = 'api.example.com';

let receiver: OtlpReceiver;
let api: StubApi;
let nginx: RealNginx;
/** An instance that refuses. */
let closed: number;

beforeAll(async () => {
  receiver = await OtlpReceiver.start();
  const dns = await StubDns.start();
  api = await StubApi.start('one', (request, response) => {
    request.resume();
    request.on('end', () => {
      if (request.url?.startsWith('/never') === true) return;
      if (request.url?.startsWith('/fails') === true) response.statusCode = 503;
      setTimeout(() => response.end('ok'), request.url?.startsWith('/slow') === true ? 50 : 0);
    });
  });
  api.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.on('data', () => socket.end());
    socket.on('error', () => undefined);
  });
  const refusing = createServer().listen(0, '127.0.0.1');
  await once(refusing, 'listening');
  closed = (refusing.address() as AddressInfo).port;
  refusing.close();
  for (const name of ['api', 'canary']) dns.byHost.set(`${name}.orders.svc.cluster.local`, [api.instance]);
  dns.byHost.set('half.orders.svc.cluster.local', [api.instance, { address: '127.0.0.1', port: closed }]);
  dns.byHost.set('gone.orders.svc.cluster.local', []);
  dns.byHost.set('collector.observability.svc.cluster.local', [{ address: '127.0.0.1', port: receiver.port }]);
  const files = mkdtempSync(join(tmpdir(), 'fairlead-spans-'));
  onFileFinished(() => {
    rmSync(files, { recursive: true });
  });
  mkdirSync(join(files, 'web'));
  writeFileSync(join(files, 'web/index.html'), 'page');
  nginx = await RealNginx.start(
    proxyModel({
      names: [host],
      backends: [
        {},
        { name: 'half', maxFails: 1_000 },
        { name: 'gone' },
        { name: 'canary', version: { of: 'api', name: 'v2' } },
      ],
      routes: [
        { name: 'root' },
        { name: 'ws', path: '/ws', streamTimeout: 60 },
        { name: 'half', path: '/half', target: 'half' },
        { name: 'gone', path: '/gone', target: 'gone' },
        { name: 'moved', path: '/moved', target: { kind: 'redirect', location: '/', status: 308 } },
        {
          name: 'web',
          path: '/web',
          target: { kind: 'files', source: 'web', singlePage: false, immutable: undefined },
        },
        {
          name: 'split',
          path: '/split',
          target: {
            kind: 'split',
            shares: [
              { backend: 'api', weight: 0 },
              { backend: 'canary', weight: 100 },
            ],
            stickyBy: RequestKey.clientAddress(),
          },
        },
      ],
      traceContext: { sampledPercent: 100 },
      tracing: {
        collector: serviceUrl('endpoint', `http://collector.observability.svc.cluster.local:${receiver.port}`),
        service: { name: 'edge', namespace: 'shop' },
      },
    }),
    { resolvers: [dns.server], filesDirectories: { web: join(files, 'web') } },
  );
  for (const path of ['/', '/half', '/split']) {
    await nginx.untilAnswered(({ status }) => status === 200, { path, headers: { traceparent: unsampled } });
  }
});

const unsampled = `00-${traceId}-${parentId}-00`;

/** The span of one request, which is told by its path. */
async function spanOf(path: string, send: () => Promise<unknown>): Promise<ReceivedSpan> {
  await send();
  const [span] = await receiver.until(1, ({ attributes }) => attributes['url.path'] === path);
  if (span === undefined) throw new Error('no span');
  return span;
}

function get(path: string, options: Parameters<RealNginx['get']>[0] = {}): Promise<Answer> {
  return nginx.get({ path, ...options });
}

test('every sampled request is one span, of whichever worker, and no other request is', async () => {
  const sent = Array.from({ length: 200 }, (_, index) => index);
  await Promise.all(
    sent.map((index) =>
      get(`/each/${index}`, index % 2 === 0 ? {} : { headers: { traceparent: `00-${traceId}-${parentId}-00` } }),
    ),
  );
  const ours = ({ attributes }: ReceivedSpan): boolean => String(attributes['url.path']).startsWith('/each/');
  const spans = await receiver.until(100, ours);
  expect(spans.map(({ attributes }) => attributes['url.path']).sort()).toEqual(
    sent
      .filter((index) => index % 2 === 0)
      .map((index) => `/each/${index}`)
      .sort(),
  );
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(100);
});

test('a span says what was asked for and who answered, and nothing of who asked', async () => {
  const before = Date.now();
  const span = await spanOf('/slow', () =>
    get('/slow?token=secret', { headers: { 'User-Agent': 'secret', Cookie: 'secret', traceparent: 'secret' } }),
  );
  const { events, start, end, attributes, resource, ...rest } = span;
  expect(rest).toMatchObject({ name: 'GET /', kind: 2, isError: false, parentSpanId: undefined, scope: 'fairlead' });
  expect(attributes).toEqual({
    'http.request.method': 'GET',
    'url.scheme': 'https',
    'url.path': '/slow',
    'server.address': host,
    'http.response.status_code': 200,
    'http.route': '/',
    'fairlead.route': 'root',
    'fairlead.backend': 'api',
  });
  expect(resource).toEqual({
    'service.name': 'edge',
    'service.namespace': 'shop',
    'service.instance.id': expect.stringMatching(/./) as string,
  });
  // nginx looks at its clock once an event.
  expect(start).toBeGreaterThanOrEqual(before - 1000);
  expect(end - start).toBeGreaterThanOrEqual(45);
  expect(events).toEqual([
    {
      time: expect.any(Number) as number,
      name: 'try',
      attributes: {
        'network.peer.address': '127.0.0.1',
        'network.peer.port': api.instance.port,
        'http.response.status_code': 200,
        'fairlead.connect_seconds': expect.any(Number) as number,
        'fairlead.header_seconds': expect.any(Number) as number,
        'fairlead.response_seconds': expect.any(Number) as number,
      },
    },
  ]);
  expect(events[0]?.time).toBeGreaterThanOrEqual(start);
  expect(events[0]?.time).toBeLessThanOrEqual(end);
  expect(JSON.stringify(receiver.spans)).not.toContain('secret');
});

describe('the span that a backend is told as its parent', () => {
  test("is that of the proxy, which is a child of the client's", async () => {
    const expected = { '01': '01', '03': '03', ff: '03', '09': '01' };
    const header = (flags: string) => ({ traceparent: `00-${traceId}-${parentId}-${flags}` });
    for (const flags of Object.keys(expected)) await get(`/child/${flags}`, { headers: header(flags) });
    const spans = await receiver.until(4, ({ attributes }) => String(attributes['url.path']).startsWith('/child/'));
    for (const [flags, passedOn] of Object.entries(expected)) {
      const span = spans.find(({ attributes }) => attributes['url.path'] === `/child/${flags}`);
      expect(span).toMatchObject({ traceId, parentSpanId: parentId });
      expect(told(`/child/${flags}`)).toEqual([`00-${traceId}-${span?.spanId}-${passedOn}`]);
    }
  });

  test('is one of a new trace where the client has begun none', async () => {
    const span = await spanOf('/begun', () => get('/begun', { headers: { traceparent: 'none' } }));
    expect(span.parentSpanId).toBeUndefined();
    expect(told('/begun')).toEqual([`00-${span.traceId}-${span.spanId}-01`]);
  });

  test('is told where the client wants no span, with its word', async () => {
    for (const [flags, expected] of [
      ['00', '00'],
      ['02', '02'],
      ['fe', '02'],
    ]) {
      await get(`/unwanted/${flags}`, { headers: { traceparent: `00-${traceId}-${parentId}-${flags}` } });
      const [traceparent] = told(`/unwanted/${flags}`);
      expect(traceparent).toMatch(new RegExp(`^00-${traceId}-(?!${parentId})[0-9a-f]{16}-${expected}$`));
    }
  });

  test('is the same for each try', async () => {
    const isTriedAgain = ({ attributes, events }: ReceivedSpan): boolean =>
      String(attributes['url.path']).startsWith('/half/') && events.length > 1;
    let sent = 0;
    // Instances are asked in turn: one of two requests comes to the one that refuses.
    const { spanId, events, attributes, isError } = await until(async () => {
      for (let index = 0; index < 4; index += 1) await get(`/half/${(sent += 1)}`);
      await receiver.until(sent, (span) => String(span.attributes['url.path']).startsWith('/half/'));
      return receiver.spans.find(isTriedAgain);
    }, 'a request that was tried again');
    expect(told(String(attributes['url.path']))).toEqual([expect.stringContaining(`-${spanId}-01`)]);
    expect({ isError, status: attributes['http.response.status_code'] }).toEqual({ isError: false, status: 200 });
    expect(events.map((event) => [event.name, event.attributes['network.peer.port']])).toEqual([
      ['try', closed],
      ['try', api.instance.port],
    ]);
    expect(events[0]?.attributes).toMatchObject({ 'http.response.status_code': 502 });
    expect(events[0]?.attributes).not.toHaveProperty('fairlead.header_seconds');
  });
});

function told(url: string): unknown[] {
  return api.requests.filter((request) => request.url === url).map(({ headers }) => headers.traceparent);
}

test('an error of an instance is one of its span, and what nginx refuses is a span too', async () => {
  const failed = await spanOf('/fails', () => get('/fails'));
  expect(failed).toMatchObject({ isError: true, attributes: { 'error.type': '503' } });
  const refused = await spanOf('/large', () =>
    get('/large', { method: 'POST', headers: { 'Content-Length': String(2 ** 30) } }),
  );
  // nginx asks for its error page by GET, and forgets what was asked.
  expect(refused).toMatchObject({ name: 'GET', isError: false, events: [] });
  expect(refused.attributes).toMatchObject({ 'http.response.status_code': 413 });
  const gone = await spanOf('/gone', () => get('/gone'));
  expect(gone).toMatchObject({ isError: true, attributes: { 'fairlead.backend': 'gone' } });
  expect(gone.events.map(({ name, attributes }) => [name, attributes])).toEqual([
    ['no instance', { 'fairlead.upstream': 'gone' }],
    ['no instance', { 'fairlead.upstream': 'gone' }],
  ]);
});

test('what nginx answers itself is a span without tries', async () => {
  const moved = await spanOf('/moved/x', () => get('/moved/x'));
  expect(moved).toMatchObject({ name: 'GET /moved', events: [], isError: false });
  expect(moved.attributes).toMatchObject({ 'http.response.status_code': 308, 'fairlead.route': 'moved' });
  expect(moved.attributes).not.toHaveProperty('fairlead.backend');
  expect(await spanOf('/web/none', () => get('/web/none'))).toMatchObject({ name: 'GET /web', events: [] });
  const plain = await spanOf('/plain', async () => {
    const sent = plainGet({ host: '127.0.0.1', port: nginx.place.httpPort, headers: { host }, path: '/plain' });
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
  });
  expect(plain).toMatchObject({ name: 'GET', attributes: { 'url.scheme': 'http' } });
  expect(plain.attributes).not.toHaveProperty('http.route');
});

test('a version is told from others of its backend', async () => {
  const span = await spanOf('/split', () => get('/split'));
  expect(span.attributes).toMatchObject({
    'fairlead.backend': 'api',
    'fairlead.version': 'v2',
    'http.route': '/split',
  });
});

test('a method that nobody knows is not named, nor is more of a path than a line has room for', async () => {
  const long = `/${'a'.repeat(2000)}`;
  const span = await spanOf(long.slice(0, 800), () => get(long, { method: 'PROPFIND' }));
  expect(span).toMatchObject({ name: 'HTTP /', attributes: { 'http.request.method': '_OTHER' } });
});

test('a path comes through whatever is in it', async () => {
  const path = '/"quoted"\\n$request_id,é{}';
  const line = `GET ${path}?x HTTP/1.1`;
  const { attributes } = await spanOf(path, () => sendLine(Buffer.from(line).toString('latin1'), nginx));
  expect(attributes['url.path']).toBe(path);
});

test('a client that leaves before its answer is no error of the proxy', async () => {
  const abort = new AbortController();
  const answer = get('/never', { signal: abort.signal });
  await until(() => api.requests.some(({ url }) => url === '/never'), 'the request at the API');
  abort.abort();
  await expect(answer).rejects.toThrow();
  const span = await spanOf('/never', () => Promise.resolve());
  expect(span).toMatchObject({ isError: false, attributes: { 'http.response.status_code': 499 } });
});

test('a WebSocket is a span when it ends', async () => {
  const socket = connectTls({
    ...{ host: '127.0.0.1', port: nginx.place.httpsPort, servername: host, rejectUnauthorized: false },
  });
  await once(socket, 'secureConnect');
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toContain('101');
  socket.end('bye');
  const span = await spanOf('/ws', () => Promise.resolve());
  expect(span).toMatchObject({ name: 'GET /ws', attributes: { 'http.response.status_code': 101 } });
});

test('a call of gRPC says its status, and is an error where the server failed', async () => {
  const grpc = await StubGrpc.start('api');
  const { client } = await startGrpc(
    {
      routes: [{ path: '/shop.Orders' }, { path: '/gone.Orders', target: 'gone' }],
      backends: [{}, { name: 'gone' }],
      traceContext: { sampledPercent: 100 },
      tracing: {
        collector: serviceUrl('endpoint', `http://127.0.0.1:${receiver.port}`),
        service: { name: 'edge', namespace: 'shop' },
      },
    },
    [grpc.instance],
  );
  const called = async (path: string): Promise<ReceivedSpan> =>
    spanOf(path, () => client.call(path, 'hello').catch(() => undefined));
  const well = await called('/shop.Orders/Get');
  expect(well).toMatchObject({ name: 'POST /shop.Orders', isError: false });
  expect(well.attributes).toMatchObject({ 'rpc.grpc.status_code': 0, 'http.response.status_code': 200 });
  expect(grpc.calls.at(-1)?.metadata.traceparent).toEqual([`00-${well.traceId}-${well.spanId}-01`]);
  // A failed precondition is the client's.
  const refused = await called('/shop.Orders/Fail');
  expect(refused).toMatchObject({ isError: false, attributes: { 'rpc.grpc.status_code': 9 } });
  const gone = await called('/gone.Orders/Get');
  expect(gone).toMatchObject({ isError: true, attributes: { 'rpc.grpc.status_code': 14, 'error.type': '14' } });
});

test('what a killed worker has answered is there', async () => {
  const sent: string[] = [];
  for (const worker of nginx.workers) {
    for (let index = 0; index < 10; index += 1) {
      const path = `/killed/${sent.length}`;
      sent.push(path);
      expect((await get(path)).status).toBe(200);
    }
    process.kill(worker, 'SIGKILL');
    await until(() => nginx.workers.length === 2 && !nginx.workers.includes(worker), 'another worker');
  }
  const ours = ({ attributes }: ReceivedSpan): boolean => String(attributes['url.path']).startsWith('/killed/');
  // What was sent when its worker was killed may be sent once more.
  const paths = await until(() => {
    const found = new Set(receiver.spans.filter(ours).map(({ attributes }) => String(attributes['url.path'])));
    return found.size === sent.length && [...found].sort();
  }, 'all spans');
  expect(paths).toEqual([...sent].sort());
});
