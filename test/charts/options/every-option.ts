import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Chart } from 'cdk8s';
import { ConfigMap, Env, EnvValue, Namespaces, ServiceAccount, Volume } from 'cdk8s-plus-27';
import { selfSignedKeyPair } from '../../../certificates/self-signed';
import type { Autoscaling } from '../../../charts/pods/autoscaling';
import { type KedaOptions, ScalingMetric } from '../../../charts/pods/scaling-metric';
import type { BackendProps, BackendResources } from '../../../charts/backend-props';
import type { HealthCheckPaths } from '../../../charts/health-check';
import { Certificate } from '../../../charts/proxy/certificate';
import { ExternalService } from '../../../charts/routes/external-service';
import type { ExternalServiceOptions, ExternalUrlOptions } from '../../../charts/routes/external-service-options';
import {
  type ClusterIpOptions,
  Exposure,
  type LoadBalancerOptions,
  type NodePortOptions,
} from '../../../charts/proxy/exposure';
import type { LoadBalancedApiProps } from '../../../charts/load-balanced-api';
import type { DashboardOptions } from '../../../charts/proxy/dashboard';
import type {
  AlertOptions,
  GrafanaDashboardOptions,
  MonitoringOptions,
  PodMonitorOptions,
} from '../../../charts/proxy/monitoring';
import type { NamespaceOptions } from '../../../charts/namespace';
import type { HostOptions } from '../../../charts/routes/virtual-host';
import type { NginxProxyProps, ProxyResources } from '../../../charts/proxy/nginx-proxy-props';
import type { PodOptions, SpreadOptions } from '../../../charts/pods/pod-options';
import type { Amounts } from '../../../charts/pods/resources';
import {
  FixedResponse,
  type FixedResponseOptions,
  Redirect,
  type RedirectOptions,
  TrafficSplit,
  type TrafficSplitOptions,
} from '../../../charts/routes/route-targets';
import { type ImageFilesOptions, StaticFiles, type StaticFilesOptions } from '../../../charts/routes/static-files';
import { type AccessLogOptions, LogField, type LogFieldOptions } from '../../../model/access-log/options';
import { Auth } from '../../../model/auth/auth';
import type { BasicAuthOptions } from '../../../model/auth/basic';
import {
  CertificateAuthority,
  type CertificateAuthorityOptions,
  type ClientCertificateAuthOptions,
} from '../../../model/auth/client-certificate';
import type { ExternalAuthOptions, SignInOptions } from '../../../model/auth/external';
import type { JwtAuthOptions } from '../../../model/auth/jwt';
import { Cors, type CorsOptions } from '../../../model/routes/cors';
import { ErrorPages } from '../../../model/routes/error-pages';
import { Jwks, type JwksOptions } from '../../../model/auth/jwks';
import { LoadBalancing, RequestKey } from '../../../model/load-balancing';
import { Match, Rewrite } from '../../../model/routes/matching';
import { Mirror, type MirrorOptions } from '../../../model/routes/mirror';
import { RateLimit, type RateLimitOptions } from '../../../model/routes/rate-limit';
import { ResponseCache, type ResponseCacheOptions } from '../../../model/routes/response-cache';
import type { ClientOptions, StrictTransportSecurity } from '../../../model/proxy-options';
import { Retries, type RetryOptions, type RouteOptions } from '../../../model/routes/route-options';
import type { TraceContextOptions, TracingOptions } from '../../../model/traces';
import { type Manifest, newBackend, newProxy, newShop, objectsAround, synthesize, type TestProps } from '../manifests';

/** Values of each option of an interface, each of which works when it is given alone: a mapped type, so that TypeScript misses none. */
type Values<Options> = { readonly [Option in keyof Required<Options>]: readonly Exclude<Options[Option], undefined>[] };

const scope = new Chart(new App(), 'elsewhere');

const amountsOfCpu: Values<Amounts> = { request: ['1m', '8'], limit: ['50m', '8'] };
const amountsOfMemory: Values<Amounts> = { request: ['1Mi', '8Gi'], limit: ['512Mi', '8Gi'] };

const backendResources: Values<BackendResources> = {
  cpu: [{ request: '1', limit: '4' }],
  memory: [{ request: '1Gi', limit: '2Gi' }],
};

const proxyResources: Values<ProxyResources> = { ...backendResources, temporaryStorage: ['2Gi'] };

