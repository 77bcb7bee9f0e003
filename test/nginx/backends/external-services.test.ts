import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyPair } from '../../../certificates/key-pair';
import { ExternalService } from '../../../charts/routes/external-service';
import type { ExternalUrlOptions } from '../../../charts/routes/external-service-options';
import type { NginxProxy } from '../../../charts/proxy/nginx-proxy';
import { FixedResponse } from '../../../charts/routes/route-targets';
import { freePort } from '../../../local/ports';
import { Rewrite } from '../../../model/routes/matching';
import { Retries, type RouteOptions } from '../../../model/routes/route-options';
import { onFileFinished, onTestFinished } from '../../afterwards';
import { newProxy, newShop } from '../../charts/manifests';
import { PrivateAuthority, privateAuthority } from '../tls/key-pairs';
import { Answer, RealNginx } from '../support/real-nginx';
import { echo, echoed } from '../support/several-backends';
import { StubApi } from '../support/stub-api';
import { StubDns } from '../support/stub-dns';
import { StubService } from '../support/stub-service';

const host = 'legacy.test';
/** What nginx calls a Service of another namespace. */
const service = 'payments.billing.svc.cluster.local';

let ca: PrivateAuthority;
let pair: KeyPair;
let authoritiesDirectory: string;
let dns: StubDns;
/** Answers with what it was asked, or as a path says. */
let legacy: StubService;
let payments: StubApi;
let nginx: RealNginx;

const legacyAnswers: RequestListener = (request, response) => {
  if (request.url?.includes('closing') === true) response.setHeader('Connection', 'close');
  if (request.url?.includes('silent') === true) return;
  const isFirst = legacy.requests.filter(({ url }) => url === request.url).length === 1;
  if (request.url?.includes('breaks-once') === true && isFirst) {
    request.socket.destroy();
    return;
  }
  response.setHeader('Set-Cookie', 'legacy=1');
  echo('legacy')(request, response);
};

beforeAll(async () => {
  const [own, other] = await Promise.all([privateAuthority(), privateAuthority()]);
  ca = own;
  pair = await ca.issue(host);
  authoritiesDirectory = mkdtempSync(join(tmpdir(), 'fairlead-authorities-'));
  onFileFinished(() => {
    rmSync(authoritiesDirectory, { recursive: true });
  });
  for (const [name, { certificate }] of [
    ['legacy-ca', own],
    ['other-ca', other],
  ] as const) {
    mkdirSync(join(authoritiesDirectory, name));
    writeFileSync(join(authoritiesDirectory, name, 'ca.crt'), certificate);
  }
  writeFileSync(join(authoritiesDirectory, 'system.crt'), other.certificate);
  dns = await StubDns.start();
  legacy = await StubService.start(pair, legacyAnswers);
  payments = await StubApi.start('payments', echo('payments'));
  dns.byHost.set(host, [{ address: '127.0.0.1', port: 0 }]);
  dns.byHost.set('other.test', [{ address: '127.0.0.1', port: 0 }]);
  dns.byHost.set(service, [{ address: '127.0.0.1', port: 0 }]);
  nginx = await startWith((edge) => {
    const add = (path: string, url: string, options: ExternalUrlOptions = {}, route: RouteOptions = {}) =>
      edge.addRoute(path, ExternalService.fromUrl(url, { caSecret: 'legacy-ca', ...options }), route);
    const short: RouteOptions = { requestTimeout: '1s', connectTimeout: '1s' };
    const url = `https://${host}:${legacy.port}`;
    add('/legacy', url, {}, short);
    add('/tenants', `${url}/api/$v1`);
    add('/stripped', `${url}/api`, {}, { rewrite: Rewrite.stripPrefix() });
    add('/rewritten', `${url}/api/`, {}, { rewrite: Rewrite.replacePrefix('/b') });
    add('/anonymous', url, { identifiesClients: false }, { requestHeaders: { Authorization: 'Bearer ours' } });
    add('/once', url, {}, { retries: Retries.none() });
    add('/wrong-ca', url, { caSecret: 'other-ca' });
    edge.addRoute('/system-ca', ExternalService.fromUrl(url));
    add('/wrong-name', `https://other.test:${legacy.port}`);
    edge.addRoute(
      '/payments',
      ExternalService.fromServiceName('payments', { namespace: 'billing', port: payments.instance.port }),
    );
    edge.addRoute('/address', ExternalService.fromUrl(`http://127.0.0.1:${payments.instance.port}`));
  });
  for (const path of ['/legacy', '/payments']) await nginx.untilAnswered(({ status }) => status === 200, { path });
});

