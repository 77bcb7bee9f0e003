import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'cdk8s';
import { NetworkPolicyIpBlock } from 'cdk8s-plus-27';
import type { KubernetesObject } from '../../cluster/kubectl';
import {
  Backend,
  Certificate,
  Exposure,
  LoadBalancedApi,
  LoadBalancing,
  Match,
  NginxProxy,
  RequestKey,
  RestrictedNamespace,
  TrafficSplit,
} from '../../index';
import { settled, workloads } from './support/pods';
import { scenario } from './support/scenario';
import { cluster, kubectl, suite } from './support/suite';
import { apply, synthesize } from './support/variant';

/** Deployments that have little in common, so that every kind of object is among them in more than one form. */
const variants: Readonly<Record<string, (app: App) => void>> = {
  smallest: (app) => {
    new LoadBalancedApi(app, 'dry-run', { image: 'ghcr.io/acme/orders:1.4.2' });
  },
  'fixed numbers, behind a cloud load balancer': (app) => {
    new LoadBalancedApi(app, 'dry-run', {
      image: 'ghcr.io/acme/orders@sha256:0000000000000000000000000000000000000000000000000000000000000000',
      port: 8000,
      command: ['node', 'server.js'],
      environment: { LOG_LEVEL: 'warn', QUOTED: '"$HOME" \\ # {}' },
      pods: { imagePullSecrets: ['registry'] },
      resources: { cpu: { request: '750m', limit: '1.5' }, memory: { request: '100M', limit: '0.5Gi' } },
      replicas: 5,
      loadBalancing: LoadBalancing.hash(RequestKey.clientAddress()),
      host: 'orders.example.com',
      exposure: Exposure.loadBalancer({
        annotations: { 'external-dns.alpha.kubernetes.io/hostname': 'orders.example.com' },
        sourceRanges: ['192.0.2.0/24', '198.51.100.0/24'],
        externalTrafficPolicy: 'Local',
      }),
      proxy: { additionalHosts: ['www.orders.example.com'], replicas: 3 },
      namespace: { labels: { team: 'orders' } },
    });
  },
  'inside the cluster only, with a Secret of its own': (app) => {
    const { backend } = new LoadBalancedApi(app, 'dry-run', {
      image: 'ghcr.io/acme/orders:1.4.2',
      replicas: { min: 3, max: 40 },
      loadBalancing: LoadBalancing.hash(RequestKey.header('X-Tenant')),
      exposure: Exposure.clusterIp(),
      certificate: Certificate.fromSecret('orders-tls'),
    });
    backend.allowTo(NetworkPolicyIpBlock.ipv4(backend, 'Database', '192.0.2.0/24'), 5432);
  },
  'two services by path, with a canary split by weight and header': (app) => {
    const shop = new RestrictedNamespace(app, 'dry-run');
    const orders = new Backend(shop, 'orders', { image: 'ghcr.io/acme/orders:1.4.2', replicas: { min: 3, max: 12 } });
    const canary = orders.addVersion('canary', { image: 'ghcr.io/acme/orders:1.5.0', replicas: { min: 2, max: 4 } });
    const catalog = new Backend(shop, 'catalog', { image: 'ghcr.io/acme/catalog:3.1.0', port: 8080, replicas: 2 });
    // Of one name with the others' proxy, as it is looked for below.
    const edge = new NginxProxy(shop, 'nginx', { host: 'shop.example.com' });
    edge.addRoute('/catalog', catalog);
    edge.addRoute('/orders', canary, { when: Match.header('X-Canary', 'always') });
    edge.addRoute(
      '/orders',
      TrafficSplit.weighted([
        { target: orders, weight: 95 },
        { target: canary, weight: 5 },
      ]),
    );
  },
};

beforeAll(async () => {
  await settled();
  // Over whatever another file tried.
  await apply(suite().manifests);
  await workloads().rolledOut('api');
  await workloads().rolledOut('proxy');
});

function dryRun(manifests: string): Promise<string> {
  return kubectl.run([
    'apply',
    `--filename=${manifests}`,
    '--dry-run=server',
    '--validate=strict',
    '--warnings-as-errors',
  ]);
}

scenario('the API server takes every manifest, with strict validation and without a warning', async () => {
  const answer = await dryRun(suite().manifests);
  for (const kind of ['namespace', 'deployment.apps', 'service', 'secret', 'configmap', 'horizontalpodautoscaler']) {
    expect(answer).toContain(kind);
  }
});

test.each(Object.entries(variants))(
  'the API server takes every manifest of another deployment: %s',
  async (_, make) => {
    const manifests = synthesize(make);
    const [namespaceManifest] = readdirSync(manifests).sort();
    if (namespaceManifest === undefined) throw new Error('manifests were written');
    // Nothing can be tried in a namespace that is not there.
    await kubectl.run(['apply', `--filename=${join(manifests, namespaceManifest)}`]);
    try {
      expect(await dryRun(manifests)).toContain('deployment.apps/nginx created (server dry run)');
    } finally {
      await kubectl.run(['delete', 'namespace', 'dry-run']);
    }
  },
);

scenario('every object in the cluster is what its manifest says', async () => {
  // Exit code 0 means no difference at all.
  await kubectl.run(['diff', `--filename=${suite().manifests}`]);
});

scenario('the namespace enforces the Pod Security Standard "restricted"', async () => {
  const { namespace } = suite();
  const [found] = await kubectl.list(['namespace', namespace]);
  expect(found?.metadata.labels).toMatchObject({
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/audit': 'restricted',
    'pod-security.kubernetes.io/warn': 'restricted',
  });
  const ordinary = join(cluster.directory, 'ordinary-pod.json');
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'ordinary', namespace },
    spec: { containers: [{ name: 'ordinary', image: 'nginx:1.30' }] },
  };
  writeFileSync(ordinary, JSON.stringify(pod));
  await expect(kubectl.run(['create', `--filename=${ordinary}`, '--dry-run=server'])).rejects.toThrow(
    'violates PodSecurity "restricted',
  );
  rmSync(ordinary);
});

scenario('no pod was refused', async () => {
  const events = await kubectl.list<KubernetesObject & { readonly reason?: string; readonly message?: string }>([
    'events',
    `--namespace=${suite().namespace}`,
    '--field-selector=type=Warning',
  ]);
  const refusals = events.filter(({ reason }) => ['FailedCreate', 'FailedScheduling'].includes(reason ?? ''));
  expect(refusals.map(({ reason, message }) => `${reason ?? ''}: ${message ?? ''}`)).toEqual([]);
});

for (const component of ['api', 'proxy'] as const) {
  scenario(`after a rolling update no node holds every pod of ${component}`, async () => {
    // Kubernetes sees to it when it places pods: those that stay when replicas are taken away may be on one node.
    await workloads().restart(component);
    await workloads().rolledOut(component);
    const all = await workloads().readyPods(component, 2);
    expect(new Set(all.map(({ spec }) => spec.nodeName)).size).toBe(2);
  });
}
