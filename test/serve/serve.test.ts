import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { serve, ServeError, type ServeOptions } from 'fairlead-serve';
import { answer } from '../api/support/answer';
import { CapturedLogger } from '../api/support/captured-logger';
import { NodeProcess } from '../api/support/node-process';
import { RawConnection } from '../api/support/raw-connection';
import { onTestFinished } from '../afterwards';

const { logger } = new CapturedLogger();
const closing: (() => Promise<boolean>)[] = [];

async function served(app: Parameters<typeof serve>[0], options: ServeOptions = {}) {
  const handle = serve(app, { port: 0, host: '127.0.0.1', logger, ...options });
  closing.push(() => handle.close());
  return { ...handle, ...(await handle.listening) };
}

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

test('an Express app of which nothing else is known is served', async () => {
  const app = express();
  const { port, readiness } = await served(app);
  app.get('/readyz', (_request, response) => {
    response.sendStatus(readiness.ready ? 200 : 503);
  });
  expect((await answer(port, '/readyz')).status).toBe(200);
  readiness.drain();
  expect((await answer(port, '/readyz')).status).toBe(503);
});

test('a plain listener for requests is served', async () => {
  const { port } = await served((_request, response) => {
    response.end('plain');
  });
  expect(await answer(port, '/')).toMatchObject({ status: 200, body: 'plain' });
});

test('kept connections are told how long they are kept, and Node is told the timeouts', async () => {
  const { port, server } = await served(
    (_request, response) => {
      response.end();
    },
    { keepAliveTimeoutSeconds: 70, requestTimeoutSeconds: 90 },
  );
  expect([server.keepAliveTimeout, server.headersTimeout, server.requestTimeout]).toEqual([70_000, 60_000, 90_000]);
  const client = await RawConnection.open(port);
  client.get('/');
  expect(await client.until('\r\n\r\n')).toContain('Keep-Alive: timeout=70');
  client.destroy();
});

test('a request that arrives too slowly is answered 408', async () => {
  const { port } = await served((_request, response) => response.end(), { requestTimeoutSeconds: 1 });
  const client = await RawConnection.open(port);
  client.write('POST / HTTP/1.1', 'Host: te');
  await client.closed;
  expect(client.received).toContain('408 Request Timeout');
});

test('an idle connection is closed after keepAliveTimeoutSeconds', async () => {
  const { port } = await served((_request, response) => response.end(), { keepAliveTimeoutSeconds: 1 });
  const client = await RawConnection.open(port);
  client.get('/');
  await client.closed;
  expect(client.count('200 OK')).toBe(1);
});

describe('trusted proxies', () => {
  const forwarded = { 'X-Forwarded-For': '203.0.113.7, 198.51.100.9', 'X-Forwarded-Proto': 'https' };

  function shows(set?: (app: Express) => void): Express {
    const app = express();
    set?.(app);
    return app.get('/', ({ ip, protocol }, response) => {
      response.json({ ip, protocol });
    });
  }

  test.each<[string, ServeOptions, ((app: Express) => void) | undefined, unknown]>([
    ['one hop by default', {}, undefined, { ip: '198.51.100.9', protocol: 'https' }],
    ['none', { trustProxyHops: 0 }, undefined, { ip: '127.0.0.1', protocol: 'http' }],
    ['two', { trustProxyHops: 2 }, undefined, { ip: '203.0.113.7', protocol: 'https' }],
    ["the app's own setting stays", {}, (app) => app.set('trust proxy', 2), { ip: '203.0.113.7', protocol: 'https' }],
    ['so does false', {}, (app) => app.set('trust proxy', false), { ip: '127.0.0.1', protocol: 'http' }],
    [
      "the option wins over the app's own setting",
      { trustProxyHops: 1 },
      (app) => app.set('trust proxy', true),
      { ip: '198.51.100.9', protocol: 'https' },
    ],
  ])('%s', async (_what, options, set, expected) => {
    const { port } = await served(shows(set), options);
    expect((await answer(port, '/', { headers: forwarded })).json).toEqual(expected);
  });
});

test('the environment is enough: serve(app) alone', async () => {
  const app = new NodeProcess('test/serve/fixtures/plain-express.ts', { TRUST_PROXY_HOPS: '2', HOSTNAME: 'pod-1' });
  const port = await app.port();
  expect(await app.line('Now accepting')).toMatchObject({
    level: 30,
    time: expect.any(Number) as number,
    pid: expect.any(Number) as number,
    hostname: 'pod-1',
    msg: `Now accepting requests at http://127.0.0.1:${port}`,
  });
  const headers = { 'X-Forwarded-For': '203.0.113.7, 198.51.100.9' };
  expect((await answer(port, '/ip', { headers })).json).toMatchObject({ ip: '203.0.113.7' });
  expect((await answer(port, '/readyz')).status).toBe(200);
  app.kill('SIGTERM');
  expect(await app.exited).toEqual({ code: 0, signal: null });
});