/** nginx as the proxy of a namespace with some routes. */
async function startWith(addRoutes: (edge: NginxProxy) => unknown): Promise<RealNginx> {
  const edge = newProxy(newShop({ resolverValid: '1s' }));
  addRoutes(edge);
  edge.addRoute('/here', FixedResponse.of(200, 'here'));
  return RealNginx.start(edge.model, {
    resolvers: [dns.server],
    authoritiesDirectory,
    systemAuthorities: join(authoritiesDirectory, 'system.crt'),
    workers: 1,
  });
}

function errorOf(answer: Answer): string {
  expect(answer.headers['content-type']).toBe('application/json');
  return (JSON.parse(answer.body) as { readonly error: string }).error;
}

test('a service whose certificate is of the CA answers, and is told of the client as backends are', async () => {
  const headers = { cookie: 'session=1', authorization: 'Bearer x', 'x-original-url': '/admin' };
  const answer = await nginx.get({ path: '/legacy/a%2Fb?c=d', headers, method: 'POST', body: 'abc' });
  const { url, method, bodyLength, headers: seen } = echoed(answer);
  expect([method, url, bodyLength]).toEqual(['POST', '/legacy/a%2Fb?c=d', 3]);
  expect(seen).toMatchObject({
    host: `${host}:${legacy.port}`,
    'x-forwarded-host': `localhost:${nginx.place.httpsPort}`,
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'https',
    cookie: 'session=1',
    authorization: 'Bearer x',
  });
  expect(Object.keys(seen)).not.toContain('x-original-url');
  expect(answer.headers).toMatchObject({ 'set-cookie': ['legacy=1'], 'x-content-type-options': 'nosniff' });
});

test('a service that is not to know clients gets neither their cookies nor their address, and sets no cookie', async () => {
  const headers = { cookie: 'session=1', authorization: 'Bearer x' };
  const answer = await nginx.get({ path: '/anonymous', headers });
  const seen = echoed(answer).headers;
  expect(seen).toMatchObject({ host: `${host}:${legacy.port}`, authorization: 'Bearer ours' });
  for (const name of ['cookie', 'x-forwarded-for', 'x-real-ip']) expect(Object.keys(seen)).not.toContain(name);
  expect(answer.headers['set-cookie']).toBeUndefined();
});

test.each([
  ['/tenants', '/api/$v1/tenants'],
  ['/tenants/a?b=c', '/api/$v1/tenants/a?b=c'],
  ['/stripped', '/api'],
  ['/stripped/a', '/api/a'],
  ['/rewritten/a%20b', '/api/b/a%20b'],
])('%s is asked for as %s', async (path, url) => {
  expect(echoed(await nginx.get({ path })).url).toBe(url);
});

test.each(['/tenants/%2e%2e/%2e%2e/tenants', '/x/../tenants/a'])(
  '%s does not climb out of the path of the URL',
  async (path) => {
    const before = legacy.requests.length;
    expect((await nginx.get({ path })).status).toBe(400);
    expect(legacy.requests).toHaveLength(before);
  },
);

test('connections are kept, and a new one resumes the TLS session', async () => {
  await nginx.get({ path: '/legacy' });
  const { connections } = legacy;
  for (let count = 0; count < 10; count += 1) echoed(await nginx.get({ path: '/legacy' }));
  expect(legacy.connections).toBe(connections);
  for (let count = 0; count < 3; count += 1) echoed(await nginx.get({ path: '/legacy/closing' }));
  expect(legacy.connections).toBeGreaterThan(connections);
  expect(legacy.resumed).toBeGreaterThan(0);
});

test.each(['/wrong-ca', '/wrong-name', '/system-ca'])(
  'a certificate that is not what it should be is refused with 502 before anything is sent: %s',
  async (path) => {
    const before = legacy.requests.length;
    const answer = await nginx.get({ path, headers: { cookie: 'session=1' } });
    expect([answer.status, errorOf(answer)]).toEqual([502, 'Bad Gateway']);
    expect(answer.headers['retry-after']).toBeUndefined();
    expect(legacy.requests).toHaveLength(before);
    expect(nginx.errors).toMatch(
      path === '/wrong-name' ? /certificate does not match "other.test"/ : /certificate verify error/,
    );
  },
);

