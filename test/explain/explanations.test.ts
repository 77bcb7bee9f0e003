import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request, RequestListener } from 'node:http';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { ExternalService } from '../../charts/routes/external-service';
import { FixedResponse, Redirect } from '../../charts/routes/route-targets';
import { accessLogLine } from '../../explain/access-log-line';
import type { Reason } from '../../explain/branch';
import { type Deployment, deploymentOf, deploymentsOfHost } from '../../explain/deployment';
import { decisionTable, explanation } from '../../explain/explanation';
import { loggedRequest } from '../../explain/logged-request';
import { explanationLines } from '../../explain/printed';
import { Output } from '../../local/terminal/output';
import { freePort } from '../../local/ports';
import { Auth } from '../../model/auth/auth';
import { CertificateAuthority } from '../../model/auth/client-certificate';
import { Cors } from '../../model/routes/cors';
import { Match } from '../../model/routes/matching';
import { RateLimit } from '../../model/routes/rate-limit';
import { ResponseCache } from '../../model/routes/response-cache';
import { Retries } from '../../model/routes/route-options';
import { newBackend, newProxy, newShop } from '../charts/manifests';
import { AuthDirectory, passwordLine } from '../nginx/support/auth-files';
import { silent, taking } from '../nginx/support/failing-instances';
import { RealNginx } from '../nginx/support/real-nginx';
import { getByHttp2 } from '../nginx/support/several-backends';
import { StubApi } from '../nginx/support/stub-api';
import { StubDns } from '../nginx/support/stub-dns';
import { privateAuthority } from '../nginx/tls/key-pairs';
import { until } from '../until';

/** Backends of the shop, each by what becomes of its requests. */
const names = [
  'orders',
  'stale',
  'flaky',
  'fallen',
  'gone',
  'refusing',
  'silent',
  'dying',
  'hanging',
  'calls',
] as const;
type Name = (typeof names)[number];
/** A host whose clients show certificates. */
const partners = 'partners.example';

let nginx: RealNginx;
let deployment: Deployment;
let orders: StubApi;
let stale: StubApi;
/** Ends what the API holds. */
const held: (() => void)[] = [];

/** Answers as the path says. */
const answers: RequestListener = (incoming, response) => {
  const { url = '' } = incoming;
  incoming.resume().on('end', () => {
    if (url.includes('never')) return;
    if (url.includes('held')) held.push(() => response.end('held'));
    else {
      response.statusCode = Number(/status\/(\d+)/.exec(url)?.[1] ?? 200);
      response.end('ok');
    }
  });
};