const autoscaling: Values<Autoscaling> = {
  min: [2, 1000],
  max: [3, 1000],
  metrics: [
    [ScalingMetric.cpu(50)],
    [ScalingMetric.memory(80), ScalingMetric.cpu(70)],
    [ScalingMetric.pods('http_requests_in_flight', 20), ScalingMetric.cpu(70)],
    [
      ScalingMetric.keda('cron', {
        timezone: 'Europe/Berlin',
        start: '0 8 * * *',
        end: '0 18 * * *',
        desiredReplicas: '8',
      }),
    ],
  ],
  scaleDownAfter: ['0s', '1h'],
};

const healthCheck: Values<HealthCheckPaths> = { path: ['/up'], liveness: ['/livez'], readiness: ['/readyz'] };

const spread: Values<SpreadOptions> = { nodes: ['preferred', 'required'], zones: ['required', 'preferred'] };

const pods: Values<PodOptions> = {
  user: [1000],
  imagePullPolicy: ['Always', 'Never'],
  imagePullSecrets: [['registry']],
  serviceAccount: [ServiceAccount.fromServiceAccountName(scope, 'Account', 'orders')],
  priorityClass: ['important'],
  annotations: [{ 'example.com/scrape': 'true' }],
  spread: [{ nodes: 'preferred' }],
};

/** `local` says nothing to a cluster: test/local looks at it. */
const backend: Values<Omit<BackendProps, 'local'>> = {
  image: ['registry.example.com:5000/orders:2'],
  versionOf: ['shop', 'orders-of-before'],
  port: [1, 65_535],
  protocol: ['grpc'],
  command: [['node', 'server.js']],
  args: [['--verbose']],
  environment: [{ ZONE: 'west', APP_URL: EnvValue.fromValue('http://localhost') }],
  envFrom: [[Env.fromConfigMap(ConfigMap.fromConfigMapName(scope, 'ConfigMap', 'settings'))]],
  volumes: [[{ path: '/tmp', volume: Volume.fromEmptyDir(scope, 'Volume', 'scratch') }]],
  replicas: [1, 1000, { max: 20 }],
  resources: [{ cpu: { request: '1' } }],
  healthCheck: ['/up', { readiness: '/readyz' }],
  requestTimeout: ['2s', '1h'],
  keepAliveTimeout: ['2s', '1h'],
  loadBalancing: [
    LoadBalancing.roundRobin(),
    LoadBalancing.randomOfTwo(),
    LoadBalancing.hash(RequestKey.uri()),
    LoadBalancing.hash(RequestKey.clientAddress()),
    LoadBalancing.hash(RequestKey.header('X-Tenant')),
    LoadBalancing.hash(RequestKey.cookie('session')),
    LoadBalancing.hash(RequestKey.query('tenant')),
    LoadBalancing.stickyCookie('instance'),
  ],
  maxFails: [1, 1000],
  failTimeout: ['1s', '1h'],
  maxConnections: [1, 100_000],
  pods: [{ user: 1000 }],
};

const clients: Values<ClientOptions> = {
  keepAliveTimeout: ['2s', '1h'],
  headerTimeout: ['1ms', '1d'],
  bodyTimeout: ['1s', '1m'],
  sendTimeout: ['1s', '1m'],
  trustedProxies: [['10.0.0.0/8']],
  unlimited: [[], ['192.0.2.0/24']],
  maxConnections: [64, 2000],
  maxRequests: [16, 1000],
  maxStreams: [16, 500],
  maxConnectionsPerClient: [1, 500],
  maxRequestsPerClient: [1, 150],
};

const strictTransportSecurity: Values<StrictTransportSecurity> = {
  maxAge: ['0s', '3650d'],
  includeSubDomains: [true, false],
};

const traceContext: Values<TraceContextOptions> = { sampledPercent: [0, 0.01, 10, 100] };

const proxy: Values<Omit<NginxProxyProps, 'host' | 'certificate' | 'exposure' | 'routeDefaults'>> = {
  additionalHosts: [['www.example.com']],
  clients: [{ maxConnections: 1000 }],
  gzip: [false, true],
  strictTransportSecurity: [{ maxAge: '30d' }],
  defaultResponseHeaders: [{ 'X-Team': 'orders', 'Referrer-Policy': false }],
  accessLog: [{ omit: ['user_agent'] }, { sample: 0.1 }],
  traceContext: [true, { sampledPercent: 10 }],
  tracing: [{ endpoint: 'http://collector.example.com:4318' }, { endpoint: 'https://collector.example.com' }],
  certificateValid: ['1s', '1d'],
  replicas: [2, 1000, { max: 20 }],
  image: ['registry.example.com/nginx:1.30.6'],
  resources: [{ cpu: { limit: '4' } }],
  pods: [{ imagePullSecrets: ['registry'] }],
};