test('a Service of the cluster gets the Host of the client', async () => {
  const { backend, url, headers } = echoed(await nginx.get({ path: '/payments/a' }));
  expect([backend, url, headers.host]).toEqual(['payments', '/payments/a', 'localhost']);
});

test('a URL with an address needs no DNS', async () => {
  const { backend, headers } = echoed(await nginx.get({ path: '/address' }));
  expect([backend, headers.host]).toEqual(['payments', `127.0.0.1:${payments.instance.port}`]);
});

test('a request that may be repeated is tried again when its connection breaks, and no other', async () => {
  expect(echoed(await nginx.get({ path: '/legacy/breaks-once' })).url).toBe('/legacy/breaks-once');
  const post = await nginx.get({ path: '/legacy/breaks-once/post', method: 'POST', body: 'a' });
  expect([post.status, errorOf(post)]).toEqual([502, 'Bad Gateway']);
  const once = await nginx.get({ path: '/once/breaks-once' });
  expect([once.status, errorOf(once)]).toEqual([502, 'Bad Gateway']);
});

test.each(['GET', 'POST'])('a %s that is not answered is 504 after the timeout of its route', async (method) => {
  const answer = await nginx.get({ path: `/legacy/silent/${method}`, method });
  expect([answer.status, errorOf(answer)]).toEqual([504, 'Gateway Timeout']);
  const asked = legacy.requests.filter(({ url }) => url === `/legacy/silent/${method}`);
  expect(asked).toHaveLength(method === 'GET' ? 2 : 1);
});

test('a service that goes elsewhere is followed by DNS', async () => {
  const elsewhere = await StubService.start(pair, echo('elsewhere'), { port: legacy.port, address: '127.0.0.2' });
  onTestFinished(() => elsewhere.stop());
  dns.byHost.set(host, [{ address: '127.0.0.2', port: 0 }]);
  onTestFinished(() => dns.byHost.set(host, [{ address: '127.0.0.1', port: 0 }]));
  await nginx.untilAnswered(({ body }) => body.includes('"elsewhere"'), { path: '/legacy' });
});

test('nginx starts, is started, and serves all else while a service is away, which is 502 until it comes', async () => {
  const port = await freePort();
  const proxy = await startWith((edge) => {
    edge.addRoute('/unknown', ExternalService.fromUrl(`https://nowhere.test:${port}`, { caSecret: 'legacy-ca' }));
    edge.addRoute('/refusing', ExternalService.fromUrl(`https://${host}:${port}`, { caSecret: 'legacy-ca' }));
  });
  onTestFinished(() => proxy.stop());
  expect((await proxy.get({ port: proxy.place.probePort, path: '/startup' })).status).toBe(200);
  expect((await proxy.get({ path: '/here' })).body).toBe('here');
  for (const path of ['/unknown', '/refusing']) {
    for (const method of ['GET', 'POST']) {
      const answer = await proxy.get({ path, method });
      expect([path, answer.status, errorOf(answer)]).toEqual([path, 502, 'Bad Gateway']);
    }
  }
  const late = await StubService.start(pair, echo('late'), { port });
  onTestFinished(() => late.stop());
  await proxy.untilAnswered(({ body }) => body.includes('"late"'), { path: '/refusing' });
  const unknown = await ca.issue('nowhere.test');
  const named = await StubService.start(unknown, echo('named'), { port, address: '127.0.0.2' });
  onTestFinished(() => named.stop());
  dns.byHost.set('nowhere.test', [{ address: '127.0.0.2', port: 0 }]);
  await proxy.untilAnswered(({ body }) => body.includes('"named"'), { path: '/unknown' });
});

test('a service that takes connections and no handshake is 504 in time', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => silent.close());
  const { port } = silent.address() as { readonly port: number };
  const proxy = await startWith((edge) => {
    const target = ExternalService.fromUrl(`https://${host}:${port}`, { caSecret: 'legacy-ca' });
    edge.addRoute('/', target, { requestTimeout: '1s', connectTimeout: '1s', retries: Retries.none() });
  });
  onTestFinished(() => proxy.stop());
  await proxy.untilAnswered(({ status }) => status === 504);
});
