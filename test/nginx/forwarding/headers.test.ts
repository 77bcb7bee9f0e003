import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { proxyModel } from '../support/models';
import { rawHttp2 } from '../support/raw-http2';
import { RealNginx } from '../support/real-nginx';
import { StubApi } from '../support/stub-api';
import { StubDns } from '../support/stub-dns';

let dns: StubDns;
let api: StubApi;
let nginx: RealNginx;

beforeAll(async () => {
  dns = await StubDns.start();
  api = await StubApi.start('one', (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.setHeader('Content-Type', 'application/json');
      response.end(
        JSON.stringify({ url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
  });
  dns.instances = [api.instance];
  nginx = await RealNginx.start(proxyModel({ names: ['api.example.com'] }), { resolvers: [dns.server] });
  await nginx.untilAnswered(({ status }) => status === 200);
});

afterAll(async () => {
  await nginx.stop();
  await api.stop();
  await dns.stop();
});

interface Seen {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

async function seen(headers: Record<string, string>, path = '/'): Promise<Seen> {
  const answer = await nginx.get({ headers, path });
  expect(answer.status).toBe(200);
  return JSON.parse(answer.body) as Seen;
}

describe('what the API is told of a request', () => {
  test('the path and the query arrive as they were sent', async () => {
    const path = '/a%2Fb//c/../d%20e;f?q=%00&x=$host';
    expect((await seen({}, path)).url).toBe(path);
  });

  test('the client, the scheme and the name it asked for are told, without what the client claims', async () => {
    const { headers } = await seen({
      'X-Forwarded-For': '6.6.6.6',
      'X-Real-IP': '6.6.6.6',
      'X-Forwarded-Proto': 'http',
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Port': '1',
      Forwarded: 'for=6.6.6.6',
    });
    expect(headers).toMatchObject({
      host: 'api.example.com',
      'x-forwarded-for': '127.0.0.1',
      'x-real-ip': '127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': `api.example.com:${nginx.place.externalHttpsPort}`,
      'x-forwarded-port': String(nginx.place.externalHttpsPort),
    });
    expect(headers).not.toHaveProperty('forwarded');
  });

  test.each([
    'X-Forwarded-Prefix',
    'X-Forwarded-Server',
    'X-Original-URL',
    'X-Rewrite-URL',
    'Proxy',
    'True-Client-IP',
    'CF-Connecting-IP',
    'X-Client-IP',
  ])('keeps %s of a client from the API, which may believe it', async (name) => {
    const { headers } = await seen({ [name]: '/admin', 'X-Harmless': 'kept' });
    expect(headers).not.toHaveProperty(name.toLowerCase());
    expect(headers['x-harmless']).toBe('kept');
  });

  test('a request id of a harmless form is passed on and answered', async () => {
    const answer = await nginx.get({ headers: { 'X-Request-Id': 'a.b-C_9' } });
    expect(answer.headers['x-request-id']).toBe('a.b-C_9');
    expect((JSON.parse(answer.body) as Seen).headers['x-request-id']).toBe('a.b-C_9');
  });

  test.each(['with space', 'quote"', 'a;b', 'ü', 'x'.repeat(129), ''])(
    'a request id of another form (%j) is replaced',
    async (id) => {
      const answer = await nginx.get({ headers: { 'X-Request-Id': Buffer.from(id).toString('latin1') } });
      expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
      expect((JSON.parse(answer.body) as Seen).headers['x-request-id']).toBe(answer.headers['x-request-id']);
    },
  );

  test('an upgrade to anything but WebSocket is not passed on', async () => {
    const { headers } = await seen({
      Connection: 'Upgrade, HTTP2-Settings',
      Upgrade: 'h2c',
      'HTTP2-Settings': 'AAMAAABkAAQAAP__',
    });
    expect(headers).not.toHaveProperty('upgrade');
    expect(headers.connection).toBeUndefined();
  });

  test('passes no upgrade on that comes over HTTP/2, where the connection has other streams', async () => {
    const headers = { ':method': 'GET', ':scheme': 'https', ':path': '/over-http2', ':authority': nginx.host };
    const answer = await rawHttp2(nginx, { ...headers, upgrade: 'websocket' });
    const [request] = api.requests.filter(({ url }) => url === '/over-http2');
    expect(request?.headers).not.toHaveProperty('upgrade');
    expect(answer).toContain('/over-http2');
    expect(nginx.errors).not.toContain('[alert]');
  });

  test('a body of POST arrives whole, whether its length is known or not', async () => {
    const body = 'x'.repeat(900_000);
    for (const headers of [{ 'Content-Length': String(body.length) }, { 'Transfer-Encoding': 'chunked' }]) {
      const answer = await nginx.get({ method: 'POST', headers, body });
      expect(answer.status).toBe(200);
      expect((JSON.parse(answer.body) as Seen).body).toBe(body);
    }
  });

  test('connections to the API are kept and used again', async () => {
    const before = api.connections;
    for (let i = 0; i < 20; i += 1) await nginx.get({});
    // Each worker has connections of its own.
    expect(api.connections - before).toBeLessThanOrEqual(nginx.place.workers);
  });
});

describe('WebSockets', () => {
  let server: WebSocketServer;

  beforeAll(() => {
    server = new WebSocketServer({ noServer: true });
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        socket.send(data);
      });
    });
    api.on('upgrade', (request, socket) => {
      server.handleUpgrade(request, socket, Buffer.alloc(0), (client) => server.emit('connection', client, request));
    });
  });

  afterAll(() => {
    for (const client of server.clients) client.terminate();
  });

  test('an upgrade goes through to the API, and messages both ways', async () => {
    const tls = { servername: nginx.host, headers: { host: nginx.host }, rejectUnauthorized: false };
    const client = new WebSocket(`wss://127.0.0.1:${nginx.place.httpsPort}/ws`, tls);
    await once(client, 'open');
    client.send('hello');
    const [data] = (await once(client, 'message')) as [Buffer];
    expect(data.toString()).toBe('hello');
    const closed = once(client, 'close');
    client.close(1000);
    expect((await closed)[0]).toBe(1000);
  });
});