beforeAll(async () => {
  const ports = Object.fromEntries(
    await Promise.all([...names, 'closed', 'away'].map(async (name) => [name, await freePort()] as const)),
  );
  const portOf = (name: Name | 'closed' | 'away'): number => ports[name] ?? 0;
  const dns = await StubDns.start();
  const here = (...addresses: readonly string[]) => addresses.map((address) => ({ address, port: 0 }));
  for (const name of names) dns.byHost.set(`${name}.shop.svc.cluster.local`, here('127.0.0.1'));
  // Nobody listens at the first of these.
  dns.byHost.set('flaky.shop.svc.cluster.local', here('127.0.0.1', '127.0.0.2'));
  for (const name of ['fallen', 'gone', 'calls']) dns.byHost.set(`${name}.shop.svc.cluster.local`, []);
  orders = await StubApi.start('orders', answers, { port: portOf('orders') });
  stale = await StubApi.start('stale', answers, { port: portOf('stale') });
  await StubApi.start('flaky', answers, { address: '127.0.0.2', port: portOf('flaky') });
  await taking((socket) => socket.resetAndDestroy(), portOf('dying'));
  await taking(() => undefined, portOf('hanging'));
  await silent(portOf('silent'));
  const files = new AuthDirectory();
  files.write('secrets/admins/auth', passwordLine('ada', 'correct horse'));
  files.write('secrets/partners/ca.crt', (await privateAuthority()).certificate);

  const shop = newShop({ resolverValid: '1s', dnsCacheTtl: '0s' });
  const edge = newProxy(shop, 'edge', {
    // Clients of this machine are counted like any other.
    clients: { unlimited: ['192.0.2.0/24'], bodyTimeout: '500ms' },
    routeDefaults: { connectTimeout: '1s' },
  });
  const backend = (name: Name) =>
    newBackend(shop, name, {
      port: portOf(name),
      ...(name === 'hanging' ? { requestTimeout: '2s' as const } : {}),
      ...(name === 'calls' ? { protocol: 'grpc' as const } : {}),
    });
  const well = backend('orders');
  const [dying, hanging] = [backend('dying'), backend('hanging')];
  edge.addRoute('/orders', well);
  for (const name of ['flaky', 'fallen', 'gone', 'refusing', 'silent'] as const)
    edge.addRoute(`/${name}`, backend(name));
  edge.addRoute('/dying', dying);
  edge.addRoute('/once', dying, { retries: Retries.none() });
  edge.addRoute('/hanging', hanging);
  edge.addRoute('/shorter', hanging, { requestTimeout: '1s' });
  edge.addRoute('/stale', backend('stale'), { cache: ResponseCache.of({ valid: '1s' }) });
  edge.addRoute('/kept', well, { cache: ResponseCache.of({ valid: '1m' }) });
  edge.addRoute('/renewed', well, { cache: ResponseCache.of({ size: '1m', valid: '1s', backgroundUpdate: true }) });
  edge.addRoute('/moved', Redirect.to('/orders'));
  edge.addRoute('/fixed', FixedResponse.of(410, 'gone'));
  edge.addRoute('/few', well, { maxConnectionsPerClient: 1 });
  edge.addRoute('/rare', well, { rateLimit: RateLimit.perClient('1/m', { burst: 0 }) });
  edge.addRoute('/admin', well, { auth: Auth.basic({ secret: 'admins' }) });
  edge.addRoute('/undecided', well, { auth: Auth.basic({ secret: 'not-there' }) });
  edge.addRoute('/office', well, { allowFrom: ['192.0.2.0/24'] });
  edge.addRoute('/pages', well, { cors: Cors.allow(['https://shop.example']) });
  edge
    .addHost(partners)
    .addRoute('/', well, { auth: Auth.clientCertificate(CertificateAuthority.fromSecret('partners')) });
  edge.addRoute('/chosen', well, { when: Match.header('X-Canary', 'yes') });
  edge.addRoute('/small', well, { maxBodySize: '1k' });
  edge.addRoute('/away', ExternalService.fromUrl(`http://127.0.0.1:${portOf('away')}`));
  const partner = (name: Name) => ExternalService.fromUrl(`http://127.0.0.1:${portOf(name)}`);
  edge.addRoute('/slow-partner', partner('hanging'), { requestTimeout: '1s' });
  edge.addRoute('/broken-partner', partner('dying'));
  edge.addRoute('/shop.Orders', backend('calls'));
  deployment = deploymentOf(edge, 'production');

  // Services that kube-proxy knows no pod of, but for one.
  const fallbacks = (conf: string): string =>
    conf.replaceAll(
      /(\w+)-cluster-ip\.shop\.svc\.cluster\.local:\d+/g,
      (_whole, name: string) => `127.0.0.1:${portOf(name === 'fallen' ? 'orders' : 'closed')}`,
    );
  nginx = await RealNginx.start(
    edge.model,
    { resolvers: [dns.server], authDirectory: files.path, workers: 1 },
    { change: (conf) => fallbacks(conf).replaceAll(' buffer=4k flush=1s', '') },
  );
  for (const path of ['/orders', '/stale', '/flaky'])
    await nginx.untilAnswered(({ status }) => status === 200, { path });
  // The first try of others needs an instance too.
  for (const path of ['/refusing', '/once']) {
    await until(async () => {
      await nginx.get({ path });
      const [first = ''] = String(entryOf(lines().at(-1)).upstream_addr).split(/, | : /);
      return /:\d+$/.test(first);
    }, `an instance of ${path}`);
  }
}, 120_000);

/** Lines of the access log, as they stand. */
function lines(): readonly string[] {
  return readFileSync(join(nginx.directory, 'access.log'), 'utf8').split('\n').slice(0, -1);
}

