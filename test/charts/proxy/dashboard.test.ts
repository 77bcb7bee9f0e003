import type { DashboardOptions } from '../../../charts/proxy/dashboard';
import type { NamespaceOptions } from '../../../charts/namespace';
import {
  containerOf,
  find,
  type Manifest,
  newBackend,
  newProxy,
  newShop,
  objectsAround,
  podSpecOf,
} from '../manifests';

interface WrittenConfiguration {
  readonly [field: string]: unknown;
  readonly proxies: unknown;
}

function withDashboard(dashboard: true | DashboardOptions = true, namespace: NamespaceOptions = {}): Manifest[] {
  const shop = newShop(namespace);
  const edge = newProxy(shop);
  edge.addMonitoring({ dashboard });
  // Routes that come later are shown too.
  edge.addRoute('/', newBackend(shop, 'orders', { port: 8000 }));
  return objectsAround(shop);
}

function programOf(manifests: readonly Manifest[]): Manifest {
  const [name = ''] = manifests.flatMap(({ kind, metadata }) =>
    kind === 'ConfigMap' && metadata.name.startsWith('edge-dashboard-') ? [metadata.name] : [],
  );
  return find(manifests, 'ConfigMap', name);
}

function configurationOf(manifests: readonly Manifest[]): WrittenConfiguration {
  return JSON.parse(programOf(manifests).data?.['system.json'] ?? '') as WrittenConfiguration;
}

test('is one restricted pod with a program from a ConfigMap, and without a port', () => {
  const manifests = withDashboard();
  expect(find(manifests, 'Deployment', 'edge-dashboard').spec).toMatchObject({ replicas: 1 });
  expect(podSpecOf(manifests, 'edge-dashboard')).toMatchObject({
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    volumes: [{ name: 'program', configMap: { name: programOf(manifests).metadata.name } }],
  });
  const container = containerOf(manifests, 'edge-dashboard');
  expect(container).toMatchObject({
    image: 'node:26-slim',
    command: ['node', '/dashboard/dashboard/cluster/main.js', '/dashboard/system.json'],
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsUser: 1000,
    },
  });
  expect(container).not.toHaveProperty('ports');
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) expect(container).not.toHaveProperty(probe);
});

test('connects to DNS and to the metrics of its proxies, which let it, and nobody connects to it', () => {
  const manifests = withDashboard();
  const { spec } = find(manifests, 'NetworkPolicy', 'edge-dashboard');
  const own = { 'app.kubernetes.io/name': 'dashboard', 'app.kubernetes.io/instance': 'edge' };
  const proxies = { 'app.kubernetes.io/name': 'nginx', 'app.kubernetes.io/instance': 'edge' };
  expect(spec).toEqual({
    podSelector: { matchLabels: own },
    policyTypes: ['Ingress', 'Egress'],
    egress: [
      {
        ports: [
          { port: 53, protocol: 'UDP' },
          { port: 53, protocol: 'TCP' },
        ],
      },
      { to: [{ podSelector: { matchLabels: proxies } }], ports: [{ port: 9113, protocol: 'TCP' }] },
    ],
  });
  const { ingress } = find(manifests, 'NetworkPolicy', 'edge').spec as { readonly ingress: readonly unknown[] };
  expect(ingress).toContainEqual({
    from: [{ podSelector: { matchLabels: own } }],
    ports: [{ port: 9113, protocol: 'TCP' }],
  });
});

test('finds proxies by a headless Service that names those too that are not ready', () => {
  const { spec } = find(withDashboard(), 'Service', 'edge-metrics');
  expect(spec).toEqual({
    clusterIP: 'None',
    publishNotReadyAddresses: true,
    selector: { 'app.kubernetes.io/name': 'nginx', 'app.kubernetes.io/instance': 'edge' },
    ports: [{ name: 'metrics', port: 9113, targetPort: 9113, protocol: 'TCP' }],
  });
});

test('is told of every backend and route, and where they are', () => {
  expect(configurationOf(withDashboard())).toEqual({
    nginx: 'nginx:1.30',
    url: 'https://localhost',
    namespace: 'shop',
    port: 9114,
    proxies: { host: 'edge-metrics.shop.svc.cluster.local', port: 9113 },
    backends: [
      {
        name: 'orders',
        backend: 'orders',
        version: '',
        program: 'ghcr.io/acme/orders:1',
        host: 'orders.shop.svc.cluster.local',
        port: 8000,
      },
    ],
    routes: [{ host: 'localhost', route: 'root', path: '/', target: 'orders', shared: [] }],
    families: [4],
  });
  const dual = { clusterDomain: 'example.internal', ipFamilies: ['IPv6', 'IPv4'] } as const;
  expect(configurationOf(withDashboard(true, dual))).toMatchObject({
    proxies: { host: 'edge-metrics.shop.svc.example.internal' },
    families: [6, 4],
  });
});

test('has another ConfigMap, and so another pod, when a route is another', () => {
  const shop = newShop();
  const edge = newProxy(shop);
  const orders = newBackend(shop, 'orders');
  edge.addMonitoring({ dashboard: true });
  edge.addRoute('/', orders);
  const before = programOf(objectsAround(shop)).metadata.name;
  expect(programOf(objectsAround(shop)).metadata.name).toBe(before);
  edge.addRoute('/orders', orders);
  expect(programOf(objectsAround(shop)).metadata.name).not.toBe(before);
});

test('has a program that kubectl apply can note: an annotation has the whole ConfigMap once more', () => {
  // All annotations of an object have 256 KiB together.
  expect(Buffer.byteLength(JSON.stringify(programOf(withDashboard())))).toBeLessThan(2 ** 18);
});

test('runs by the image that is given, on the port that is given', () => {
  const manifests = withDashboard({ image: 'registry.example.com/node:24', port: 8000 });
  expect(containerOf(manifests, 'edge-dashboard').image).toBe('registry.example.com/node:24');
  expect(configurationOf(manifests).port).toBe(8000);
});

test('is refused where its names are taken, or too long, and nothing is made then', () => {
  const shop = newShop();
  newBackend(shop, 'edge-dashboard');
  const edge = newProxy(shop);
  expect(() => {
    edge.addMonitoring({ dashboard: true });
  }).toThrow('is the name of another construct');
  expect(edge.monitoring).toBeUndefined();
  const long = newProxy(shop, 'e'.repeat(54));
  expect(() => {
    long.addMonitoring({ dashboard: true });
  }).toThrow('is too long for a name: give the proxy one of at most 53 letters');
});
