import { App, JsonPatch } from 'cdk8s';
import { ConfigMap } from 'cdk8s-plus-27';
import type { Backend } from '../../../charts/backend';
import { RestrictedNamespace } from '../../../charts/namespace';
import { podsOf } from '../../../charts/pods/pod-network-policy';
import { NginxProxy } from '../../../charts/proxy/nginx-proxy';
import { FixedResponse, Redirect, TrafficSplit } from '../../../charts/routes/route-targets';
import { Match, Path } from '../../../model/routes/matching';
import { Snippet } from '../../../model/snippet';
import { testConfiguration } from '../../nginx/support/real-nginx';
import {
  allowed,
  egressOf,
  find,
  type Manifest,
  manifestsOf,
  namesOf,
  newBackend,
  newProxy,
  newShop,
  nginxConfOf,
  objectsAround,
  podSpecOf,
} from '../manifests';

function pods(name: string, instance = name): object {
  return { podSelector: { matchLabels: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/instance': instance } } };
}

function tcp(port: number): object {
  return { port, protocol: 'TCP' };
}

/** Who may connect to a backend. */
function ingressOf(manifests: readonly Manifest[], backend: string): readonly unknown[] {
  return allowed(manifests, 'ingress', backend);
}

describe('A proxy', () => {
  test('has objects with the name of its construct', () => {
    const shop = newShop();
    newProxy(shop, 'edge').addRoute('/', FixedResponse.of(204));
    expect(namesOf(objectsAround(shop)).slice(2)).toEqual([
      'NetworkPolicy/edge',
      'ConfigMap/edge-HASH',
      'Service/edge',
      'Deployment/edge',
      'HorizontalPodAutoscaler/edge',
      'PodDisruptionBudget/edge',
    ]);
  });

  test('has every option by default, and a certificate of its own making', () => {
    const edge = new NginxProxy(newShop(), 'edge');
    expect(edge.host).toBe('localhost');
    expect(edge.tlsSecret?.name).toBe('edge-tls');
    expect(edge.settings).toMatchObject({ image: 'nginx:1.30', workers: 2, gzip: true, additionalHosts: [] });
    expect(edge.routeDefaults).toEqual({});
    expect(edge.proxy).toBe(edge);
  });

  test('has each snippet in the block that it is for, once', () => {
    const edge = newProxy(newShop());
    edge.addRoute('/', FixedResponse.of(204));
    edge.addSnippet(Snippet.http('gzip_comp_level 4;'));
    edge.addSnippet(Snippet.server('underscores_in_headers on;'));
    expect(edge.model.snippets).toEqual(['gzip_comp_level 4;']);
    expect(edge.model.hosts.map(({ snippets }) => snippets)).toEqual([['underscores_in_headers on;']]);
  });

  test('answers by itself, with nothing behind it', async () => {
    const shop = newShop();
    newProxy(shop).addRoute('/', FixedResponse.of(200, '{"up":true}', { contentType: 'application/json' }));
    const manifests = objectsAround(shop);
    expect(egressOf(manifests)).toEqual([]);
    await testConfiguration(nginxConfOf(manifests));
  });

  test.each(['Edge', 'edge.1', ''])('refuses the id %j', (id) => {
    expect(() => newProxy(newShop(), id)).toThrow(`id: ${JSON.stringify(id)} is not a DNS label`);
  });

  test('names the option that it refuses, and every one of them', () => {
    expect(() => newProxy(newShop(), 'edge', { replicas: 1, gzip: 1, host: 'A' } as never)).toThrow(
      new Error(
        [
          'shop/edge host: "A" is not a DNS name: give letters, digits and hyphens in lower case, separated by dots, such as "api.example.com"',
          'shop/edge gzip: 1 is neither true nor false: give one of them',
          'shop/edge replicas: 1 is out of range: give a whole number from 2 to 1000',
        ].join('\n'),
      ),
    );
  });
});

test('A proxy waits for the requests of backends, and not for what it answers itself', () => {
  const shop = newShop();
  const edge = newProxy(shop);
  edge.addRoute('/old', Redirect.to('/'));
  expect(edge.timeline.requestTimeout).toBe(60);
  edge.addRoute('/', newBackend(shop, 'quick', { requestTimeout: '5s' }));
  expect(edge.timeline).toMatchObject({ requestTimeout: 5, workerShutdownTimeout: 24 });
});

describe('Two backends behind one proxy', () => {
  test('let it connect, and it alone, each on its port', async () => {
    const shop = newShop();
    const edge = newProxy(shop);
    const [orders, catalog] = [newBackend(shop, 'orders'), newBackend(shop, 'catalog', { port: 8080 })];
    newBackend(shop, 'reports');
    edge.addRoute('/orders', orders);
    edge.addRoute('/catalog', catalog);
    const manifests = objectsAround(shop);
    expect(ingressOf(manifests, 'orders')).toEqual([{ from: [pods('nginx', 'edge')], ports: [tcp(3000)] }]);
    expect(ingressOf(manifests, 'catalog')).toEqual([{ from: [pods('nginx', 'edge')], ports: [tcp(8080)] }]);
    expect(ingressOf(manifests, 'reports')).toEqual([]);
    expect(allowed(manifests, 'egress', 'edge')[1]).toEqual({ to: [podsOf('api')] });
    expect(egressOf(manifests)).toEqual([]);
    const conf = nginxConfOf(manifests);
    expect(conf).toContain('server orders.shop.svc.cluster.local:3000 resolve');
    expect(conf).toContain('server catalog.shop.svc.cluster.local:8080 resolve');
    expect(conf).not.toContain('reports');
    await testConfiguration(conf);
  });

  test('are opened once, however many routes lead to them', () => {
    const shop = newShop();
    const edge = newProxy(shop);
    const orders = newBackend(shop, 'orders');
    for (const path of ['/a', '/b', '/c']) edge.addRoute(path, orders);
    edge.addHost('www.example.com').addRoute('/', orders);
    const manifests = objectsAround(shop);
    expect(ingressOf(manifests, 'orders')).toHaveLength(1);
  });

  test('that are versions of one are told apart', () => {
    const shop = newShop();
    const edge = newProxy(shop);
    const orders = newBackend(shop, 'orders');
    const canary = orders.addVersion('canary', { port: 4000 });
    edge.addRoute('/', TrafficSplit.weighted([share(orders, 90), share(canary, 10)]));
    const manifests = objectsAround(shop);
    expect(ingressOf(manifests, 'orders-canary')).toEqual([{ from: [pods('nginx', 'edge')], ports: [tcp(4000)] }]);
  });
});

describe('Two proxies in one namespace', () => {
  test('have objects and backends of their own, and may share some', () => {
    const shop = newShop();
    const [edge, internal] = [newProxy(shop, 'edge'), newProxy(shop, 'internal', { host: 'internal.example.com' })];
    const [orders, reports] = [newBackend(shop, 'orders'), newBackend(shop, 'reports')];
    edge.addRoute('/', orders);
    internal.addRoute('/', orders);
    internal.addRoute('/reports', reports);
    const manifests = objectsAround(shop);
    expect(ingressOf(manifests, 'orders')).toEqual([
      { from: [pods('nginx', 'edge')], ports: [tcp(3000)] },
      { from: [pods('nginx', 'internal')], ports: [tcp(3000)] },
    ]);
    expect(ingressOf(manifests, 'reports')).toEqual([{ from: [pods('nginx', 'internal')], ports: [tcp(3000)] }]);
    for (const name of ['edge', 'internal']) {
      expect(find(manifests, 'Service', name).spec?.selector).toEqual({
        'app.kubernetes.io/name': 'nginx',
        'app.kubernetes.io/instance': name,
      });
      expect(podSpecOf(manifests, name).volumes).toContainEqual({
        name: 'config',
        configMap: { name: expect.stringMatching(new RegExp(`^${name}-[0-9a-f]{10}$`)) as string },
      });
    }
    expect(manifests.filter(({ kind }) => kind === 'ConfigMap')).toHaveLength(2);
  });
});

describe('A backend of another namespace', () => {
  test('is refused, since its policy is closed to others', () => {
    const app = new App();
    const [shop, other] = [new RestrictedNamespace(app, 'shop'), new RestrictedNamespace(app, 'other')];
    const [edge, orders] = [newProxy(shop), newBackend(other, 'orders')];
    const message =
      'shop/edge, route / target: "other/orders" is in the namespace other, and the proxy in shop: make both in one';
    expect(() => edge.addRoute('/', orders)).toThrow(new Error(message));
    const local = newBackend(shop, 'local');
    expect(() =>
      newProxy(shop, 'second').addRoute('/', TrafficSplit.weighted([share(local, 50), share(orders, 50)])),
    ).toThrow('"other/orders" is in the namespace other');
  });
});

describe('A host that is added', () => {
  test('has routes of its own', async () => {
    const shop = newShop();
    const edge = newProxy(shop, 'edge', { host: 'shop.example.com', additionalHosts: ['www.example.com'] });
    const orders = newBackend(shop, 'orders');
    const api = edge.addHost('api.example.com');
    edge.addRoute('/', FixedResponse.of(204));
    const route = api.addRoute('/orders', orders);
    expect(api.proxy).toBe(edge);
    expect(api.host).toBe('api.example.com');
    expect(route.node.path).toBe('shop/edge/api.example.com/route api_example_com__orders');
    expect(edge.routes.map(({ model }) => model.name)).toEqual(['api_example_com__orders', 'root']);
    const conf = nginxConfOf(objectsAround(shop));
    expect(conf).toContain('server_name shop.example.com www.example.com');
    expect(conf).toContain('server_name api.example.com');
    await testConfiguration(conf);
  });

  test.each(['shop.example.com', 'www.example.com', 'api.example.com'])('is refused a second time: %s', (host) => {
    const edge = newProxy(newShop(), 'edge', { host: 'shop.example.com', additionalHosts: ['www.example.com'] });
    edge.addHost('api.example.com');
    expect(() => edge.addHost(host)).toThrow(
      new Error(`shop/edge host: "${host}" is a host of this proxy already: give each once`),
    );
  });

  test.each<[unknown, unknown, string]>([
    ['API', {}, 'shop/edge host: "API" is not a DNS name'],
    ['10.0.0.1', {}, 'shop/edge host: "10.0.0.1" is not a DNS name'],
    [undefined, {}, 'shop/edge host: undefined is not a DNS name'],
    ['a.example.com', 5, 'shop/edge options: 5 is not an object with names and values'],
    ['a.example.com', { routes: 'x' }, 'shop/edge routes: "x" is an option that does not exist: '],
    [
      'a.example.com',
      { certificate: 'x' },
      'shop/edge certificate: "x" is not what stands here: give it as Certificate.fromSecret("admin-tls") does',
    ],
    [
      'a.example.com',
      { routeDefaults: { maxBodySize: 5 } },
      'shop/edge routeDefaults.maxBodySize: 5 is not a size: give a whole number with a unit, such as "16k" or "1m"',
    ],
    [
      'a.example.com',
      { routeDefaults: 5 },
      'shop/edge routeDefaults: 5 is not an object with names and values: give one, such as { maxBodySize: "8m" }',
    ],
  ])('is refused if it is %j with %j', (host, options, message) => {
    const edge = newProxy(newShop());
    expect(() => edge.addHost(host as string, options as never)).toThrow(message);
    expect(edge.node.tryFindChild('a.example.com')).toBeUndefined();
  });

  test.each([
    ['a-b.example.com', 'a.b-example.com', '/'],
    ['a.b.example.com', 'a.b-example.com', '/'],
  ])('shares no name of a route with another: %s and %s', async (one, other, path) => {
    const shop = newShop();
    const edge = newProxy(shop);
    for (const host of [one, other]) edge.addHost(host).addRoute(path, FixedResponse.of(204));
    edge.addRoute('/', FixedResponse.of(204));
    expect(new Set(edge.routes.map(({ model }) => model.name)).size).toBe(3);
    await testConfiguration(nginxConfOf(objectsAround(shop)));
  });

  test('may have a longer name than nginx takes for a route', async () => {
    const shop = newShop();
    const edge = newProxy(shop);
    const label = 'a'.repeat(60);
    for (const end of ['x', 'y']) {
      edge.addHost(`${label}.${label}.${end}.com`).addRoute('/', FixedResponse.of(204));
    }
    expect(edge.routes.map(({ model }) => model.name)).toEqual([
      expect.stringMatching(/^a{50}_[0-9a-f]{8}$/) as string,
      expect.stringMatching(/^a{50}_[0-9a-f]{8}$/) as string,
    ]);
    await testConfiguration(nginxConfOf(objectsAround(shop)));
  });
});

describe('What is wrong with all routes together', () => {
  const validate = (edge: NginxProxy): readonly string[] => edge.node.validate();

  test('is nothing, when all is well', () => {
    const edge = newProxy(newShop());
    edge.addRoute('/', FixedResponse.of(204));
    expect(validate(edge)).toEqual([]);
  });

  test('is found in the tree of constructs: a proxy without routes', () => {
    const shop = newShop();
    const edge = newProxy(shop);
    const message = 'shop/edge routes: [] is empty: give a route, such as addRoute("/", orders)';
    expect(validate(edge)).toEqual([message]);
    expect(() => objectsAround(shop)).toThrow(
      new Error(`Validation failed with the following errors:\n  [shop/edge] ${message}`),
    );
    expect(() => edge.budget).toThrow(message);
    expect(() => edge.timeline).toThrow(message);
  });

  test('is said of each proxy', () => {
    const shop = newShop();
    newProxy(shop, 'edge');
    newProxy(shop, 'internal');
    expect(() => objectsAround(shop)).toThrow(
      /^Validation failed with the following errors:\n {2}\[shop\/edge\] shop\/edge routes: .*\n {2}\[shop\/internal\] shop\/internal routes: .*$/,
    );
  });

  test('is more than the memory carries', () => {
    const edge = newProxy(newShop(), 'edge', { clients: { maxRequests: 5000 } });
    edge.addRoute('/', FixedResponse.of(204));
    expect(validate(edge)).toEqual([
      expect.stringMatching(/^shop\/edge clients\.maxRequests: 5000 does not fit: /) as string,
    ]);
  });

  test('is a limit of streams where no route is one', () => {
    const edge = newProxy(newShop(), 'edge', { clients: { maxStreams: 50 } });
    edge.addRoute('/', FixedResponse.of(204));
    expect(validate(edge)).toEqual([
      'shop/edge clients.maxStreams: 50 does nothing without a route for streams: take it out, or give a route `streaming`',
    ]);
    edge.addRoute('/events', newBackend(edge.namespace, 'events'), { streaming: '1h' });
    expect(validate(edge)).toEqual([]);
  });

  test('is bodies that the disk has no room for, of whichever route', () => {
    const shop = newShop();
    const edge = newProxy(shop, 'edge', { resources: { temporaryStorage: '1Gi' } });
    const orders = newBackend(shop, 'orders');
    edge.addRoute('/', orders);
    expect(validate(edge)).toEqual([]);
    edge.addRoute('/upload', orders, { maxBodySize: '100m' });
    expect(validate(edge)).toEqual([
      expect.stringMatching(
        /^shop\/edge resources\.temporaryStorage: "1024Mi" does not fit: \d+ requests at once with bodies of 100m of the route \/upload are /,
      ) as string,
    ]);
  });

  test('is Strict-Transport-Security of subdomains that a host has not', () => {
    const shop = newShop();
    const edge = newProxy(shop, 'edge', {
      host: 'shop.example.com',
      strictTransportSecurity: { includeSubDomains: true },
    });
    edge.addRoute('/', FixedResponse.of(204));
    edge.addHost('localhost').addRoute('/', FixedResponse.of(204));
    expect(validate(edge)).toEqual([
      'shop/edge strictTransportSecurity.includeSubDomains: true does nothing while maxAge is 0s, as it is for localhost: take it out, or give maxAge',
    ]);
    expect(() => newProxy(shop, 'second', { strictTransportSecurity: { includeSubDomains: true } })).toThrow(
      'shop/second strictTransportSecurity.includeSubDomains: true does nothing while maxAge is 0s',
    );
  });

  test('is what nginx/ says of a mistake of ours, which is thrown as it is', () => {
    const edge = newProxy(newShop());
    edge.addRoute('/', FixedResponse.of(204));
    Object.defineProperty(edge, 'targets', {
      get: () => {
        throw new TypeError('a mistake');
      },
    });
    expect(() => validate(edge)).toThrow(new TypeError('a mistake'));
  });
});

describe('What is written', () => {
  interface Parts {
    readonly shop: RestrictedNamespace;
    readonly edge: NginxProxy;
    readonly backends: Readonly<Record<'orders' | 'catalog' | 'canary', Backend>>;
  }

  const adds: ((parts: Parts) => unknown)[] = [
    ({ edge, backends }) => edge.addRoute('/orders', backends.orders),
    ({ edge, backends }) => edge.addRoute('/catalog', backends.catalog, { maxBodySize: '8m' }),
    ({ edge, backends }) => edge.addRoute(Path.exact('/orders'), backends.orders, { requestTimeout: '5s' }),
    ({ edge, backends }) => edge.addRoute('/orders', backends.canary, { when: Match.header('X-Canary', 'always') }),
    ({ edge, backends }) =>
      edge.addRoute('/', TrafficSplit.weighted([share(backends.orders, 95), share(backends.canary, 5)])),
    ({ edge }) => edge.addRoute('/old', Redirect.to('/orders', { permanent: true })),
    ({ edge }) => edge.addRoute('/robots.txt', FixedResponse.of(404)),
  ];

  function written(routes: readonly number[], backends: readonly ('orders' | 'catalog' | 'canary')[]): Manifest[] {
    const shop = newShop();
    const edge = newProxy(shop);
    const made = Object.fromEntries(backends.map((id) => [id, newBackend(shop, id)])) as Record<
      'orders' | 'catalog' | 'canary',
      Backend
    >;
    for (const index of routes) adds[index]?.({ shop, edge, backends: made });
    return objectsAround(shop);
  }

  const inOrder = written([0, 1, 2, 3, 4, 5, 6], ['orders', 'catalog', 'canary']);

  test.each([[[6, 5, 4, 3, 2, 1, 0]], [[3, 0, 4, 2, 6, 1, 5]], [[1, 4, 0, 5, 3, 6, 2]]])(
    'is the same, byte for byte, for routes in the order %j',
    (order) => {
      expect(JSON.stringify(written(order, ['orders', 'catalog', 'canary']))).toBe(JSON.stringify(inOrder));
    },
  );

  test('has the same objects for backends in another order', () => {
    const objects = (manifests: readonly Manifest[]): string[] => manifests.map((each) => JSON.stringify(each)).sort();
    expect(objects(written([0, 1, 2, 3, 4, 5, 6], ['canary', 'catalog', 'orders']))).toEqual(objects(inOrder));
  });

  test('has one order where it matters: conditions are asked as they were added', () => {
    const conf = (values: readonly string[]): string => {
      const shop = newShop();
      const edge = newProxy(shop);
      edge.addRoute('/', FixedResponse.of(204));
      for (const value of values) {
        edge.addRoute('/', FixedResponse.of(200, value), { when: Match.header(`X-${value}`, 'yes') });
      }
      return nginxConfOf(objectsAround(shop));
    };
    expect(conf(['a', 'b'])).not.toBe(conf(['b', 'a']));
  });

  test('is taken by nginx', async () => {
    await testConfiguration(nginxConfOf(inOrder));
  });
});

describe('A JSON patch on a proxy', () => {
  test('is applied to what follows from its routes too', () => {
    const shop = newShop();
    const edge = newProxy(shop);
    edge.addRoute('/', FixedResponse.of(204));
    const [deployment, configMap] = [edge.deployment, edge.configMap].map((each) => each.node.defaultChild);
    (deployment as unknown as { addJsonPatch: (patch: JsonPatch) => void }).addJsonPatch(
      JsonPatch.replace('/spec/template/spec/terminationGracePeriodSeconds', 7),
    );
    (configMap as unknown as { addJsonPatch: (patch: JsonPatch) => void }).addJsonPatch(
      JsonPatch.add('/data/more', 'text'),
    );
    const manifests = objectsAround(shop);
    expect(podSpecOf(manifests, 'edge').terminationGracePeriodSeconds).toBe(7);
    expect(manifests.find(({ kind }) => kind === 'ConfigMap')?.data).toMatchObject({ more: 'text' });
  });
});

test('Objects of the user may be beside those of a proxy', () => {
  const app = new App();
  const shop = new RestrictedNamespace(app, 'shop');
  newProxy(shop).addRoute('/', FixedResponse.of(204));
  new ConfigMap(shop, 'Own', { metadata: { name: 'own' }, data: { a: 'b' } });
  expect(find(manifestsOf(app), 'ConfigMap', 'own').metadata.namespace).toBe('shop');
});

function share(target: Backend, weight: number): { readonly target: Backend; readonly weight: number } {
  return { target, weight };
}
