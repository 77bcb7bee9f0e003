import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import express from 'express';
import { WebSocket, WebSocketServer } from 'ws';
import { Connections } from '../../serve/src/connections/connections';
import { RawConnection } from '../api/support/raw-connection';
import { until } from '../until';

// Long enough for any test: what happens within the grace is shown without a race, and tests end it by themselves.
const never = 600_000;
const servers: Server[] = [];
const clients: RawConnection[] = [];

async function listen(app: RequestListener, idleGrace = never, options: ServerOptions = {}) {
  const server = createServer(options);
  servers.push(server);
  const connections = new Connections(server, idleGrace, 0);
  server.on('request', app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = async () => {
    const accepted = once(server, 'connection');
    const client = await RawConnection.open(port);
    clients.push(client);
    await accepted;
    return client;
  };
  return { server, connections, port, open, drain: () => connections.drain(never) };
}

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Resolves once the next connection is no longer idle for the server. */
async function somethingRead(server: Server): Promise<void> {
  const [socket] = (await once(server, 'connection')) as [Socket];
  await until(() => socket.bytesRead > 0, 'the first bytes of a request');
}

const nothing = { requests: 0, connections: 0 };

test('a kept connection that is used again while draining is answered, and told to close', async () => {
  const { open, drain } = await listen((_request, response) => response.end('ok'));
  const client = await open();
  client.get('/');
  expect(await client.until('ok')).toContain('Connection: keep-alive');
  const drained = drain();
  client.get('/');
  await client.closed;
  expect(client.count('200 OK')).toBe(2);
  expect(client.count('Connection: close')).toBe(1);
  expect(await drained).toEqual(nothing);
});

test('a new connection while draining is answered, and told to close', async () => {
  const { open, drain } = await listen((_request, response) => response.end('ok'));
  const idle = await open();
  idle.get('/');
  await idle.until('ok');
  const drained = drain();
  const late = await open();
  late.get('/');
  await late.closed;
  expect(late.received).toMatch(/200 OK[^]*Connection: close[^]*ok$/);
  idle.destroy();
  expect(await drained).toEqual(nothing);
});

test('idle connections are closed after the grace, those never used too', async () => {
  const { open, drain, server } = await listen((_request, response) => response.end('ok'), 20);
  const used = await open();
  used.get('/');
  await used.until('ok');
  const unused = await open();
  expect(await drain()).toEqual(nothing);
  await Promise.all([used.closed, unused.closed]);
  expect(server.listening).toBe(false);
});

test.each<[string, RequestListener]>([
  ['setHeader', (_request, response) => response.setHeader('Connection', 'keep-alive').end('ok')],
  ['an object', (_request, response) => response.writeHead(200, { connection: 'keep-alive', 'X-A': 'b' }).end('ok')],
  [
    'a reason and an object',
    (_request, response) => response.writeHead(200, 'Fine', { Connection: 'keep-alive' }).end('ok'),
  ],
  ['a flat list', (_request, response) => response.writeHead(200, ['Connection', 'keep-alive', 'X-A', 'b']).end('ok')],
  ['nothing', (_request, response) => response.end('ok')],
])('an app that keeps its connection by %s is overruled while draining', async (_what, app) => {
  const { open, drain } = await listen(app);
  const client = await open();
  client.write('GET / HTTP/1.1', 'Host');
  const drained = drain();
  client.write(': test', '', '');
  await client.closed;
  expect(client.received).toMatch(/^HTTP\/1.1 200 (OK|Fine)\r\n/);
  expect(client.received.match(/connection: .*/gi)).toEqual(['Connection: close']);
  expect(client.received).toContain('ok');
  expect(await drained).toEqual(nothing);
});

test('a server without connections ends at once and listens no more', async () => {
  const { drain, server } = await listen((_request, response) => response.end());
  expect(await drain()).toEqual(nothing);
  expect(server.listening).toBe(false);
});

test('pipelined requests are all answered, and only the last one is told to close', async () => {
  const waiting: ServerResponse[] = [];
  const { open, drain } = await listen((_request, response) => {
    waiting.push(response);
  });
  const client = await open();
  client.write(...['/1', '/2', '/3'].flatMap((path) => [`GET ${path} HTTP/1.1`, 'Host: test', '']), '');
  await until(() => waiting.length === 3);
  const drained = drain();
  // The order in which an app ends them is its own affair.
  for (const [index, response] of [...waiting.entries()].reverse()) response.end(`answer ${index + 1};`);
  await client.closed;
  expect(client.received).toMatch(/answer 1;[^]*answer 2;[^]*answer 3;$/);
  expect(client.count('Connection: close')).toBe(1);
  expect(client.received.indexOf('Connection: close')).toBeGreaterThan(client.received.indexOf('answer 2;'));
  expect(await drained).toEqual(nothing);
});

test('an answer that a slow client is still receiving is not cut short', async () => {
  const size = 30 * 1024 * 1024;
  const { open, drain } = await listen((_request, response) => response.end(Buffer.alloc(size, 'a')), 1);
  const client = await open();
  let bytes = 0;
  client.socket.removeAllListeners('data').on('data', (data: string) => {
    bytes += data.length;
  });
  client.get('/');
  await once(client.socket, 'data');
  client.socket.pause();
  const drained = drain();
  // Enough for an idle connection to be closed.
  await new Promise((resolve) => setTimeout(resolve, 50));
  client.socket.resume();
  await client.closed;
  expect(bytes).toBeGreaterThan(size);
  expect(await drained).toEqual(nothing);
});

test('an answer that has begun goes on to its end, and then its connection is closed', async () => {
  const begun: ServerResponse[] = [];
  const { open, drain } = await listen((_request, response) => {
    response.write('begun');
    begun.push(response);
  }, 20);
  const client = await open();
  client.get('/');
  await client.until('begun');
  const drained = drain();
  (await until(() => begun[0])).end('ended');
  await client.closed;
  expect(client.received).toMatch(/begun\r\n5\r\nended\r\n0\r\n\r\n$/);
  expect(await drained).toEqual(nothing);
});

test('an upload in flight is received whole and answered', async () => {
  let uploading = false;
  const { open, drain } = await listen((request, response) => {
    const hash = createHash('sha256');
    request.on('data', (data: Buffer) => {
      uploading = true;
      hash.update(data);
    });
    request.on('end', () => response.end(hash.digest('hex')));
  }, 20);
  const half = 'a'.repeat(1024 * 1024);
  const client = await open();
  client.write('POST / HTTP/1.1', 'Host: test', `Content-Length: ${2 * half.length}`, '', half);
  await until(() => uploading);
  const drained = drain();
  client.write(half);
  await client.closed;
  expect(client.received).toContain(createHash('sha256').update(half).update(half).digest('hex'));
  expect(await drained).toEqual(nothing);
});

test('a request whose headers are still arriving is not an idle connection', async () => {
  const { open, drain, server } = await listen((_request, response) => response.end('ok'), 1);
  const begun = somethingRead(server);
  const client = await open();
  client.write('GET / HTTP/1.1', 'Ho');
  await begun;
  const other = await open();
  const drained = drain();
  await other.closed;
  await until(() => !server.listening);
  client.write('st: test', '', '');
  await client.closed;
  expect(client.received).toContain('200 OK');
  expect(await drained).toEqual(nothing);
});

test('a request that never arrives whole ends by its timeout also while draining', async () => {
  const timeouts = { headersTimeout: 500, requestTimeout: 500, connectionsCheckingInterval: 100 };
  const { open, drain, server } = await listen((_request, response) => response.end('ok'), 1, timeouts);
  const begun = somethingRead(server);
  const client = await open();
  client.write('GET / HTTP/1.1', 'Ho');
  await begun;
  expect(await drain()).toEqual(nothing);
  await client.closed;
  expect(client.received).toContain('408 Request Timeout');
});

test('what is left after the time to end is destroyed and counted', async () => {
  const { open, connections } = await listen(() => undefined);
  const busy = await open();
  busy.get('/');
  const idle = await open();
  await until(() => connections.requestsInFlight > 0);
  expect(await connections.drain(1)).toEqual({ requests: 1, connections: 2 });
  await Promise.all([busy.closed, idle.closed]);
});

describe('event streams', () => {
  const type = 'text/event-stream; charset=utf-8';

  test.each<[string, RequestListener]>([
    ['setHeader', (_request, response) => response.setHeader('Content-Type', type).write('data: 1\n\n')],
    ['an object', (_request, response) => response.writeHead(200, { 'content-type': type }).write('data: 1\n\n')],
    ['a list', (_request, response) => response.writeHead(200, ['Content-Type', type]).write('data: 1\n\n')],
    [
      'an object that keeps the connection',
      (_request, response) =>
        response.writeHead(200, { 'Content-Type': type, Connection: 'keep-alive' }).write('data: 1\n\n'),
    ],
    [
      'Express',
      express().get('/', (_request, response) => {
        response.type('text/event-stream').write('data: 1\n\n');
      }),
    ],
  ])('one begun by %s ends properly', async (_what, app) => {
    const { open, drain } = await listen(app, 1);
    const client = await open();
    client.get('/');
    await client.until('data: 1');
    expect(await drain()).toEqual(nothing);
    await client.closed;
    expect(client.received.endsWith('data: 1\n\n\r\n0\r\n\r\n')).toBe(true);
  });

  test('one begun while draining ends as well, so that its client goes elsewhere', async () => {
    const { open, drain } = await listen((_request, response) => {
      response.writeHead(200, { 'Content-Type': type }).write('data: 1\n\n');
    });
    const client = await open();
    const drained = drain();
    client.get('/');
    await client.closed;
    expect(client.received).toMatch(/Connection: close[^]*data: 1\n\n\r\n0\r\n\r\n$/);
    expect(await drained).toEqual(nothing);
  });

  test('an app that goes on writing events does no harm', async () => {
    const begun: ServerResponse[] = [];
    const { open, drain } = await listen((_request, response) => {
      response.writeHead(200, { 'Content-Type': type }).write('data: 1\n\n');
      begun.push(response);
    }, 1);
    const client = await open();
    client.get('/');
    const response = await until(() => begun[0]);
    const drained = drain();
    response.write('data: 2\n\n');
    expect(await drained).toEqual(nothing);
    await client.closed;
    expect(client.received.endsWith('data: 1\n\n\r\n0\r\n\r\n')).toBe(true);
  });

  test('other answers without an end are left to end by themselves', async () => {
    const begun: ServerResponse[] = [];
    const { open, drain } = await listen((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain' }).write('line\n');
      begun.push(response);
    }, 1);
    const client = await open();
    client.get('/');
    await client.until('line');
    const drained = drain();
    const response = await until(() => begun[0]);
    expect(response.writableEnded).toBe(false);
    response.end();
    expect(await drained).toEqual(nothing);
  });
});

describe('upgraded connections', () => {
  const handshake = [
    'GET / HTTP/1.1',
    'Host: test',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const goingAway = '\x88\x02\x03\xe9';
  const refuse: RequestListener = (_request, response) => response.writeHead(404).end();

  test('a WebSocket of the ws library, which knows nothing of this, is closed with 1001', async () => {
    const { server, port, drain } = await listen(refuse);
    const library = new WebSocketServer({ server });
    const seenByServer = once(library, 'connection').then(([webSocket]) => once(webSocket as WebSocket, 'close'));
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(client, 'open');
    const drained = drain();
    expect((await once(client, 'close'))[0]).toBe(1001);
    expect((await seenByServer)[0]).toBe(1001);
    expect(await drained).toEqual(nothing);
  });

  test('messages on their way before the end arrive', async () => {
    const { server, port, drain } = await listen(refuse);
    const library = new WebSocketServer({ server });
    library.on('connection', (webSocket) => {
      webSocket.send('a'.repeat(1024 * 1024));
      webSocket.send('last');
    });
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    const lengths: number[] = [];
    client.on('message', (data: Buffer) => lengths.push(data.length));
    await once(client, 'open');
    const drained = drain();
    expect((await once(client, 'close'))[0]).toBe(1001);
    expect(lengths).toEqual([1024 * 1024, 4]);
    expect(await drained).toEqual(nothing);
  });

  test('the close frame waits for a handshake that is not finished', async () => {
    const { server, open, drain } = await listen(refuse);
    const client = await open();
    const upgraded = once(server, 'upgrade') as Promise<[unknown, Duplex]>;
    client.write(...handshake, 'Upgrade: websocket', '', '');
    const [, socket] = await upgraded;
    const drained = drain();
    socket.write(switching);
    expect(await client.until(goingAway)).toBe(`${switching}${goingAway}`);
    socket.end();
    expect(await drained).toEqual(nothing);
  });

  test('a WebSocket opened while draining is closed with 1001 as well', async () => {
    const { server, open, drain } = await listen(refuse);
    server.on('upgrade', (_request, socket) => {
      socket.write(switching);
      socket.resume().once('end', () => socket.end());
    });
    const client = await open();
    const drained = drain();
    client.write(...handshake, 'Upgrade: websocket', '', '');
    expect(await client.until(goingAway)).toBe(`${switching}${goingAway}`);
    client.socket.end();
    expect(await drained).toEqual(nothing);
  });

  test('an upgrade that was refused gets no close frame', async () => {
    const { server, open, drain } = await listen(refuse);
    const client = await open();
    const upgraded = once(server, 'upgrade') as Promise<[unknown, Duplex]>;
    client.write(...handshake, 'Upgrade: websocket', '', '');
    const [, socket] = await upgraded;
    const drained = drain();
    socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
    await client.closed;
    expect(client.received).toBe('HTTP/1.1 401 Unauthorized\r\n\r\n');
    expect(await drained).toEqual(nothing);
  });

  test('another protocol is left to end by itself', async () => {
    const { server, open, drain } = await listen(refuse, 1);
    const client = await open();
    const upgraded = once(server, 'upgrade') as Promise<[unknown, Duplex]>;
    client.write(...handshake, 'Upgrade: other', '', '');
    const [, socket] = await upgraded;
    socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    const drained = drain();
    await until(() => !server.listening);
    socket.end('bye');
    await client.closed;
    expect(client.received).toBe('HTTP/1.1 101 Switching Protocols\r\n\r\nbye');
    expect(await drained).toEqual(nothing);
  });

  test('a peer that resets its connection does not bring the process down', async () => {
    const { server, open, drain } = await listen(refuse);
    const client = await open();
    const upgraded = once(server, 'upgrade') as Promise<[unknown, Duplex]>;
    client.write(...handshake, 'Upgrade: websocket', '', '');
    const [, socket] = await upgraded;
    socket.resume();
    client.socket.resetAndDestroy();
    await until(() => socket.closed);
    expect(await drain()).toEqual(nothing);
  });
});
