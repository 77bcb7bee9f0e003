import { once } from 'node:events';
import { WebSocket } from 'ws';
import { answer } from './support/answer';
import { NodeProcess } from './support/node-process';
import { RawConnection } from './support/raw-connection';
import { until } from '../until';

const running: NodeProcess[] = [];

async function start(environment: NodeJS.ProcessEnv = {}) {
  const api = new NodeProcess('api/src/main.ts', { DIAGNOSTIC_ENDPOINTS: 'true', ...environment });
  running.push(api);
  return { api, port: await api.port() };
}

afterEach(() => {
  for (const api of running.splice(0)) api.kill('SIGKILL');
});

test.each<NodeJS.Signals>(['SIGTERM', 'SIGINT'])('an idle process ends with 0 on %s', async (signal) => {
  const { api } = await start();
  api.kill(signal);
  expect(await api.exited).toEqual({ code: 0, signal: null });
  expect(api.lines.at(-1)).toMatchObject({ level: 30, msg: 'Ended: nothing was cut off' });
  expect(api.text).toEqual([]);
});

test('a request in flight is answered, and its connection told to close', async () => {
  const { api, port } = await start();
  const client = await RawConnection.open(port);
  client.write('POST /echo HTTP/1.1', 'Host: test', 'Content-Length: 4', '', 'ab');
  // Answered behind the first one on another connection, so the first is in flight by then.
  await answer(port, '/healthcheck');
  api.kill('SIGTERM');
  await api.line('Ending');
  client.write('cd');
  await client.closed;
  expect(client.received).toContain('200 OK');
  expect(client.received).toContain('Connection: close');
  expect(client.received).toContain('"body":"abcd"');
  expect(await api.exited).toEqual({ code: 0, signal: null });
});

test('readiness has turned by the time that anything is closed', async () => {
  const { api, port } = await start();
  const idle = await RawConnection.open(port);
  idle.get('/healthcheck');
  await idle.until('"status":"ok"');
  const probe = await RawConnection.open(port);
  probe.write('GET /readyz HTTP/1.1', 'Host');
  await answer(port, '/healthcheck');
  api.kill('SIGTERM');
  await idle.closed;
  probe.write(': test', '', '');
  await probe.closed;
  expect(probe.received).toContain('503 Service Unavailable');
  expect(probe.received).toContain('Connection: close');
  expect(probe.received).toContain('{"status":"draining"}');
  expect(await api.exited).toEqual({ code: 0, signal: null });
});

test('an event stream ends properly', async () => {
  const { api, port } = await start();
  const client = await RawConnection.open(port);
  client.get('/sse');
  await client.until('data: ');
  api.kill('SIGTERM');
  await client.closed;
  expect(client.received.endsWith('\r\n0\r\n\r\n')).toBe(true);
  expect(await api.exited).toEqual({ code: 0, signal: null });
});

test('a WebSocket is closed with 1001', async () => {
  const { api, port } = await start();
  const client = new WebSocket(`ws://127.0.0.1:${port}/ws/echo`);
  await once(client, 'open');
  api.kill('SIGTERM');
  const [code] = (await once(client, 'close')) as [number];
  expect(code).toBe(1001);
  expect(await api.exited).toEqual({ code: 0, signal: null });
});

test('what is in flight after the time to end is cut off, counted, and the exit code says so', async () => {
  const { api, port } = await start({ SHUTDOWN_TIMEOUT_SECONDS: '1' });
  const slow = [await RawConnection.open(port), await RawConnection.open(port)];
  for (const client of slow) client.get('/delay/299999');
  await answer(port, '/healthcheck');
  api.kill('SIGTERM');
  await Promise.all(slow.map((client) => client.closed));
  expect(await api.exited).toEqual({ code: 1, signal: null });
  expect(await api.line('Ended')).toMatchObject({
    level: 50,
    msg: 'Ended: cut off 2 requests and 2 connections after 1 s',
  });
});

test('a WebSocket whose peer never closes is cut off after the time to end', async () => {
  const { api, port } = await start({ SHUTDOWN_TIMEOUT_SECONDS: '1' });
  const client = await RawConnection.open(port);
  client.write(
    'GET /ws/echo HTTP/1.1',
    'Host: test',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '',
    '',
  );
  await client.until('101 Switching Protocols');
  api.kill('SIGTERM');
  await client.closed;
  expect(client.received.endsWith('\r\n\r\n\x88\x02\x03\xe9')).toBe(true);
  expect(await api.exited).toEqual({ code: 1, signal: null });
  expect(await api.line('Ended')).toMatchObject({
    msg: 'Ended: cut off 0 requests and 1 connections after 1 s',
  });
});

test.each<[NodeJS.Signals, NodeJS.Signals, number]>([
  ['SIGTERM', 'SIGTERM', 143],
  ['SIGINT', 'SIGINT', 130],
  ['SIGTERM', 'SIGINT', 130],
])('%s and then %s end it at once', async (first, second, code) => {
  const { api, port } = await start();
  const client = await RawConnection.open(port);
  client.get('/delay/299999');
  await answer(port, '/healthcheck');
  api.kill(first);
  await api.line('Ending');
  api.kill(second);
  expect(await api.exited).toEqual({ code, signal: null });
  expect(await api.line(`${second} again`)).toMatchObject({ level: 50 });
});

test('a process that serves two ports ends when the last of them has', async () => {
  const both = new NodeProcess('test/serve/fixtures/two-ports.ts');
  running.push(both);
  await both.line('Now accepting');
  await until(() => both.lines.length === 2);
  const ports = both.lines.map(({ msg }) => Number(/:(\d+)$/.exec(msg as string)?.[1]));
  const clients = await Promise.all(ports.map((port) => RawConnection.open(port)));
  for (const client of clients) client.get('/');
  await Promise.all(clients.map((client) => client.until('\r\n\r\n')));
  both.kill('SIGTERM');
  await Promise.all(clients.map((client) => client.closed));
  expect(clients.some(({ received }) => received.includes(', ended') && received.endsWith('\r\n0\r\n\r\n'))).toBe(true);
  expect(await both.exited).toEqual({ code: 0, signal: null });
});
