import type { NginxProxyProps } from '../../../charts/proxy/nginx-proxy-props';
import { InvalidOption } from '../../../validation/invalid-option';
import { testConfiguration } from '../../nginx/support/real-nginx';
import {
  containerOf,
  find,
  type Manifest,
  newBackend,
  newProxy,
  newShop,
  nginxConfOf,
  objectsAround,
  podSpecOf,
} from '../manifests';

const collector = 'http://collector.observability.svc.cluster.local:4318';

function shopWith(given: NginxProxyProps, namespace = {}) {
  const shop = newShop(namespace);
  const edge = newProxy(shop, 'edge', given);
  edge.addRoute('/', newBackend(shop, 'orders'));
  return { shop, edge };
}

function traced(endpoint = collector, namespace = {}): Manifest[] {
  return objectsAround(shopWith({ tracing: { endpoint } }, namespace).shop);
}

function egressOf(manifests: readonly Manifest[]): unknown[] {
  return (find(manifests, 'NetworkPolicy', 'edge').spec as { egress: unknown[] }).egress;
}

/** The rules that are there for a collector alone. */
function egressTo(endpoint: string, namespace = {}): unknown[] {
  const without = egressOf(objectsAround(shopWith({}, namespace).shop)).map((rule) => JSON.stringify(rule));
  return egressOf(traced(endpoint, namespace)).filter((rule) => !without.includes(JSON.stringify(rule)));
}

test('pods of a traced proxy have the script, and room in memory for what waits to be sent', async () => {
  const manifests = traced();
  expect(podSpecOf(manifests, 'edge').volumes).toContainEqual({
    name: 'spans',
    emptyDir: { medium: 'Memory', sizeLimit: '16Mi' },
  });
  const { volumeMounts } = containerOf(manifests, 'edge');
  expect(volumeMounts).toContainEqual({ name: 'spans', mountPath: '/run/spans' });
  expect(volumeMounts).toContainEqual(
    expect.objectContaining({ mountPath: '/etc/nginx/tracing.mjs', subPath: 'tracing.mjs' }),
  );
  const { data } = manifests.find(({ kind, data: files }) => kind === 'ConfigMap' && files?.['nginx.conf']) ?? {};
  expect(data?.['tracing.mjs']).toContain(`"url":"${collector}/v1/traces"`);
  expect(data?.['tracing.mjs']).toContain('"service":{"name":"edge","namespace":"shop"}');
  const conf = nginxConfOf(manifests);
  expect(conf).toContain('access_log "/run/spans/spans-0.log" spans if=$sampled_in_even_slot;');
  await testConfiguration(conf);
});

test('a proxy may be called otherwise, and a part of its traces be sampled', () => {
  const { edge } = shopWith({ tracing: { endpoint: collector, serviceName: 'front door', sampledPercent: 5 } });
  expect(edge.model).toMatchObject({
    traceContext: { sampledPercent: 5 },
    tracing: { service: { name: 'front door', namespace: 'shop' } },
  });
});

test('what waits is part of the memory of a proxy, which takes on as much less', () => {
  const [without, plain, secure] = [
    shopWith({}),
    shopWith({ tracing: { endpoint: collector } }),
    shopWith({ tracing: { endpoint: 'https://collector.example.com' } }),
  ].map(({ edge }) => edge.budget);
  const nginxItself = (budget = without): number =>
    budget?.memory.find(({ what }) => what === 'nginx itself')?.each ?? 0;
  expect(nginxItself(plain) - nginxItself()).toBe(16 * 2 ** 20 + 32 * 2 ** 10);
  // The CAs that the image trusts, in each process.
  expect(nginxItself(secure) - nginxItself(plain)).toBe(3 * 2 * 2 ** 20);
  expect(plain?.requests).toBeLessThan(without?.requests ?? 0);
  expect(plain?.memorySum).toBeLessThanOrEqual(0.8 * (plain?.memoryLimit ?? 0));
});

describe('the NetworkPolicy lets the proxies connect', () => {
  const ports = [{ port: 4318, protocol: 'TCP' }];
  const everywhere = [
    { ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } },
    { ipBlock: { cidr: '::/0', except: ['fe80::/10'] } },
  ];

  test.each<[what: string, endpoint: string, to: unknown]>([
    [
      'to the namespace of a Service',
      collector,
      [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'observability' } } }],
    ],
    [
      'to the namespace of a pod of a headless Service',
      'http://collector-0.collector.observability.svc.cluster.local:4318',
      [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'observability' } } }],
    ],
    ['to their own namespace', 'http://collector.shop.svc.cluster.local:4318', [{ podSelector: {} }]],
    ['to an address', 'http://192.0.2.7:4318', [{ ipBlock: { cidr: '192.0.2.7/32' } }]],
    ['to an IPv6 address', 'http://[2001:db8::7]:4318', [{ ipBlock: { cidr: '2001:db8::7/128' } }]],
    ['to wherever another name leads', 'http://collector.example.com:4318', everywhere],
    [
      'to wherever a name of another cluster leads',
      'http://collector.observability.svc.other.example:4318',
      everywhere,
    ],
  ])('%s', (_what, endpoint, to) => {
    expect(egressTo(endpoint)).toEqual([{ to, ports }]);
  });

  test('on the usual port of the scheme, and to a Service of whatever domain the cluster has', () => {
    expect(egressTo('https://collector.example.com')).toEqual([
      { to: everywhere, ports: [{ port: 443, protocol: 'TCP' }] },
    ]);
    const endpoint = 'http://collector.observability.svc.corp.example:4318';
    expect(egressTo(endpoint, { clusterDomain: 'corp.example' })).toEqual([
      { to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'observability' } } }], ports },
    ]);
  });
});

test.each([
  [true, 'true'],
  [false, 'false'],
  [{ sampledPercent: 10 }, '"(object)"'],
])('a trace context beside spans, which have it, is refused: %j', (traceContext, shown) => {
  expect(() => shopWith({ traceContext, tracing: { endpoint: collector } })).toThrow(
    new InvalidOption(
      'shop/edge traceContext',
      JSON.parse(shown),
      'is what tracing does already: take it out, and give sampledPercent to tracing if it has to be less than 100',
    ),
  );
});
