import { Auth } from '../../model/auth/auth';
import { Jwks } from '../../model/auth/jwks';
import { accessLog, LogField } from '../../model/access-log/options';
import { Cors } from '../../model/routes/cors';
import { ErrorPages } from '../../model/routes/error-pages';
import { LoadBalancing, RequestKey } from '../../model/load-balancing';
import { Match, Path } from '../../model/routes/matching';
import { RateLimit } from '../../model/routes/rate-limit';
import { CacheModel } from '../../model/routes/response-cache';
import { timeline } from '../../model/timeline';
import { nginxConf } from '../../nginx/nginx-conf';
import { scriptsOf } from '../../nginx/scripts';
import { serviceUrl } from '../../validation/urls';
import { authParts } from './support/auth-files';
import { externalTarget, proxyModel, somePlace } from './support/models';
import { testConfiguration } from './support/real-nginx';
import { type Variant, variantsOfRoutes } from './support/variants-of-routes';

const byAddress = { instances: { host: 'api.orders.svc.cluster.local', port: 3000 } };

const everything: Variant = {
  names: ['api.example.com', 'www.example.com'],
  hosts: [{ hstsMaxAge: 730 * 86_400, hstsIncludeSubDomains: true }],
  backends: [
    {
      loadBalancing: LoadBalancing.hash(RequestKey.header('X-User-Id')),
      maxFails: 5,
      failTimeout: 7,
      healthCheckPath: '/health;check',
      fallback: 'api-cluster-ip.orders.svc.cluster.local:3000',
      mostInstances: 500,
    },
  ],
  routes: [
    { maxBodySize: 20 * 2 ** 20 },
    { path: '/events', maxBodySize: 20 * 2 ** 20, streamTimeout: 600 },
    { path: '/ws', maxBodySize: 20 * 2 ** 20, streamTimeout: 600 },
  ],
  clientTimes: { headerTimeout: 5000, bodyTimeout: 6000, sendTimeout: 8500 },
  unlimitedClients: ['192.0.2.0/24'],
  gzip: false,
  defaultResponseHeaders: [
    ['Content-Security-Policy', "default-src 'self'"],
    ['Permissions-Policy', 'camera=()'],
    ['X-Price', '$5'],
  ],
  trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
  timeline: timeline({
    keepAliveTimeout: '65s',
    requestTimeout: '5m',
    resolverValid: '2s',
    clientKeepAliveTimeout: '90s',
  }),
  workers: 4,
  place: {
    connectionCount: { httpPort: 8446, httpsPort: 8447 },
    resolvers: ['10.96.0.10', '[fd00::a]:53', 'kube-dns.kube-system.svc.cluster.local'],
    ipFamilies: ['IPv4', 'IPv6'],
    workers: 4,
    externalHttpsPort: 8443,
  },
};

const shop: Variant = {
  backends: [
    { name: 'orders', fallback: '10.0.0.1:3000' },
    { name: 'canary', loadBalancing: LoadBalancing.roundRobin() },
    { name: 'catalog', healthCheckPath: '/health', keepAliveTimeout: 65, upstreamKeepAliveTimeout: 60 },
  ],
  hosts: [
    {
      names: ['shop.example.com', 'www.example.com'],
      routes: [
        {
          name: 'orders',
          target: {
            kind: 'split',
            shares: [
              { backend: 'canary', weight: 5 },
              { backend: 'orders', weight: 95 },
            ],
            stickyBy: RequestKey.cookie('session'),
          },
        },
        { name: 'canary', target: 'canary', when: Match.header('X-Canary', 'always') },
        { path: '/catalog', target: 'catalog', times: { requestTimeout: 10 }, rewrite: '' },
        {
          path: Path.exact('/catalog/upload'),
          target: 'catalog',
          maxBodySize: 20 * 2 ** 20,
          requestHeaders: [
            ['X-Upload', 'yes'],
            ['Cookie', false],
          ],
        },
        {
          path: '/catalog/admin',
          target: 'catalog',
          when: Match.allOf(Match.method('GET', 'HEAD'), Match.query('as', 'admin')),
          responseHeaders: [
            ['Referrer-Policy', 'same-origin'],
            ['Server-Timing', false],
          ],
        },
        { path: '/old', target: { kind: 'redirect', location: '/catalog', status: 308 } },
      ],
    },
    {
      names: ['status.example.com'],
      hstsMaxAge: 0,
      routes: [
        {
          name: 'robots',
          path: Path.exact('/robots.txt'),
          target: { kind: 'response', status: 200, body: 'User-agent: *\nDisallow: /\n', contentType: 'text/plain' },
        },
        { name: 'stream', path: '/events', target: 'catalog', streamTimeout: 3600 },
      ],
    },
  ],
};

