import { once } from 'node:events';
import { connect, TLSSocket } from 'node:tls';
import { onTestFinished } from '../afterwards';
import { until } from '../until';
import { OneInstance, startWithOneInstance } from './support/one-instance';

const hour = 3_600_000;
const large = 32 * 2 ** 20;

/** One of these times is short: were it another one that a client met, the test would wait for an hour. */
async function startWith(short: 'headerTimeout' | 'bodyTimeout' | 'sendTimeout'): Promise<OneInstance> {
  const clientTimes = { headerTimeout: hour, bodyTimeout: hour, sendTimeout: hour, [short]: 1500 };
  const system = await startWithOneInstance({ clientTimes }, (request, response) => {
    request.resume().on('end', () => response.end(request.url === '/large' ? Buffer.alloc(large) : 'ok'));
  });
  onTestFinished(() => system.stop());
  return system;
}

/** A connection over TLS, what it was sent, and whether the other side has ended it. */
async function connection({
  nginx,
}: OneInstance): Promise<{ socket: TLSSocket; text: () => string; ended: () => boolean }> {
  const socket = connect({
    ...{ host: '127.0.0.1', port: nginx.place.httpsPort, servername: nginx.host, rejectUnauthorized: false },
  });
  onTestFinished(() => socket.destroy());
  let text = '';
  let hasEnded = false;
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('close', () => (hasEnded = true));
  await once(socket, 'secureConnect');
  return { socket, text: () => text, ended: () => hasEnded };
}

test('ends a connection whose head does not come to its end, and a byte now and then does not help', async () => {
  const system = await startWith('headerTimeout');
  const { socket, text, ended } = await connection(system);
  socket.write(`GET / HTTP/1.1\r\nHost: ${system.nginx.host}\r\nX-Slow: `);
  const dripping = setInterval(() => socket.write('x'), 100);
  onTestFinished(() => {
    clearInterval(dripping);
  });
  await until(ended, 'the end of the connection');
  expect(text()).not.toContain('200 OK');
});

test('ends a connection whose body stops coming, and waits for one that goes on', async () => {
  const system = await startWith('bodyTimeout');
  const head = `POST / HTTP/1.1\r\nHost: ${system.nginx.host}\r\nContent-Length: 10\r\n\r\n`;
  const silent = await connection(system);
  silent.socket.write(`${head}abc`);
  const slow = await connection(system);
  slow.socket.write(head);
  // Longer than the time in all, and never as long without a byte: that is what nginx measures.
  for (let byte = 0; byte < 10; byte += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    slow.socket.write('x');
  }
  await until(() => slow.text().startsWith('HTTP/1.1 200 '), 'the answer to a slow body');
  await until(silent.ended, 'the end of the connection');
  expect(silent.text()).toBe('');
  const entries = await system.nginx.accessLog(3);
  expect(
    entries
      .filter(({ method }) => method === 'POST')
      .map(({ status }) => status)
      .sort(),
  ).toEqual([200, 408]);
});

test('gives up an answer that its client does not read', async () => {
  const system = await startWith('sendTimeout');
  const { socket } = await connection(system);
  socket.pause().write(`GET /large HTTP/1.1\r\nHost: ${system.nginx.host}\r\n\r\n`);
  const isLarge = ({ path }: Record<string, unknown>): boolean => path === '/large';
  const entry = await until(
    async () => (await system.nginx.accessLog(2).catch(() => [])).find(isLarge),
    'its log line',
  );
  expect(Number(entry.bytes_sent)).toBeLessThan(large);
});
