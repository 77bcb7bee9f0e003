import { once } from 'node:events';
import { WebSocket } from 'ws';
import { apiServer, type ApiServer } from './support/api-server';
import { until } from '../until';

let api: ApiServer;
/** Pings after a third of this time, and lets clients stall for half of it. */
let hurried: ApiServer;
const clients: WebSocket[] = [];

function connect(path = '/ws/echo', { port } = api, options: { autoPong?: boolean } = {}): WebSocket {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, options);
  clients.push(client);
  return client;
}

beforeAll(async () => {
  api = await apiServer({ DIAGNOSTIC_ENDPOINTS: 'true' });
  hurried = await apiServer({ DIAGNOSTIC_ENDPOINTS: 'true' }, undefined, { requestTimeoutSeconds: 2 });
});

afterEach(() => {
  for (const client of clients.splice(0)) client.terminate();
});

afterAll(async () => {
  await Promise.all([api.close(), hurried.close()]);
});

test('/ws/echo sends every message back as it came', async () => {
  const client = connect('/ws/echo?token=secret');
  await once(client, 'open');
  client.send('hello');
  expect(await once(client, 'message')).toEqual([Buffer.from('hello'), false]);
  client.send(Buffer.from([0, 1, 255]));
  expect(await once(client, 'message')).toEqual([Buffer.from([0, 1, 255]), true]);
  client.close();
  await once(client, 'close');
  expect(await api.log.line(({ status }) => status === 101)).toMatchObject({ method: 'GET', path: '/ws/echo' });
});

test('/ws/echo answers the text "hostname" with the name of the instance, and echoes the same bytes as binary', async () => {
  const client = connect();
  await once(client, 'open');
  client.send('hostname');
  expect(await once(client, 'message')).toEqual([Buffer.from('{"hostname":"api-1"}'), false]);
  client.send(Buffer.from('hostname'));
  expect(await once(client, 'message')).toEqual([Buffer.from('hostname'), true]);
  client.send('hostname?');
  expect(await once(client, 'message')).toEqual([Buffer.from('hostname?'), false]);
  client.close();
  await once(client, 'close');
});

test('a WebSocket on another path is refused with 404', async () => {
  const client = connect('/ws/other');
  const [error] = (await once(client, 'error')) as [Error];
  expect(error.message).toBe('Unexpected server response: 404');
});

test('a message over 64 KiB closes a WebSocket with 1009', async () => {
  const client = connect();
  await once(client, 'open');
  client.send('a'.repeat(64 * 1024));
  expect(String((await once(client, 'message'))[0])).toHaveLength(64 * 1024);
  client.send('a'.repeat(64 * 1024 + 1));
  expect((await once(client, 'close'))[0]).toBe(1009);
});

test('what a slow client has sent comes back whole and in order', async () => {
  const client = connect();
  await once(client, 'open');
  let received = 0;
  client.on('message', (data: Buffer) => {
    expect(data.toString('latin1', 0, 5)).toBe(String(received).padStart(5, '0'));
    received += 1;
  });
  client.pause();
  for (let sent = 0; sent < 800; sent += 1) client.send(String(sent).padStart(5, '0') + 'a'.repeat(40_000));
  // By the time of so many answers to another one, the API reads no more of what this one sends.
  const other = connect();
  await once(other, 'open');
  for (let asked = 0; asked < 200; asked += 1) {
    other.send('hostname');
    await once(other, 'message');
  }
  expect(client.bufferedAmount).toBeGreaterThan(0);
  client.resume();
  await until(() => received === 800);
});

test('a silent WebSocket that answers pings is kept, one that does not is cut off', async () => {
  const answers = connect('/ws/echo', hurried);
  const silent = connect('/ws/echo', hurried, { autoPong: false });
  await Promise.all([once(answers, 'open'), once(silent, 'open')]);
  expect((await once(silent, 'close'))[0]).toBe(1006);
  await once(answers, 'ping');
  expect(answers.readyState).toBe(WebSocket.OPEN);
});

test('a client that does not read is told to go with 1008', async () => {
  const client = connect('/ws/echo', hurried);
  await once(client, 'open');
  client.pause();
  for (let sent = 0; sent < 400; sent += 1) client.send(Buffer.alloc(60_000));
  await hurried.log.line(({ msg }) => msg === 'WebSocket reads too slowly: told to go');
  client.resume();
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  expect([code, String(reason)]).toEqual([1008, 'reads too slowly']);
});

test('the WebSocket after 1,000 is refused with 503 until one of them is closed', async () => {
  const most = Array.from({ length: 1000 }, () => connect());
  await Promise.all(most.map((client) => once(client, 'open')));
  const [error] = (await once(connect(), 'error')) as [Error];
  expect(error.message).toBe('Unexpected server response: 503');
  most[0]?.close(4000);
  await api.log.line(({ code }) => code === 4000);
  await once(connect(), 'open');
});