const withCertificates: Variant['hosts'] = [
  { names: ['shop.example.com'] },
  { names: ['admin.example.com'], certificate: 'admin.example.com' },
  { names: ['staff.example.com'], certificate: 'admin.example.com' },
  { names: ['api-2.example.com'], certificate: 'api-2.example.com' },
  { names: ['default'], certificate: 'default' },
];

const kept: CacheModel = {
  ...{ size: 2 ** 30, maxAnswerSize: 2 ** 20, valid: 60, staleFor: 600, backgroundUpdate: true },
  key: [
    { kind: 'header', name: 'Accept-Language' },
    { kind: 'cookie', name: 'currency' },
  ],
};

const publicKey = {
  ...{ kty: 'EC', crv: 'P-256', kid: 'one', alg: 'ES256' },
  x: 'gKXd3AwG_1moG1f2ASUeOBSdLHyzeFhK2N_BbHXwFpY',
  y: 'kwujWnK27rYAAvA-EDBPD0E65penZ-JSFMBZhCUgFkw',
};

const variants: Record<string, Variant> = {
  defaults: { backends: [byAddress] },
  everything,
  'several backends, hosts and routes': shop,
  'external services': {
    backends: [byAddress],
    routes: [
      {},
      { path: '/legacy', target: externalTarget('https://legacy.example.com/api'), times: { requestTimeout: 120 } },
      { path: '/addressed', target: externalTarget('http://[2001:db8::1]:8080'), retries: false },
    ],
  },
  'round robin': { backends: [{ loadBalancing: LoadBalancing.roundRobin() }] },
  'random two least_conn': { backends: [{ loadBalancing: LoadBalancing.randomOfTwo() }] },
  'client address': { backends: [{ loadBalancing: LoadBalancing.hash(RequestKey.clientAddress()) }] },
  'hash by uri': { backends: [{ loadBalancing: LoadBalancing.hash(RequestKey.uri()) }] },
  'hash by cookie': { backends: [{ loadBalancing: LoadBalancing.hash(RequestKey.cookie('session_id')) }] },
  'sticky cookie, and a limit of each instance': {
    backends: [
      {
        loadBalancing: LoadBalancing.stickyCookie('route', { expires: '1h' }),
        maxConnections: 50,
        fallback: '10.0.0.1:3000',
      },
    ],
  },
  'live weights up to what pods carry': {
    backends: [{ name: 'stable' }, { name: 'canary' }],
    routes: [
      {
        name: 'shop-root',
        target: {
          kind: 'split',
          shares: [
            { backend: 'stable', weight: 100 },
            { backend: 'canary', weight: 0, mostWeight: 20 },
          ],
          stickyBy: RequestKey.clientAddress(),
        },
      },
      { path: '/stable', target: 'stable' },
    ],
    place: { weightsFile: '/etc/nginx/weights/weights $.json' },
  },
  'tokens whose keys are known, and what they have to say': {
    routes: [
      {
        ...authParts(
          Auth.jwt({
            issuer: 'https://id.example.com/$',
            audience: ['orders', 'shop'],
            jwks: Jwks.fromText(JSON.stringify({ keys: [publicKey] })),
            scopes: ['orders:read'],
            requiredClaims: { tenant: 'acme' },
            claims: { 'X-User': 'sub', 'X-Tenant': 'tenant' },
          }),
        ),
      },
      { path: '/open' },
    ],
  },
  'few series of metrics': {
    names: ['a.example.com'],
    backends: [{ name: 'orders' }, { name: 'canary', version: { of: 'orders', name: 'canary' } }],
    routes: [
      { target: 'orders', maxConnectionsPerClient: 5 },
      { path: '/canary', target: 'canary' },
      { path: '/legacy', target: externalTarget('https://legacy.example.com') },
      { path: '/old', target: { kind: 'redirect', location: '/', status: 308 } },
    ],
    metrics: { maxSeries: 250 },
    place: { metricsPort: 9113, certificateStore: '/run/certificates', certificateCheckPort: 8445 },
  },
  'IPv6 only': { place: { ipFamilies: ['IPv6'] } },
  'one address': { place: { listenAddress: '127.0.0.1' } },
  'connections counted, over IPv6 too': {
    place: { connectionCount: { httpPort: 8446, httpsPort: 8447 }, ipFamilies: ['IPv4', 'IPv6'] },
  },
  'limits of rates, and copies': {
    backends: [{ name: 'orders' }, { name: 'next', mostInstances: 40 }],
    routes: [
      {
        path: '/default',
        target: 'orders',
        rateLimits: [
          RateLimit.perClient('5/m'),
          RateLimit.per(RequestKey.cookie('Session_ID'), '1000000/s', { burst: 1_000_000 }),
          RateLimit.per(RequestKey.query('user'), '1/s'),
          RateLimit.per(RequestKey.uri(), '300/m'),
        ],
        mirror: { backend: 'next', percent: 1, timeout: 2 },
      },
      { path: '/b', target: 'next', rateLimits: [RateLimit.perClient('1/m')], retries: false },
    ],
  },
  'answers that are kept': {
    routes: [
      { path: '/a', cache: kept },
      { path: '/b', cache: kept, requestHeaders: [['Authorization', 'Basic YTpi']], retries: false },
      { path: '/c-d', cache: { ...kept, size: 2 ** 20, maxAnswerSize: 1500, valid: undefined, staleFor: 0, key: [] } },
    ],
  },
  'who may ask, many of them': {
    routes: [
      {
        allowFrom: Array.from({ length: 10_000 }, (_, index) => `10.${index >> 8}.${index & 255}.0/24`),
        cors: Cors.allow(
          Array.from({ length: 1000 }, (_, index) => `https://${index}.${`${'a'.repeat(60)}.`.repeat(3)}example.com`),
        ),
        errorPages: ErrorPages.html({ 404: '"'.repeat(16_384), default: '$5' }),
        maxConnectionsPerClient: 1,
      },
      {
        path: '/default',
        cors: Cors.allow(['https://*.example.com'], { credentials: true, exposeHeaders: [], headers: [], methods: [] }),
        retries: false,
      },
    ],
  },
  'last good certificate': { place: { certificateStore: '/run/certificates', certificateCheckPort: 8445 } },
  'certificates of hosts': { hosts: withCertificates },
  'the last good certificates of hosts': {
    hosts: withCertificates,
    place: { certificateStore: '/run/certificates', certificateCheckPort: 8445, certificatePatience: 660 },
  },
  'gRPC of one of two backends that a new proxy waits for': {
    backends: [{ name: 'a' }, { name: 'b', protocol: 'grpc' }],
    routes: [
      { path: '/', target: 'a' },
      { path: '/shop.B', target: 'b', protocol: 'grpc' },
    ],
    place: { certificateStore: '/run/certificates', certificateCheckPort: 8445, backendPatience: 120 },
  },
  'many certificates, and long names': {
    hosts: [
      {},
      ...Array.from({ length: 50 }, (_, index) => `${index}.${`${'a'.repeat(60)}.`.repeat(3)}example.com`).map(
        (name) => ({
          names: [name] as const,
          certificate: name,
          routes: [{ target: { kind: 'response', status: 204, body: '', contentType: 'text/plain' } as const }],
        }),
      ),
    ],
    place: { certificateStore: '/run/certificates', certificateCheckPort: 8445 },
  },
  'an access log with as many fields as there may be, of the longest names': {
    accessLog: accessLog('accessLog', {
      ...{ omit: ['user_agent'], sample: 0.0001, slow: '1ms' },
      add: Object.fromEntries(
        Array.from({ length: 16 }, (_, index) => [
          `${'a'.repeat(38)}${10 + index}`,
          LogField.cookie(`${'A'.repeat(62)}${10 + index}`, { maxLength: 1 }),
        ]),
      ),
    }),
  },
  'an access log of headers and arguments': {
    accessLog: accessLog('accessLog', {
      ...{ omit: ['client', 'protocol', 'bytes_sent', 'request_time', 'upstream_response_time'], sample: 0.9999 },
      add: {
        tenant: LogField.requestHeader('X-Tenant'),
        user: LogField.responseHeader('X-User'),
        page: LogField.query('Page'),
      },
    }),
    routes: [{ rateLimits: [RateLimit.per(RequestKey.query('Page'), '1/s')], cache: kept }],
  },
  'gRPC with a sampled access log': {
    accessLog: accessLog('accessLog', { sample: 0.07, slow: '9999ms' }),
    backends: [{ protocol: 'grpc', healthCheckPath: '/grpc.health.v1.Health/Check' }],
    routes: [{ protocol: 'grpc' }],
  },
  'gRPC alone': {
    backends: [{ protocol: 'grpc', healthCheckPath: '/grpc.health.v1.Health/Check', fallback: '10.0.0.1:50051' }],
    routes: [{ protocol: 'grpc' }],
  },
  'gRPC beside HTTP': {
    names: ['shop.example.com'],
    backends: [
      { name: 'orders', protocol: 'grpc', healthCheckPath: '/grpc.health.v1.Health/Check', fallback: '10.0.0.1:50051' },
      { name: 'web' },
    ],
    routes: [
      {
        path: '/shop.Orders',
        target: 'orders',
        protocol: 'grpc',
        times: { connectTimeout: 1, requestTimeout: 5, nextUpstreamTimeout: 9, nextUpstreamTries: 2 },
        rateLimits: [RateLimit.perClient('5/m')],
      },
      { path: '/shop.Once', target: 'orders', protocol: 'grpc', retries: false, responseHeaders: [['X-A', 'b']] },
      { path: '/shop.Chat', target: 'orders', protocol: 'grpc', streamTimeout: 3600, maxBodySize: 1023 * 2 ** 30 },
      { path: '/shop.Orders', name: 'chosen', when: Match.header('X-A', 'b'), target: 'orders', protocol: 'grpc' },
      { target: 'web', errorPages: ErrorPages.html({ default: 'sorry' }) },
    ],
    place: { metricsPort: 8448, ipFamilies: ['IPv6'], resolvers: ['[fd00::a]:53'] },
  },
  'gRPC and HTTP with traces, of which some are sampled': {
    backends: [
      { name: 'orders', protocol: 'grpc', healthCheckPath: '/grpc.health.v1.Health/Check' },
      { name: 'web' },
      { name: 'next' },
    ],
    routes: [
      { path: '/shop.Orders', target: 'orders', protocol: 'grpc' },
      { path: '/shop.Chat', target: 'orders', protocol: 'grpc', requestHeaders: [['X-A', 'b']] },
      { path: '/legacy', target: externalTarget('https://legacy.example.com') },
      { target: 'web', requestHeaders: [['X-A', 'b']], mirror: { backend: 'next', percent: 10, timeout: 2 } },
    ],
    traceContext: { sampledPercent: 0.01 },
  },
  'gRPC and HTTP with traces and spans': {
    backends: [
      { name: 'orders', protocol: 'grpc', healthCheckPath: '/grpc.health.v1.Health/Check' },
      { name: 'web' },
      { name: 'canary', version: { of: 'web', name: 'canary' } },
    ],
    routes: [
      { path: '/shop.Orders', target: 'orders', protocol: 'grpc' },
      {
        target: {
          kind: 'split',
          shares: [
            { backend: 'web', weight: 90 },
            { backend: 'canary', weight: 10 },
          ],
          stickyBy: RequestKey.clientAddress(),
        },
      },
    ],
    traceContext: { sampledPercent: 12.5 },
    tracing: spans('https://collector.example.com'),
  },
  'traces and spans beside metrics': {
    traceContext: { sampledPercent: 100 },
    tracing: spans('http://192.0.2.1:4318/otlp'),
    place: { metricsPort: 8448, certificateStore: '/run/certificates', certificateCheckPort: 8445 },
  },
  'redirects alone with traces and spans': {
    backends: [],
    routes: [{ target: { kind: 'redirect', location: 'https://example.com', status: 301 } }],
    traceContext: { sampledPercent: 0 },
    tracing: spans('http://192.0.2.1:4318'),
  },
  'the smallest of everything': {
    backends: [{ mostInstances: 1 }],
    workers: 1,
    routes: [{ maxBodySize: 1024 }],
    place: { workers: 1 },
  },
  'no backend': {
    backends: [],
    routes: [{ target: { kind: 'redirect', location: 'https://example.com', status: 301 } }],
  },
  'names that nginx uses itself': {
    backends: ['tls', 'requests', 'streams', 'connections', 'certificate'].map((name) => ({ name })),
    routes: [{ target: 'tls', streamTimeout: 60 }],
    place: { connectionCount: { httpPort: 8446, httpsPort: 8447 } },
  },
};

