import { Auth } from '../../../model/auth/auth';
import { CertificateAuthority, type ClientCertificateAuthOptions } from '../../../model/auth/client-certificate';
import { Cors } from '../../../model/routes/cors';
import { ErrorPages } from '../../../model/routes/error-pages';
import { Jwks } from '../../../model/auth/jwks';
import { LoadBalancing, RequestKey } from '../../../model/load-balancing';
import { Match, Path } from '../../../model/routes/matching';
import { RateLimit } from '../../../model/routes/rate-limit';
import { CacheModel } from '../../../model/routes/response-cache';
import { Place } from '../../../nginx/place';
import { authParts } from './auth-files';
import { externalTarget, ProxyParts } from './models';

/** A proxy, and where it runs. */
export type Variant = ProxyParts & { readonly place?: Partial<Place> };

const kept: CacheModel = {
  ...{ size: 2 ** 28, maxAnswerSize: 2 ** 20, valid: 60, staleFor: 600, backgroundUpdate: false, key: [] },
};
const tokens = authParts(
  Auth.jwt({
    issuer: 'https://id.example.com',
    audience: 'orders',
    jwks: Jwks.fromConfigMap('keys'),
    claims: { 'X-User': 'sub' },
  }),
);
const asked = Auth.external({ bindAuth: () => ({ kind: 'nowhere' }) }, { responseHeaders: ['X-Account'] }).asked;
const sessions =
  asked === undefined
    ? {}
    : {
        auth: { ...asked, target: { kind: 'backend', backend: 'sessions' } as const },
        requestHeaders: asked.requestHeaders,
      };
const admins = authParts(Auth.basic({ secret: 'admins' }));
const certified = (options?: ClientCertificateAuthOptions) =>
  authParts(Auth.clientCertificate(CertificateAuthority.fromSecret('partners'), options));
const partners = certified();
const billing = certified({ subjects: ['CN=billing,O=Acme'], headers: { 'X-Client': 'subject' } });
const withSignIn = Auth.external({ bindAuth: () => ({ kind: 'nowhere' }) }, { signIn: { url: '/login?a=$b' } }).asked;

