import { App } from 'cdk8s';
import { Exposure } from '../../../charts/proxy/exposure';
import { LoadBalancedApi } from '../../../charts/load-balanced-api';
import { LogField } from '../../../model/access-log/options';
import { budget } from '../../../model/budget';
import { LoadBalancing, RequestKey } from '../../../model/load-balancing';
import { Match, Path, Rewrite } from '../../../model/routes/matching';
import type { BackendModel, HostModel, ProxyModel } from '../../../model/proxy';
import type { RouteModel } from '../../../model/routes/route';
import { Retries } from '../../../model/routes/route-options';
import { timeline } from '../../../model/timeline';
import { nginxConf } from '../../../nginx/nginx-conf';
import { upstreamZone } from '../../../nginx/backends/upstream-section';
import { testConfiguration } from '../../nginx/support/real-nginx';
import { type Manifest, newBackend, nginxConfOf, podSpecOf, props, synthesize, type TestProps } from '../manifests';

/** How a proxy sees the backend of `synthesize()`. */
const backend: BackendModel = {
  name: 'orders',
  instances: { host: 'orders.orders.svc.cluster.local', port: 3000 },
  fallback: 'orders-cluster-ip.orders.svc.cluster.local:3000',
  loadBalancing: LoadBalancing.leastConnections(),
  maxFails: 3,
  failTimeout: 5,
  mostInstances: 10,
  keepAliveTimeout: 5,
  upstreamKeepAliveTimeout: 4,
  healthCheckPath: '/healthcheck',
};

const route: RouteModel = {
  name: 'root',
  path: Path.of('/'),
  when: [],
  target: { kind: 'backend', backend: 'orders' },
  times: { requestTimeout: 60, connectTimeout: 2, nextUpstreamTimeout: 70, nextUpstreamTries: 3 },
  streamTimeout: undefined,
  maxBodySize: 2 ** 20,
  rewrite: undefined,
  requestHeaders: [],
  responseHeaders: [],
};

const host: HostModel = { names: ['localhost'], hstsMaxAge: 0, hstsIncludeSubDomains: false, routes: [route] };

const settings = {
  memoryLimit: 768 * 2 ** 20,
  workers: 2,
  maxBodySize: 2 ** 20,
  gzip: true,
  hasStreams: false,
  backends: 1,
  upstreamZones: upstreamZone(10),
};

const model: ProxyModel = {
  hosts: [host],
  backends: [backend],
  timeline: timeline(),
  budget: budget(settings),
  clientTimes: { headerTimeout: 10_000, bodyTimeout: 10_000, sendTimeout: 10_000 },
  gzip: true,
  defaultResponseHeaders: [
    ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
    ['Referrer-Policy', 'no-referrer'],
    ['Cross-Origin-Resource-Policy', 'same-origin'],
  ],
  trustedProxies: [],
  unlimitedClients: [
    ...['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16'],
    ...['::1/128', 'fc00::/7', 'fe80::/10'],
  ],
  accessLog: { omit: [], add: [], sample: 1, slow: 1000 },
};

const place: Parameters<typeof nginxConf>[1] = {
  resolvers: ['kube-dns.kube-system.svc.cluster.local'],
  ipFamilies: ['IPv4'],
  workers: 2,
  httpPort: 8080,
  httpsPort: 8443,
  probePort: 8444,
  externalHttpsPort: 443,
  certificateDirectory: '/etc/nginx/tls',
  hostCertificatesDirectory: '/etc/nginx/tls-of-hosts',
  certificateStore: '/run/certificates',
  certificateCheckPort: 8445,
  backendPatience: 120,
  connectionCount: { httpPort: 8446, httpsPort: 8447 },
};