/** `mirror` needs another backend of the namespace: `Mirror.to` below. */
const route: Values<Omit<RouteOptions, 'mirror'>> = {
  when: [
    Match.header('X-Canary', 'always'),
    Match.cookie('canary', 'yes'),
    Match.query('v', '2'),
    Match.method('GET', 'HEAD'),
    Match.allOf(Match.header('X-Canary', 'always'), Match.method('GET')),
  ],
  requestTimeout: ['2s', '60s'],
  connectTimeout: ['1s', '60s'],
  retries: [Retries.safe({ tries: 2 }), Retries.none()],
  streaming: ['1s', '1d'],
  maxBodySize: ['1k', '8m'],
  rewrite: [Rewrite.stripPrefix(), Rewrite.replacePrefix('/api')],
  requestHeaders: [{ 'X-Zone': 'west', Cookie: false }],
  responseHeaders: [{ 'X-Team': 'orders', 'X-Powered-By': false }],
  auth: [Auth.basic({ secret: 'admins' }), Auth.basic({ secret: 'staff', key: 'users' })],
  rateLimit: [
    RateLimit.perClient('5/s', { burst: 10 }),
    [RateLimit.perClient('5/s'), RateLimit.perClient('100/m')],
    [RateLimit.per(RequestKey.header('X-Api-Key'), '1/m'), RateLimit.per(RequestKey.uri(), '1000000/s')],
  ],
  cache: [ResponseCache.of(), ResponseCache.of({ valid: '1m' })],
  allowFrom: [['192.0.2.0/24'], ['192.0.2.1', '2001:db8::/32']],
  cors: [Cors.allow(['https://app.example.com']), Cors.allow(['https://*.example.com']), Cors.allow(['*'])],
  errorPages: [ErrorPages.html({ 404: '<h1>Gone</h1>' }), ErrorPages.html({ default: '<h1>Gone</h1>' })],
  maxConnectionsPerClient: [1, 100_000],
};

const namespace: Values<NamespaceOptions> = {
  name: ['shop'],
  labels: [{ team: 'orders' }],
  clusterDomain: ['corp.example.com'],
  resolvers: [['10.0.0.10']],
  ipFamilies: [['IPv6', 'IPv4']],
  revisionHistoryLimit: [0, 1000],
  dnsCacheTtl: ['0s', '5m'],
  resolverValid: ['1s', '5m'],
  unreachableToleration: ['0s', '1d'],
};

const around: Values<Omit<LoadBalancedApiProps, keyof BackendProps>> = {
  host: ['orders.example.com'],
  certificate: [
    Certificate.fromSecret('shop-tls'),
    Certificate.fromFiles({ certificate: 'tls.crt', privateKey: 'tls.key' }),
    Certificate.fromCertManager({ clusterIssuer: 'letsencrypt' }),
    Certificate.fromCertManager({ issuer: 'own-ca' }),
  ],
  exposure: [Exposure.nodePort(), Exposure.clusterIp(), Exposure.loadBalancer({ httpPort: 8080 })],
  route: [{ maxBodySize: '8m' }],
  proxy: [{ gzip: false }],
  namespace: [{ name: 'shop' }],
};

const clusterIp: Values<ClusterIpOptions> = {
  httpPort: [1, 8443, 65_535],
  httpsPort: [1, 8080, 65_535],
  annotations: [{ 'example.com/internal': 'true' }],
  deregistrationDelay: ['1s', '10m'],
};

const nodePort: Values<NodePortOptions> = {
  ...clusterIp,
  httpNodePort: [30_000, 32_767],
  httpsNodePort: [30_000, 32_767],
  externalTrafficPolicy: ['Cluster', 'Local'],
};

const loadBalancer: Values<LoadBalancerOptions> = {
  ...nodePort,
  sourceRanges: [['192.0.2.0/24']],
  loadBalancerClass: ['service.k8s.aws/nlb'],
};