function spans(url: string) {
  return { collector: serviceUrl('endpoint', url), service: { name: 'edge', namespace: 'shop' } };
}

function render({ place, ...parts }: Variant = {}): string {
  return nginxConf(proxyModel(parts), somePlace(place));
}

test.each(Object.entries(variants))('%s: nginx takes it', async (_name, variant) => {
  await testConfiguration(render(variant));
});

test('nothing is said of gRPC where nobody speaks it', () => {
  for (const [name, variant] of Object.entries(variants)) {
    if (!name.startsWith('gRPC')) expect(render(variant)).not.toMatch(/grpc|whole-body/i);
  }
});

test('nothing is said of traces where they are not asked for, nor of samples where all or none are taken', () => {
  for (const [name, variant] of Object.entries(variants)) {
    if (!name.includes('traces')) expect(render(variant)).not.toMatch(/traceparent|tracestate|trace_id/);
  }
  const begun = (sampledPercent: number): string => render({ traceContext: { sampledPercent } });
  expect(begun(100)).toContain(' 00-$request_id-$begun_span_id-01;');
  expect(begun(0)).toContain(' 00-$request_id-$begun_span_id-00;');
  expect(begun(100) + begun(0)).not.toContain('$sampled_flag');
  expect(begun(12.5)).toContain('    12.5% 01;\n    * 00;\n');
});

