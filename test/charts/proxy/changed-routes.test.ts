import { App } from 'cdk8s';
import type { Backend } from '../../../charts/backend';
import { RestrictedNamespace } from '../../../charts/namespace';
import type { NginxProxy } from '../../../charts/proxy/nginx-proxy';
import { ExternalService } from '../../../charts/routes/external-service';
import type { IRouteTarget } from '../../../charts/routes/route';
import { FixedResponse } from '../../../charts/routes/route-targets';
import { allowed, egressOf, type Manifest, newBackend, newProxy, objectsAround } from '../manifests';

/** What a main.ts with these backends makes, whose proxy has the routes that are added. */
function written(
  backends: readonly string[],
  addRoutes: (edge: NginxProxy, backend: (id: string) => Backend) => void,
): Manifest[] {
  const shop = new RestrictedNamespace(new App(), 'shop');
  const made = new Map(backends.map((id) => [id, newBackend(shop, id)]));
  addRoutes(newProxy(shop), (id) => {
    const backend = made.get(id);
    if (backend === undefined) throw new Error(`there is no backend ${id}`);
    return backend;
  });
  return objectsAround(shop);
}

const onePath =
  (target: string | IRouteTarget) =>
  (edge: NginxProxy, backend: (id: string) => Backend): void => {
    edge.addRoute('/', typeof target === 'string' ? backend(target) : target);
  };

/** What is in the cluster when both were applied: `kubectl apply` changes what has a name again, and deletes nothing. */
function applied(before: readonly Manifest[], after: readonly Manifest[]): Manifest[] {
  const objects = new Map<string, Manifest>();
  for (const manifest of [...before, ...after]) objects.set(`${manifest.kind}/${manifest.metadata.name}`, manifest);
  return [...objects.values()];
}

const proxy = { matchLabels: { 'app.kubernetes.io/name': 'nginx', 'app.kubernetes.io/instance': 'edge' } };
const fromProxies = { from: [{ podSelector: proxy }], ports: [{ port: 3000, protocol: 'TCP' }] };

describe('A proxy that has the routes of before still reaches', () => {
  const before = written(['orders'], onePath('orders'));

  test.each([
    ['a backend whose path goes to another now', written(['orders', 'next'], onePath('next'))],
    ['a backend that has no route any more', written(['orders'], onePath(FixedResponse.of(204)))],
    ['a backend that is no longer made', written(['next'], onePath('next'))],
  ])('%s', (_, after) => {
    const cluster = applied(before, after);
    expect(allowed(cluster, 'ingress', 'orders')).toEqual([fromProxies]);
    expect(allowed(cluster, 'egress', 'edge')).toEqual(allowed(before, 'egress', 'edge'));
  });

  test.each([
    ['an external service', ExternalService.fromUrl('https://legacy.example.com:8443')],
    ['an external service at an address', ExternalService.fromUrl('http://[2001:db8::1]:8080')],
    ['a Service of the cluster', ExternalService.fromServiceName('legacy', { namespace: 'old' })],
  ])('%s whose path goes to a backend now', (_, service) => {
    const legacy = written([], onePath(service));
    expect(egressOf(legacy)).toHaveLength(1);
    expect(egressOf(applied(legacy, before))).toEqual(egressOf(legacy));
  });
});

test('a backend that never had a route takes no connection of a proxy', () => {
  const manifests = written(['orders', 'internal'], onePath('orders'));
  expect(allowed(manifests, 'ingress', 'internal')).toEqual([]);
  expect(allowed(manifests, 'ingress', 'orders')).toEqual([fromProxies]);
});

test('what lets a proxy in is deleted with its backend, by its label', () => {
  const policies = written(['orders'], onePath('orders')).filter(({ kind }) => kind === 'NetworkPolicy');
  const { labels } = policies.find(({ metadata }) => metadata.name === 'orders-from-edge')?.metadata ?? {};
  expect(labels).toMatchObject({ 'app.kubernetes.io/instance': 'orders', 'app.kubernetes.io/component': 'api' });
});

test('policies to external services are written in an order that does not follow from that of the routes', () => {
  const urls = ['https://b.example.com', 'https://c.example.com', 'https://a.example.com'];
  const names = (order: readonly string[]): string[] =>
    written([], (edge) => {
      for (const url of order) edge.addRoute(`/${url.slice(8, 9)}`, ExternalService.fromUrl(url));
    }).flatMap(({ kind, metadata }) => (kind === 'NetworkPolicy' ? metadata.name : []));
  expect(names(urls).slice(-3)).toEqual([
    'edge-to-a.example.com-443',
    'edge-to-b.example.com-443',
    'edge-to-c.example.com-443',
  ]);
  expect(names([...urls].reverse())).toEqual(names(urls));
});

test.each([
  ['https://legacy.example.com', 'edge-to-legacy.example.com-443'],
  ['http://192.0.2.1:8080', 'edge-to-192.0.2.1-8080'],
  ['http://[2001:db8::]', 'edge-to-2001-db8---80'],
  [
    `https://${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}`,
    /^edge-to-a{60}\.[abcd.]{131}-[0-9a-f]+$/,
  ],
])('what lets proxies out to %s has a name that Kubernetes takes', (url, expected) => {
  const { name } = written([], onePath(ExternalService.fromUrl(url))).at(-1)?.metadata ?? { name: '' };
  expect(name).toMatch(expected);
  expect(name.length).toBeLessThanOrEqual(253);
  expect(name).toMatch(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/);
});

test('one host is let out to once for each port', () => {
  const names = written([], (edge) => {
    for (const path of ['/a', '/b']) edge.addRoute(path, ExternalService.fromUrl('https://legacy.example.com'));
    edge.addRoute('/c', ExternalService.fromUrl('https://legacy.example.com:8443'));
  }).flatMap(({ kind, metadata }) => (kind === 'NetworkPolicy' ? metadata.name : []));
  expect(names.slice(-2)).toEqual(['edge-to-legacy.example.com-443', 'edge-to-legacy.example.com-8443']);
});

test('an object that the policy of a route would replace is refused', () => {
  const shop = new RestrictedNamespace(new App(), 'shop');
  const orders = newBackend(shop, 'orders');
  newBackend(shop, 'orders-from-edge');
  expect(() => newProxy(shop).addRoute('/', orders)).toThrow('"orders-from-edge" is the name of another');
});
