import type { Manifest, TestProps } from './manifests';
import { synthesize } from './manifests';

/** nginx.conf is compared with what nginx/ renders elsewhere: here it would hide everything else. */
function withoutConfiguration(manifests: readonly Manifest[]): unknown {
  const hash = /^nginx-[0-9a-f]{10}$/;
  return JSON.parse(
    JSON.stringify(manifests, (key, value: unknown) => {
      if (key === 'nginx.conf') return '(configuration)';
      return typeof value === 'string' && hash.test(value) ? 'nginx-HASH' : value;
    }),
  );
}

const variants: [string, TestProps][] = [
  ['an image alone', {}],
  [
    'a service on AWS',
    {
      host: 'orders.example.com',
      minReplicas: 3,
      maxReplicas: 12,
      serviceAnnotations: { 'service.beta.kubernetes.io/aws-load-balancer-nlb-target-type': 'ip' },
      loadBalancerClass: 'service.k8s.aws/nlb',
      loadBalancerSourceRanges: ['192.0.2.0/24'],
      externalTrafficPolicy: 'Local',
      apiEgress: [{ cidr: '10.20.0.0/16', port: 5432 }],
    },
  ],
  [
    'a fixed number of pods behind ports of the nodes',
    { replicas: 3, proxyReplicas: 2, serviceType: 'NodePort', httpNodePort: 30_080, httpsNodePort: 30_443 },
  ],
];

test.each(variants)('every object of %s is as it was reviewed', (_, given) => {
  expect(withoutConfiguration(synthesize(given))).toMatchSnapshot();
});
