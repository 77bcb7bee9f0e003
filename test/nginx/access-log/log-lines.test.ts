import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Agent } from 'node:https';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { freePort } from '../../../local/ports';
import { onFileFinished, onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { proxyModel } from '../support/models';
import { rawHttp2 } from '../support/raw-http2';
import { RealNginx } from '../support/real-nginx';
import { StubApi } from '../support/stub-api';
import { StubDns } from '../support/stub-dns';

/** What one write to a pipe takes in one piece (PIPE_BUF), with the end of the line. */
const longestLine = 4096;
const host = 'api.example.com';
const refusing = 12;

/** What both workers write to, as to the log of a container. */
class Pipe {
  readonly path: string;
  private text = Buffer.alloc(0);

  constructor() {
    const directory = mkdtempSync(join(tmpdir(), 'fairlead-pipe-'));
    onFileFinished(() => {
      rmSync(directory, { recursive: true });
    });
    this.path = join(directory, 'access.log');
    const { status } = spawnSync('mkfifo', [this.path]);
    if (status !== 0) throw new Error('mkfifo made no pipe');
    // For both, so that it has no end while nobody writes.
    const fd = openSync(this.path, constants.O_RDWR | constants.O_NONBLOCK);
    const socket = new Socket({ fd, readable: true, writable: false });
    socket.on('data', (chunk: Buffer) => (this.text = Buffer.concat([this.text, chunk])));
    onFileFinished(() => socket.destroy());
  }

  /** So many lines as soon as they are there, as bytes with their ends; they are forgotten. */
  async lines(count: number): Promise<readonly Buffer[]> {
    return until(() => {
      const lines: Buffer[] = [];
      for (let at = 0; lines.length < count;) {
        const end = this.text.indexOf('\n', at) + 1;
        if (end === 0) return undefined;
        lines.push(this.text.subarray(at, end));
        at = end;
      }
      this.text = this.text.subarray(lines.reduce((sum, { length }) => sum + length, 0));
      return lines;
    }, `${count} lines of the log`);
  }

  /** Whether there is anything that was not asked for. */
  get isEmpty(): boolean {
    return this.text.length === 0;
  }
}

let log: Pipe;
let nginx: RealNginx;

beforeAll(async () => {
  log = new Pipe();
  const dns = await StubDns.start();
  const api = await StubApi.start('one', (request, response) => {
    request.resume();
    response.end('ok');
  });
  dns.byHost.set('api.orders.svc.cluster.local', [api.instance]);
  const closed = await Promise.all(Array.from({ length: refusing }, freePort));
  dns.byHost.set(
    'gone.orders.svc.cluster.local',
    closed.map((port) => ({ address: '127.0.0.1', port })),
  );
  nginx = await RealNginx.start(
    proxyModel({
      names: [host],
      backends: [{}, { name: 'gone', fallback: '127.0.0.1:9', mostInstances: refusing }],
      routes: [{}, { path: '/gone', target: 'gone', times: { nextUpstreamTries: 10 } }],
    }),
    { resolvers: [dns.server], accessLog: log.path },
  );
  // Probes are not logged.
  await nginx.untilAnswered(({ status }) => status === 200, { port: nginx.place.probePort, path: '/startup' });
});

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Refuses a line that is not one JSON object, or could be mixed with another one. */
function parsed(line: Buffer): Readonly<Record<string, unknown>> {
  const text = utf8.decode(line);
  expect(line.length).toBeLessThanOrEqual(longestLine);
  const entry = JSON.parse(text) as unknown;
  expect(entry).toEqual(expect.objectContaining({ request_id: expect.any(String) as string }));
  expect(Array.isArray(entry)).toBe(false);
  return entry as Readonly<Record<string, unknown>>;
}

/** What a client makes as it likes. */
interface RawRequest {
  readonly method: Buffer;
  readonly path: Buffer;
  readonly host: Buffer;
  readonly requestId: Buffer;
  readonly userAgent: Buffer;
}

/** On a connection that ends with the answer, or with what nginx makes of no request. */
async function sendByHttp1({ method, path, host, requestId, userAgent }: RawRequest): Promise<void> {
  const socket = connect({
    ...{ host: '127.0.0.1', port: nginx.place.httpsPort, servername: nginx.host, rejectUnauthorized: false },
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  const line = (name: string, value: Buffer): Buffer[] => [Buffer.from(`\r\n${name}: `), value];
  socket.write(
    Buffer.concat([
      ...[method, Buffer.from(' /'), path, Buffer.from(' HTTP/1.1')],
      ...[...line('Host', host), ...line('X-Request-Id', requestId), ...line('User-Agent', userAgent)],
      Buffer.from('\r\nConnection: close\r\n\r\n'),
    ]),
  );
  await once(socket.resume(), 'close');
}

async function sendByHttp2({ method, path, host, requestId, userAgent }: RawRequest): Promise<void> {
  await rawHttp2(nginx, {
    ...{ ':method': method, ':scheme': 'https', ':path': Buffer.concat([Buffer.from('/'), path]), ':authority': host },
    ...{ 'x-request-id': requestId, 'user-agent': userAgent },
  });
}

/** Any bytes, and any printable ones. */
function anyBytes(maxLength: number): fc.Arbitrary<Buffer> {
  return fc.oneof(
    fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes)),
    fc.string({ maxLength }).map((text) => Buffer.from(text)),
  );
}

/** Without what ends a line of HTTP/1.1, or a part of its first one. */
function without(excluded: readonly number[], bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return bytes.map((buffer) => Buffer.from(buffer.filter((byte) => !excluded.includes(byte))));
}

const endsOfLines = [0, 10, 13];
const endsOfWords = [...endsOfLines, 9, 32, 35];
const longHost = fc
  .array(fc.constantFrom('a', 'b', '.', '-', '_', '"', '\\', '{', '}'), { maxLength: 600 })
  .map((characters) => Buffer.from(characters.join('')));

/** Ours in most requests, so that some come to a route. */
function hosts(others: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(Buffer.from(host)) }, longHost, others);
}

