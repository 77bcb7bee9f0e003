import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { answer } from './support/answer';
import { apiServer, type ApiServer } from './support/api-server';
import { RawConnection } from './support/raw-connection';

let api: ApiServer;

beforeAll(async () => {
  api = await apiServer({ DIAGNOSTIC_ENDPOINTS: 'true', MAX_BODY_SIZE: '10kb' });
});

afterAll(async () => {
  await api.close();
});

const json = { 'Content-Type': 'application/json' };

test('GET / lists the diagnostic endpoints too, and each of them answers', async () => {
  const { json: about } = await answer(api.port, '/');
  const { endpoints } = about as { endpoints: string[] };
  expect(endpoints).toHaveLength(15);
  for (const endpoint of endpoints) {
    const [method = '', route = ''] = endpoint.split(' ');
    if (method === 'WebSocket' || route === '/sse') continue;
    const path = route.replace(/:\w+/, '200').replace('chunked/200', 'chunked/2');
    expect([endpoint, (await answer(api.port, path, { method: method === 'ALL' ? 'PUT' : method })).status]).toEqual([
      endpoint,
      200,
    ]);
  }
});

test('POST /readyz/disable and /enable turn the readiness', async () => {
  expect(await answer(api.port, '/readyz/disable', { method: 'POST' })).toMatchObject({ json: { ready: false } });
  expect((await answer(api.port, '/readyz')).status).toBe(503);
  expect((await answer(api.port, '/livez')).status).toBe(200);
  expect(await answer(api.port, '/readyz/enable', { method: 'POST' })).toMatchObject({ json: { ready: true } });
  expect((await answer(api.port, '/readyz')).status).toBe(200);
});

test.each<[string, Record<string, string>, string, unknown]>([
  ['JSON', json, '{"a":[1,null,"ü"]}', { a: [1, null, 'ü'] }],
  ['a JSON scalar', json, 'false', false],
  ['JSON null', json, 'null', null],
  ['text', { 'Content-Type': 'text/plain' }, 'hello, wörld', 'hello, wörld'],
  ['a form, as text', { 'Content-Type': 'application/x-www-form-urlencoded' }, 'a=1&b=2', 'a=1&b=2'],
  ['a body without a type, as text', {}, '{"a":1}', '{"a":1}'],
  ['no body, as empty text', {}, '', ''],
])('POST /echo answers %s', async (_what, headers, body, expected) => {
  const result = await answer(api.port, '/echo', { method: 'POST', headers, body });
  expect(result.status).toBe(200);
  expect(result.json).toEqual({ hostname: 'api-1', body: expected });
});

test('POST /echo takes 1 MiB as it is sent, and of a body that is to be unpacked 100 KiB', async () => {
  const usual = await apiServer({ DIAGNOSTIC_ENDPOINTS: 'true' });
  const post = (body: string | Buffer, headers = {}) => answer(usual.port, '/echo', { method: 'POST', headers, body });
  const gzip = { 'Content-Encoding': 'gzip' };
  try {
    expect((await post('a'.repeat(1024 ** 2))).status).toBe(200);
    expect((await post(gzipSync('a'.repeat(100 * 1024)), gzip)).status).toBe(200);
    expect((await post(gzipSync('a'.repeat(100 * 1024 + 1)), gzip)).status).toBe(413);
  } finally {
    await usual.close();
  }
});

test('POST /upload counts the bytes of a body that /echo would refuse', async () => {
  const body = 'x'.repeat(2_000_000);
  expect(await answer(api.port, '/upload', { method: 'POST', body })).toMatchObject({
    status: 200,
    json: { hostname: 'api-1', bytes: 2_000_000 },
  });
});

test('GET /headers shows the headers as they came', async () => {
  const { json: shown } = await answer(api.port, '/headers', { headers: { 'X-Some-Thing': 'A, b' } });
  expect(shown).toMatchObject({ hostname: 'api-1', headers: { 'x-some-thing': 'A, b' } });
});

