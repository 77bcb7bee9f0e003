import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get as plainGet } from 'node:http';
import { Agent } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { freePort } from '../../../local/ports';
import { RateLimit } from '../../../model/routes/rate-limit';
import { type MetricFamily, metricFamilies } from '../../../nginx/metrics/metric-families';
import { onFileFinished, onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { http2Session } from '../support/http2';
import { proxyModel } from '../support/models';
import { RealNginx } from '../support/real-nginx';
import { StubApi } from '../support/stub-api';
import { StubDns } from '../support/stub-dns';
import { Exposition, scrape, sum } from './exposition';

const requests = 'fairlead_http_requests_total';
const durations = 'fairlead_http_request_duration_seconds';

let nginx: RealNginx;
let dns: StubDns;
let api: StubApi;
let port: number;
/** An instance that refuses. */
let closed: number;

/** Every series of one name. */
function ofName({ samples }: Exposition, name: string) {
  return samples.filter((sample) => sample.name === name);
}

/** Metrics, as soon as they say so; fails at once where something was counted twice. */
async function untilCounts(name: string, labels: Readonly<Record<string, string>>, count: number): Promise<Exposition> {
  return until(
    async () => {
      const found = await scrape(port);
      const counted = sum(found, name, labels);
      if (counted > count) throw new Error(`${name} ${JSON.stringify(labels)}: ${counted}, and ${count} were sent`);
      return counted === count && found;
    },
    `${count} of ${name} ${JSON.stringify(labels)}`,
  );
}

/** How many more there are, after something was done. */
async function counted(name: string, labels: Readonly<Record<string, string>>): Promise<number> {
  return sum(await scrape(port), name, labels);
}

beforeAll(async () => {
  dns = await StubDns.start();
  onFileFinished(() => dns.stop());
  api = await StubApi.start('one', (request, response) => {
    request.resume();
    request.on('end', () => {
      if (request.url?.startsWith('/never') === true) return;
      if (request.url === '/fails') response.statusCode = 500;
      if (request.url?.endsWith('/slow') === true) setTimeout(() => response.end('ok'), 120);
      else response.end('ok');
    });
  });
  api.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.on('data', () => socket.end());
    socket.on('error', () => undefined);
  });
  const refusing = createServer().listen(0, '127.0.0.1');
  await once(refusing, 'listening');
  closed = (refusing.address() as { port: number }).port;
  refusing.close();
  dns.byHost.set('api.orders.svc.cluster.local', [api.instance]);
  dns.byHost.set('half.orders.svc.cluster.local', [api.instance, { address: '127.0.0.1', port: closed }]);
  dns.byHost.set('gone.orders.svc.cluster.local', []);
  port = await freePort();
  const files = join(temporary(), 'web');
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, 'index.html'), 'page');
  nginx = await RealNginx.start(
    proxyModel({
      backends: [
        {},
        { name: 'half', maxFails: 1_000 },
        { name: 'gone' },
        { name: 'saved', fallback: `127.0.0.1:${api.instance.port}`, version: { of: 'api', name: 'v2' } },
      ],
      names: ['api.example.com'],
      routes: [
        { name: 'root' },
        { name: 'ws', path: '/ws', streamTimeout: 60 },
        { name: 'half', path: '/half', target: 'half' },
        { name: 'gone', path: '/gone', target: 'gone' },
        { name: 'saved', path: '/saved', target: 'saved' },
        { name: 'limited', path: '/limited', rateLimits: [RateLimit.perClient('1/m')] },
        { name: 'moved', path: '/moved', target: { kind: 'redirect', location: '/', status: 308 } },
        {
          name: 'fixed',
          path: '/fixed',
          target: { kind: 'response', status: 204, body: '', contentType: 'text/plain' },
        },
        {
          name: 'web',
          path: '/web',
          target: { kind: 'files', source: 'web', singlePage: false, immutable: undefined },
        },
      ],
      unlimitedClients: [],
      metrics: { maxSeries: 2000 },
    }),
    { resolvers: [dns.server], metricsPort: port, filesDirectories: { web: files } },
  );
  dns.byHost.set('saved.orders.svc.cluster.local', []);
  await nginx.untilAnswered(({ status }) => status === 200);
  await nginx.untilAnswered(({ status }) => status === 200, { path: '/half' });
});

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-metrics-'));
  onFileFinished(() => {
    rmSync(directory, { recursive: true });
  });
  return directory;
}

