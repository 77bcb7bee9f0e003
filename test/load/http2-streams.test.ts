import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants, createServer, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { Streams, type StreamsOptions, streamsSummary } from '../../load/streams';
import { type Upload, Uploads } from '../../load/uploads';
import { apiServer } from '../api/support/api-server';
import { proxyModel } from '../nginx/support/models';
import { RealNginx } from '../nginx/support/real-nginx';
import { StubDns } from '../nginx/support/stub-dns';
import { until } from '../until';

const stopping: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of stopping.splice(0).reverse()) await stop();
});

describe("the API's own app behind nginx", () => {
  /** Both, and what a client of them is told. */
  async function start() {
    const api = await apiServer({ DIAGNOSTIC_ENDPOINTS: 'true', HOSTNAME: 'api-1' });
    stopping.push(() => api.close());
    const dns = await StubDns.start();
    stopping.push(() => dns.stop());
    dns.instances = [{ address: '127.0.0.1', port: api.port }];
    const nginx = await RealNginx.start(proxyModel({ routes: [{ maxBodySize: 8 * 2 ** 20 }] }), {
      resolvers: [dns.server],
    });
    stopping.push(() => nginx.stop());
    await nginx.untilAnswered(({ status }) => status === 200);
    const certificates = [readFileSync(join(nginx.place.certificateDirectory, 'tls.crt'), 'utf8')];
    return { api, client: { url: `https://localhost:${nginx.place.httpsPort}`, certificates } };
  }

  test('event streams over HTTP/2 name their instance, and end with the last event when it ends', async () => {
    const { api, client } = await start();
    const held = new Streams({ ...client, http2EventStreams: 12, openingRate: 1000 });
    stopping.push(() => held.stop());
    await held.opened;
    expect(Object.fromEntries(held.byHostname)).toEqual({ 'api-1': 12 });
    await api.close();
    await until(() => held.byHostname.size === 0);
    const { endings, before } = streamsSummary(await held.stop());
    expect(Object.fromEntries(before)).toEqual({ 'api-1': 12 });
    expect([...endings.keys()]).toEqual(['HTTP/2 event stream ended with its last chunk']);
  });

  test('uploads arrive whole, one after another', async () => {
    const { client } = await start();
    const uploads = new Uploads({ ...client, bytes: 3_000_000, bytesPerSecond: 60_000_000 });
    stopping.push(() => uploads.stop());
    await until(() => uploads.uploads.length >= 4);
    const done = await uploads.stop();
    expect(done.filter(({ hostname, error }) => hostname !== 'api-1' || error !== undefined)).toEqual([]);
    expect(new Set(done.map(({ id }) => id)).size).toBe(done.length);
  });

  test('an upload that nginx refuses is not complete', async () => {
    const { client } = await start();
    const uploads = new Uploads({ ...client, bytes: 9_000_000, bytesPerSecond: 900_000_000, clients: 1 });
    expect((await uploads.stop())[0]?.error).toBe('status 413');
  });
});

