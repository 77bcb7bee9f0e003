import { hostname } from 'node:os';
import { readEnvironment } from '../../api/src/environment';
import { answer } from './support/answer';
import { apiServer, type ApiServer } from './support/api-server';

let api: ApiServer;

beforeAll(async () => {
  api = await apiServer();
});

afterAll(async () => {
  await api.close();
});

test('GET /healthcheck names the instance and its version', async () => {
  const { status, headers, json } = await answer(api.port, '/healthcheck');
  expect(status).toBe(200);
  expect(json).toEqual({ status: 'ok', hostname: 'api-1', version: '1.2.3' });
  expect(headers['cache-control']).toBe('no-store');
  expect(headers).not.toHaveProperty('x-powered-by');
});

test('without HOSTNAME and VERSION it is the name of the machine and the version of the package', () => {
  expect(readEnvironment({})).toMatchObject({ hostname: hostname(), version: '0.1.0', diagnosticEndpoints: false });
});

test('GET /livez answers 200', async () => {
  expect(await answer(api.port, '/livez')).toMatchObject({ status: 200, json: { status: 'ok' } });
});

test('GET /readyz answers what the readiness is', async () => {
  expect(await answer(api.port, '/readyz')).toMatchObject({ status: 200, json: { status: 'ok' } });
  api.readiness.disable();
  expect(await answer(api.port, '/readyz')).toMatchObject({ status: 503, json: { status: 'disabled' } });
  api.readiness.enable();
  expect(await answer(api.port, '/readyz')).toMatchObject({ status: 200 });
});

test('GET / says what this is, and lists only what answers', async () => {
  const { status, json } = await answer(api.port, '/');
  expect(status).toBe(200);
  expect(json).toEqual({
    name: 'fairlead-api',
    version: '1.2.3',
    hostname: 'api-1',
    endpoints: ['GET /', 'GET /healthcheck', 'GET /livez', 'GET /readyz'],
  });
});

test.each([
  ['POST', '/readyz/disable'],
  ['POST', '/readyz/enable'],
  ['POST', '/echo'],
  ['GET', '/headers'],
  ['GET', '/status/200'],
  ['GET', '/delay/1'],
  ['GET', '/bytes/1'],
  ['GET', '/chunked/1'],
  ['GET', '/sse'],
])('%s %s is 404 when diagnostic endpoints are off', async (method, path) => {
  expect((await answer(api.port, path, { method })).status).toBe(404);
});

test('a WebSocket upgrade is refused with 404 when diagnostic endpoints are off', async () => {
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  expect((await answer(api.port, '/ws/echo', { headers })).status).toBe(404);
});
