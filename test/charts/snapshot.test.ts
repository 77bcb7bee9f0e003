import { ConfigMap, EnvValue, Namespaces, NetworkPolicyIpBlock, Secret, ServiceAccount } from 'cdk8s-plus-27';
import type { Backend } from '../../charts/backend';
import { ScalingMetric } from '../../charts/pods/scaling-metric';
import { Certificate } from '../../charts/proxy/certificate';
import { Exposure } from '../../charts/proxy/exposure';
import { ExternalService } from '../../charts/routes/external-service';
import { Redirect, type Share, TrafficSplit } from '../../charts/routes/route-targets';
import { StaticFiles } from '../../charts/routes/static-files';
import { Auth } from '../../model/auth/auth';
import { CertificateAuthority } from '../../model/auth/client-certificate';
import { Jwks } from '../../model/auth/jwks';
import { LoadBalancing, RequestKey } from '../../model/load-balancing';
import { RateLimit } from '../../model/routes/rate-limit';
import { ResponseCache } from '../../model/routes/response-cache';
import { type Manifest, newBackend, newProxy, newShop, objectsAround, synthesize } from './manifests';

/** nginx.conf is compared with what nginx/ renders elsewhere: here it would hide everything else. */
function withoutConfiguration(manifests: readonly Manifest[]): unknown {
  const hash = /^(nginx|edge)-[0-9a-f]{10}$/;
  return JSON.parse(
    JSON.stringify(manifests, (key, value: unknown) => {
      if (key === 'nginx.conf') return '(configuration)';
      if (/\.(?:m?js|sh)$|^dashboard_|^node_modules_/.test(key)) return '(program)';
      // What Grafana shows, readable.
      if (key.endsWith('.edge.json')) return JSON.parse(String(value)) as unknown;
      return typeof value === 'string' ? value.replace(hash, '$1-HASH') : value;
    }),
  );
}

const variants: [string, () => Manifest[]][] = [
  ['an image alone', () => synthesize()],
  [
    'a service on AWS',
    () =>
      synthesize(
        {
          host: 'orders.example.com',
          replicas: { min: 3, max: 12 },
          exposure: Exposure.loadBalancer({
            annotations: { 'service.beta.kubernetes.io/aws-load-balancer-nlb-target-type': 'ip' },
            loadBalancerClass: 'service.k8s.aws/nlb',
            sourceRanges: ['192.0.2.0/24'],
            externalTrafficPolicy: 'Local',
          }),
        },
        ({ backend }) => {
          backend.allowTo(NetworkPolicyIpBlock.ipv4(backend, 'Database', '10.20.0.0/16'), 5432);
        },
      ),
  ],
  [
    'a fixed number of pods behind ports of the nodes',
    () =>
      synthesize({
        replicas: 3,
        proxy: { replicas: 2 },
        exposure: Exposure.nodePort({ httpNodePort: 30_080, httpsNodePort: 30_443 }),
      }),
  ],
  [
    'two services and a canary behind one proxy, with a certificate of cert-manager',
    () => {
      const shop = newShop({ labels: { team: 'shop' } });
      const orders = newBackend(shop, 'orders', { replicas: { min: 3, max: 12 } });
      const canary = orders.addVersion('canary', { image: 'ghcr.io/acme/orders:2', replicas: 2 });
      const catalog = newBackend(shop, 'catalog', { port: 8080, healthCheck: '/health', requestTimeout: '10s' });
      const edge = newProxy(shop, 'edge', {
        host: 'shop.example.com',
        certificate: Certificate.fromCertManager({ clusterIssuer: 'letsencrypt' }),
      });
      edge.addRoute('/catalog', catalog);
      edge.addRoute('/', TrafficSplit.weighted([share(orders, 95), share(canary, 5)]));
      edge.addHost('old.example.com').addRoute('/', Redirect.to('https://shop.example.com', { permanent: true }));
      return objectsAround(shop);
    },
  ],
  [
    'a proxy with files, services elsewhere, metrics and spans',
    () => {
      const shop = newShop();
      const database = Secret.fromSecretName(shop, 'Database', 'orders-database');
      const orders = newBackend(shop, 'orders', {
        environment: { DATABASE_URL: EnvValue.fromSecretValue({ secret: database, key: 'url' }) },
        resources: { cpu: { request: '750m' }, memory: { limit: '1Gi' } },
        loadBalancing: LoadBalancing.hash(RequestKey.header('X-Tenant')),
        replicas: { min: 2, max: 8, metrics: [ScalingMetric.pods('requests_per_second', 20)], scaleDownAfter: '2m' },
        pods: {
          imagePullSecrets: ['registry'],
          serviceAccount: new ServiceAccount(shop, 'Account', { metadata: { name: 'orders' } }),
          priorityClass: 'business-critical',
          annotations: { 'example.com/cost-centre': 'orders' },
          spread: { zones: 'required', nodes: 'preferred' },
        },
      });
      const tickets = newBackend(shop, 'tickets', { protocol: 'grpc', replicas: 2 });
      const edge = newProxy(shop, 'edge', {
        tracing: { endpoint: 'https://collector.example.com:4318', sampledPercent: 10 },
      });
      edge.addRoute('/', StaticFiles.fromImage('registry.example.com/shop:1', '/srv', { singlePage: true }));
      const help = new ConfigMap(shop, 'Help', { metadata: { name: 'help' }, data: { 'index.html': '<h1>Help</h1>' } });
      edge.addRoute('/help', StaticFiles.fromConfigMap(help));
      edge.addRoute('/orders', orders, {
        auth: Auth.jwt({ issuer: 'https://id.example.com', audience: 'orders', jwks: Jwks.fromConfigMap('keys') }),
        cache: ResponseCache.of({ size: '64m', valid: '1m' }),
        rateLimit: RateLimit.perClient('5/s'),
      });
      edge.addRoute('/partners', orders, { auth: Auth.clientCertificate(CertificateAuthority.fromSecret('partners')) });
      edge.addRoute('/shop.Tickets', tickets);
      edge.addRoute(
        '/billing',
        ExternalService.fromUrl('https://billing.example.com/v2', {
          caSecret: 'billing-ca',
          networks: ['192.0.2.0/24'],
        }),
      );
      edge.addMonitoring({
        allowFrom: Namespaces.select(shop, 'Prometheus', { names: ['monitoring'] }),
        podMonitor: { labels: { release: 'prometheus' }, interval: '15s' },
        alerts: {
          labels: { team: 'shop' },
          availability: 99.95,
          latency: '2s',
          runbooks: 'https://example.com/runbooks',
        },
        dashboard: true,
        grafanaDashboard: { folder: 'Shop' },
      });
      return objectsAround(shop);
    },
  ],
];

function share(target: Backend, weight: number): Share {
  return { target, weight };
}

test.each(variants)('every object of %s is as it was reviewed', (_, manifests) => {
  expect(withoutConfiguration(manifests())).toMatchSnapshot();
});
