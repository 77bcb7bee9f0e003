import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { constants, createServer, type Http2Server, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { Load, type LoadOptions } from '../../load/load';
import { proxyModel } from '../nginx/support/models';
import { RealNginx } from '../nginx/support/real-nginx';
import { StubApi } from '../nginx/support/stub-api';
import { StubDns } from '../nginx/support/stub-dns';
import { until } from '../until';
import { TcpSwitch } from './tcp-switch';

const stopping: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const stop of stopping.splice(0).reverse()) await stop();
});

describe('load over HTTP/2 through nginx', () => {
  let dns: StubDns;
  let api: StubApi;
  /** How often each request reached the API. */
  let seen: Map<string, number>;
  /** Milliseconds until an answer. */
  let delay: number;

  const echo: RequestListener = (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const id = String(request.headers['x-request-id']);
      seen.set(id, (seen.get(id) ?? 0) + 1);
      setTimeout(() => response.end(JSON.stringify({ hostname: 'one', body })), delay);
    });
  };

  beforeAll(async () => {
    dns = await StubDns.start();
    api = await StubApi.start('one', echo);
    dns.instances = [api.instance];
  });

  beforeEach(() => {
    seen = new Map();
    delay = 0;
  });

  afterAll(async () => {
    await api.stop();
    await dns.stop();
  });

  /** nginx with some directives of its own in place of the rendered ones. */
  async function nginx(directives: Readonly<Record<string, string>> = {}): Promise<RealNginx> {
    const started = await RealNginx.start(
      proxyModel(),
      { resolvers: [dns.server] },
      {
        change: (conf) =>
          Object.entries(directives).reduce(
            (changed, [name, value]) =>
              changed
                .replaceAll(new RegExp(`^ *${name} [^;]*;.*$`, 'gm'), '')
                .replace(/^http \{/m, `http {\n  ${name} ${value};`),
            conf,
          ),
      },
    );
    stopping.push(() => started.stop());
    await started.untilAnswered(({ status }) => status === 200);
    seen.clear();
    return started;
  }

  /** What load through nginx is told, whichever port leads there. */
  function through({ place }: RealNginx, port = place.httpsPort): Pick<LoadOptions, 'url' | 'certificates'> {
    const certificate = readFileSync(join(place.certificateDirectory, 'tls.crt'), 'utf8');
    return { url: `https://localhost:${port}`, certificates: [certificate] };
  }

  const http2 = { protocols: ['HTTP/2'] } as const;

  test('half of the requests are HTTP/2 unless said otherwise, of both methods, on new connections and on kept ones', async () => {
    const { requests, ...result } = await new Load({ ...through(await nginx()), rate: 400, total: 400 }).finished;
    expect(result).toMatchObject({ sent: 400, ok: 400, lost: [], repeated: 0 });
    for (const protocol of ['HTTP/1.1', 'HTTP/2']) {
      const own = requests.filter((request) => request.protocol === protocol);
      expect(own).toHaveLength(200);
      expect(own.filter(({ method }) => method === 'POST')).toHaveLength(100);
      const fresh = own.filter(({ connectionUse }) => connectionUse === 'new');
      expect(fresh.filter(({ method }) => method === 'POST')).toHaveLength(10);
      expect(fresh).toHaveLength(20);
    }
    expect(seen.size).toBe(400);
  });

  test('what GOAWAY refuses is sent again and counted, and reaches the API once', async () => {
    const { requests, ...result } = await new Load({
      ...through(await nginx({ keepalive_requests: '10' })),
      ...http2,
      rate: 400,
      total: 600,
    }).finished;
    expect(result).toMatchObject({ sent: 600, ok: 600, lost: [] });
    const repeated = requests.filter(({ repeats = 0 }) => repeats > 0);
    expect(result.repeated).toBe(repeated.length);
    // Half of what is sent at once on a kept connection goes beyond what that may carry.
    expect(repeated.length).toBeGreaterThan(200);
    expect(repeated.map(({ method }) => method)).toEqual(expect.arrayContaining(['GET', 'POST']));
    expect([...seen.values()].every((times) => times === 1)).toBe(true);
    expect(seen.size).toBe(600);
  });

  test('a connection that nginx closes because it is idle is replaced', async () => {
    const result = await new Load({
      ...through(await nginx({ keepalive_timeout: '300ms' })),
      ...http2,
      rate: 200,
      total: 400,
    }).finished;
    expect(result).toMatchObject({ sent: 400, ok: 400, lost: [] });
  });

  test('a rollout of nginx loses nothing: streams that an ending worker has taken are answered', async () => {
    const [old, next] = [await nginx(), await nginx()];
    const relay = await TcpSwitch.start(old.place.httpsPort);
    stopping.push(() => {
      relay.stop();
    });
    delay = 100;
    const running = new Load({ ...through(old, relay.port), ...http2, rate: 100 });
    await until(() => running.requests.length > 50);
    relay.target = next.place.httpsPort;
    // In the midst of what it is asked: its answers take 100 ms each.
    await old.stop('SIGQUIT');
    const before = running.requests.length;
    await until(() => running.requests.length > before + 50);
    const result = await running.stop();
    expect(result.lost).toEqual([]);
    expect(result.ok).toBe(result.sent);
    expect([...seen.values()].every((times) => times === 1)).toBe(true);
    expect(seen.size).toBe(result.sent);
  });
});

