import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSignedKeyPair } from '../../certificates/self-signed';
import { Load } from '../../load/load';
import { onTestFinished } from '../afterwards';

/** What a server saw of one request. */
interface Seen {
  readonly id: string;
  readonly method: string;
  readonly socket: Socket;
  readonly client: string | undefined;
  readonly at: number;
}

type Answer = (request: IncomingMessage, response: ServerResponse, body: string, index: number) => void;

const echo: Answer = (_request, response, body) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ hostname: 'one', body }));
};

describe('load', () => {
  const servers: Server[] = [];

  async function listen(answer: Answer): Promise<{ url: string; seen: Seen[] }> {
    const seen: Seen[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const index = seen.length;
        const id = String(request.headers['x-request-id']);
        const client = request.headers['x-client']?.toString();
        seen.push({ id, method: String(request.method), socket: request.socket, client, at: Date.now() });
        answer(request, response, body, index);
      });
    });
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { url: `http://localhost:${(server.address() as AddressInfo).port}`, seen };
  }

  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  test('sends exactly as many requests as asked for, and each arrives once', async () => {
    const { url, seen } = await listen(echo);
    const result = await new Load({ url, rate: 400, total: 200 }).finished;
    expect(result).toMatchObject({ sent: 200, ok: 200, lost: [] });
    expect(new Set(seen.map(({ id }) => id)).size).toBe(200);
    expect(seen).toHaveLength(200);
    expect(new Set(result.requests.map(({ id }) => id))).toEqual(new Set(seen.map(({ id }) => id)));
  });

  test('each request has a key, the next in turn, and every key comes by both methods', async () => {
    const { url, seen } = await listen(echo);
    const keys = { header: 'x-client', count: 7 };
    const { requests } = await new Load({ url, rate: 400, total: 70, keys }).finished;
    const sent = new Map(requests.map(({ id, key }) => [id, key]));
    expect(seen.map(({ id, client }) => [id, client])).toEqual(seen.map(({ id }) => [id, sent.get(id)]));
    for (let key = 0; key < 7; key += 1) {
      const own = requests.filter((request) => request.key === `key-${key}`);
      expect(own).toHaveLength(10);
      expect(new Set(own.map(({ method }) => method)).size).toBe(2);
    }
    expect((await new Load({ url, rate: 400, total: 1 }).finished).requests[0]).not.toHaveProperty('key');
  });

  test('each path begins with a prefix, the next in turn, and every request has the headers', async () => {
    const paths = new Map<string, string>();
    const { url } = await listen((request, response, body) => {
      paths.set(
        String(request.headers['x-request-id']),
        `${request.url ?? ''} ${String(request.headers.authorization)}`,
      );
      response.end(JSON.stringify({ hostname: 'one', body }));
    });
    const asked = { prefixes: ['/a', '/b', '/c'], headers: { authorization: 'Bearer x' } };
    const { requests } = await new Load({ url, rate: 400, total: 30, ...asked }).finished;
    expect(requests.map(({ id, method, prefix = '' }) => `${paths.get(id) ?? ''} ${method} ${prefix}`).sort()).toEqual(
      asked.prefixes.flatMap((prefix) =>
        [`${prefix}/echo Bearer x POST ${prefix}`, `${prefix}/healthcheck Bearer x GET ${prefix}`].flatMap((one) =>
          Array<string>(5).fill(one),
        ),
      ),
    );
  });

  test('half of the requests are POST, a tenth use a new connection, and the rest share kept ones', async () => {
    const { url, seen } = await listen(echo);
    const { requests } = await new Load({ url, rate: 80, total: 200 }).finished;
    expect(requests.filter(({ method }) => method === 'POST')).toHaveLength(100);
    const fresh = requests.filter(({ connectionUse }) => connectionUse === 'new');
    expect(fresh.map(({ method }) => method).sort()).toEqual([
      ...Array<string>(10).fill('GET'),
      ...Array<string>(10).fill('POST'),
    ]);

    const requestsOn = new Map<Socket, number>();
    for (const { socket } of seen) requestsOn.set(socket, (requestsOn.get(socket) ?? 0) + 1);
    const freshIds = new Set(fresh.map(({ id }) => id));
    for (const { id, socket } of seen) {
      if (freshIds.has(id)) expect(requestsOn.get(socket)).toBe(1);
    }
    // Where the machine is busy, requests come in bunches, and each of a bunch needs one of its own: not all of them, at this rate.
    expect(requestsOn.size).toBeLessThan(180);
  });

  test('the rate does not wait for answers', async () => {
    const waiting: (() => void)[] = [];
    const { url } = await listen((request, response, body, index) => {
      waiting.push(() => {
        echo(request, response, body, index);
      });
      // Nothing is answered before the last request has arrived.
      if (waiting.length === 60) for (const answer of waiting) answer();
    });
    const result = await new Load({ url, rate: 200, total: 60 }).finished;
    expect(result).toMatchObject({ sent: 60, ok: 60 });
  });

  test('a reset connection is a lost request that is not sent again', async () => {
    const { url, seen } = await listen((request, response, body, index) => {
      if (index % 10 === 9) request.socket.resetAndDestroy();
      else echo(request, response, body, index);
    });
    const result = await new Load({ url, rate: 400, total: 200 }).finished;
    expect(result.sent).toBe(200);
    expect(result.ok).toBe(180);
    expect(result.lost).toHaveLength(20);
    expect(result.lost.every(({ error, status }) => error !== undefined && status === undefined)).toBe(true);
    expect(seen).toHaveLength(200);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(200);
  });

  test('an answer cut short, another status and an answer to another request are lost', async () => {
    const { url } = await listen((request, response, body, index) => {
      if (index === 0) {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{');
        setImmediate(() => request.socket.destroy());
      } else if (index === 1) response.writeHead(502).end('{}');
      else if (request.method === 'POST') response.end(JSON.stringify({ hostname: 'one' }));
      else if (index < 6) response.end('<html>');
      else echo(request, response, body, index);
    });
    const result = await new Load({ url, rate: 50, total: 10 }).finished;
    const errors = result.lost.map(({ error }) => error);
    expect(errors).toContain('status 502');
    expect(errors).toContain('the answer is not what was sent');
    expect(errors).toContain('the answer names no hostname');
    expect(errors.some((error) => error?.includes('other side closed') === true)).toBe(true);
    expect(result.ok + result.lost.length).toBe(10);
  });

  test('a silent server costs the timeout and counts as lost', async () => {
    const { url } = await listen(() => undefined);
    const result = await new Load({ url, rate: 100, total: 2, timeout: 1000 }).finished;
    expect(result).toMatchObject({ sent: 2, ok: 0 });
    expect(result.lost.map(({ error }) => error)).toEqual([
      expect.stringContaining('UND_ERR_HEADERS_TIMEOUT'),
      expect.stringContaining('UND_ERR_HEADERS_TIMEOUT'),
    ]);
  });

  test('stop sends no more and still accounts for what is under way', async () => {
    const { url, seen } = await listen((request, response, body, index) => {
      setTimeout(() => {
        echo(request, response, body, index);
      }, 50);
    });
    const load = new Load({ url, rate: 100 });
    onTestFinished(() => load.stop());
    while (load.requests.length < 5) await new Promise((resolve) => setImmediate(resolve));
    const result = await load.stop();
    expect(result.ok).toBe(result.sent);
    expect(seen).toHaveLength(result.sent);
  });

  test('some kept connections pause for as long as the server promises to keep them', async () => {
    const { url, seen } = await listen((request, response, body, index) => {
      response.setHeader('keep-alive', 'timeout=3');
      echo(request, response, body, index);
    });
    const { requests } = await new Load({ url, rate: 50, total: 200 }).finished;
    const paused = requests.filter(({ connectionUse }) => connectionUse === 'paused');
    const socketOf = new Map(seen.map(({ id, socket }) => [id, socket]));
    expect(paused.length).toBeGreaterThan(10);
    // Both ends of what may happen: some came back to the same connection, some found it closed by undici itself.
    expect(new Set(paused.map(({ id }) => socketOf.get(id))).size).toBeGreaterThan(10);
    expect(new Set(paused.map(({ id }) => socketOf.get(id))).size).toBeLessThan(paused.length);
  });

  test('first request and count are kept for every instance', async () => {
    const { url, seen } = await listen((_request, response, body, index) => {
      response.end(JSON.stringify({ hostname: index < 5 ? 'one' : 'two', body }));
    });
    const { byHostname, firstRequest } = await new Load({ url, rate: 100, total: 20 }).finished;
    expect(Object.fromEntries(byHostname)).toEqual({ one: 5, two: 15 });
    expect(firstRequest.get('two')).toBeGreaterThanOrEqual(firstRequest.get('one') ?? Number.POSITIVE_INFINITY);
    expect(firstRequest.get('one')).toBeLessThanOrEqual(seen[0]?.at ?? 0);
  });

  test.each([
    ['http://example.com/', 'url: "http://example.com/" is not on this machine: give localhost or 127.0.0.1'],
    ['https://10.0.0.1:8443', 'url: "https://10.0.0.1:8443" is not on this machine: give localhost or 127.0.0.1'],
    ['ftp://localhost', 'url: "ftp://localhost" is not an address of HTTP: give one such as "https://localhost:8443"'],
    ['localhost:8443', 'url: "localhost:8443" is not an address of HTTP: give one such as "https://localhost:8443"'],
  ])('%s is refused', (url, message) => {
    expect(() => new Load({ url, rate: 1, total: 1 })).toThrow(message);
  });
});

test('a host of another name is asked for over both protocols, and its certificate is the one that is believed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'load-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const host = 'orders.example.com';
  const { certificate, privateKey } = selfSignedKeyPair([host], directory);
  const asked = new Set<string>();
  const server = createSecureServer({ cert: certificate, key: privateKey, allowHTTP1: true }, (request, response) => {
    asked.add(`${request.httpVersion} ${request.headers[':authority'] ?? request.headers.host ?? ''}`);
    request.resume().on('end', () => response.end());
  });
  onTestFinished(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const options = { url, certificates: [certificate], statuses: { GET: 200, POST: 200 }, rate: 200, total: 80 };
  expect(await new Load({ ...options, host }).finished).toMatchObject({ sent: 80, ok: 80, lost: [] });
  expect([...asked].sort()).toEqual([`1.1 ${host}`, `2.0 ${host}`]);
  expect(await new Load(options).finished).toMatchObject({ sent: 80, ok: 0 });
});