/** Everything that a route can do, with what may stand in its way. */
export const variantsOfRoutes: Record<string, Variant> = {
  defaults: {},
  streams: { routes: [{}, { path: '/events', streamTimeout: 3600 }, { path: '/ws', streamTimeout: 3600 }] },
  fallback: {
    backends: [{ fallback: '10.0.0.1:3000' }],
    routes: [{}, { path: '/events', streamTimeout: 3600 }],
  },
  everything: {
    backends: [{ fallback: '10.0.0.1:3000', loadBalancing: LoadBalancing.hash(RequestKey.header('X-User-Id')) }],
    routes: [{}, { path: '/events', streamTimeout: 3600 }],
    trustedProxies: ['10.0.0.0/8'],
    place: {
      certificateStore: '/run/certificates',
      certificateCheckPort: 8445,
      connectionCount: { httpPort: 8446, httpsPort: 8447 },
    },
  },
  'several routes': {
    backends: [{ name: 'orders', fallback: '10.0.0.1:3000' }, { name: 'catalog' }],
    routes: [
      { target: 'orders' },
      {
        path: '/catalog',
        target: 'catalog',
        rewrite: '/api',
        times: { connectTimeout: 1, requestTimeout: 5, nextUpstreamTimeout: 9, nextUpstreamTries: 2 },
        maxBodySize: 4096,
        requestHeaders: [['X-Team', 'catalog']],
        responseHeaders: [['Referrer-Policy', 'origin']],
      },
      { path: Path.exact('/catalog/events'), target: 'catalog', streamTimeout: 60, responseHeaders: [['X-A', 'b']] },
      { path: '/old', target: { kind: 'redirect', location: '/catalog', status: 301 } },
      { path: Path.exact('/ping'), target: { kind: 'response', status: 200, body: 'pong', contentType: 'text/plain' } },
    ],
  },
  files: {
    backends: [{ name: 'orders' }],
    routes: [
      { path: '/api', target: 'orders', responseHeaders: [['X-A', 'b']] },
      { path: '/', target: { kind: 'files', source: 'web', singlePage: true, immutable: undefined } },
      {
        path: '/docs',
        target: { kind: 'files', source: 'docs', singlePage: false, immutable: ['/assets'] },
        maxBodySize: 4096,
        responseHeaders: [['X-A', 'b']],
      },
      { path: '/beta', target: 'orders' },
      {
        path: '/beta',
        name: 'beta-files',
        target: { kind: 'files', source: 'docs', singlePage: true, immutable: [] },
        when: Match.cookie('beta', 'yes'),
        snippets: ['allow 10.0.0.0/8;'],
      },
    ],
    place: { filesDirectories: { web: '/srv/web', docs: '/srv/docs' } },
  },
  conditions: {
    backends: [{ name: 'stable', fallback: '10.0.0.1:3000' }, { name: 'canary' }],
    hosts: [
      {
        names: ['a.example.com'],
        routes: [
          { name: 'root', target: 'stable', maxBodySize: 2 ** 20 },
          { name: 'root-canary', target: 'canary', when: Match.header('X-Canary', 'always'), maxBodySize: 2 ** 21 },
          { name: 'writes', path: '/orders', target: 'canary', when: Match.method('POST'), maxBodySize: 2 ** 22 },
          {
            name: 'debug',
            path: '/orders',
            target: 'canary',
            when: Match.allOf(Match.query('debug', '1'), Match.cookie('staff', 'yes')),
            streamTimeout: 3600,
            requestHeaders: [['X-Debug', 'yes']],
          },
        ],
      },
      {
        names: ['b.example.com'],
        hstsMaxAge: 0,
        routes: [
          {
            name: 'only-writes',
            path: '/orders',
            target: 'stable',
            when: Match.method('POST'),
            responseHeaders: [['X-A', false]],
          },
        ],
      },
    ],
  },
  splits: {
    backends: [{ name: 'stable', fallback: '10.0.0.1:3000' }, { name: 'canary' }],
    routes: [
      {
        target: {
          kind: 'split',
          shares: [
            { backend: 'stable', weight: 90 },
            { backend: 'canary', weight: 10 },
          ],
          stickyBy: RequestKey.cookie('session'),
        },
      },
    ],
  },
  'external services': {
    backends: [{ name: 'orders', fallback: '10.0.0.1:3000' }],
    routes: [
      { target: 'orders' },
      { path: '/legacy', target: externalTarget('https://legacy.example.com'), times: { requestTimeout: 30 } },
      {
        path: '/tenant',
        target: externalTarget('https://legacy.example.com/api', 'legacy-ca'),
        when: Match.method('GET'),
        streamTimeout: 60,
        responseHeaders: [['Set-Cookie', false]],
      },
      { path: '/plain', target: externalTarget('http://192.0.2.1:8080'), rewrite: '', maxBodySize: 4096 },
    ],
  },
  'limits and copies': {
    backends: [{ name: 'stable', fallback: '10.0.0.1:3000' }, { name: 'canary' }, { name: 'next' }],
    routes: [
      {
        target: 'stable',
        rateLimits: [RateLimit.perClient('5/s'), RateLimit.per(RequestKey.header('X-Api-Key'), '100/m')],
        mirror: { backend: 'next', percent: 100, timeout: 2 },
        requestHeaders: [['X-Team', 'orders']],
      },
      {
        target: 'canary',
        when: Match.header('X-Canary', 'always'),
        rateLimits: [RateLimit.perClient('5/s')],
        mirror: { backend: 'next', percent: 10, timeout: 2 },
      },
      {
        path: '/split',
        target: {
          kind: 'split',
          shares: ['stable', 'canary'].map((backend) => ({ backend, weight: 50 })),
          stickyBy: RequestKey.uri(),
        },
        rewrite: '/api',
        mirror: { backend: 'next', percent: 100, timeout: 2 },
      },
      { path: '/events', target: 'stable', streamTimeout: 3600, rateLimits: [RateLimit.perClient('5/m')] },
      { path: '/next', target: 'next', maxBodySize: 4096 },
    ],
  },
  'answers that are kept': {
    backends: [{ name: 'stable', fallback: '10.0.0.1:3000' }, { name: 'canary' }],
    routes: [
      { target: 'stable', cache: kept, responseHeaders: [['Referrer-Policy', 'origin']] },
      { target: 'canary', when: Match.header('X-Canary', 'always'), cache: kept },
      {
        path: '/split',
        target: {
          kind: 'split',
          shares: ['stable', 'canary'].map((backend) => ({ backend, weight: 50 })),
          stickyBy: RequestKey.uri(),
        },
        rewrite: '/api',
        cache: { ...kept, valid: undefined, backgroundUpdate: true, key: [{ kind: 'cookie', name: 'currency' }] },
      },
      { path: '/legacy', target: externalTarget('https://legacy.example.com'), cache: { ...kept, staleFor: 0 } },
      { path: '/events', target: 'stable', streamTimeout: 3600 },
    ],
  },
  'who may ask, and what errors say': {
    backends: [{ name: 'api', fallback: '10.0.0.1:3000' }, { name: 'canary' }, { name: 'next' }],
    hosts: [
      {
        names: ['a.example.com'],
        routes: [
          {
            allowFrom: ['192.0.2.0/24'],
            cors: Cors.allow(['https://app.example.com'], { credentials: true }),
            errorPages: ErrorPages.html({ 404: '<h1>404</h1>' }),
            maxConnectionsPerClient: 5,
            rateLimits: [RateLimit.perClient('5/s')],
            mirror: { backend: 'next', percent: 100, timeout: 2 },
          },
          { path: '/open', cors: Cors.allow(['*']), cache: kept, responseHeaders: [['Referrer-Policy', 'origin']] },
          { path: '/events', streamTimeout: 3600, maxConnectionsPerClient: 1, allowFrom: ['192.0.2.0/24'] },
          {
            name: 'chosen',
            path: '/open',
            target: 'canary',
            when: Match.header('X-Canary', 'always'),
            cors: Cors.allow(['https://*.example.com'], { exposeHeaders: [] }),
            allowFrom: ['2001:db8::/32'],
          },
          {
            path: '/files',
            target: { kind: 'files', source: 'web', singlePage: true, immutable: undefined },
            allowFrom: ['192.0.2.0/24'],
            cors: Cors.allow(['https://app.example.com']),
            errorPages: ErrorPages.html({ default: '<h1>Sorry</h1>' }),
            maxConnectionsPerClient: 5,
          },
          {
            path: '/old',
            target: { kind: 'redirect', location: '/files', status: 308 },
            allowFrom: ['192.0.2.1/32'],
            cors: Cors.allow(['*']),
          },
          {
            path: '/fixed',
            target: { kind: 'response', status: 200, body: 'pong', contentType: 'text/plain' },
            allowFrom: ['192.0.2.1/32'],
            errorPages: ErrorPages.html({ default: '<h1>Sorry</h1>' }),
          },
          { path: '/elsewhere', target: externalTarget('https://legacy.example.com'), allowFrom: ['192.0.2.1/32'] },
        ],
      },
      { names: ['b.example.com'], routes: [{ name: 'b' }, { name: 'c', path: '/c', cors: Cors.allow(['*']) }] },
    ],
    place: { filesDirectories: { web: '/srv/web' } },
  },
  auth: {
    backends: [
      { name: 'stable', fallback: '10.0.0.1:3000' },
      { name: 'canary' },
      { name: 'next' },
      { name: 'sessions' },
    ],
    hosts: [
      {
        names: ['a.example.com'],
        routes: [
          { target: 'stable', ...admins, mirror: { backend: 'next', percent: 100, timeout: 2 } },
          { target: 'canary', when: Match.header('X-Canary', 'always'), ...admins },
          { path: '/public', target: 'stable' },
          { path: '/events', target: 'stable', streamTimeout: 3600, ...admins },
          {
            path: '/limited',
            target: 'stable',
            ...admins,
            rateLimits: [RateLimit.perClient('5/s')],
            allowFrom: ['192.0.2.0/24'],
            cors: Cors.allow(['https://app.example.com']),
            errorPages: ErrorPages.html({ 401: '<h1>Who?</h1>' }),
          },
          {
            path: '/legacy',
            target: externalTarget('https://legacy.example.com/api'),
            ...admins,
            requestHeaders: externalTarget('https://legacy.example.com/api').requestHeaders,
            responseHeaders: [['X-A', 'b']],
          },
          {
            path: '/docs',
            target: { kind: 'files', source: 'docs', singlePage: true, immutable: undefined },
            ...admins,
          },
        ],
      },
      {
        names: ['b.example.com'],
        routes: [
          { name: 'open', target: 'stable', requestHeaders: [['X-Team', 'orders']] },
          {
            name: 'api',
            path: '/api',
            target: 'stable',
            ...tokens,
            mirror: { backend: 'next', percent: 1, timeout: 2 },
          },
          { name: 'shop', path: '/shop', target: 'stable', ...sessions, cache: kept },
          { name: 'shop-reads', path: '/shop', target: 'canary', when: Match.method('GET'), ...sessions },
          { name: 'api-canary', path: '/api', target: 'canary', when: Match.method('GET'), ...tokens },
          {
            name: 'api-docs',
            path: '/docs',
            target: { kind: 'files', source: 'docs', singlePage: true, immutable: undefined },
            ...tokens,
          },
        ],
      },
      { names: ['c.example.com'], routes: [{ name: 'public', target: 'stable' }] },
    ],
    place: { filesDirectories: { docs: '/srv/docs' } },
  },
  'certificates of clients': {
    backends: [{ name: 'stable', fallback: '10.0.0.1:3000' }, { name: 'canary' }, { name: 'next' }],
    hosts: [
      {
        names: ['a.example.com', 'www.example.com'],
        routes: [
          { target: 'stable' },
          { path: '/partners', target: 'stable', ...partners, mirror: { backend: 'next', percent: 1, timeout: 2 } },
          { path: '/billing', target: 'stable', ...billing, cache: kept },
          { path: '/billing', target: 'canary', when: Match.method('GET'), ...billing, streamTimeout: 3600 },
          { path: '/open', target: 'canary' },
          { path: '/open', target: 'stable', when: Match.header('X-A', 'b'), ...partners },
          {
            path: '/limited',
            target: 'stable',
            ...partners,
            rateLimits: [RateLimit.perClient('5/s')],
            allowFrom: ['192.0.2.0/24'],
            cors: Cors.allow(['https://app.example.com']),
            errorPages: ErrorPages.html({ 403: '<h1>Who?</h1>' }),
          },
          {
            path: '/docs',
            target: { kind: 'files', source: 'docs', singlePage: true, immutable: undefined },
            ...partners,
          },
          { path: '/old', target: { kind: 'redirect', location: '/docs', status: 308 }, ...partners },
          {
            path: '/fixed',
            target: { kind: 'response', status: 200, body: 'pong', contentType: 'text/plain' },
            ...partners,
            cors: Cors.allow(['*']),
          },
          { path: '/legacy', target: externalTarget('https://legacy.example.com'), ...partners },
        ],
      },
      { names: ['b.example.com'], certificate: 'b.example.com', routes: [{ name: 'b', target: 'stable', ...billing }] },
      {
        names: ['c.example.com'],
        routes: [
          { name: 'c', target: 'stable' },
          ...(withSignIn === undefined
            ? []
            : [{ name: 'shop', path: '/shop', auth: { ...withSignIn, target: { kind: 'nowhere' } as const } }]),
          {
            name: 'shop-files',
            path: '/docs',
            target: { kind: 'files', source: 'docs', singlePage: false, immutable: undefined } as const,
            ...(withSignIn === undefined ? {} : { auth: { ...withSignIn, target: { kind: 'nowhere' } as const } }),
          },
        ],
      },
    ],
    place: { filesDirectories: { docs: '/srv/docs' } },
  },
  'certificates of hosts': {
    backends: [{ fallback: '10.0.0.1:3000' }],
    hosts: [
      { names: ['a.example.com'], routes: [{}, { path: '/events', streamTimeout: 3600 }] },
      { names: ['b.example.com'], certificate: 'b.example.com', routes: [{ name: 'b' }] },
      { names: ['c.example.com'], certificate: 'b.example.com', routes: [{ name: 'c', path: '/c' }] },
    ],
    place: { certificateStore: '/run/certificates', certificateCheckPort: 8445 },
  },
  gRPC: {
    backends: [
      { name: 'orders', protocol: 'grpc', healthCheckPath: '/grpc.health.v1.Health/Check', fallback: '10.0.0.1:3000' },
      { name: 'web', fallback: '10.0.0.2:3000' },
    ],
    routes: [
      {
        path: '/shop.Orders',
        target: 'orders',
        protocol: 'grpc',
        allowFrom: ['192.0.2.0/24'],
        rateLimits: [RateLimit.perClient('5/s')],
        maxConnectionsPerClient: 5,
        responseHeaders: [['Referrer-Policy', 'origin']],
        times: { connectTimeout: 1, requestTimeout: 5, nextUpstreamTimeout: 9, nextUpstreamTries: 2 },
        ...admins,
      },
      {
        path: '/shop.Orders',
        name: 'of-tenants',
        when: Match.header('X-Tenant', 'acme'),
        target: 'orders',
        protocol: 'grpc',
        requestHeaders: [['X-Team', 'orders']],
      },
      {
        path: '/shop.Chat',
        target: 'orders',
        protocol: 'grpc',
        streamTimeout: 3600,
        allowFrom: ['192.0.2.0/24'],
        rateLimits: [RateLimit.perClient('5/s')],
      },
      { path: '/app', target: 'web', errorPages: ErrorPages.html({ default: 'sorry' }) },
    ],
  },
  'metrics, and snippets beside limits': {
    backends: [{ name: 'stable', fallback: '10.0.0.1:3000' }, { name: 'canary' }],
    snippets: ['limit_rate 10m;'],
    hosts: [
      {
        snippets: ['limit_rate_after 1m;'],
        routes: [
          {
            target: 'stable',
            rateLimits: [RateLimit.perClient('5/s')],
            maxConnectionsPerClient: 5,
            snippets: ['limit_rate 1m;'],
          },
          { target: 'canary', when: Match.header('X-Canary', 'always'), snippets: ['limit_rate 2m;'] },
          { path: '/events', target: 'stable', streamTimeout: 3600, snippets: ['limit_rate 3m;'] },
          { path: '/only', target: 'canary', when: Match.method('POST') },
          {
            path: '/old',
            target: { kind: 'redirect', location: '/events', status: 308 },
            snippets: ['limit_rate 4m;'],
          },
          { path: '/legacy', target: externalTarget('https://legacy.example.com'), snippets: ['limit_rate 5m;'] },
        ],
      },
    ],
    place: { metricsPort: 9113, connectionCount: { httpPort: 8446, httpsPort: 8447 } },
  },
  'live weights': {
    backends: [{ name: 'stable', fallback: '10.0.0.1:3000' }, { name: 'canary' }],
    routes: [
      {
        target: {
          kind: 'split',
          shares: ['stable', 'canary'].map((backend) => ({ backend, weight: 50 })),
          stickyBy: RequestKey.header('X-Client'),
        },
      },
    ],
    place: { weightsFile: '/etc/nginx/weights/weights.json' },
  },
};