test('as many requests are counted as were sent, over kept connections and through scrapes', async () => {
  const labels = { host: 'api.example.com', route: 'root', backend: 'api', code: '200' };
  const before = await counted(requests, { ...labels, method: 'PUT' });
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  onTestFinished(() => {
    agent.destroy();
  });
  const sent = 200;
  const sending = new AbortController();
  const scrapes = (async () => {
    let last = 0;
    while (!sending.signal.aborted) {
      const now = await counted(requests, labels);
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  })();
  await Promise.all(
    Array.from({ length: sent }, () => nginx.get({ method: 'PUT', path: '/a?b', body: 'body', agent })),
  );
  sending.abort();
  await scrapes;
  const found = await untilCounts(requests, { ...labels, method: 'PUT' }, before + sent);
  expect(sum(found, `${durations}_count`, { route: 'root' })).toBe(sum(found, requests, { route: 'root' }));
  expect(sum(found, `${durations}_bucket`, { route: 'root', le: '+Inf' })).toBe(
    sum(found, `${durations}_count`, { route: 'root' }),
  );
  expect(sum(found, 'fairlead_http_request_bytes_total', { route: 'root' })).toBeGreaterThan(sent * 'body'.length);
  expect(sum(found, 'fairlead_http_response_bytes_total', { route: 'root' })).toBeGreaterThan(sent * 'ok'.length);
});

test('a handshake is counted by the group of its key exchange', async () => {
  const labels = { protocol: 'TLSv1.3', group: 'secp384r1' };
  const before = await counted('fairlead_tls_connections_total', labels);
  const socket = connectTls({
    ...{ host: '127.0.0.1', port: nginx.place.httpsPort, servername: nginx.host, rejectUnauthorized: false },
    ecdhCurve: 'P-384',
  });
  await once(socket, 'secureConnect');
  socket.write(`GET / HTTP/1.1\r\nHost: ${nginx.host}\r\nConnection: close\r\n\r\n`);
  await new Promise((resolve) => socket.resume().once('close', resolve));
  await untilCounts('fairlead_tls_connections_total', labels, before + 1);
});

test('streams of HTTP/2 are counted one by one, and their connection once', async () => {
  const labels = { route: 'root', method: 'DELETE' };
  const before = await counted(requests, labels);
  const connections = await counted('fairlead_tls_connections_total', { protocol: 'TLSv1.3' });
  const session = http2Session(nginx);
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      const stream = session.request({ ':path': '/', ':method': 'DELETE' });
      stream.resume();
      await once(stream, 'end');
    }),
  );
  const found = await untilCounts(requests, labels, before + 50);
  expect(sum(found, 'fairlead_tls_connections_total', { protocol: 'TLSv1.3' })).toBe(connections + 1);
});

test('an answer that is no 200 is counted by its code, whoever gave it, and by why it failed', async () => {
  await nginx.get({ path: '/fails' });
  await nginx.get({ path: '/moved/x' });
  await nginx.get({ path: '/fixed' });
  await nginx.get({ path: '/web/index.html' });
  await nginx.get({ path: '/web/none' });
  await nginx.get({ method: 'PROPFIND' });
  await nginx.get({ method: 'POST', headers: { 'Content-Length': String(2 ** 30) } });
  // Before any location: nginx has not looked whose it is.
  const found = await untilCounts(
    requests,
    { host: 'other', route: 'other', code: '413', reason: 'body-too-large' },
    1,
  );
  expect(sum(found, requests, { route: 'root', code: '500', backend: 'api', reason: 'api-status' })).toBe(1);
  expect(sum(found, requests, { route: 'moved', code: '308' })).toBe(1);
  expect(sum(found, requests, { route: 'fixed', code: '204' })).toBe(1);
  expect(sum(found, requests, { route: 'web', code: '200' })).toBe(1);
  expect(sum(found, requests, { route: 'web', code: '404', reason: 'not-found' })).toBe(1);
  expect(
    ofName(found, requests).filter(({ labels }) => labels.reason !== undefined && /^[123]/.test(labels.code ?? '')),
  ).toEqual([]);
  expect(sum(found, requests, { method: 'other', code: '200' })).toBe(1);
  expect(ofName(found, requests).map(({ labels }) => labels.method)).not.toContain('PROPFIND');
});