const methods = fc.constantFrom('GET', 'HEAD', 'POST', 'A'.repeat(300)).map((word) => Buffer.from(word));

const anyRequest = fc.record({
  method: fc.oneof({ weight: 3, arbitrary: methods }, anyBytes(300)),
  path: anyBytes(1200),
  host: hosts(anyBytes(300)),
  requestId: anyBytes(300),
  userAgent: anyBytes(600),
});

const anyHttp1Request = fc.record({
  method: methods,
  path: without(endsOfWords, anyBytes(1200)),
  host: hosts(without(endsOfLines, anyBytes(300))),
  requestId: without(endsOfLines, anyBytes(300)),
  userAgent: without(endsOfLines, anyBytes(600)),
});

test.each<[protocol: string, requests: fc.Arbitrary<RawRequest>, send: (request: RawRequest) => Promise<void>]>([
  ['HTTP/1.1', anyHttp1Request, sendByHttp1],
  ['HTTP/2', anyRequest, sendByHttp2],
])('a line is one JSON object, whatever a client sends over %s', async (_protocol, requests, send) => {
  let sent = 0;
  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      await send(request);
      sent += 1;
    }),
    { numRuns: 80 },
  );
  const lines = await log.lines(sent);
  const entries = lines.map(parsed);
  expect(entries.map(({ upstream_status }) => upstream_status)).toContain('200');
  expect(log.isEmpty).toBe(true);
});

test('lines of both workers are whole, whatever is sent at once', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  onTestFinished(() => {
    agent.destroy();
  });
  const sent = 500;
  const answers = await Promise.all(
    Array.from({ length: sent }, (_, index) => {
      const [path, userAgent] = [`/${index}${'"'.repeat(3000)}`, '\\'.repeat(6000)];
      return nginx.get({ path, agent, headers: { 'user-agent': userAgent, 'x-request-id': `at-once-${index}` } });
    }),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const entries = (await log.lines(sent)).map(parsed);
  expect(new Set(entries.map(({ request_id }) => request_id)).size).toBe(sent);
});

test('a line of a request with as many tries as there may be is whole, had its instances the longest of addresses', async () => {
  const given = {
    path: `/gone/${'"'.repeat(3000)}`,
    headers: { 'user-agent': '"'.repeat(3000), 'x-request-id': 'i'.repeat(128) },
  };
  await until(async () => {
    await nginx.get(given);
    const [line] = await log.lines(1);
    if (line === undefined) return false;
    const addresses = String(parsed(line).upstream_addr).split(/ : |, /);
    // Ten in the first round, another one, and the fallback; fewer while DNS had not answered.
    if (addresses.length < 12) return false;
    const longest = '[2001:db8:1111:2222:3333:4444:5555:6666]:65535'.length * addresses.length;
    const here = addresses.reduce((sum, { length }) => sum + length, 0);
    expect(line.length - here + longest).toBeLessThanOrEqual(longestLine);
    return true;
  }, 'a request with twelve tries');
});