function entryOf(line: string | undefined): Readonly<Record<string, unknown>> {
  return JSON.parse(line ?? '{}') as Readonly<Record<string, unknown>>;
}

/** What is printed of a line, and its reason. */
function explained(text: string): { readonly reason: Reason; readonly logged: unknown; readonly printed: string } {
  const line = accessLogLine('line', text);
  const asked = loggedRequest(line, deploymentsOfHost([deployment], line.host));
  const printed = explanationLines(asked, new Output(new PassThrough())).join('\n');
  return { reason: explanation(asked).reason, logged: entryOf(text).reason, printed };
}

function hasFailed({ status, grpc_status: grpcStatus }: Readonly<Record<string, unknown>>): boolean {
  return Number(status) >= 400 || Number(status) === 0 || Number(grpcStatus) > 0;
}

type Sent = Parameters<RealNginx['get']>[0];

const ask =
  (path: string, more: Sent = {}): (() => Promise<unknown>) =>
  () =>
    nginx.get({ path, ...more });

const post = { method: 'POST', body: 'x' } as const;

/** As a browser does before a page may. */
function askFirst(origin: string): () => Promise<unknown> {
  return ask('/pages', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PUT' } });
}

/** Over plain HTTP, to whatever port. */
function askPlain(port: number, path = '/orders'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, agent: false, headers: { host: 'localhost' } }, (response) => {
      response.resume().on('end', resolve);
    })
      .on('error', reject)
      .end();
  });
}

async function leave(): Promise<void> {
  const abort = new AbortController();
  const before = orders.requests.length;
  const answer = nginx.get({ path: '/orders/never', ...post, signal: abort.signal });
  await until(() => orders.requests.length > before, 'the request');
  abort.abort();
  await expect(answer).rejects.toThrow();
}

