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

  test('a backend that listens on another port now', () => {
    const shop = new RestrictedNamespace(new App(), 'shop');
    newProxy(shop).addRoute('/', newBackend(shop, 'orders', { port: 8080 }));
    const rules = allowed(applied(before, objectsAround(shop)), 'ingress', 'orders');
    expect(rules.map(({ ports }) => ports)).toEqual([3000, 8080].map((port) => [{ port, protocol: 'TCP' }]));
  });

  test('an external service of which other networks are let out to now', () => {
    const given = (networks: readonly string[]): Manifest[] =>
      written([], onePath(ExternalService.fromUrl('https://legacy.example.com', { networks })));
    expect(egressOf(applied(given(['192.0.2.0/24']), given(['198.51.100.0/24'])))).toHaveLength(2);
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

test('what lets proxies in is deleted with its backend, by its label', () => {
  const policies = written(['orders'], onePath('orders')).filter(({ kind }) => kind === 'NetworkPolicy');
  const [own] = policies.filter(({ metadata }) => metadata.name.startsWith('orders-from-'));
  expect(own?.metadata.labels).toMatchObject({
    'app.kubernetes.io/instance': 'orders',
    'app.kubernetes.io/component': 'api',
  });
});

test('what a route opens does not follow from the order of the routes', () => {
  const services = [
    'https://b.example.com',
    'https://c.example.com:8443',
    'https://a.example.com',
    'http://[2001:DB8::]',
  ];
  const policies = (order: readonly string[]): Manifest[] =>
    written([], (edge) => {
      for (const url of order) {
        edge.addRoute(`/${String(services.indexOf(url))}`, ExternalService.fromUrl(url));
        edge.addRoute(`/${String(services.indexOf(url))}/again`, ExternalService.fromUrl(url));
      }
    }).filter(({ kind }) => kind === 'NetworkPolicy');
  expect(egressOf(policies(services))).toHaveLength(3);
  expect(policies([...services].reverse())).toEqual(policies(services));
});

test('two proxies are let in whichever has its route first', () => {
  const policy = (...proxies: readonly string[]): Manifest | undefined => {
    const shop = new RestrictedNamespace(new App(), 'shop');
    const orders = newBackend(shop, 'orders');
    const made = proxies.map((id) => newProxy(shop, id, { host: `${id}.example.com` }));
    for (const each of made) each.addRoute('/', orders);
    return objectsAround(shop).find(({ metadata }) => metadata.name.startsWith('orders-from-'));
  };
  expect(policy('edge', 'internal')?.spec?.ingress).toHaveLength(2);
  expect(policy('internal', 'edge')).toEqual(policy('edge', 'internal'));
});