/** Each beside a sample, which `slow` goes with. */
const accessLog: Values<AccessLogOptions> = {
  omit: [['user_agent'], ['client', 'bytes_sent']],
  add: [
    { tenant: LogField.requestHeader('X-Tenant') },
    { user: LogField.responseHeader('X-User'), plan: LogField.cookie('plan'), page: LogField.query('page') },
  ],
  sample: [0.1, 0.0001, 1],
  slow: ['1ms', '1d'],
};
/** `localEndpoint` says nothing to a cluster: test/local looks at it. */
const tracing: Values<Omit<TracingOptions, 'localEndpoint'>> = {
  endpoint: ['http://192.0.2.1:4318/otlp', 'https://collector.example.com'],
  serviceName: ['shop edge'],
  sampledPercent: [0, 0.01, 10],
};
const logField: Values<LogFieldOptions> = { maxLength: [1, 500] };

function traced(options: Partial<TracingOptions>): readonly Manifest[] {
  const shop = newShop();
  const endpoint = 'http://collector.observability.svc.cluster.local:4318';
  newProxy(shop, 'edge', { tracing: { endpoint, ...options } }).addRoute('/', newBackend(shop, 'orders'));
  return objectsAround(shop);
}

function logging(options: AccessLogOptions): readonly Manifest[] {
  const shop = newShop();
  newProxy(shop, 'edge', { accessLog: { sample: 0.5, ...options } }).addRoute('/', newBackend(shop, 'orders'));
  return objectsAround(shop);
}

/** Options of factories, and of what is added by methods. */
const rateLimit: Values<RateLimitOptions> = { burst: [0, 1, 1_000_000] };
const keda: Values<KedaOptions> = { authentication: ['orders-queue'] };
const cors: Values<CorsOptions> = {
  methods: [[], ['GET', 'PUT']],
  headers: [[], ['X-Team', 'Content-Type']],
  exposeHeaders: [[], ['ETag']],
  credentials: [true, false],
  maxAge: ['0s', '1d'],
};
/** `local` says nothing to a cluster: test/local looks at it. */
const basicAuth: Values<Omit<BasicAuthOptions, 'local'>> = {
  secret: ['staff', 'admins.of.shop'],
  key: ['users', '.htpasswd'],
  realm: ['Orders', 'Orders "and" $more'],
  passAuthorization: [true, false],
};
const jwks: Values<Omit<JwksOptions, 'local'>> = { key: ['keys.json', 'jwks'] };
const jwtAuth: Values<JwtAuthOptions> = {
  issuer: ['https://login.example.com/$tenant'],
  audience: ['reports', ['orders', 'reports']],
  jwks: [Jwks.fromSecret('keys'), Jwks.fromConfigMap('keys')],
  algorithms: [['RS256'], ['ES256', 'PS256']],
  clockSkew: ['0s', '5m'],
  scopes: [['orders:read']],
  requiredClaims: [{ groups: 'staff', email_verified: true }],
  claims: [{ 'X-User': 'sub', 'X-Groups': 'https://example.com/groups' }],
  realm: ['Orders'],
  passAuthorization: [false, true],
};
const externalAuth: Values<ExternalAuthOptions> = {
  path: ['/verify', '/oauth2/auth'],
  timeout: ['1s', '60s'],
  forwardHeaders: [[], ['Cookie'], ['Cookie', 'X-Api-Key']],
  responseHeaders: [['X-User', 'X-Groups']],
  signIn: [{ url: '/login' }, { url: 'https://id.example.com/login?app=shop', returnTo: 'back' }],
};
const signIn: Values<SignInOptions> = {
  url: ['https://id.example.com:8443/login', '/sign-in?a=$b&c'],
  returnTo: ['url', 'return.to'],
};
const clientCertificateAuth: Values<ClientCertificateAuthOptions> = {
  subjects: [['CN=billing,O=Acme'], ['CN=a\\, \\"b\\"', '1.2.840.113549.1.9.1=#0C0161+O=$a\\\\ b']],
  headers: [{ 'X-Client': 'subject', 'X-Serial': 'serial' }, { 'X-Certificate': 'certificate' }],
};
const certificateAuthority: Values<Omit<CertificateAuthorityOptions, 'local'>> = { key: ['ca.pem', 'tls.crt'] };
const mirror: Values<MirrorOptions> = { percent: [1, 99] };
const responseCache: Values<ResponseCacheOptions> = {
  size: ['1m', '1024g'],
  maxAnswerSize: ['1k', '16m'],
  valid: ['1s', '365d'],
  staleFor: ['0s', '30d'],
  backgroundUpdate: [true, false],
  key: [
    [],
    [RequestKey.header('Accept-Language'), RequestKey.cookie('currency')],
    [RequestKey.header('Authorization')],
  ],
};
const retries: Values<RetryOptions> = { tries: [1, 10], timeout: ['3s', '2h'] };
const redirect: Values<RedirectOptions> = { permanent: [true, false] };
const fixedResponse: Values<FixedResponseOptions> = { contentType: ['application/json', 'text/html'] };
const trafficSplit: Values<TrafficSplitOptions> = { stickyBy: [RequestKey.cookie('session'), RequestKey.uri()] };
/** `local` says nothing to a cluster: test/local looks at it. */
const externalUrl: Values<Omit<ExternalUrlOptions, 'local'>> = {
  caSecret: ['legacy-ca'],
  networks: [['203.0.113.0/24'], ['2001:db8::/32', '192.0.2.0/24']],
  identifiesClients: [false, true],
  keepAliveTimeout: ['2s', '1h'],
};
const externalService: Values<Omit<ExternalServiceOptions, 'local'>> = {
  namespace: ['billing'],
  port: [1, 65_535],
  podPort: [1, 65_535],
  keepAliveTimeout: ['2s', '1h'],
};
/** `local` says nothing to a cluster. */
const staticFiles: Values<Omit<StaticFilesOptions, 'local'>> = {
  singlePage: [true, false],
  immutable: [[], ['/assets', '/fonts/']],
};
const imageFiles: Values<Omit<ImageFilesOptions, 'local'>> = { ...staticFiles, sizeLimit: ['1Mi', '2Gi'] };
const podMonitor: Values<PodMonitorOptions> = { labels: [{ release: 'kps' }], interval: ['1m', '10s'] };