test('one trusted proxy: the last hop is believed, what came before it is not', async () => {
  const headers = { 'X-Forwarded-For': '203.0.113.7, 198.51.100.9', 'X-Forwarded-Proto': 'https' };
  const { json: shown } = await answer(api.port, '/headers', { headers });
  expect(shown).toMatchObject({ ip: '198.51.100.9', protocol: 'https' });
});

test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
  '%s /status/:code answers that code',
  async (method) => {
    expect(await answer(api.port, '/status/418', { method })).toMatchObject({
      status: 418,
      json: { hostname: 'api-1', status: 418 },
    });
  },
);

test.each(['200', '204', '304', '500', '503', '599'])('/status/%s is within bounds', async (code) => {
  expect((await answer(api.port, `/status/${code}`)).status).toBe(Number(code));
});

test.each(['199', '600', '100', '0', '-1', '2e2', '200.0', 'abc', '0200000000000'])(
  '/status/%s is refused',
  async (code) => {
    expect(await answer(api.port, `/status/${code}`)).toMatchObject({
      status: 400,
      json: { error: 'code: give a whole number from 200 to 599' },
    });
  },
);

test('GET /delay/:ms answers later', async () => {
  expect(await answer(api.port, '/delay/20')).toMatchObject({ status: 200, json: { hostname: 'api-1', delay: 20 } });
});

test.each(['300001', '-1', '1.5', 'soon'])('GET /delay/%s is refused', async (ms) => {
  expect(await answer(api.port, `/delay/${ms}`)).toMatchObject({
    status: 400,
    json: { error: 'ms: give a whole number of milliseconds from 0 to 300000' },
  });
});

test('GET /delay/:ms ends when the client goes away', async () => {
  const client = await RawConnection.open(api.port);
  const arrived = once(api.server, 'request');
  client.get('/delay/299999');
  await arrived;
  client.destroy();
  expect(await api.log.line(({ path }) => path === '/delay/299999')).toMatchObject({ msg: 'request aborted' });
});

test('GET /chunked/:n answers in that many chunks', async () => {
  const client = await RawConnection.open(api.port);
  client.get('/chunked/3');
  const received = await client.until('\r\n0\r\n\r\n');
  expect(received).toContain('Transfer-Encoding: chunked');
  expect(received.match(/\r\n[\da-f]+\r\nchunk \d of 3 from api-1\n/g)).toHaveLength(3);
  client.destroy();
});

test.each(['0', '1001', 'x'])('GET /chunked/%s is refused', async (n) => {
  expect(await answer(api.port, `/chunked/${n}`)).toMatchObject({
    status: 400,
    json: { error: 'n: give a whole number of chunks from 1 to 1000' },
  });
});

test('GET /sse sends events that name the instance, each with the next id', async () => {
  const client = await RawConnection.open(api.port);
  client.get('/sse');
  const received = await client.until('id: 2\n');
  expect(received).toContain('Content-Type: text/event-stream');
  expect(received).toContain('X-Accel-Buffering: no');
  expect(received).toMatch(/id: 1\ndata: \{"hostname":"api-1","time":"[^"]+"\}\n\n/);
  client.destroy();
});

test('GET /sse goes on after the Last-Event-ID, and ignores one that is not its own', async () => {
  for (const [last, first] of [
    ['41', 'id: 42\n'],
    ['x1', 'id: 1\n'],
    ['99999999999999999999', 'id: 1\n'],
  ]) {
    const client = await RawConnection.open(api.port);
    client.write('GET /sse HTTP/1.1', 'Host: test', `Last-Event-ID: ${last ?? ''}`, '', '');
    await client.until('\ndata: ');
    expect(client.received).toContain(`\n${first ?? ''}`);
    client.destroy();
  }
});

test('GET /bytes/:n answers so many bytes', async () => {
  const { status, headers, body } = await answer(api.port, '/bytes/100000');
  expect({ status, length: headers['content-length'] }).toEqual({ status: 200, length: '100000' });
  expect(Buffer.byteLength(body)).toBe(100_000);
});

test.each(['100000001', '-1', 'x'])('GET /bytes/%s is refused', async (n) => {
  expect(await answer(api.port, `/bytes/${n}`)).toMatchObject({
    status: 400,
    json: { error: 'n: give a whole number of bytes from 0 to 100000000' },
  });
});
