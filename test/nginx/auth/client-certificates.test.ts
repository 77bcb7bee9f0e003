import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import type { KeyPair } from '../../../certificates/key-pair';
import { Auth } from '../../../model/auth/auth';
import { CertificateAuthority, type ClientCertificateAuthOptions } from '../../../model/auth/client-certificate';
import { Cors } from '../../../model/routes/cors';
import { ErrorPages } from '../../../model/routes/error-pages';
import { Match } from '../../../model/routes/matching';
import type { CacheModel } from '../../../model/routes/response-cache';
import { onFileFinished, onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { AuthDirectory, authParts } from '../support/auth-files';
import type { RouteParts } from '../support/models';
import type { Answer } from '../support/real-nginx';
import { echo, echoed, getByHttp2, type SeveralBackends, startWithBackends } from '../support/several-backends';
import { StubApi } from '../support/stub-api';
import { type PrivateAuthority, privateAuthority } from '../tls/key-pairs';

/** Of one certificate: who asks for certificates of one CA, of another one of the same name, and for none. */
const [shop, other, open] = ['shop.example.com', 'other.example.com', 'open.example.com'] as const;

function certified(secret: string, options: ClientCertificateAuthOptions = {}) {
  return authParts(Auth.clientCertificate(CertificateAuthority.fromSecret(secret), options));
}

const any = certified('partners');
const told = certified('partners', {
  subjects: ['CN=billing,O=Acme', 'CN=B\\C3\\BCro \\"1\\"\\, (a\\+b)$,O=Acme'],
  headers: {
    ...{ 'X-Client': 'subject', 'X-Client-Issuer': 'issuer', 'X-Client-Serial': 'serial' },
    ...{ 'X-Client-Fingerprint': 'fingerprint', 'X-Client-Certificate': 'certificate' },
  },
});
const who = certified('partners', { headers: { 'X-Client': 'subject' } });
const kept: CacheModel = {
  ...{ size: 2 ** 20, maxAnswerSize: 2 ** 16, valid: 60, staleFor: 0, backgroundUpdate: false, key: [] },
};
/** What a client shows of itself. */
type Shown = Pick<ConnectionOptions, 'cert' | 'key'>;

const page = 'https://app.example.com';
const files = new AuthDirectory();
const store = mkdtempSync(join(tmpdir(), 'fairlead-store-'));
onFileFinished(() => {
  rmSync(store, { recursive: true });
});
const webSockets = new WebSocketServer({ noServer: true });
let system: SeveralBackends;
let partners: PrivateAuthority;
let billing: Shown;
let stranger: Shown;

function shown({ certificate, privateKey }: KeyPair): Shown {
  return { cert: certificate, key: privateKey };
}

beforeAll(async () => {
  partners = await privateAuthority();
  const namesake = await privateAuthority();
  billing = shown(await partners.issueToClient('billing'));
  stranger = shown(await namesake.issueToClient('billing'));
  files.write('secrets/partners/ca.crt', partners.certificate);
  files.write('secrets/namesake/ca.crt', namesake.certificate);
  files.write('docs/index.html', 'secret');
  files.write('docs/below/index.html', 'secret');
  const fallback = await StubApi.start('fallback', echo('fallback'));
  const { address, port } = fallback.instance;
  const absent = { auth: { ...any.auth, authority: undefined } as RouteParts['auth'] } as RouteParts;
  const routes: readonly RouteParts[] = [
    {},
    { path: '/partners', ...any },
    { path: '/billing', ...told },
    { path: '/once', retries: false, ...any },
    { path: '/again', target: 'gone', ...who },
    { path: '/chosen' },
    { path: '/chosen', when: Match.header('X-Canary', 'yes'), ...any },
    { path: '/events', streamTimeout: 60, ...any },
    { path: '/copied', mirror: { backend: 'next', percent: 100, timeout: 2 }, ...who },
    { path: '/kept', cache: kept, ...who },
    { path: '/docs', target: { kind: 'files', source: 'docs', singlePage: false, immutable: undefined }, ...any },
    { path: '/moved', target: { kind: 'redirect', location: 'https://a.example.com', status: 307 }, ...any },
    { path: '/fixed', target: { kind: 'response', status: 200, body: 'secret', contentType: 'text/plain' }, ...any },
    { path: '/cors', cors: Cors.allow([page]), ...any },
    { path: '/pages', errorPages: ErrorPages.html({ 403: '<h1>Who?</h1>' }), ...any },
  ];
  system = await startWithBackends(
    {
      backends: [{ name: 'api' }, { name: 'next' }, { name: 'gone', fallback: `${address}:${port}` }],
      hosts: [
        { names: [shop], routes },
        { names: [other], routes: [{ name: 'other', ...certified('namesake') }] },
        { names: [open], routes: [{ name: 'open' }, { name: 'absent', path: '/absent', ...absent }] },
      ],
    },
    // As in a cluster: the last good certificate of the proxy itself is njs's to name.
    { authDirectory: files.path, filesDirectories: { docs: `${files.path}/docs` }, certificateStore: store },
  );
  await system.apis.gone?.stop();
  onFileFinished(() => {
    for (const webSocket of webSockets.clients) webSocket.terminate();
  });
  system.apis.api?.on('upgrade', (incoming, socket) => {
    webSockets.handleUpgrade(incoming, socket, Buffer.alloc(0), () => undefined);
  });
});

const seen = (): number => Object.values(system.apis).reduce((all, { requests }) => all + requests.length, 0);

type Question = Parameters<SeveralBackends['nginx']['get']>[0] & Pick<ConnectionOptions, 'session'>;

/** A request to a host whose name is in the handshake too. */
function ask(path: string, more: Question = {}, host: string = shop): Promise<Answer> {
  const { headers, ...rest } = more;
  return system.nginx.get({ path, servername: host, ...rest, headers: { host, ...(headers as object | undefined) } });
}

/** What becomes of it, be there a handshake or not. */
async function statusOf(path: string, more: Question = {}, host: string = shop): Promise<number | 'no handshake'> {
  return ask(path, more, host).then(
    ({ status }) => status,
    () => 'no handshake',
  );
}

/** What a client keeps of a handshake, to resume it. */
async function sessionOf(host: string, certificate: Shown, versions: ConnectionOptions = {}): Promise<Buffer> {
  const socket = connect({
    ...{ host: '127.0.0.1', port: system.nginx.place.httpsPort, servername: host, rejectUnauthorized: false },
    ...{ ...certificate, ...versions },
  });
  let session: Buffer | undefined;
  socket.on('session', (given: Buffer) => (session = given));
  await once(socket, 'secureConnect');
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  socket.resume();
  await once(socket, 'end');
  if (session === undefined) throw new Error('no session');
  return session;
}

const everywhere = [
  ...['/partners', '/billing', '/once', '/again', '/events', '/copied', '/kept', '/moved', '/fixed', '/cors', '/pages'],
  ...['/docs', '/docs/', '/docs/below', '/docs/none.js', '/partners/../partners', '//partners', '/%70artners'],
];

describe('A certificate of a client', () => {
  test.each(everywhere)('is asked for on every way: %s', async (path) => {
    const before = seen();
    for (const method of ['GET', 'POST', 'OPTIONS', 'DELETE']) {
      const answer = await ask(path, { method, ...(method === 'POST' ? { body: 'x'.repeat(100_000) } : {}) });
      expect([method, answer.status]).toEqual([method, 403]);
      expect(answer.body).not.toContain('secret');
    }
    expect((await getByHttp2(system.nginx, { ':path': path, ':authority': shop })).status).toBe(403);
    expect(seen()).toBe(before);
  });

  test('lets in who shows one of the CA, over HTTP/1.1 and HTTP/2, and is nothing to the other routes', async () => {
    for (const path of ['/partners', '/once', '/events', '/docs/', '/fixed', '/cors', '/pages', '/']) {
      expect([path, (await ask(path, billing)).status]).toEqual([path, 200]);
      expect((await getByHttp2(system.nginx, { ':path': path, ':authority': shop }, '', billing)).status).toBe(200);
    }
    expect((await ask('/moved', billing)).status).toBe(307);
    expect((await ask('/')).status).toBe(200);
    expect((await ask('/', billing, open)).status).toBe(200);
  });

  test('is said to be missing in JSON', async () => {
    const { status, body, headers } = await ask('/partners', { headers: { 'x-request-id': 'refused' } });
    expect([status, JSON.parse(body)]).toEqual([403, { error: 'Forbidden', requestId: 'refused' }]);
    expect(headers['content-type']).toBe('application/json');
  });

  test.each<[string, () => Promise<Shown>]>([
    ['of another CA that has the same name', () => Promise.resolve(stranger)],
    ['that has expired', async () => shown(await partners.issueToClient('billing', new Date(Date.now() - 1000)))],
  ])('%s is refused on every route of the host, as JSON, and on no other', async (_what, certificate) => {
    const options = await certificate();
    const before = seen();
    for (const path of ['/partners', '/billing', '/docs/', '/']) {
      const { status, body } = await ask(path, options);
      expect([status, JSON.parse(body)]).toMatchObject([403, { error: 'Forbidden' }]);
    }
    expect((await getByHttp2(system.nginx, { ':path': '/', ':authority': shop }, '', options)).status).toBe(403);
    expect(seen()).toBe(before);
    expect((await ask('/', options, open)).status).toBe(200);
  });

  test.each([
    ['billing', 200],
    ['Büro "1", (a+b)$', 200],
    ['Billing', 403],
    ['billing2', 403],
    ['billing\n', 403],
    ['a,CN=billing', 403],
    ['billing,O=Acme', 403],
  ])('of the subject %j is answered %i where a list says whose are taken', async (name, status) => {
    const certificate = shown(await partners.issueToClient(name));
    expect((await ask('/partners', certificate)).status).toBe(200);
    expect((await ask('/billing', certificate)).status).toBe(status);
  });

  test('is what the backend is told of who asks, on its own routes, whatever a client says', async () => {
    const spoofed = { 'x-client': 'CN=root', 'x-client-certificate': 'a', 'X-Client-Serial': '1' };
    const { headers } = echoed(await ask('/billing', { ...billing, headers: spoofed }));
    expect(headers).toMatchObject({ 'x-client': 'CN=billing,O=Acme', 'x-client-issuer': 'CN=Test CA' });
    expect(headers['x-client-serial']).toMatch(/^[0-9A-F]{8,}$/);
    expect(headers['x-client-fingerprint']).toMatch(/^[0-9a-f]{40}$/);
    expect(decodeURIComponent(headers['x-client-certificate'] ?? '').trim()).toBe(String(billing.cert).trim());
    for (const [path, host] of [
      ['/', shop],
      ['/partners', shop],
      ['/chosen', shop],
      ['/', open],
    ] as const) {
      const { headers: others } = echoed(await ask(path, { ...billing, headers: spoofed }, host));
      for (const name of Object.keys(spoofed)) expect(others).not.toHaveProperty(name.toLowerCase());
    }
  });

  test('has no name that is more than a header', async () => {
    const certificate = shown(await partners.issueToClient('a\r\nX-Evil: 1\r\n\r\n'));
    const { headers } = echoed(await ask('/kept/evil', certificate));
    expect([headers['x-client'], headers['x-evil']]).toEqual([
      'CN=a\\0D\\0AX-Evil: 1\\0D\\0A\\0D\\0A,O=Acme',
      undefined,
    ]);
  });

  test('is asked for where a condition has chosen the route, and there alone', async () => {
    const headers = { 'x-canary': 'yes' };
    expect((await ask('/chosen', { headers })).status).toBe(403);
    expect((await ask('/chosen', { ...billing, headers })).status).toBe(200);
    expect((await ask('/chosen')).status).toBe(200);
  });

  test('holds for a request that is tried again, and for its copy', async () => {
    const answer = await ask('/again', { ...billing, method: 'PUT', body: 'x'.repeat(100_000) });
    expect(answer.headers['x-instance']).toBe('fallback');
    expect(echoed(answer)).toMatchObject({ bodyLength: 100_000, headers: { 'x-client': 'CN=billing,O=Acme' } });
    const next = system.apis.next?.requests ?? [];
    const before = next.length;
    await ask('/copied/refused');
    await ask('/copied/allowed', billing);
    await until(() => next.length > before, 'the copy');
    expect(next.slice(before).map(({ url, headers }) => [url, headers['x-client']])).toEqual([
      ['/copied/allowed', 'CN=billing,O=Acme'],
    ]);
  });

  test('tells answers that are kept apart, and is asked for before one is given', async () => {
    const sales = shown(await partners.issueToClient('sales'));
    const clientOf = async (certificate: Shown): Promise<[string | undefined, unknown]> => {
      const answer = await ask('/kept', certificate);
      return [echoed(answer).headers['x-client'], answer.headers['cache-status']];
    };
    expect(await clientOf(billing)).toEqual(['CN=billing,O=Acme', 'nginx; fwd=miss']);
    expect(await clientOf(billing)).toEqual(['CN=billing,O=Acme', 'nginx; hit']);
    expect(await clientOf(sales)).toEqual(['CN=sales,O=Acme', 'nginx; fwd=miss']);
    expect((await ask('/kept')).status).toBe(403);
  });

  test('is asked for by a WebSocket', async () => {
    const opened = (options: Shown): Promise<number> =>
      new Promise((resolve) => {
        const webSocket = new WebSocket(`wss://127.0.0.1:${system.nginx.place.httpsPort}/events/ws`, {
          ...{ servername: shop, rejectUnauthorized: false, headers: { host: shop }, ...options },
        });
        onTestFinished(() => {
          webSocket.terminate();
        });
        webSocket.on('error', () => undefined);
        webSocket.on('open', () => {
          resolve(101);
        });
        webSocket.on('unexpected-response', (_request, response) => {
          resolve(response.statusCode ?? 0);
        });
      });
    expect([await opened({}), await opened(billing)]).toEqual([403, 101]);
  });

  test('is not asked for by a preflight, which comes without, and its refusal can be read by a page', async () => {
    const headers = { origin: page, 'access-control-request-method': 'PUT' };
    expect((await ask('/cors', { method: 'OPTIONS', headers })).status).toBe(204);
    const refused = await ask('/cors', { headers });
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([403, page]);
    expect((await ask('/pages')).body).toBe('<h1>Who?</h1>');
  });

  test('that is not asked for, as its CA is not there, lets nobody in', async () => {
    expect((await ask('/absent', billing, open)).status).toBe(500);
    expect((await ask('/', {}, open)).status).toBe(200);
  });

  test('is named in the access log by what TLS says of it', async () => {
    const shows = { none: {}, strange: stranger, good: billing };
    for (const [name, certificate] of Object.entries(shows)) await ask(`/partners/logged/${name}`, certificate);
    // Workers write their lines each for itself.
    const logged = await until(async () => {
      const lines = (await system.nginx.accessLog(1)).filter(({ path }) =>
        String(path).startsWith('/partners/logged/'),
      );
      return lines.length === 3 ? new Map(lines.map((line) => [line.path, line])) : undefined;
    }, 'three lines of the log');
    const said = (name: keyof typeof shows): unknown[] => {
      const { status, client_certificate: certificate } = logged.get(`/partners/logged/${name}`) ?? {};
      return [status, certificate];
    };
    expect(said('none')).toEqual([403, 'NONE']);
    expect(said('strange')).toEqual([403, expect.stringMatching(/^FAILED:/)]);
    expect(said('good')).toEqual([200, 'SUCCESS']);
  });
});

describe('No way around by another host', () => {
  test.each<[string, string, () => Shown]>([
    [open, shop, () => ({})],
    [open, shop, () => billing],
    [open, other, () => billing],
    [other, shop, () => stranger],
    [shop, other, () => billing],
  ])('a handshake for %s and a request for %s are answered 421, as JSON', async (servername, host, certificate) => {
    const before = seen();
    for (const path of ['/partners', '/', `https://${host}/partners`]) {
      const named = path.startsWith('/') ? host : servername;
      const answer = await ask(path, { servername, ...certificate() }, named);
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([421, { error: 'Misdirected Request' }]);
    }
    const authority = { ':path': '/partners', ':authority': host };
    expect((await getByHttp2(system.nginx, authority, '', { servername, ...certificate() })).status).toBe(421);
    expect(seen()).toBe(before);
  });

  test('a handshake for a host that asks for certificates may go on to one that asks for none', async () => {
    expect((await ask('/', { servername: shop, ...billing }, open)).status).toBe(200);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a session of %s that was made with a certificate proves it to its own host alone',
    async (version) => {
      const versions = { minVersion: version, maxVersion: version };
      const session = await sessionOf(shop, billing, versions);
      expect(await statusOf('/partners', { ...versions, session })).toBe(200);
      expect(await statusOf('/', { ...versions, session }, other)).not.toBe(200);
      const without = await sessionOf(open, {}, versions);
      expect(await statusOf('/partners', { ...versions, session: without })).not.toBe(200);
      const ofStranger = await sessionOf(other, stranger, versions);
      expect(await statusOf('/partners', { ...versions, session: ofStranger })).not.toBe(200);
      expect(await statusOf('/', { ...versions, session: ofStranger }, other)).toBe(200);
    },
  );

  test('a certificate that expires is refused from then on, on a connection that lasts and by a session that is resumed', async () => {
    const certificate = shown(await partners.issueToClient('billing', new Date(Date.now() + 3000)));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => {
      agent.destroy();
    });
    const session = await sessionOf(shop, certificate);
    expect(await statusOf('/partners', { session })).toBe(200);
    expect(await statusOf('/partners', { ...certificate, agent })).toBe(200);
    await until(
      async () => (await statusOf('/partners', { ...certificate, agent })) === 403,
      'the certificate to expire',
    );
    expect(await statusOf('/', { ...certificate, agent })).toBe(200);
    expect(await statusOf('/partners', { session })).toBe(403);
  });
});
