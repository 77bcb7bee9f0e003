import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import express from 'express';
import { serve } from 'fairlead-serve';
import { errorHandler, notFound } from '../../api/src/errors';
import { requestLog } from '../../api/src/request-log';
import { answer } from './support/answer';
import { apiServer, type ApiServer } from './support/api-server';
import { CapturedLogger } from './support/captured-logger';
import { RawConnection } from './support/raw-connection';

let api: ApiServer;

beforeAll(async () => {
  api = await apiServer({ DIAGNOSTIC_ENDPOINTS: 'true', MAX_BODY_SIZE: '10kb' });
});

afterAll(async () => {
  await api.close();
});

const json = { 'Content-Type': 'application/json' };
const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

test.each<[string, number, string, string, Record<string, string>, string | Buffer]>([
  ['an unknown path', 404, 'Not Found', '/nothing', {}, ''],
  ['a malformed body', 400, 'Bad Request', '/echo', json, '{"a":'],
  ['an oversized JSON body', 413, 'Payload Too Large', '/echo', json, `"${'a'.repeat(10 * 1024)}"`],
  ['an oversized text body', 413, 'Payload Too Large', '/echo', {}, 'a'.repeat(10 * 1024 + 1)],
  [
    'a body that is oversized once unpacked',
    413,
    'Payload Too Large',
    '/echo',
    { 'Content-Encoding': 'gzip' },
    gzipSync('a'.repeat(1024 * 1024)),
  ],
  ['a body that is not what its encoding says', 400, 'Bad Request', '/echo', { 'Content-Encoding': 'gzip' }, 'plain'],
  ['an unknown charset', 415, 'Unsupported Media Type', '/echo', { 'Content-Type': 'text/plain; charset=x' }, 'a'],
  ['an unknown encoding', 415, 'Unsupported Media Type', '/echo', { 'Content-Encoding': 'x' }, 'a'],
  ['a malformed path parameter', 400, 'Bad Request', '/status/%ff', {}, ''],
  ['a malformed path', 400, 'Bad Request', '/%ff', {}, ''],
])('%s is answered %d and nothing from inside', async (_what, status, error, path, headers, body) => {
  const result = await answer(api.port, path, { method: 'POST', headers, body });
  expect(result.status).toBe(status);
  const { requestId } = result.json as { requestId: string };
  expect(result.json).toEqual({ error, requestId });
  expect(requestId).toMatch(uuid);
  expect(result.headers['x-request-id']).toBe(requestId);
});

test('a body of exactly the limit is taken', async () => {
  expect((await answer(api.port, '/echo', { method: 'POST', body: 'a'.repeat(10 * 1024) })).status).toBe(200);
});

test.each(['abc', 'A_b.c-1', 'a'.repeat(128)])('the id given to a request is answered: %s', async (id) => {
  const result = await answer(api.port, '/nothing', { headers: { 'X-Request-Id': id } });
  expect(result.json).toMatchObject({ requestId: id });
  expect(result.headers['x-request-id']).toBe(id);
});

test.each(['', 'a b', 'a,b', '<script>', 'ü', 'a'.repeat(129), '"'])(
  'an id that is not safe to log is replaced: %p',
  async (id) => {
    const result = await answer(api.port, '/nothing', { headers: { 'X-Request-Id': id } });
    expect(result.headers['x-request-id']).toMatch(uuid);
  },
);

test('two ids in one request are replaced', async () => {
  const result = await answer(api.port, '/nothing', { headers: { 'X-Request-Id': ['a', 'b'] } });
  expect(result.headers['x-request-id']).toMatch(uuid);
});

