import { NetworkPolicyIpBlock } from 'cdk8s-plus-27';
import type { Backend } from '../../charts/backend';
import { Certificate } from '../../charts/proxy/certificate';
import { Exposure } from '../../charts/proxy/exposure';
import { Redirect, type Share, TrafficSplit } from '../../charts/routes/route-targets';
import { type Manifest, newBackend, newProxy, newShop, objectsAround, synthesize } from './manifests';

/** nginx.conf is compared with what nginx/ renders elsewhere: here it would hide everything else. */
function withoutConfiguration(manifests: readonly Manifest[]): unknown {
  const hash = /^(nginx|edge)-[0-9a-f]{10}$/;
  return JSON.parse(
    JSON.stringify(manifests, (key, value: unknown) => {
      if (key === 'nginx.conf') return '(configuration)';
      if (key.endsWith('.mjs')) return '(script)';
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
];

function share(target: Backend, weight: number): Share {
  return { target, weight };
}

test.each(variants)('every object of %s is as it was reviewed', (_, manifests) => {
  expect(withoutConfiguration(manifests())).toMatchSnapshot();
});
