import { timeline } from '../../model/timeline';
import { nginxConf } from '../../nginx/nginx-conf';
import type { ProxyOptions } from '../../nginx/proxy';
import { proxyBudget, testConfiguration } from '../nginx/real-nginx';
import { containerOf, find, type Manifest, nginxConfOf, podSpecOf, synthesize, type TestProps } from './manifests';

/** What has to be in the ConfigMap of `orders` for these options. */
function expectedConf(options: ProxyOptions, differences: Partial<Parameters<typeof nginxConf>[0]> = {}): string {
  return nginxConf({
    ...options,
    timeline: timeline(),
    budget: proxyBudget({ ...options, ...differences }),
    upstreamHost: 'api.orders.svc.cluster.local',
    ...('upstreamService' in differences ? {} : { upstreamPort: 3000 }),
    upstreamFallback: { host: 'api-cluster-ip.orders.svc.cluster.local', port: 3000 },
    maxUpstreams: 10,
    healthCheckPath: '/healthcheck',
    resolvers: ['kube-dns.kube-system.svc.cluster.local'],
    workers: 2,
    httpPort: 8080,
    httpsPort: 8443,
    probePort: 8444,
    externalHttpsPort: 443,
    certificateDirectory: '/etc/nginx/tls',
    certificateStore: '/run/certificates',
    certificateCheckPort: 8445,
    connectionCount: { httpPort: 8446, httpsPort: 8447 },
    ...differences,
  });
}

describe('The configuration of nginx', () => {
  const everyOption = {
    host: 'orders.example.com',
    additionalHosts: ['www.example.com'],
    loadBalancing: 'round_robin',
    maxFails: 5,
    failTimeout: '20s',
    clientMaxBodySize: '8m',
    clientHeaderTimeout: '11s',
    clientBodyTimeout: '12s',
    sendTimeout: '13s',
    gzip: false,
    hstsMaxAge: '30d',
    hstsIncludeSubDomains: true,
    contentSecurityPolicy: "default-src 'self'",
    responseHeaders: { 'X-Team': 'orders "west"' },
    trustedProxies: ['10.0.0.0/8'],
  } as const satisfies ProxyOptions;

  const variants: [string, TestProps, string][] = [
    ['no options', {}, expectedConf({})],
    ['every option of the proxy', everyOption, expectedConf(everyOption)],
    [
      'a hash by URI, which goes by SRV records',
      { loadBalancing: 'hash', hashKey: 'uri' },
      expectedConf({ loadBalancing: 'hash', hashKey: 'uri' }, { upstreamService: 'http' }),
    ],
    [
      'a hash by client address, which goes by SRV records',
      { loadBalancing: 'client_address' },
      expectedConf({ loadBalancing: 'client_address' }, { upstreamService: 'http' }),
    ],
    [
      'another cluster',
      { namespace: 'shop', clusterDomain: 'corp.example.com', ipFamilies: ['IPv6', 'IPv4'] },
      expectedConf(
        {},
        {
          upstreamHost: 'api.shop.svc.corp.example.com',
          upstreamFallback: { host: 'api-cluster-ip.shop.svc.corp.example.com', port: 3000 },
          resolvers: ['kube-dns.kube-system.svc.corp.example.com'],
          ipFamilies: ['IPv6', 'IPv4'],
        },
      ),
    ],
    [
      'another container',
      { container: { port: 8000, healthCheckPath: '/up', keepAliveTimeout: '65s' }, requestTimeout: '30s' },
      expectedConf(
        {},
        {
          upstreamPort: 8000,
          upstreamFallback: { host: 'api-cluster-ip.orders.svc.cluster.local', port: 8000 },
          healthCheckPath: '/up',
          timeline: timeline({ keepAliveTimeout: '65s', requestTimeout: '30s' }),
        },
      ),
    ],
    [
      'other DNS servers, ports and numbers',
      { resolvers: ['10.96.0.10'], externalHttpsPort: 8443, replicas: 4, proxyCpuLimit: '3500m' },
      expectedConf({}, { resolvers: ['10.96.0.10'], externalHttpsPort: 8443, maxUpstreams: 4, workers: 4 }),
    ],
  ];

  test.each(variants)('is what nginx/ renders for %s, and nginx takes it', async (_, options, expected) => {
    const conf = nginxConfOf(synthesize(options));
    expect(conf).toBe(expected);
    await testConfiguration(conf);
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
    const [one, other] = [synthesize(), synthesize({ clientMaxBodySize: '2m' })];
    const [name, otherName] = [configMapOf(one).metadata.name, configMapOf(other).metadata.name];
    expect(otherName).not.toBe(name);
    expect(podSpecOf(one, 'nginx').volumes).toContainEqual({ name: 'config', configMap: { name } });
    expect(podSpecOf(other, 'nginx').volumes).toContainEqual({ name: 'config', configMap: { name: otherName } });
  });

  test('keeps its name when nothing in the configuration changes', () => {
    const image = 'ghcr.io/acme/orders:2';
    expect(configMapOf(synthesize({ container: { image } })).metadata.name).toBe(
      configMapOf(synthesize()).metadata.name,
    );
  });
});