async function pauseInBody(): Promise<void> {
  const socket = connectTls({
    ...{ host: '127.0.0.1', port: nginx.place.httpsPort, servername: nginx.host, rejectUnauthorized: false },
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  socket.write(`POST /orders HTTP/1.1\r\nHost: ${nginx.host}\r\nContent-Length: 10\r\n\r\nabc`);
  await new Promise((resolve) => socket.resume().once('close', resolve));
}

async function askWhileOneIsHeld(): Promise<void> {
  const first = nginx.get({ path: '/few/held' });
  await until(() => held.length > 0, 'the first request');
  await nginx.get({ path: '/few' });
  held.pop()?.();
  await first;
}

async function askWhenStale(): Promise<void> {
  await nginx.get({ path: '/stale/1' });
  await stale.stop();
  await delay(2100);
  await nginx.get({ path: '/stale/1' });
}

async function askUntilRenewed(): Promise<void> {
  await until(async () => {
    await nginx.get({ path: '/renewed' });
    // Lines are written a few at a time.
    return lines().some((line) => line.includes('"cache":"STALE"') && line.includes('"path":"/renewed"'));
  }, 'an old answer');
}

async function askUntilTwoTries(): Promise<void> {
  await until(async () => {
    await nginx.get({ path: '/flaky' });
    return entryOf(lines().at(-1)).upstream_status === '502, 200';
  }, 'a try that failed');
}

interface Case {
  /** How it is brought about. */
  readonly how: () => Promise<unknown>;
  /** Which of the lines that follow is the one. @default - the first */
  readonly which?: (entry: Readonly<Record<string, unknown>>) => boolean;
  readonly reason: Reason;
  /** What must be said. */
  readonly says: readonly (string | RegExp)[];
}

const status =
  (wanted: number): NonNullable<Case['which']> =>
  (entry) =>
    entry.status === wanted;

const cases: readonly (readonly [name: string, Case])[] = [
  [
    'the first instance answers',
    {
      how: ask('/orders/1', { headers: { 'x-request-id': 'first-one' } }),
      reason: 'answered',
      says: [
        '200: GET https://localhost/orders/1',
        'request first-one, from 127.0.0.1 over HTTP/1.1',
        'edge, namespace shop, environment production: route /orders',
        "curl --include --insecure --http1.1 --header 'X-Request-Id: first-one-again' https://localhost:8443/orders/1",
      ],
    },
  ],
  [
    'the second instance answers',
    {
      how: askUntilTwoTries,
      which: (entry) => entry.upstream_status === '502, 200',
      reason: 'saved',
      says: [
        /127\.0\.0\.1:\d+ refused the connection/,
        /127\.0\.0\.2:\d+ then answered\./,
        /It was, and cost 0(\.\d+)? s\./,
      ],
    },
  ],
  [
    'the fallback answers',
    {
      how: ask('/fallen', post),
      reason: 'saved',
      says: ['nginx knew no instance of fallen', 'then answered, through the fallback.', /the fallback$/m],
    },
  ],
  [
    'the API answers 404 by itself',
    {
      how: ask('/orders/status/404'),
      reason: 'api-status',
      says: [
        '404: GET',
        /The API itself answered 404, at 127\.0\.0\.1:\d+/,
        'kubectl logs --namespace shop --selector',
      ],
    },
  ],
  [
    'the API answers 502 by itself',
    {
      how: ask('/orders/status/502'),
      reason: 'api-status',
      says: ['502: GET', 'The API itself answered 502', 'nginx repeats none'],
    },
  ],
  [
    'an answer is kept',
    {
      how: async () => {
        await nginx.get({ path: '/kept' });
        await nginx.get({ path: '/kept' });
      },
      which: ({ cache }) => cache === 'HIT',
      reason: 'kept-answer',
      says: ['nginx had the answer, and asked no instance: cache of the route /kept.'],
    },
  ],
  [
    'an answer that may be kept does not meet the condition of the client',
    {
      how: ask('/kept/unmet', { headers: { 'if-match': '"another"' } }),
      reason: 'bad-request',
      says: ['412: GET', 'on a condition that it does not meet (If-Match', 'while the answer is the same'],
    },
  ],
  [
    'an answer is kept, and a new one is fetched meanwhile',
    {
      how: askUntilRenewed,
      which: ({ cache }) => cache === 'STALE',
      reason: 'kept-answer',
      says: ['asked no instance: cache of the route /renewed.', 'nginx was fetching a new one meanwhile'],
    },
  ],
  [
    'an answer is kept, and no instance gives a new one',
    {
      how: askWhenStale,
      which: ({ cache }) => cache === 'STALE',
      reason: 'stale-answer',
      says: ['the client got one that nginx had kept', 'refused the connection', 'It was: by the kept answer.'],
    },
  ],
  [
    'the route is a Redirect',
    {
      how: ask('/moved'),
      reason: 'own-answer',
      says: ['The route /moved is a Redirect to /orders: nginx itself answers 307.', 'No instance was asked.'],
    },
  ],
  [
    'the route is a FixedResponse',
    {
      how: ask('/fixed'),
      reason: 'own-answer',
      says: ['The route /fixed is a FixedResponse: nginx itself answers 410.'],
    },
  ],
  [
    'plain HTTP is led to HTTPS',
    {
      how: () => askPlain(nginx.place.httpPort),
      reason: 'own-answer',
      says: [
        '308: GET http://localhost/orders',
        'was led to the same address of HTTPS',
        'http://localhost:8080/orders',
      ],
    },
  ],
  [
    'the client leaves',
    {
      how: leave,
      reason: 'client-left',
      says: [
        '499: POST',
        'requestTimeout of the backend orders (60s, the default)',
        'The API may have done what was asked all the same.',
      ],
    },
  ],
  [
    'DNS names nobody, and the fallback has nobody',
    {
      how: ask('/gone', post),
      reason: 'nobody-there',
      says: [
        '503: POST',
        'nginx knew no instance of gone that it could ask',
        /The fallback, 127\.0\.0\.1:\d+, refused the connection/,
        'Its client may send it again, whatever its method is: the answer says so by Retry-After: 1.',
        'kubectl rollout undo deployment/gone --namespace shop',
      ],
    },
  ],
  [
    'every instance refuses the connection',
    {
      how: ask('/refusing'),
      reason: 'connection-refused',
      says: ['503: GET', 'refused the connection, or could not be reached', 'they listen on another port'],
    },
  ],
  [
    'an external service refuses the connection',
    {
      how: ask('/away'),
      reason: 'connection-refused',
      says: ['502: GET', 'refused the connection', 'It is an external service'],
    },
  ],
  [
    'an external service hangs',
    {
      how: ask('/slow-partner'),
      reason: 'answer-timeout',
      says: [
        /said nothing for 1(\.\d+)? s: requestTimeout of the route \/slow-partner \(1s\)\.$/m,
        'Whoever runs the service finds the request by its X-Request-Id.',
      ],
    },
  ],
  [
    'an external service breaks off',
    {
      how: ask('/broken-partner', post),
      reason: 'broke-off',
      says: ['502: POST', 'the service closes idle connections sooner than it says'],
    },
  ],
  [
    'an instance takes no connection',
    {
      how: ask('/silent'),
      reason: 'no-connection',
      says: [
        /took no connection for 1(\.\d+)? s: routeDefaults\.connectTimeout of edge \(1s\)\. Nothing was sent to it\.$/m,
      ],
    },
  ],
  [
    'an instance has a POST and dies',
    {
      how: ask('/dying', post),
      reason: 'broke-off',
      says: [
        '502: POST',
        /had \d+ bytes of the request, and after 0(\.\d+)? s ended the connection without an answer/,
        /No: POST is not idempotent, and \d+ bytes of it had been sent\./,
        '--request POST --data-binary @BODY-FILE',
      ],
    },
  ],
  [
    'whoever has a GET dies',
    {
      how: ask('/dying'),
      reason: 'broke-off',
      says: [/GET is idempotent, so that it was tried again \(3 tries, the fallback among them\)\./],
    },
  ],
  [
    'an instance has a GET and dies, on a route without retries',
    {
      how: ask('/once'),
      reason: 'broke-off',
      says: ['with Retries.safe() it would have been given to another instance'],
    },
  ],
  [
    'an instance has a POST and hangs, for as long as its backend lets it',
    {
      how: ask('/hanging', post),
      reason: 'answer-timeout',
      says: [
        '504: POST',
        /said nothing for 2(\.\d+)? s: requestTimeout of the backend hanging \(2s\)\.$/m,
        'No: POST is not idempotent',
      ],
    },
  ],
  [
    'instances have a GET and hang, for as long as its route lets them',
    {
      how: ask('/shorter'),
      reason: 'answer-timeout',
      says: [
        /said nothing for 1(\.\d+)? s: requestTimeout of the route \/shorter \(1s\)\.$/m,
        'After two that hung nginx asks no third',
      ],
    },
  ],
  [
    'nobody is there for a call of gRPC',
    {
      how: () =>
        getByHttp2(
          nginx,
          { ':method': 'POST', ':path': '/shop.Orders/Get', 'content-type': 'application/grpc', te: 'trailers' },
          Buffer.alloc(5),
        ),
      reason: 'nobody-there',
      says: ['200, 14 of gRPC: POST', 'nginx knew no instance of calls', 'grpcurl -insecure'],
    },
  ],
  [
    'a client has too many requests in progress',
    {
      how: askWhileOneIsHeld,
      which: status(503),
      reason: 'over-limit',
      says: [
        'maxConnectionsPerClient of the route /few (1) (zone "client_on_few")',
        /clients\.maxRequests of edge \(\d+; zone "requests"\)/,
      ],
    },
  ],
  [
    'a client asks too often',
    {
      how: async () => {
        await nginx.get({ path: '/rare' });
        await nginx.get({ path: '/rare' });
      },
      which: status(429),
      reason: 'too-many-requests',
      says: ['rateLimit of the route /rare (1/m, burst 0, for each client)', 'Retry-After'],
    },
  ],
  [
    'a client has no password',
    {
      how: ask('/admin'),
      reason: 'unauthorized',
      says: ['auth of the route /admin, which asks for a name and password of the entry auth of the Secret admins'],
    },
  ],
  [
    'the Secret with passwords is away',
    {
      how: ask('/undecided'),
      reason: 'undecided',
      says: ['auth of the route /undecided', 'the entry auth of the Secret not-there'],
    },
  ],
  [
    'a client comes from elsewhere',
    {
      how: ask('/office'),
      reason: 'forbidden',
      says: [
        "The client's address, 127.0.0.1, is in none of the networks that may ask: allowFrom of the route /office.",
      ],
    },
  ],
  [
    'a page of an origin that is named is about to ask',
    {
      how: askFirst('https://shop.example'),
      reason: 'own-answer',
      says: ['204: OPTIONS', 'nginx itself answers what a browser asks first: cors of the route /pages.'],
    },
  ],
  [
    'a page of another origin is about to ask',
    {
      how: askFirst('https://other.example'),
      reason: 'forbidden',
      says: [
        'A browser asked whether a page may ask',
        'cors of the route /pages does not name the origin of that page.',
        'name it in Cors.allow of the route',
      ],
    },
  ],
  [
    'a client shows no certificate',
    {
      how: ask('/orders', { servername: partners, headers: { host: partners } }),
      reason: 'forbidden',
      says: ['The client showed no certificate: auth of the route partners.example/', 'the CA of the Secret partners'],
    },
  ],
  [
    'a body is too large',
    {
      how: ask('/small', { method: 'PUT', body: 'x'.repeat(2000) }),
      reason: 'body-too-large',
      says: ['413: GET', 'maxBodySize of the route /small (1k)', 'Its method may have been another one'],
    },
  ],
  [
    'a client pauses in its body',
    {
      how: pauseInBody,
      reason: 'client-too-slow',
      says: [
        'clients.headerTimeout of edge for the whole head (10s)',
        'clients.bodyTimeout between two parts of a body (500ms)',
      ],
    },
  ],
  [
    'no route has a path',
    { how: ask('/nowhere'), reason: 'not-found', says: ['No route of localhost in main.ts has the path.'] },
  ],
  [
    'no condition of the routes of a path holds',
    { how: ask('/chosen'), reason: 'not-found', says: ['Routes of the path have conditions (when)'] },
  ],
  [
    'a method is TRACE',
    {
      how: ask('/orders', { method: 'TRACE' }),
      reason: 'method-not-allowed',
      says: ['Its method is TRACE or CONNECT'],
    },
  ],
  ['a path cannot be decoded', { how: ask('/%zz'), reason: 'bad-request', says: ['400: GET', 'a path such as /%zz'] }],
  [
    'the path of a Redirect is spelt otherwise',
    {
      how: ask('//moved'),
      reason: 'bad-request',
      says: ['Its path is spelt so that it cannot be rewritten', 'or is a Redirect'],
    },
  ],
  [
    'plain HTTP comes to the port of HTTPS',
    { how: () => askPlain(nginx.place.httpsPort), reason: 'bad-request', says: ['It came without TLS'] },
  ],
  ['a path is too long', { how: ask(`/${'y'.repeat(9000)}`), reason: 'path-too-long', says: ['7 KiB'] }],
  [
    'a header is too long',
    {
      how: ask('/orders', { headers: { 'x-large': 'y'.repeat(9000) } }),
      reason: 'head-too-large',
      says: ['14 KiB together'],
    },
  ],
  [
    'the handshake names another host',
    {
      how: ask('/orders', { headers: { host: 'other.example' } }),
      reason: 'misdirected',
      says: ['421: GET https://other.example/orders', 'Or other.example is not a host of the proxy.'],
    },
  ],
];

test.each(cases)('is said why: %s', async (_name, { how, which = () => true, reason, says }) => {
  const before = lines().length;
  await how();
  const line = await until(
    () =>
      lines()
        .slice(before)
        .find((text) => which(entryOf(text))),
    'its line',
  );
  const { reason: given, logged, printed } = explained(line);
  expect([given, line]).toEqual([reason, line]);
  expect([logged, line]).toEqual([hasFailed(entryOf(line)) ? reason : '', line]);
  for (const part of says) {
    if (typeof part === 'string') expect(printed).toContain(part);
    else expect(printed).toMatch(part);
  }
  // main.ts knows all that stands in commands.
  expect(printed).not.toContain('BACKEND');
  // What main.ts says is what nginx did.
  expect(printed).not.toContain('main.ts says another time');
});

test('every row of the decision table is brought about, but for what fairlead never does', () => {
  const brought = new Set(cases.map(([, { reason }]) => reason));
  expect(decisionTable.map(({ reason }) => reason).filter((reason) => !brought.has(reason))).toEqual(['unknown']);
});