test('a request that no route has is counted without a word of the client', async () => {
  const head = (text: string): Promise<void> => sent(nginx.place.httpsPort, text);
  await head('GET / HTTP/1.1\r\nHost: secret.example.net\r\n\r\n');
  await head('GET /secret\u0001 HTTP/1.1\r\nHost: api.example.com\r\n\r\n');
  await new Promise((resolve) => {
    plainGet({ host: '127.0.0.1', port: nginx.place.httpPort, headers: { host: nginx.host } }, (response) => {
      response.resume().on('end', resolve);
    });
  });
  // Who sends such lines sees the end of the connection before nginx has written what became of them.
  await untilCounts(requests, { host: 'other', route: 'other', code: '421' }, 1);
  await untilCounts(requests, { host: 'other', route: 'other', code: '400' }, 1);
  const found = await untilCounts(requests, { host: 'other', route: '(http)', code: '308' }, 1);
  expect(found.text).not.toContain('secret');
});

/** Sends what no client library would, over TLS, until nginx ends the connection. */
async function sent(to: number, text: string): Promise<void> {
  const socket = connectTls({ host: '127.0.0.1', port: to, servername: nginx.host, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  socket.end(text);
  for await (const chunk of socket) expect(chunk).toBeDefined();
}

test('a client that leaves before its answer is counted as 499', async () => {
  const abort = new AbortController();
  const before = api.requests.length;
  const answer = nginx.get({ path: '/never', signal: abort.signal });
  await until(() => api.requests.length > before, 'the request at the API');
  abort.abort();
  await expect(answer).rejects.toThrow();
  const found = await untilCounts(requests, { route: 'root', code: '499', reason: 'client-left' }, 1);
  expect(sum(found, 'fairlead_peer_failures_total', { backend: 'api' })).toBe(0);
});

test('a WebSocket is counted when it ends', async () => {
  const socket = connectTls({
    ...{ host: '127.0.0.1', port: nginx.place.httpsPort, servername: nginx.host, rejectUnauthorized: false },
  });
  await once(socket, 'secureConnect');
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: api.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toContain('101');
  expect(await counted(requests, { route: 'ws' })).toBe(0);
  socket.end('bye');
  await untilCounts(requests, { route: 'ws', code: '101' }, 1);
});

test('a request that is passed on is counted once, each of its tries at its peer, and what came of it', async () => {
  const labels = { route: 'half', backend: 'half', code: '200' };
  const before = await scrape(port);
  for (let index = 0; index < 20; index += 1) expect((await nginx.get({ path: '/half' })).status).toBe(200);
  const found = await untilCounts(requests, labels, sum(before, requests, labels) + 20);
  const more = (name: string, of: Readonly<Record<string, string>>): number =>
    sum(found, name, of) - sum(before, name, of);
  const refused = `127.0.0.1:${closed}`;
  expect(more('fairlead_retried_requests_total', { backend: 'half', outcome: 'answered' })).toBeGreaterThan(0);
  expect(more('fairlead_peer_failures_total', { peer: refused })).toBe(
    more('fairlead_retried_requests_total', { backend: 'half' }),
  );
  expect(more('fairlead_peer_requests_total', { backend: 'half' })).toBe(
    20 + more('fairlead_peer_failures_total', { backend: 'half' }),
  );
  expect(more('fairlead_upstream_response_seconds_count', { backend: 'half' })).toBe(20);
  expect(sum(found, 'fairlead_peer_failures_total', { peer: `127.0.0.1:${api.instance.port}` })).toBe(0);
});

test('who asks for peers is told what each one took, how long it was busy, and after how many tries another was tried', async () => {
  const [answers, refused] = [api.instance.port, closed].map((of) => ({ backend: 'half', peer: `127.0.0.1:${of}` }));
  const peers = (): Promise<Exposition> => scrape(port, { path: '/metrics?peers' });
  const before = await peers();
  for (let index = 0; index < 8; index += 1) {
    expect((await nginx.get({ path: index < 2 ? '/half/slow' : '/half' })).status).toBe(200);
  }
  const found = await until(async () => {
    const now = await peers();
    return sum(now, requests, { route: 'half' }) === sum(before, requests, { route: 'half' }) + 8 && now;
  }, 'all that was sent');
  const more = (name: string, of: Readonly<Record<string, string>> = {}): number =>
    sum(found, name, of) - sum(before, name, of);
  const [retried, busy, took] = [
    'fairlead_peer_retried_total',
    'fairlead_peer_busy_seconds_total',
    'fairlead_peer_response_duration_seconds',
  ] as const;
  expect(more(retried, refused)).toBe(more('fairlead_retried_requests_total', { backend: 'half' }));
  expect(more(retried, answers)).toBe(0);
  expect(more(`${took}_count`, answers)).toBe(8);
  expect(more(`${took}_bucket`, { ...answers, le: '0.1' })).toBeLessThanOrEqual(6);
  expect(more(`${took}_sum`, answers)).toBeGreaterThanOrEqual(0.24);
  expect(more(`${took}_sum`, answers)).toBeCloseTo(more('fairlead_peer_response_seconds_total', answers), 9);
  expect(more(busy, answers)).toBeCloseTo(more(`${took}_sum`, answers), 9);
  expect(ofName(found, `${took}_count`).filter(({ labels }) => labels.peer === refused?.peer)).toEqual([]);
  const { text } = await scrape(port);
  for (const name of [retried, busy, took]) expect(text).not.toContain(name);
});

test('a backend of which DNS names no instance is told from one that fails', async () => {
  expect((await nginx.get({ path: '/gone' })).status).toBe(503);
  const found = await untilCounts(requests, { route: 'gone', code: '503' }, 1);
  expect(sum(found, 'fairlead_upstream_no_peer_total', { backend: 'gone' })).toBe(2);
  expect(sum(found, 'fairlead_refused_total', { limit: 'requests' })).toBe(0);
  expect(sum(found, 'fairlead_retried_requests_total', { backend: 'gone', outcome: 'failed' })).toBe(1);
});

test('an answer of the fallback is counted as one, for the version that it is of', async () => {
  expect((await nginx.get({ path: '/saved' })).status).toBe(200);
  const found = await untilCounts('fairlead_fallback_requests_total', { backend: 'api', version: 'v2' }, 1);
  expect(sum(found, requests, { backend: 'api', version: 'v2', code: '200' })).toBe(1);
  expect(sum(found, 'fairlead_peer_requests_total', { version: 'v2' })).toBe(0);
});

test('a request over a rate is counted as refused', async () => {
  const statuses = [];
  for (let index = 0; index < 3; index += 1) statuses.push((await nginx.get({ path: '/limited' })).status);
  expect(statuses).toEqual([200, 429, 429]);
  await untilCounts('fairlead_refused_total', { limit: 'rate' }, 2);
});

test.each([
  ['/metrics', false],
  ['/metrics?peers', true],
])(
  'both formats of %s have the same series, of families that are documented, each with its type',
  async (path, all) => {
    const plain = await scrape(port, { path });
    const open = await scrape(port, {
      path,
      headers: { accept: 'application/openmetrics-text; version=1.0.0, text/plain;q=0.5' },
    });
    expect(plain.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(open.contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(open.text.endsWith('\n# EOF\n')).toBe(true);
    const names = (found: Exposition): string[] => [...new Set(found.samples.map(({ name }) => name))].sort();
    expect(names(open)).toEqual(names(plain));
    const families = Object.entries<MetricFamily>(metricFamilies).filter(
      ([name, { ofPeers = false }]) => !/^fairlead_(?:certificate|spans)/.test(name) && (all || !ofPeers),
    );
    expect(Object.keys(plain.types).sort()).toEqual(families.map(([name]) => name).sort());
    for (const [name, { type }] of families)
      expect([name, plain.types[name]]).toEqual([name, type === 'info' ? 'gauge' : type]);
    for (const { name, labels } of plain.samples) {
      const of = name in metricFamilies ? name : name.replace(/_(bucket|sum|count)$/, '');
      const { labels: known } = metricFamilies[of as keyof typeof metricFamilies];
      expect(
        Object.keys(labels).filter((label) => label !== 'le' && !(known as readonly string[]).includes(label)),
      ).toEqual([]);
    }
    if (!all) expect(plain.samples.length).toBeLessThanOrEqual(sum(plain, 'fairlead_metrics_series_limit'));
  },
);

test('nothing but metrics is on their port', async () => {
  const status = await new Promise((resolve) => {
    plainGet({ host: '127.0.0.1', port, path: '/' }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
  });
  expect(status).toBe(404);
});

test('what a killed worker has answered is counted', async () => {
  const labels = { route: 'root', method: 'OPTIONS' };
  const before = await counted(requests, labels);
  const workers = nginx.workers;
  for (const worker of workers) {
    for (let index = 0; index < 25; index += 1) expect((await nginx.get({ method: 'OPTIONS' })).status).toBe(200);
    process.kill(worker, 'SIGKILL');
    await until(() => nginx.workers.length === workers.length && !nginx.workers.includes(worker), 'another worker');
    await until(
      () =>
        nginx.get({ path: '/' }).then(
          ({ status }) => status === 200,
          () => false,
        ),
      'an answer',
    );
  }
  await untilCounts(requests, labels, before + workers.length * 25);
});
