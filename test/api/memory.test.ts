import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { WebSocket } from 'ws';
import { answer } from './support/answer';
import { NodeProcess } from './support/node-process';
import { RawConnection } from './support/raw-connection';
import { until } from '../until';

const MiB = 1024 * 1024;
/** What a process may grow by, in MiB, under what would have it grow by much more. */
const most = 200;

let api: NodeProcess;
let port: number;
const clients: RawConnection[] = [];

/** The most memory that the process has had until now, in MiB. */
async function peak(): Promise<number> {
  const { length } = api.lines;
  const line = await until(() => api.lines.slice(length).find(({ msg }) => msg === 'Memory'), 'the memory');
  return line.peak as number;
}

beforeAll(async () => {
  api = new NodeProcess('test/api/fixtures/api-memory.ts', { DIAGNOSTIC_ENDPOINTS: 'true' });
  port = await api.port();
});

afterAll(() => {
  for (const client of clients) client.destroy();
  api.kill('SIGKILL');
});

test('a body that unpacks to 1 GiB is refused, and costs little memory', async () => {
  const before = await peak();
  const member = gzipSync(Buffer.alloc(16 * MiB));
  const body = Buffer.concat(Array.from({ length: 64 }, () => member));
  const headers = { 'Content-Encoding': 'gzip' };
  expect((await answer(port, '/echo', { method: 'POST', headers, body })).status).toBe(413);
  expect((await peak()) - before).toBeLessThan(most);
});

/** A message as a client sends it, masked with zeros: RFC 6455, 5.2. */
function frame(length: number): Buffer {
  const head = length < 126 ? [0x82, 0x80 | length] : [0x82, 0xfe, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), Buffer.alloc(length)]);
}

/** Sends up to 40 MiB of messages, and reads no answer. */
async function flood(message: Buffer, onProgress: () => void): Promise<void> {
  const client = await RawConnection.open(port);
  clients.push(client);
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
  client.socket.pause();
  const messages = Buffer.concat(Array.from({ length: Math.ceil(MiB / message.length) }, () => message));
  const send = (left: number) => {
    if (left > 0 && !client.socket.destroyed)
      client.socket.write(messages, () => {
        onProgress();
        send(left - 1);
      });
  };
  send(40);
}

test('20 WebSockets that send and never read cost little memory, and another one is echoed meanwhile', async () => {
  const before = await peak();
  const client = new WebSocket(`ws://127.0.0.1:${port}/ws/echo`);
  await once(client, 'open');
  let sinceProgress = 0;
  const [large, small] = [frame(60_000), frame(500)];
  const floods = Array.from({ length: 20 }, (_, index) =>
    flood(index % 2 === 0 ? large : small, () => {
      sinceProgress = 0;
    }),
  );
  await Promise.all(floods);
  // Whoever could send no more while that many answers came will not be able to.
  for (let sent = 1; sinceProgress < 300; sent += 1, sinceProgress += 1) {
    client.send(String(sent));
    expect(String((await once(client, 'message'))[0])).toBe(String(sent));
  }
  client.terminate();
  expect((await peak()) - before).toBeLessThan(most);
});