describe('load over HTTP/2', () => {
  type Answer = (stream: ServerHttp2Stream, request: Request, session: Http2Session) => void;

  interface Request {
    /** Its number on this server, and on its connection. */
    readonly number: number;
    readonly onConnection: number;
    readonly body: string;
  }

  interface Listening {
    readonly url: string;
    readonly ids: string[];
    /** By the port of the client. */
    readonly sockets: ReadonlyMap<number, Socket>;
  }

  const echo: Answer = (stream, { body }) => {
    stream.respond({ ':status': 200 });
    stream.end(JSON.stringify({ hostname: 'one', body }));
  };

  /** A server whose answers a test decides, without TLS. */
  async function listen(answer: Answer): Promise<Listening> {
    const ids: string[] = [];
    const sockets = new Map<number, Socket>();
    const sessions = new Map<Http2Session, number>();
    const server: Http2Server = createServer();
    server.on('connection', (socket: Socket) => sockets.set(socket.remotePort ?? 0, socket));
    server.on('session', (session) => {
      sessions.set(session, 0);
      session.on('error', () => undefined);
    });
    server.on('stream', (stream, headers) => {
      const { session } = stream;
      if (session === undefined) return;
      const onConnection = sessions.get(session) ?? 0;
      sessions.set(session, onConnection + 1);
      const number = ids.push(String(headers['x-request-id'])) - 1;
      let body = '';
      stream.on('error', () => undefined);
      stream.on('data', (chunk: Buffer) => (body += chunk.toString()));
      stream.on('end', () => {
        if (!stream.destroyed) answer(stream, { number, onConnection, body }, session);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    stopping.push(() => {
      for (const session of sessions.keys()) session.destroy();
      server.close();
    });
    return { url: `http://localhost:${(server.address() as AddressInfo).port}`, ids, sockets };
  }

  function load(url: string, options: Partial<LoadOptions> = {}): Load {
    return new Load({ url, protocols: ['HTTP/2'], rate: 1000, total: 40, ...options });
  }

  test('sends twenty requests at once on a connection', async () => {
    const waiting: (() => void)[] = [];
    const { url } = await listen((stream, request, session) => {
      waiting.push(() => {
        echo(stream, request, session);
      });
      // One of its first twenty requests has a connection of its own, and so has one of the next.
      if (waiting.length === 22) for (const answer of waiting) answer();
    });
    const result = await load(url, { total: 22 }).finished;
    expect(result).toMatchObject({ sent: 22, ok: 22 });
  });

  test('a stream that is broken, closed or cut short is lost, and not sent again', async () => {
    const { url, ids } = await listen((stream, request, session) => {
      if (request.number === 3) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      else if (request.number === 5) stream.close(constants.NGHTTP2_CANCEL);
      else if (request.number === 7) {
        stream.respond({ ':status': 200, 'content-length': 1000 });
        stream.write('{"hostname":', () => {
          stream.close(constants.NGHTTP2_REFUSED_STREAM);
        });
      } else echo(stream, request, session);
    });
    const result = await load(url).finished;
    expect(result).toMatchObject({ sent: 40, ok: 37, repeated: 0 });
    expect(result.lost.map(({ error }) => error).sort()).toEqual([
      'ERR_HTTP2_STREAM_ERROR: Stream closed with error code NGHTTP2_INTERNAL_ERROR',
      'ERR_HTTP2_STREAM_ERROR: Stream closed with error code NGHTTP2_PROTOCOL_ERROR',
      'the stream was closed without a whole answer (code 8)',
    ]);
    expect(ids).toHaveLength(40);
  });

  test('a connection that breaks loses what was under way on it', async () => {
    const { url, ids, sockets } = await listen((stream, request, session) => {
      if (request.onConnection < 5) echo(stream, request, session);
      else sockets.get(session.socket.remotePort ?? 0)?.resetAndDestroy();
    });
    const result = await load(url).finished;
    expect(result.lost.length).toBeGreaterThan(0);
    expect(result).toMatchObject({ sent: 40, ok: 40 - result.lost.length, repeated: 0 });
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('of a connection that ends with an error, the streams that the server took are lost and the others sent again', async () => {
    let broken = 0;
    const { url } = await listen((stream, request, session) => {
      if (broken > 0 || request.onConnection < 5) {
        if (!session.closed) echo(stream, request, session);
        return;
      }
      broken += 1;
      session.goaway(constants.NGHTTP2_INTERNAL_ERROR, stream.id);
      session.close();
    });
    const result = await load(url).finished;
    expect(broken).toBe(1);
    // Those up to the one whose answer never came; what had a higher number was sent again.
    expect(result.lost.length).toBeGreaterThanOrEqual(1);
    expect(result.lost.length).toBeLessThanOrEqual(6);
    expect(result.lost.every(({ repeats }) => repeats === undefined)).toBe(true);
    expect(result.repeated).toBeGreaterThan(0);
  });

  test('what is refused again and again is lost in the end', async () => {
    const { url, ids } = await listen((stream) => {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    });
    const result = await load(url, { total: 2 }).finished;
    expect(result).toMatchObject({ sent: 2, ok: 0, repeated: 2 });
    expect(result.lost.map(({ error, repeats }) => ({ error, repeats }))).toEqual(
      Array(2).fill({ error: 'the server did not process it', repeats: 10 }),
    );
    expect(ids).toHaveLength(22);
  });

  test('another status, an answer to another request and one without a hostname are lost', async () => {
    const { url } = await listen((stream, request, session) => {
      const answers: Record<number, [number, string]> = {
        0: [502, '{}'],
        1: [200, JSON.stringify({ hostname: 'one', body: 'of another' })],
        2: [200, '<html>'],
      };
      const [status, text] = answers[request.number] ?? [];
      if (status === undefined) echo(stream, request, session);
      else {
        stream.respond({ ':status': status });
        stream.end(text);
      }
    });
    const { lost, ok } = await load(url, { total: 4, rate: 20 }).finished;
    expect(lost.map(({ error }) => error).sort()).toEqual([
      'status 502',
      'the answer is not what was sent',
      'the answer names no hostname',
    ]);
    expect(ok).toBe(1);
  });

  test('a silent server costs the timeout', async () => {
    const { url } = await listen(() => undefined);
    const result = await load(url, { total: 3, timeout: 300 }).finished;
    expect(result.lost.map(({ error }) => error)).toEqual(Array(3).fill('no answer within 0.3 s'));
  });

  test('a connection that cannot be opened says why', async () => {
    const result = await load('http://localhost:1', { total: 2 }).finished;
    expect(result.lost.map(({ error }) => error)).toEqual(Array(2).fill(expect.stringContaining('ECONNREFUSED')));
  });

  test('a connection that has not answered is not asked again, but replaced', async () => {
    let several = 0;
    let slow: Http2Session | undefined;
    const waiting: (() => void)[] = [];
    let came = 0;
    const { url } = await listen((stream, request, session) => {
      // The first six pause after their first use.
      if (request.onConnection === 1 && (several += 1) === 8) slow = session;
      if (session !== slow) echo(stream, request, session);
      else {
        waiting.push(() => {
          echo(stream, request, session);
        });
      }
      if ((came += 1) === 600) for (const answer of waiting) answer();
    });
    const result = await load(url, { total: 600 }).finished;
    expect(result).toMatchObject({ sent: 600, ok: 600 });
    expect(waiting.length).toBeGreaterThan(0);
    expect(waiting.length).toBeLessThanOrEqual(20);
  });

  test('take gives what has ended since the last time, and forgets it', async () => {
    const { url } = await listen(echo);
    const running = load(url, { total: 200 });
    await until(() => running.requests.length >= 50);
    const first = running.take();
    expect(first.sent).toBeGreaterThanOrEqual(50);
    expect(first.sent + (await running.finished).sent).toBe(200);
    expect(running.requests.length).toBe(200 - first.sent);
  });
});