describe('what Node itself refuses', () => {
  /** The answer to bytes on a connection of their own, which has to be closed behind it. */
  async function refused(...lines: string[]) {
    const client = await RawConnection.open(api.port);
    client.write(...lines);
    await client.closed;
    // Closed before all was read, a connection is reset, and its answer may be lost on the way.
    expect(client.socket.errored).toBeNull();
    const [head = '', body = ''] = client.received.split('\r\n\r\n');
    return { head, body };
  }

  test.each<[string, string, string[]]>([
    [
      'headers that are too large',
      '431 Request Header Fields Too Large',
      ['GET / HTTP/1.1', `X-A: ${'a'.repeat(8 * 1024 * 1024)}`],
    ],
    ['what is not HTTP', '400 Bad Request', ['hello', '', '']],
    ['a header without a name', '400 Bad Request', ['GET / HTTP/1.1', 'Host: test', ': a', '', '']],
    ['two lengths', '400 Bad Request', ['POST / HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2', '', 'a']],
  ])('%s: %s, whole and as JSON, and the connection is closed', async (_what, status, lines) => {
    const { head, body } = await refused(...lines);
    expect(head).toMatch(
      `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n`,
    );
    expect(head).toContain(`\r\nContent-Length: ${body.length}`);
    expect(JSON.parse(body)).toEqual({ error: status.replace(/^\d+ /, '') });
  });

  test.each([
    ['a malformed length of a chunk', '400 Bad Request', 'x\r\n'],
    ['too large an extension of a chunk', '413 Payload Too Large', `1;${'a'.repeat(64 * 1024)}\r\n`],
  ])('%s: %s with the id of its request', async (_what, status, chunk) => {
    const { head, body } = await refused(
      'POST /echo HTTP/1.1',
      'Host: test',
      'X-Request-Id: given-1',
      'Transfer-Encoding: chunked',
      '',
      chunk,
    );
    expect(head).toContain(`HTTP/1.1 ${status}\r\n`);
    expect(head).toMatch(/\r\nX-Request-Id: given-1$/);
    expect(JSON.parse(body)).toEqual({ error: status.replace(/^\d+ /, ''), requestId: 'given-1' });
  });

  test('what comes behind an answer that has begun is not answered into it', async () => {
    const client = await RawConnection.open(api.port);
    client.get('/chunked/1000');
    await client.until('chunk 1 of');
    client.write('hello', '', '');
    await client.closed;
    expect(client.count('HTTP/1.1')).toBe(1);
    expect(client.received).not.toContain('Bad Request');
  });

  test('an app that answers it itself is left to', async () => {
    const listener: RequestListener = (_request, response) => response.end();
    const served = serve(listener, { port: 0, host: '127.0.0.1', logger: api.log.logger });
    served.server.on('clientError', (_error, socket) => {
      socket.end('HTTP/1.1 418 Mine\r\n\r\n');
    });
    const client = await RawConnection.open((await served.listening).port);
    try {
      client.write('hello', '', '');
      expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 418 Mine\r\n\r\n');
    } finally {
      client.destroy();
      await served.close();
    }
  });
});

describe('what a route throws', () => {
  const log = new CapturedLogger();
  const { logger } = log;
  const app = express();
  app.use(requestLog(logger));
  app.get('/throws', () => {
    throw new Error('the password is 1234');
  });
  app.get('/rejects', () => Promise.reject(new Error('rejected')));
  app.get('/text', (_request, _response, next) => {
    next('only text');
  });
  app.get('/upstream', () => {
    throw Object.assign(new Error('an upstream said so'), { status: 404 });
  });
  app.get('/late', (_request, response, next) => {
    response.write('begun', () => {
      next(new Error('too late'));
    });
  });
  app.get('/after', (_request, response) => {
    response.send('whole');
    throw new Error('after the end');
  });
  app.use(notFound);
  app.use(errorHandler(logger));
  let port: number;
  let close: () => Promise<boolean>;

  beforeAll(async () => {
    const served = serve(app, { port: 0, host: '127.0.0.1', logger });
    close = () => served.close();
    ({ port } = await served.listening);
  });

  afterAll(() => close());

  test.each([
    ['/throws', 'the password is 1234'],
    ['/rejects', 'rejected'],
    ['/upstream', 'an upstream said so'],
  ])('%s is answered 500 with an id; the error is in the log alone', async (path, message) => {
    const result = await answer(port, path, { headers: { 'X-Request-Id': `id${path.replace('/', '-')}` } });
    const requestId = `id${path.replace('/', '-')}`;
    expect(result.status).toBe(500);
    expect(result.json).toEqual({ error: 'Internal Server Error', requestId });
    expect(result.headers['x-request-id']).toBe(requestId);
    const line = await log.line(({ err, requestId: id }) => err !== undefined && id === requestId);
    expect(line).toMatchObject({ level: 50, err: { message, stack: expect.stringContaining(__filename) as string } });
  });

  test('what is no Error is answered 500 too, and logged', async () => {
    expect((await answer(port, '/text')).status).toBe(500);
    const line = await log.line(({ err }) => JSON.stringify(err ?? '').includes('only text'));
    expect(line).toMatchObject({ level: 50 });
  });

  test('once the answer has begun, the connection breaks off and the client sees that it is not whole', async () => {
    const client = await RawConnection.open(port);
    client.get('/late');
    await client.closed;
    expect(client.received).toContain('begun');
    expect(client.received).not.toContain('\r\n0\r\n\r\n');
    expect(client.received).not.toContain('too late');
  });

  test('an error after the end of the answer leaves the answer whole', async () => {
    expect(await answer(port, '/after')).toMatchObject({ status: 200, body: 'whole' });
    expect(await log.line(({ err }) => JSON.stringify(err ?? '').includes('after the end'))).toMatchObject({
      level: 50,
    });
  });
});