test('a directory of caches may be called as it likes', () => {
  const text = render({ routes: [{ cache: kept }], place: { cacheDirectory: '/var/a b?$c' } });
  expect(text).toContain('proxy_cache_path "/var/a b?$c/cache_of_all" levels=2');
  expect(text).toContain('js_var $stale_answers_1 "/var/a%20b%3F%24c/cache_of_all?600";');
});

const whole = ['defaults', 'everything', 'several backends, hosts and routes'];
/** Of hundreds of names that differ in nothing. */
const long = ['who may ask, many of them', 'many certificates, and long names'];
const others = Object.entries({ ...variantsOfRoutes, ...variants }).filter(
  ([name]) => !whole.includes(name) && !long.includes(name),
);

test.each(whole)('%s, to the letter', (name) => {
  expect(render(variants[name])).toMatchSnapshot();
});

test.each(others)('%s: what differs from the defaults, to the letter', (_name, variant) => {
  const linesOf = (text: string): string[] => text.split('\n');
  const [usual, lines] = [linesOf(render(variants.defaults)), linesOf(render(variant))];
  const [had, has] = [new Set(usual), new Set(lines)];
  const differences = [
    ...usual.filter((line) => !has.has(line)).map((line) => `- ${line}`),
    ...lines.filter((line) => !had.has(line)).map((line) => `+ ${line}`),
  ];
  expect(differences.join('\n')).toMatchSnapshot();
});