describe('The pods of nginx', () => {
  test('run stock nginx as its own user, with the configuration, the certificate and a place to write', () => {
    const manifests = synthesize();
    expect(containerOf(manifests, 'nginx')).toMatchObject({
      image: 'nginx:1.30',
      command: ['nginx', '-c', '/etc/nginx/nginx.conf'],
      securityContext: { runAsUser: 101, runAsGroup: 101 },
    });
    expect(podSpecOf(manifests, 'nginx').securityContext).toMatchObject({ runAsUser: 101, fsGroup: 101 });
    expect(containerOf(manifests, 'nginx').volumeMounts).toEqual([
      { name: 'config', mountPath: '/etc/nginx/nginx.conf', subPath: 'nginx.conf', readOnly: true },
      {
        name: 'config',
        mountPath: '/etc/nginx/last-good-certificate.mjs',
        subPath: 'last-good-certificate.mjs',
        readOnly: true,
      },
      { name: 'tls', mountPath: '/etc/nginx/tls', readOnly: true },
      { name: 'certificates', mountPath: '/run/certificates' },
      { name: 'tmp', mountPath: '/tmp' },
    ]);
    expect(podSpecOf(manifests, 'nginx').volumes).toEqual([
      expect.objectContaining({ name: 'config' }),
      { name: 'tls', secret: { secretName: 'orders-tls', defaultMode: 0o440 } },
      { name: 'certificates', emptyDir: { medium: 'Memory', sizeLimit: '4Mi' } },
      { name: 'tmp', emptyDir: { sizeLimit: '676Mi' } },
    ]);
  });

  test('may run another image of nginx', () => {
    const image = 'registry.example.com/nginx:1.30.6';
    expect(containerOf(synthesize({ proxyImage: image }), 'nginx').image).toBe(image);
  });

  test('are asked over TLS, on the port of the probes', () => {
    expect(containerOf(synthesize(), 'nginx')).toMatchObject({
      startupProbe: { httpGet: { path: '/startup', port: 8444, scheme: 'HTTPS' } },
      readinessProbe: { httpGet: { path: '/healthz', port: 8444, scheme: 'HTTPS' } },
      livenessProbe: { httpGet: { path: '/healthz', port: 8444, scheme: 'HTTPS' } },
    });
  });

  test('are never killed for an API that they cannot reach', () => {
    expect(containerOf(synthesize(), 'nginx').startupProbe).toMatchObject({ failureThreshold: 2_147_483_647 });
  });

  test('have memory for their workers, one for each CPU that they may use', () => {
    const resourcesOf = (given: TestProps): unknown => containerOf(synthesize(given), 'nginx').resources;
    expect(resourcesOf({})).toMatchObject({
      requests: { cpu: '250m', memory: '64Mi' },
      limits: { cpu: '2', memory: '768Mi' },
    });
    expect(resourcesOf({ proxyCpuLimit: '50m' })).toMatchObject({ limits: { memory: '384Mi' } });
    expect(resourcesOf({ proxyCpuLimit: '3500m' })).toMatchObject({ limits: { memory: '1536Mi' } });
    expect(resourcesOf({ proxyCpuRequest: '8' })).toMatchObject({ limits: { cpu: '8', memory: '3072Mi' } });
    expect(
      resourcesOf({
        proxyCpuRequest: '1',
        proxyCpuLimit: '1',
        proxyMemoryRequest: '100Mi',
        proxyMemoryLimit: '200Mi',
      }),
    ).toMatchObject({ requests: { cpu: '1', memory: '100Mi' }, limits: { cpu: '1', memory: '200Mi' } });
  });

  test('may have as much on the disk of their node as /tmp holds', () => {
    expect(containerOf(synthesize(), 'nginx').resources).toMatchObject({
      requests: { 'ephemeral-storage': '64Mi' },
      limits: { 'ephemeral-storage': '740Mi' },
    });
  });

  test('have a worker for each CPU of a limit that follows from the request', () => {
    expect(nginxConfOf(synthesize({ proxyCpuRequest: '6' }))).toContain('worker_processes 6;');
  });

  test('pull no image with the secrets of the API', () => {
    const manifests = synthesize({ container: { imagePullSecrets: ['registry'] } });
    expect(podSpecOf(manifests, 'nginx')).not.toHaveProperty('imagePullSecrets');
  });

  test('are found by the Service that clients reach, on two ports and not on that of the probes', () => {
    const { spec } = find(synthesize(), 'Service', 'nginx');
    expect(spec).toMatchObject({
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'https', port: 443, targetPort: 8443 },
      ],
    });
    expect(JSON.stringify(spec)).not.toContain('8444');
  });
});
