import { answer } from './support/answer';
import { apiServer, type ApiServer } from './support/api-server';
import { CapturedLogger } from './support/captured-logger';
import { onTestFinished } from '../afterwards';

let api: ApiServer;

beforeAll(async () => {
  api = await apiServer({ DIAGNOSTIC_ENDPOINTS: 'true' });
});

afterAll(async () => {
  await api.close();
});

test('each request is one line, without its query string', async () => {
  await answer(api.port, '/status/404?token=secret', { method: 'PUT', headers: { 'X-Request-Id': 'given-1' } });
  const line = await api.log.line(({ requestId }) => requestId === 'given-1');
  expect(line).toMatchObject({ level: 30, method: 'PUT', path: '/status/404', status: 404, msg: 'request completed' });
  expect(typeof line.durationMs).toBe('number');
  expect(JSON.stringify(api.log.lines)).not.toContain('secret');
  expect(api.log.lines.filter(({ requestId }) => requestId === 'given-1')).toHaveLength(1);
});

test('a request without an id gets one of its own', async () => {
  await answer(api.port, '/status/201');
  await answer(api.port, '/status/201');
  await api.log.line(({ path }) => path === '/status/201');
  const ids = api.log.lines.filter(({ path }) => path === '/status/201').map(({ requestId }) => requestId);
  expect(new Set(ids).size).toBe(2);
});

test('what a client can send does not break out of its line', async () => {
  const path = '/%0a{%22level%22:60}';
  await answer(api.port, path);
  expect(await api.log.line((line) => line.path === path)).toMatchObject({ level: 30, status: 404 });
});

test('probes are logged at debug level only', async () => {
  const log = new CapturedLogger('debug');
  const verbose = await apiServer({}, log);
  onTestFinished(() => verbose.close());
  await answer(verbose.port, '/livez');
  await answer(verbose.port, '/readyz?verbose');
  expect(await log.line(({ path }) => path === '/livez')).toMatchObject({ level: 20 });
  expect(await log.line(({ path }) => path === '/readyz')).toMatchObject({ level: 20 });

  await answer(api.port, '/livez');
  await answer(api.port, '/healthcheck');
  await api.log.line(({ path }) => path === '/healthcheck');
  expect(api.log.lines.find(({ path }) => path === '/livez')).toBeUndefined();
});

test('a request that belongs to a trace says which', async () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const headers = (requestId: string, traceparent: string) => ({ 'X-Request-Id': requestId, traceparent });
  await answer(api.port, '/status/204', { headers: headers('traced', `00-${trace}-00f067aa0ba902b7-01`) });
  await answer(api.port, '/status/204', { headers: headers('untraced', `00-${trace}-01`) });
  expect(await api.log.line(({ requestId }) => requestId === 'traced')).toMatchObject({ trace_id: trace });
  expect(await api.log.line(({ requestId }) => requestId === 'untraced')).not.toHaveProperty('trace_id');
});