describe('an error that the app catches', () => {
  const app = (_request: unknown, response: { end(): void }): void => {
    response.end();
  };

  test('is thrown at once for an option that cannot be', () => {
    expect(() => serve(app, { port: -1, logger })).toThrow(
      expect.objectContaining({
        name: 'ServeError',
        code: 'ERR_INVALID_ARG_VALUE',
        message: 'port: -1 is out of range: give a whole number from 0 to 65535',
      }) as Error,
    );
  });

  test('is thrown at once for what is no listener for requests', () => {
    const koa = { callback: () => app };
    expect(() => serve(koa as unknown as typeof app, { logger })).toThrow(
      'app: is not a listener for requests: give an Express app, app.callback() of Koa, app.routing of Fastify, or a function of (request, response)',
    );
  });

  test('is what `listening` rejects with for a taken port, and nothing of it is left', async () => {
    const { port } = await served(app);
    const handlers = process.listenerCount('SIGTERM');
    const { listening, close, server } = serve(app, { port, host: '127.0.0.1', logger });
    await expect(listening).rejects.toThrow(ServeError);
    await expect(listening).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `Port ${port} of 127.0.0.1 is taken by another program: stop it, or give another PORT`,
      cause: { syscall: 'listen' },
    });
    expect(await close()).toBe(true);
    expect(server.listening).toBe(false);
    expect(process.listenerCount('SIGTERM')).toBe(handlers);
  });

  test('does not end the process, nor does one that it hears of by uncaughtException', async () => {
    const environment = { PORT: 'x' };
    const caught = new NodeProcess('test/serve/fixtures/catching.ts', environment);
    expect(await caught.exited).toEqual({ code: 0, signal: null });
    expect(caught.text).toEqual(['caught PORT: "x" is out of range: give a whole number from 0 to 65535']);
    const heard = new NodeProcess('test/serve/fixtures/hearing.ts', environment);
    expect(await heard.exited).toEqual({ code: 3, signal: null });
    expect(heard.text).toEqual(['heard PORT: "x" is out of range: give a whole number from 0 to 65535']);
  });
});

test('an error of the app itself that nobody catches is shown by Node as ever', async () => {
  const app = new NodeProcess('test/serve/fixtures/failing.ts');
  expect(await app.exited).toEqual({ code: 1, signal: null });
  expect(app.text.join('\n')).toMatch(/Error: of the app itself\n +at .*failing\.ts:\d+/);
});

test('a taken port is one clear line and exit code 1', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const app = new NodeProcess('test/serve/fixtures/plain-express.ts', { PORT: String(port), LOG_LEVEL: 'silent' });
  expect(await app.exited).toEqual({ code: 1, signal: null });
  expect(app.text).toEqual([]);
  expect(app.lines.map(({ msg }) => msg)).toEqual([
    `Port ${port} of 127.0.0.1 is taken by another program: stop it, or give another PORT`,
  ]);
});

test('an address that this machine does not have is one clear line and exit code 1', async () => {
  const app = new NodeProcess('test/serve/fixtures/plain-express.ts', { HOST: '203.0.113.1' });
  expect(await app.exited).toEqual({ code: 1, signal: null });
  expect(app.text).toEqual([]);
  expect(app.lines).toHaveLength(1);
  expect(app.lines[0]?.msg).toMatch(/^Cannot listen on port 0 of 203\.0\.113\.1: /);
});

test('what is wrong in the environment of an app is one clear line and exit code 1', async () => {
  const app = new NodeProcess('test/serve/fixtures/plain-express.ts', { KEEP_ALIVE_TIMEOUT_SECONDS: '65s' });
  expect(await app.exited).toEqual({ code: 1, signal: null });
  expect(app.text).toEqual([]);
  expect(app.lines.map(({ msg }) => msg)).toEqual([
    'KEEP_ALIVE_TIMEOUT_SECONDS: "65s" is out of range: give a whole number from 1 to 86400',
  ]);
});

test('Node answers upgrades itself as long as the app listens for none, and again when it no longer does', async () => {
  const { port, server } = await served((_request, response) => {
    response.statusCode = 404;
    response.end();
  });
  const headers = { Connection: 'Upgrade', Upgrade: 'websocket' };
  const status = async () => (await answer(port, '/', { headers })).status;
  expect(await status()).toBe(404);

  const refuse = (_request: unknown, socket: { end(text: string): void }) => {
    socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
  };
  server.on('upgrade', refuse);
  expect(await status()).toBe(401);
  server.off('upgrade', refuse);
  expect(server.listenerCount('upgrade')).toBe(0);
  expect(await status()).toBe(404);
});

test('an upload that expects 100 Continue gets it', async () => {
  const { port } = await served((incoming, response) => {
    incoming.pipe(response);
  });
  const outgoing = request({ port, host: '127.0.0.1', method: 'POST', headers: { Expect: '100-continue' } });
  outgoing.flushHeaders();
  await once(outgoing, 'continue');
  outgoing.end('body');
  const [incoming] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream];
  expect(String(await once(incoming, 'data'))).toBe('body');
  outgoing.destroy();
});