describe('The configuration of nginx', () => {
  const everyOption: TestProps = {
    host: 'orders.example.com',
    loadBalancing: LoadBalancing.roundRobin(),
    maxFails: 5,
    failTimeout: '20s',
    requestTimeout: '45s',
    keepAliveTimeout: '65s',
    route: {
      requestTimeout: '30s',
      connectTimeout: '3s',
      retries: Retries.safe({ tries: 2, timeout: '50s' }),
      maxBodySize: '8m',
      rewrite: Rewrite.replacePrefix('/api'),
      requestHeaders: { 'X-Zone': 'west', 'X-Debug': false },
      responseHeaders: { 'X-Team': 'orders "west"', 'X-Powered-By': false },
    },
    proxy: {
      additionalHosts: ['www.example.com'],
      gzip: false,
      strictTransportSecurity: { maxAge: '30d', includeSubDomains: true },
      defaultResponseHeaders: { 'content-security-policy': "default-src 'self'", 'Referrer-Policy': false, 'X-A': 'b' },
      accessLog: {
        omit: ['user_agent'],
        add: { tenant: LogField.requestHeader('X-Tenant', { maxLength: 36 }), plan: LogField.cookie('plan') },
        sample: 0.25,
        slow: '2s',
      },
      traceContext: { sampledPercent: 12.5 },
      certificateValid: '1m',
      clients: {
        headerTimeout: '11s',
        bodyTimeout: '12s',
        sendTimeout: '13s',
        keepAliveTimeout: '70s',
        trustedProxies: ['10.0.0.0/8'],
        unlimited: ['192.0.2.0/24'],
        maxConnections: 2000,
        maxRequests: 300,
        maxConnectionsPerClient: 100,
        maxRequestsPerClient: 50,
      },
    },
    namespace: { dnsCacheTtl: '0s', resolverValid: '2s', unreachableToleration: '1m' },
    exposure: Exposure.loadBalancer({ deregistrationDelay: '20s' }),
  };
  const proxyTimes = {
    resolverValid: '2s',
    dnsCacheTtl: '0s',
    unreachableToleration: '1m',
    deregistrationDelay: '20s',
    clientKeepAliveTimeout: '70s',
    certificateValid: '1m',
  } as const;
  const routeTimes = timeline({
    ...proxyTimes,
    requestTimeout: '30s',
    connectTimeout: '3s',
    nextUpstreamTries: 2,
    nextUpstreamTimeout: '50s',
  });

  const variants: [string, TestProps, string][] = [
    ['no options', {}, nginxConf(model, place)],
    [
      'every option of the proxy',
      everyOption,
      nginxConf(
        {
          hosts: [
            {
              names: ['orders.example.com', 'www.example.com'],
              hstsMaxAge: 30 * 86_400,
              hstsIncludeSubDomains: true,
              routes: [
                {
                  ...route,
                  times: { requestTimeout: 30, connectTimeout: 3, nextUpstreamTimeout: 50, nextUpstreamTries: 2 },
                  maxBodySize: 8 * 2 ** 20,
                  rewrite: '/api',
                  requestHeaders: [
                    ['X-Zone', 'west'],
                    ['X-Debug', false],
                  ],
                  responseHeaders: [
                    ['X-Team', 'orders "west"'],
                    ['X-Powered-By', false],
                  ],
                },
              ],
            },
          ],
          backends: [
            {
              ...backend,
              loadBalancing: LoadBalancing.roundRobin(),
              maxFails: 5,
              failTimeout: 20,
              keepAliveTimeout: 65,
              upstreamKeepAliveTimeout: 60,
            },
          ],
          timeline: {
            ...timeline(proxyTimes),
            requestTimeout: routeTimes.requestTimeout,
            workerShutdownTimeout: routeTimes.workerShutdownTimeout,
            proxyTerminationGracePeriod: routeTimes.proxyTerminationGracePeriod,
          },
          budget: budget({
            ...settings,
            maxBodySize: 8 * 2 ** 20,
            gzip: false,
            maxConnections: 2000,
            maxRequests: 300,
            maxConnectionsPerClient: 100,
            maxRequestsPerClient: 50,
          }),
          clientTimes: { headerTimeout: 11_000, bodyTimeout: 12_000, sendTimeout: 13_000 },
          gzip: false,
          defaultResponseHeaders: [
            ['content-security-policy', "default-src 'self'"],
            ['Cross-Origin-Resource-Policy', 'same-origin'],
            ['X-A', 'b'],
          ],
          trustedProxies: ['10.0.0.0/8'],
          unlimitedClients: ['192.0.2.0/24'],
          accessLog: {
            omit: ['user_agent'],
            add: [
              { name: 'tenant', source: { kind: 'requestHeader', name: 'X-Tenant' }, maxLength: 36 },
              { name: 'plan', source: { kind: 'cookie', name: 'plan' }, maxLength: 64 },
            ],
            sample: 0.25,
            slow: 2000,
          },
          traceContext: { sampledPercent: 12.5 },
        },
        place,
      ),
    ],
    [
      'streams',
      { route: { streaming: '1h' }, proxy: { clients: { maxStreams: 200 } } },
      nginxConf(
        {
          ...model,
          hosts: [{ ...host, routes: [{ ...route, streamTimeout: 3600 }] }],
          budget: budget({ ...settings, hasStreams: true, maxStreams: 200 }),
        },
        place,
      ),
    ],
    [
      'a hash by URI, which goes by SRV records',
      { loadBalancing: LoadBalancing.hash(RequestKey.uri()) },
      nginxConf(
        {
          ...model,
          backends: [
            {
              ...backend,
              loadBalancing: LoadBalancing.hash(RequestKey.uri()),
              instances: { host: 'orders.orders.svc.cluster.local', service: 'http' },
            },
          ],
        },
        place,
      ),
    ],
    [
      'another cluster',
      { namespace: { name: 'shop', clusterDomain: 'corp.example.com', ipFamilies: ['IPv6', 'IPv4'] } },
      nginxConf(
        {
          ...model,
          backends: [
            {
              ...backend,
              instances: { host: 'orders.shop.svc.corp.example.com', port: 3000 },
              fallback: 'orders-cluster-ip.shop.svc.corp.example.com:3000',
            },
          ],
        },
        { ...place, resolvers: ['kube-dns.kube-system.svc.corp.example.com'], ipFamilies: ['IPv6', 'IPv4'] },
      ),
    ],
    [
      'another container',
      { port: 8000, healthCheck: '/up' },
      nginxConf(
        {
          ...model,
          backends: [
            {
              ...backend,
              instances: { host: 'orders.orders.svc.cluster.local', port: 8000 },
              fallback: 'orders-cluster-ip.orders.svc.cluster.local:8000',
              healthCheckPath: '/up',
            },
          ],
        },
        place,
      ),
    ],
    [
      'other DNS servers, ports and numbers',
      {
        namespace: { resolvers: ['10.96.0.10'] },
        exposure: Exposure.loadBalancer({ httpsPort: 8443 }),
        replicas: 4,
        proxy: { resources: { cpu: { limit: '3500m' }, temporaryStorage: '1Gi' } },
      },
      nginxConf(
        {
          ...model,
          backends: [{ ...backend, mostInstances: 4 }],
          budget: budget({
            ...settings,
            workers: 4,
            memoryLimit: 4 * 384 * 2 ** 20,
            temporaryStorage: 2 ** 30,
            upstreamZones: upstreamZone(4),
          }),
        },
        { ...place, resolvers: ['10.96.0.10'], externalHttpsPort: 8443, workers: 4 },
      ),
    ],
  ];

  test.each(variants)('is what nginx/ renders for %s, and nginx takes it', async (_, options, expected) => {
    const conf = nginxConfOf(synthesize(options));
    expect(conf).toBe(expected);
    await testConfiguration(conf);
  });

  test('has every host, route and backend that was added', async () => {
    const conf = nginxConfOf(
      synthesize({}, (api) => {
        const catalog = newBackend(api.namespace, 'catalog', { replicas: 3, port: 8080 });
        api.proxy.addRoute('/catalog', catalog, { when: Match.header('X-Beta', 'yes') });
        api.proxy.addHost('shop.example.com').addRoute(Path.exact('/catalog'), catalog);
      }),
    );
    const [conditional, exact] = [
      /catalog_x-beta_[0-9a-f]{8}/.exec(conf)?.[0],
      /shop_example_com__catalog_exact_[0-9a-f]{8}/.exec(conf)?.[0],
    ];
    expect(conf).toBe(
      nginxConf(
        {
          ...model,
          hosts: [
            {
              ...host,
              routes: [
                route,
                {
                  ...route,
                  name: conditional ?? '',
                  path: Path.of('/catalog'),
                  when: [{ kind: 'header', name: 'X-Beta', value: 'yes' }],
                  target: { kind: 'backend', backend: 'catalog' },
                },
              ],
            },
            {
              names: ['shop.example.com'],
              hstsMaxAge: 365 * 86_400,
              hstsIncludeSubDomains: false,
              routes: [
                {
                  ...route,
                  name: exact ?? '',
                  path: Path.exact('/catalog'),
                  target: { kind: 'backend', backend: 'catalog' },
                },
              ],
            },
          ],
          backends: [
            {
              ...backend,
              name: 'catalog',
              instances: { host: 'catalog.orders.svc.cluster.local', port: 8080 },
              fallback: 'catalog-cluster-ip.orders.svc.cluster.local:8080',
              mostInstances: 3,
            },
            backend,
          ],
          budget: budget({ ...settings, backends: 2, upstreamZones: upstreamZone(10) + upstreamZone(3) }),
        },
        place,
      ),
    );
    await testConfiguration(conf);
  });

  test('has no header that was taken out of the default', () => {
    const conf = (defaultResponseHeaders?: Readonly<Record<string, false>>): string =>
      nginxConfOf(synthesize(defaultResponseHeaders === undefined ? {} : { proxy: { defaultResponseHeaders } }));
    expect(conf()).toMatch(/^ *add_header Referrer-Policy /m);
    expect(conf({ 'Referrer-Policy': false })).not.toContain('Referrer-Policy');
  });

  test('follows from what is there when it is written, whatever was asked for before', () => {
    const api = new LoadBalancedApi(new App(), 'orders', props());
    const { connections } = api.proxy.budget;
    api.proxy.addRoute('/events', api.backend, { streaming: '1h' });
    expect(api.proxy.budget.connections).toBeLessThan(connections);
    expect(api.proxy.budget.streams).toBeGreaterThan(100);
    expect(api.proxy.timeline.requestTimeout).toBe(60);
    api.proxy.addHost('www.example.com').addRoute('/', newBackend(api.namespace, 'slow', { requestTimeout: '10m' }));
    expect(api.proxy.timeline.requestTimeout).toBe(600);
  });
});