test('what scripts are told, to the letter', () => {
  const told = others.map(([name, { place, ...parts }]) => {
    const scripts = scriptsOf(proxyModel(parts), somePlace(place), '').flatMap(({ name: script, text }) => {
      const [, json] = /^const model = (.*);$/m.exec(text) ?? [];
      // What every proxy counts is in a table of docs/monitoring.md, which a test holds to it.
      return json === undefined ? [] : [[script, { ...(JSON.parse(json) as object), families: undefined }] as const];
    });
    return [name, Object.fromEntries(scripts)] as const;
  });
  expect(Object.fromEntries(told.filter(([, scripts]) => Object.keys(scripts).length > 0))).toMatchSnapshot();
});

test('the same model gives the same text', () => {
  expect(render(everything)).toBe(render({ ...everything }));
});

test('routes of different paths, and backends, give the same text in any order', () => {
  const [host, ...others] = shop.hosts ?? [{}];
  const reversed = (routes: typeof host.routes = []): typeof routes => [...routes].reverse();
  const hosts = [
    { ...host, routes: reversed(host.routes) },
    ...others.map((other) => ({ ...other, routes: reversed(other.routes) })),
  ] as const;
  expect(render({ ...shop, hosts, backends: [...(shop.backends ?? [])].reverse() })).toBe(render(shop));
});

