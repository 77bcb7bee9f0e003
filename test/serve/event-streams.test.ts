import { once } from 'node:events';
import { createServer, IncomingMessage, type RequestListener, type Server, ServerResponse } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import express from 'express';
import fc from 'fast-check';
import { Connections } from '../../serve/src/connections/connections';
import { EventStream } from '../../serve/src/connections/event-stream';
import { answer } from '../api/support/answer';
import { RawConnection } from '../api/support/raw-connection';
import { until } from '../until';

const type = 'text/event-stream';
const servers: Server[] = [];
const clients: RawConnection[] = [];

/** Serves with a heartbeat after so many milliseconds of silence. */
async function listen(app: RequestListener, heartbeat = 5): Promise<number> {
  const server = createServer();
  servers.push(server);
  new Connections(server, 0, heartbeat);
  server.on('request', app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function get(port: number, method = 'GET'): Promise<RawConnection> {
  const client = await RawConnection.open(port);
  clients.push(client);
  client.write(`${method} / HTTP/1.1`, 'Host: test', '', '');
  return client;
}

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('an event stream is marked', () => {
  test.each<[string, RequestListener]>([
    ['set before', (_request, response) => response.setHeader('Content-Type', type).end()],
    ['an object', (_request, response) => response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end()],
    ['a list', (_request, response) => response.writeHead(200, 'Fine', ['Content-Type', type]).end()],
    ['Express', express().get('/', (_request, response) => void response.type(type).send('data: 1\n\n'))],
  ])('whose type is given by %s', async (_what, app) => {
    const { headers } = await answer(await listen(app), '/');
    expect(headers).toMatchObject({ 'x-accel-buffering': 'no', 'cache-control': 'no-cache' });
  });

  test('with what the app itself says left as it is', async () => {
    const port = await listen((_request, response) => {
      response.setHeader('X-Accel-Buffering', 'yes');
      response
        .writeHead(200, { 'Content-Type': type, 'cache-control': 'no-store', 'Set-Cookie': ['a=1', 'b=2'] })
        .end();
    });
    const { headers } = await answer(port, '/');
    expect(headers).toMatchObject({ 'x-accel-buffering': 'yes', 'cache-control': 'no-store' });
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  test('and no other answer is', async () => {
    const port = await listen((_request, response) => response.setHeader('Content-Type', 'text/event-streams').end());
    const { headers } = await answer(port, '/');
    expect(headers).not.toHaveProperty('x-accel-buffering');
    expect(headers).not.toHaveProperty('cache-control');
  });
});

describe('a silent event stream gets a comment', () => {
  test.each<[string, RequestListener, string]>([
    [
      'after its headers',
      (_request, response) => {
        response.setHeader('Content-Type', type).flushHeaders();
      },
      '\r\n\r\n',
    ],
    [
      'before its headers were sent',
      (_request, response) => response.writeHead(200, { 'Content-Type': type }),
      '\r\n\r\n',
    ],
    [
      'after an event written as a string',
      (_request, response) => response.setHeader('Content-Type', type).write('data: 1\n\n'),
      'data: 1\n\n\r\n',
    ],
    [
      'after an event written as a Buffer, its end by itself',
      (_request, response) => {
        response.writeHead(200, { 'Content-Type': type });
        response.write(Buffer.from('data: 1\r\n'));
        response.write(Buffer.from('\r\n'));
      },
      '2\r\n\r\n\r\n',
    ],
    [
      'of an Express app',
      express().get('/', (_request, response) => void response.type(type).write('data: 1\n\n')),
      'data: 1\n\n\r\n',
    ],
  ])('%s, again and again', async (_what, app, before) => {
    const client = await get(await listen(app));
    const comment = '3\r\n:\n\n\r\n';
    expect(await client.until(comment + comment)).toContain(before + comment);
  });
});

test.each<[string, string, RequestListener]>([
  [
    'an answer of another type',
    'GET',
    (_request, response) => {
      response.writeHead(200).flushHeaders();
    },
  ],
  [
    'an answer of a given length',
    'GET',
    (_request, response) => {
      response.writeHead(200, { 'Content-Type': type, 'Content-Length': 9 }).flushHeaders();
    },
  ],
  [
    'a compressed answer',
    'GET',
    (_request, response) => {
      response.writeHead(200, { 'Content-Type': type, 'Content-Encoding': 'gzip' }).flushHeaders();
    },
  ],
  [
    'an answer to HEAD',
    'HEAD',
    (_request, response) => {
      response.setHeader('Content-Type', type).flushHeaders();
    },
  ],
  [
    'an event that has begun',
    'GET',
    (_request, response) => response.setHeader('Content-Type', type).write('data: 1\n'),
  ],
])('%s gets no comment', async (_what, method, app) => {
  const heartbeat = 1;
  const port = await listen((request, response) => {
    if (request.url === '/stream') response.setHeader('Content-Type', type).flushHeaders();
    else app(request, response);
  }, heartbeat);
  const client = await get(port, method);
  await client.until('\r\n\r\n');
  // Begun later, and with comments by now.
  const other = await RawConnection.open(port);
  clients.push(other);
  other.get('/stream');
  await until(() => other.count(':\n\n') > 2);
  expect(client.received).not.toContain(':\n');
});

test('an event stream without heartbeats is marked all the same', async () => {
  const client = await get(
    await listen((_request, response) => {
      response.setHeader('Content-Type', type).flushHeaders();
    }, 0),
  );
  expect(await client.until('\r\n\r\n')).toContain('X-Accel-Buffering: no');
});

test('a client that does not read gets no comments on top of what waits for it', async () => {
  let waiting: ServerResponse | undefined;
  const port = await listen((request, response) => {
    response.writeHead(200, { 'Content-Type': type }).flushHeaders();
    if (request.url !== '/waiting') return;
    // More than the kernel takes of what nobody reads.
    response.write(`data: ${'a'.repeat(32 * 1024 * 1024)}\n\n`);
    waiting = response;
  }, 1);
  const client = await RawConnection.open(port);
  clients.push(client);
  client.socket.pause();
  client.get('/waiting');
  const socket = await until(() => waiting?.socket);
  const { bytesWritten } = socket;
  const other = await get(port);
  await until(() => other.count(':\n\n') > 5);
  expect(socket.bytesWritten).toBe(bytesWritten);
});

describe('comments change no event', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  /** What a client makes of a stream, as the HTML standard has it. */
  function events(stream: string): string[][] {
    const all: string[][] = [];
    let event: string[] = [];
    for (const line of stream.split(/\r\n|\r|\n/).slice(0, -1)) {
      if (line === '') {
        if (event.length > 0) all.push(event);
        event = [];
      } else if (!line.startsWith(':')) event.push(line);
    }
    return all;
  }

  function response(): ServerResponse {
    const made = new ServerResponse(new IncomingMessage(new Socket()));
    made.assignSocket(new Socket());
    return made;
  }

  const pieces = fc.array(
    fc.constantFrom('data: ü', 'id: 1', 'a', ':', '', '\n', '\r', '\r\n', '\n\n', '\r\r', '\r\n\r\n', 'data: b\n\n'),
  );
  const writers: ((piece: string) => [chunk: string | Uint8Array, encoding?: BufferEncoding])[] = [
    (piece) => [piece],
    (piece) => [Buffer.from(piece)],
    (piece) => [new Uint8Array(Buffer.from(piece))],
    (piece) => [Buffer.from(piece).toString('base64'), 'base64'],
  ];

  test('wherever the app has stopped', () => {
    fc.assert(
      fc.property(pieces, fc.constantFrom(...writers), (written, writer) => {
        let stream = '';
        const eventStream = new EventStream(response(), (comment) => (stream += comment));
        eventStream.keepAlive(10);
        for (const piece of written) {
          stream += piece;
          eventStream.wrote(...writer(piece));
          jest.advanceTimersByTime(10);
        }
        eventStream.stop();
        expect(events(stream)).toEqual(events(written.join('')));
      }),
    );
  });

  test('nor do they come sooner than after that much silence', () => {
    const comments: string[] = [];
    const eventStream = new EventStream(response(), (comment) => comments.push(comment));
    eventStream.keepAlive(10);
    jest.advanceTimersByTime(9);
    eventStream.wrote('data: 1\n\n');
    jest.advanceTimersByTime(9);
    expect(comments).toEqual([]);
    jest.advanceTimersByTime(11);
    expect(comments).toEqual([':\n\n', ':\n\n']);
    eventStream.stop();
    expect(jest.getTimerCount()).toBe(0);
  });
});