describe('The ConfigMap', () => {
  const configMapOf = (manifests: readonly Manifest[]): Manifest => {
    const [configMap] = manifests.filter(({ kind }) => kind === 'ConfigMap');
    if (configMap === undefined) throw new Error('no ConfigMap');
    return configMap;
  };

  test('cannot change, and has a label by which old ones are found', () => {
    expect(configMapOf(synthesize())).toMatchObject({
      immutable: true,
      metadata: { labels: { 'app.kubernetes.io/component': 'nginx-config' } },
    });
  });

  test('has another name when the configuration is another, and the Deployment rolls to it', () => {
    const [one, other] = [synthesize(), synthesize({ route: { maxBodySize: '2m' } })];
    const [name, otherName] = [configMapOf(one).metadata.name, configMapOf(other).metadata.name];
    expect(otherName).not.toBe(name);
    expect(podSpecOf(one, 'nginx').volumes).toContainEqual({ name: 'config', configMap: { name } });
    expect(podSpecOf(other, 'nginx').volumes).toContainEqual({ name: 'config', configMap: { name: otherName } });
  });

  test('keeps its name when nothing in the configuration changes', () => {
    const image = 'ghcr.io/acme/orders:2';
    expect(configMapOf(synthesize({ image })).metadata.name).toBe(configMapOf(synthesize()).metadata.name);
  });
});