const alerts: Values<AlertOptions> = {
  labels: [{ role: 'alert-rules' }],
  availability: [99, 99.95],
  latency: ['2s', '10s'],
  certificateEnds: ['7d', '30d'],
  runbooks: ['https://wiki.example.com/fairlead'],
};

const grafanaDashboard: Values<GrafanaDashboardOptions> = {
  labels: [{ dashboards: 'shop' }, {}],
  folder: ['Shop', 'Front doors, of all teams'],
  title: ['The front door of the shop'],
};

/** Each beside a PodMonitor, which alerts go by. */
const monitoring: Values<MonitoringOptions> = {
  port: [9100, 9145],
  maxSeries: [300, 2000],
  allowFrom: [Namespaces.select(new Chart(new App(), 'peers'), 'Monitoring', { names: ['monitoring'] })],
  annotations: [true],
  podMonitor: [false, { interval: '1m' }],
  alerts: [true, { availability: 99.5 }],
  dashboard: [true, { port: 9120 }],
  grafanaDashboard: [true, { folder: 'Shop' }],
};
const dashboard: Values<DashboardOptions> = { image: ['node:24-slim'], port: [9120] };

function monitored(options: MonitoringOptions): readonly Manifest[] {
  return shopWith(({ edge, orders }) => {
    edge.addMonitoring({ podMonitor: true, ...options });
    return edge.addRoute('/', orders);
  });
}

const hostOptions: Values<HostOptions> = {
  routeDefaults: [{ maxBodySize: '8m' }],
  certificate: [
    Certificate.fromSecret('www-tls'),
    Certificate.fromCertManager({ issuer: 'own-ca' }),
    Certificate.selfSigned(),
  ],
};

/** One option, with values for it. */
interface EveryOption {
  /** `proxy.clients.maxRequests`. */
  readonly name: string;
  readonly values: readonly unknown[];
  /** What a LoadBalancedApi has of it: that it needs alone, or with the value. */
  readonly given: (value: unknown) => TestProps;
  readonly needs: TestProps;
}

/** The options of a LoadBalancedApi in groups within groups. */
const groups: readonly (readonly [prefix: string, values: Readonly<Record<string, readonly unknown[]>>])[] = [
  ['', { ...backend, ...around }],
  ['replicas.', autoscaling],
  ['resources.cpu.', amountsOfCpu],
  ['resources.memory.', amountsOfMemory],
  ['healthCheck.', healthCheck],
  ['pods.', pods],
  ['pods.spread.', spread],
  ['proxy.', proxy],
  ['proxy.replicas.', autoscaling],
  ['proxy.resources.', proxyResources],
  ['proxy.resources.cpu.', amountsOfCpu],
  ['proxy.resources.memory.', amountsOfMemory],
  ['proxy.pods.', pods],
  ['proxy.pods.spread.', spread],
  ['proxy.clients.', clients],
  ['proxy.strictTransportSecurity.', strictTransportSecurity],
  ['proxy.traceContext.', traceContext],
  ['route.', route],
  ['namespace.', namespace],
];