describe('what the text means', () => {
  const conf = (variant: Variant): string[] =>
    render(variant)
      .split('\n')
      .map((line) => line.replace(/ +#.*$/, '').trim());

  test('nginx gives up idle connections to the API before the API does', () => {
    expect(conf({ timeline: timeline({ keepAliveTimeout: '65s' }) })).toContain('keepalive_timeout 60s;');
    expect(conf({ timeline: timeline({}) })).toContain('keepalive_timeout 4s;');
  });

  test.each([
    [1, 128],
    [16, 128],
    [17, 192],
    [1000, 4096],
  ])('shared memory is sized for twice %i instances', (mostInstances, kilobytes) => {
    expect(conf({ backends: [{ mostInstances }] })).toContain(`zone backend_api ${kilobytes}k;`);
  });

  test('no HSTS is sent unless a host has one, and by host where they differ', () => {
    const hsts = (...ages: readonly number[]): string[] => {
      const [first = 0, ...others] = ages;
      const host = (hstsMaxAge: number, index: number) => ({ names: [`${index}.example.com`] as const, hstsMaxAge });
      return conf({ hosts: [host(first, 0), ...others.map((age, index) => host(age, index + 1))] });
    };
    expect(hsts(0).join()).not.toContain('Strict-Transport-Security');
    expect(hsts(86_400)).toContain('on "max-age=86400";');
    expect(hsts(86_400, 86_400)).toContain('on "max-age=86400";');
    const different = hsts(86_400, 0);
    expect(different).toContain('map "$https $server_name" $strict_transport_security {');
    expect(different).toContain('"on 0.example.com" "max-age=86400";');
    expect(different.filter((line) => line === 'proxy_hide_header Strict-Transport-Security;')).toHaveLength(1);
  });

  test('the redirect and the forwarded host leave 443 out, and name any other port', () => {
    expect(conf({})).toEqual(
      expect.arrayContaining(['return 308 https://$host$request_uri;', 'proxy_set_header X-Forwarded-Host $host;']),
    );
    expect(conf({ place: { externalHttpsPort: 8443 } })).toEqual(
      expect.arrayContaining([
        'return 308 https://$host:8443$request_uri;',
        'proxy_set_header X-Forwarded-Host $host:8443;',
      ]),
    );
  });

  test('records of families that are not used are not asked for', () => {
    expect(conf({})).toContain('resolver 127.0.0.1:53 valid=1s ipv6=off;');
    expect(conf({ place: { ipFamilies: ['IPv6'] } })).toContain('resolver 127.0.0.1:53 valid=1s ipv4=off;');
    expect(conf({ place: { ipFamilies: ['IPv4', 'IPv6'] } })).toContain('resolver 127.0.0.1:53 valid=1s;');
  });

  test('a variable for the dollar sign is there only where one is needed', () => {
    expect(conf({})).not.toContain('geo $dollar {');
    expect(conf({ defaultResponseHeaders: [['X-Price', '$5']] })).toEqual(
      expect.arrayContaining(['geo $dollar {', '"" "${dollar}5";']),
    );
  });

  const balanced = (loadBalancing: LoadBalancing): Variant => ({ backends: [{ loadBalancing }] });

  test.each<[Variant, string]>([
    [balanced(LoadBalancing.leastConnections()), 'least_conn;'],
    [balanced(LoadBalancing.randomOfTwo()), 'random two least_conn;'],
    [balanced(LoadBalancing.hash(RequestKey.clientAddress())), 'hash $binary_remote_addr consistent;'],
    [balanced(LoadBalancing.hash(RequestKey.uri())), 'hash $request_uri consistent;'],
    [balanced(LoadBalancing.hash(RequestKey.cookie('session_id'))), 'hash $cookie_session_id consistent;'],
    [balanced(LoadBalancing.hash(RequestKey.header('X-User-Id'))), 'hash $http_x_user_id consistent;'],
    [balanced(LoadBalancing.hash(RequestKey.query('user'))), 'hash $arg_user consistent;'],
    [{}, 'server api.orders.svc.cluster.local service=http resolve max_fails=3 fail_timeout=5s;'],
    [{ backends: [byAddress] }, 'server api.orders.svc.cluster.local:3000 resolve max_fails=3 fail_timeout=5s;'],
    [{ place: { listenAddress: '127.0.0.1' } }, 'listen 127.0.0.1:8443 ssl;'],
    [{ place: { listenAddress: '::1' } }, 'listen [::1]:8443 ssl;'],
    [{ place: { listenAddress: '127.0.0.1', clientAddress: '0.0.0.0' } }, 'listen 0.0.0.0:8443 ssl;'],
    [{ place: { listenAddress: '127.0.0.1', clientAddress: '0.0.0.0' } }, 'listen 127.0.0.1:8444 ssl;'],
    [{ trustedProxies: ['10.0.0.0/8'] }, 'set_real_ip_from 10.0.0.0/8;'],
    [{ defaultResponseHeaders: [['Content-Security-Policy', 'a "b" \\c']] }, '"" "a \\"b\\" \\\\c";'],
    [{ clientTimes: { headerTimeout: 500, bodyTimeout: 60_000, sendTimeout: 1 } }, 'client_header_timeout 500ms;'],
    [{ routes: [{ maxBodySize: 3 * 2 ** 30 }] }, 'client_max_body_size 3g;'],
    [{ routes: [{ maxBodySize: 1500 }] }, 'client_max_body_size 1500;'],
  ])('%j is written as %s', (variant, line) => {
    expect(conf(variant)).toContain(line);
  });

  test('there is a fallback only where one is given, and its connections are soon made anew', () => {
    expect(conf({}).join()).not.toContain('fallback');
    expect(conf({ backends: [{ fallback: '[fd00::b]:8000' }] })).toEqual(
      expect.arrayContaining([
        'server [fd00::b]:8000 max_fails=1 fail_timeout=1s;',
        'keepalive_time 1s;',
        'error_page 502 504 = $after_instances;',
        'error_page 502 504 = $after_last_try;',
      ]),
    );
  });

  test('TCP keep-alive looks for connections to lost nodes', () => {
    expect(conf({})).toContain('proxy_socket_keepalive on;');
  });

  test('round robin is what nginx does without a directive', () => {
    const methods = /^(least_conn|random|hash|ip_hash)\b/;
    expect(conf(balanced(LoadBalancing.roundRobin())).filter((line) => methods.test(line))).toEqual([]);
  });

  test('a default header that is replaced is not sent twice, however it is written', () => {
    const lines = conf({ defaultResponseHeaders: [['referrer-policy', 'origin']] });
    expect(lines.filter((line) => /^add_header referrer-policy /i.test(line))).toHaveLength(1);
  });

  test('a limit has as much memory as it can have, and as few keys as it then has room for', () => {
    const limited = (count: number): string[] =>
      render({
        routes: Array.from({ length: count }, (_, index) => ({
          path: `/${index}`,
          rateLimits: [RateLimit.perClient('5/s')],
        })),
      }).split('\n');
    const said = (count: number): string[] =>
      limited(count).flatMap((line) => /(?<=zone=rate_of_0:)\d+k|(?<=and when )\d+/.exec(line)?.slice() ?? []);
    expect(said(1)).toEqual(['2048k', '16000']);
    expect(said(20)).toEqual(['1216k', '9500']);
    expect(said(300)).toEqual(['128k', '800']);
  });

  test('nothing asks for compression when it is off', () => {
    expect(conf({ gzip: false }).join()).not.toContain('gzip');
  });
});