describe('an upload', () => {
  /** What becomes of one of 1 MB that a server answers like this, and of those that follow it. */
  async function uploadTo(answer: (stream: ServerHttp2Stream, number: number) => void): Promise<readonly Upload[]> {
    const server = createServer();
    let number = 0;
    server.on('stream', (stream) => {
      stream.on('error', () => undefined);
      answer(stream, (number += 1));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    stopping.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const url = `http://localhost:${port}`;
    return new Uploads({ url, bytes: 1_000_000, bytesPerSecond: 900_000_000, clients: 1 }).stop();
  }

  /** Counts the bytes of a body, some of which get lost. */
  function count(stream: ServerHttp2Stream, lost = 0): void {
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
    stream.on('end', () => {
      stream.respond({ ':status': 200 });
      stream.end(JSON.stringify({ hostname: 'one', bytes: bytes - lost }));
    });
  }

  test('that a server has not processed is sent again from its beginning', async () => {
    const [upload] = await uploadTo((stream, number) => {
      if (number > 1) count(stream);
      else
        stream.once('data', () => {
          stream.close(constants.NGHTTP2_REFUSED_STREAM);
        });
    });
    expect(upload).toMatchObject({ id: 'upload-1-1', hostname: 'one', repeats: 1 });
    expect(upload?.error).toBeUndefined();
  });

  test('of which some is missing, or that breaks, is not complete', async () => {
    const [short] = await uploadTo((stream) => {
      count(stream, 1);
    });
    expect(short?.error).toBe('999999 of 1000000 bytes arrived');
    const [broken] = await uploadTo((stream) => {
      stream.once('data', () => {
        stream.close(constants.NGHTTP2_CANCEL);
      });
    });
    expect(broken).toMatchObject({ error: expect.stringContaining('code 8') as string });
  });
});

describe('event streams over HTTP/2', () => {
  interface Server {
    readonly port: number;
    readonly streams: Set<ServerHttp2Stream>;
    readonly sessions: Set<Http2Session>;
    readonly sockets: Set<Socket>;
    /** Every connection that came. */
    connections: number;
    silent: boolean;
  }

  async function listen(): Promise<Server> {
    const server = createServer();
    const sockets = new Set<Socket>();
    const sessions = new Set<Http2Session>();
    const streams = new Set<ServerHttp2Stream>();
    server.on('connection', (socket: Socket) => {
      listening.connections += 1;
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    server.on('session', (session) => {
      sessions.add(session);
      session.on('error', () => undefined);
      session.on('close', () => sessions.delete(session));
    });
    server.on('stream', (stream) => {
      streams.add(stream);
      stream.on('error', () => undefined);
      stream.on('close', () => streams.delete(stream));
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
      if (!listening.silent) stream.write('data: {"hostname":"one"}\n\n');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const listening: Server = { port, streams, sessions, sockets, connections: 0, silent: false };
    stopping.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return listening;
  }

  async function hold({ port }: Server, options: Partial<StreamsOptions>): Promise<Streams> {
    const held = new Streams({ url: `http://localhost:${port}`, openingRate: 1000, messageInterval: 10, ...options });
    stopping.push(() => held.stop());
    await held.opened;
    return held;
  }

  const whole = async (held: Streams): Promise<Record<string, number>> => {
    await until(() => [...held.byHostname.values()].reduce((sum, count) => sum + count, 0) === held.clients);
    return Object.fromEntries(streamsSummary(await held.stop()).endings);
  };

  test('share connections, and are broken with the connection that breaks', async () => {
    const server = await listen();
    const held = await hold(server, { http2EventStreams: 15 });
    expect(server.connections).toBe(2);
    [...server.sockets][0]?.resetAndDestroy();
    await until(() => held.byHostname.get('one') === 5);
    expect(await whole(held)).toEqual({
      'HTTP/2 event stream broken: read ECONNRESET': 10,
      'HTTP/2 event stream held to the end': 15,
    });
  });

  test('are held through GOAWAY, and a connection of which one came is not used again', async () => {
    const server = await listen();
    const held = await hold(server, { http2EventStreams: 3 });
    for (const session of server.sessions) session.close();
    for (const stream of [...server.streams].slice(0, 1)) stream.end();
    await until(() => server.connections === 2);
    expect(await whole(held)).toEqual({
      'HTTP/2 event stream ended with its last chunk': 1,
      'HTTP/2 event stream held to the end': 3,
    });
  });

  test('are given up when they say nothing, together with their connection', async () => {
    const server = await listen();
    const held = await hold(server, { http2EventStreams: 1, silence: 100 });
    await until(() => server.connections === 2);
    const { endings } = streamsSummary(await held.stop());
    expect([...endings.keys()]).toContain('HTTP/2 event stream silent');
  });
});