/** What an option means nothing without. */
const needed: Readonly<Record<string, TestProps>> = {
  'proxy.clients.maxStreams': { route: { streaming: '1h' } },
  'proxy.strictTransportSecurity.includeSubDomains': { host: 'orders.example.com' },
  'proxy.strictTransportSecurity.maxAge': { host: 'orders.example.com' },
};

export const everyOption: readonly EveryOption[] = groups.flatMap(([prefix, values]) =>
  Object.entries(values).map(([option, each]) => {
    const name = `${prefix}${option}`;
    const needs = needed[name] ?? {};
    return {
      name,
      values: each,
      needs,
      given: (value: unknown) => ({ ...needs, ...(nested(name, value) as TestProps) }),
    };
  }),
);

/** `proxy.gzip` as `{ proxy: { gzip } }`. */
function nested(name: string, value: unknown): unknown {
  return name.split('.').reduceRight<unknown>((inner, option) => ({ [option]: inner }), value);
}

/** One option of a factory or a method, and all that is written with a value for it; with its default if none is given. */
interface EveryFactoryOption {
  readonly name: string;
  readonly values: readonly unknown[];
  readonly written: (options: object) => readonly Manifest[];
}

const exposed = (factory: (options: object) => Exposure) => (options: object) =>
  synthesize({ exposure: factory(options) });

/** What is written of a shop to whose proxy something is added. */
function shopWith(add: (parts: ReturnType<typeof shopParts>) => unknown): readonly Manifest[] {
  const parts = shopParts();
  add(parts);
  return objectsAround(parts.shop);
}

function shopParts() {
  const shop = newShop();
  return { shop, edge: newProxy(shop), orders: newBackend(shop, 'orders'), canary: newBackend(shop, 'canary') };
}

