import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { DelayingRelay } from '../../load/delaying-relay';
import { until } from '../until';

const megabyte = 1024 * 1024;

let server: Server;
/** The server's ends of connections. */
let accepted: Socket[];
let opened: { stop: () => unknown }[];

beforeEach(async () => {
  accepted = [];
  opened = [];
  server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(socket.on('error', () => undefined)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
});

afterEach(async () => {
  for (const one of opened) await one.stop();
  for (const socket of accepted) socket.destroy();
  server.close();
});

function portOf(one: Server): number {
  return (one.address() as AddressInfo).port;
}

interface Relayed {
  readonly relay: DelayingRelay;
  readonly client: Socket;
  /** The other end. */
  readonly service: Socket;
}

async function relayed(roundTrip: number): Promise<Relayed> {
  const relay = await DelayingRelay.start({ port: portOf(server), roundTrip });
  opened.push(relay);
  const client = await connected(relay.port);
  const service = await until(() => accepted.at(opened.length / 2 - 1), 'the connection to the server');
  return { relay, client, service };
}

async function connected(port: number): Promise<Socket> {
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  opened.push({ stop: () => client.destroy() });
  await once(client, 'connect');
  return client;
}

async function received(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

/** Milliseconds from a byte's departure until its echo: the least of five, as a busy machine only adds. */
async function echoed({ client, service }: Relayed): Promise<number> {
  service.pipe(service);
  const times: number[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    const begin = performance.now();
    client.write('x');
    await once(client, 'data');
    times.push(performance.now() - begin);
  }
  return Math.min(...times);
}

test('the relay makes a round trip longer by what was asked for', async () => {
  const near = await echoed(await relayed(0));
  const far = await echoed(await relayed(120));
  expect(far - near).toBeGreaterThan(60);
});

test('the relay passes 10 MB on in both directions at once, in order', async () => {
  const { client, service } = await relayed(20);
  const request = randomBytes(10 * megabyte);
  const answer = randomBytes(10 * megabyte);
  const arrived = Promise.all([received(service), received(client)]);
  client.end(request);
  service.end(answer);
  const [requestThere, answerHere] = await arrived;
  expect(requestThere.equals(request)).toBe(true);
  expect(answerHere.equals(answer)).toBe(true);
});

test('the relay ends one direction and keeps the other', async () => {
  const { client, service } = await relayed(20);
  client.end('question');
  expect((await received(service)).toString()).toBe('question');
  const answer = received(client);
  service.end('answer');
  expect((await answer).toString()).toBe('answer');
  await until(() => client.closed && service.closed, 'both ends to close');
});

test('the relay holds a sender up whose receiver does not read, and loses nothing of it', async () => {
  const { client, service } = await relayed(20);
  const arrived = new Promise<number>((resolve) => {
    let length = 0;
    service.pause().on('data', (chunk: Buffer) => (length += chunk.length));
    service.once('end', () => {
      resolve(length);
    });
  });
  let taken = 0;
  const write = (): void => {
    taken += 1;
    if (taken < 64) client.write(Buffer.alloc(megabyte), write);
    else client.end(Buffer.alloc(megabyte));
  };
  client.write(Buffer.alloc(megabyte), write);
  let before = -1;
  while (taken > before) {
    before = taken;
    await delay(300);
  }
  expect(taken).toBeLessThan(32);
  service.resume();
  expect(await arrived).toBe(65 * megabyte);
});

test('the relay ends both directions when one end resets the connection', async () => {
  const { client, service } = await relayed(20);
  client.resume().once('end', () => client.end());
  service.resetAndDestroy();
  await once(client, 'close');
});

test('the relay ends a connection that leads nowhere', async () => {
  const { relay } = await relayed(0);
  server.close();
  await once(connect({ port: relay.port, host: '127.0.0.1' }).resume(), 'close');
});

test('a relay that was stopped has no connection left and no port', async () => {
  const { relay, client, service } = await relayed(20);
  const { port } = relay;
  await relay.stop();
  await until(() => client.readableEnded || client.destroyed, 'the client to see it');
  await until(() => service.readableEnded || service.destroyed, 'the server to see it');
  await expect(connected(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test.each([0, 65_536, 8443.5])('the relay refuses port %p', async (port) => {
  await expect(DelayingRelay.start({ port, roundTrip: 50 })).rejects.toThrow(`port: ${port} is out of range`);
});