const factories: readonly (readonly [
  name: string,
  values: Readonly<Record<string, readonly unknown[]>>,
  written: (options: object) => readonly Manifest[],
])[] = [
  ['Exposure.loadBalancer', loadBalancer, exposed((options) => Exposure.loadBalancer(options))],
  ['Exposure.nodePort', nodePort, exposed((options) => Exposure.nodePort(options))],
  ['Exposure.clusterIp', clusterIp, exposed((options) => Exposure.clusterIp(options))],
  ['Retries.safe', retries, (options) => synthesize({ route: { retries: Retries.safe(options) } })],
  [
    'RateLimit.perClient',
    rateLimit,
    (options) => synthesize({ route: { rateLimit: RateLimit.perClient('5/s', options) } }),
  ],
  ['Cors.allow', cors, (options) => synthesize({ route: { cors: Cors.allow(['https://app.example.com'], options) } })],
  ['Auth.basic', basicAuth, (options) => synthesize({ route: { auth: Auth.basic({ secret: 'admins', ...options }) } })],
  [
    'ScalingMetric.keda',
    keda,
    (options) => synthesize({ replicas: { metrics: [ScalingMetric.keda('rabbitmq', { queueName: 'a' }, options)] } }),
  ],
  [
    'Auth.jwt',
    jwtAuth,
    (options) => {
      const jwt = { issuer: 'https://id.example.com', audience: 'orders', jwks: Jwks.fromConfigMap('issuer-keys') };
      return synthesize({ route: { auth: Auth.jwt({ ...jwt, ...options }) } });
    },
  ],
  [
    'Auth.external',
    externalAuth,
    (options) =>
      shopWith(({ edge, orders, canary }) =>
        edge.addRoute('/orders', orders, { auth: Auth.external(canary, options) }),
      ),
  ],
  [
    'Auth.external signIn',
    signIn,
    (options) =>
      shopWith(({ edge, orders, canary }) => {
        const asked = { signIn: { url: '/login', ...options } };
        return edge.addRoute('/orders', orders, { auth: Auth.external(canary, asked) });
      }),
  ],
  [
    'Auth.clientCertificate',
    clientCertificateAuth,
    (options) => {
      const authority = CertificateAuthority.fromConfigMap('partners');
      return synthesize({ route: { auth: Auth.clientCertificate(authority, options) } });
    },
  ],
  [
    'CertificateAuthority.fromSecret',
    certificateAuthority,
    (options) => {
      const authority = CertificateAuthority.fromSecret('partners', options);
      return synthesize({ route: { auth: Auth.clientCertificate(authority) } });
    },
  ],
  [
    'Jwks.fromSecret',
    jwks,
    (options) => {
      const jwt = { issuer: 'https://id.example.com', audience: 'orders' };
      return synthesize({ route: { auth: Auth.jwt({ ...jwt, jwks: Jwks.fromSecret('keys', options) }) } });
    },
  ],
  [
    'Mirror.to',
    mirror,
    (options) =>
      shopWith(({ edge, orders, canary }) => edge.addRoute('/', orders, { mirror: Mirror.to(canary, options) })),
  ],
  ['ResponseCache.of', responseCache, (options) => synthesize({ route: { cache: ResponseCache.of(options) } })],
  [
    'Redirect.to',
    redirect,
    (options) => shopWith(({ edge }) => edge.addRoute('/', Redirect.to('https://www.example.com', options))),
  ],
  [
    'FixedResponse.of',
    fixedResponse,
    (options) => shopWith(({ edge }) => edge.addRoute('/', FixedResponse.of(200, '{}', options))),
  ],
  [
    'TrafficSplit.weighted',
    trafficSplit,
    (options) =>
      shopWith(({ edge, orders, canary }) => {
        const shares = [
          { target: orders, weight: 90 },
          { target: canary, weight: 10 },
        ];
        return edge.addRoute('/', TrafficSplit.weighted(shares, options));
      }),
  ],
  [
    'ExternalService.fromUrl',
    externalUrl,
    (options) => shopWith(({ edge }) => edge.addRoute('/', ExternalService.fromUrl('https://a.example.com', options))),
  ],
  [
    'ExternalService.fromServiceName',
    externalService,
    (options) => shopWith(({ edge }) => edge.addRoute('/', ExternalService.fromServiceName('payments', options))),
  ],
  [
    'StaticFiles.fromImage',
    imageFiles,
    (options) => shopWith(({ edge }) => edge.addRoute('/', StaticFiles.fromImage('web:1', '/web', options))),
  ],
  [
    'StaticFiles.fromConfigMap',
    staticFiles,
    (options) => shopWith(({ edge }) => edge.addRoute('/', StaticFiles.fromConfigMap('site', options))),
  ],
  [
    'NginxProxy.addHost',
    hostOptions,
    (options) => shopWith(({ edge, orders }) => edge.addHost('www.example.com', options).addRoute('/', orders)),
  ],
  ['NginxProxy accessLog', accessLog, logging],
  ['NginxProxy tracing', tracing, traced],
  [
    'LogField.requestHeader',
    logField,
    (options) => logging({ omit: ['user_agent'], add: { tenant: LogField.requestHeader('X-Tenant', options) } }),
  ],
  ['NginxProxy.addMonitoring', monitoring, monitored],
  ['NginxProxy.addMonitoring podMonitor', podMonitor, (options) => monitored({ podMonitor: options })],
  ['NginxProxy.addMonitoring alerts', alerts, (options) => monitored({ alerts: options })],
  ['NginxProxy.addMonitoring dashboard', dashboard, (options) => monitored({ dashboard: options })],
  [
    'NginxProxy.addMonitoring grafanaDashboard',
    grafanaDashboard,
    (options) => monitored({ grafanaDashboard: options }),
  ],
];

export const everyFactoryOption: readonly EveryFactoryOption[] = factories.flatMap(([name, values, written]) =>
  Object.entries(values).map(([option, each]) => ({
    name: `${name} ${option}`,
    values: each,
    written: (options: object) => written('value' in options ? { [option]: options.value } : {}),
  })),
);

/** Lets tests run in a directory of their own, with the files that `Certificate.fromFiles` names above. */
export function besideKeyPair(): void {
  const before = process.cwd();
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'fairlead-every-option-'));
    const { certificate, privateKey } = selfSignedKeyPair(['localhost'], directory);
    writeFileSync(join(directory, 'tls.crt'), certificate);
    writeFileSync(join(directory, 'tls.key'), privateKey);
    process.chdir(directory);
  });

  afterAll(() => {
    process.chdir(before);
    rmSync(directory, { recursive: true });
  });
}
