import { App, Chart } from 'cdk8s';
import { ConfigMap, Deployment, Job } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { Backend } from '../../charts/backend';
import { RestrictedNamespace } from '../../charts/namespace';
import { NginxProxy } from '../../charts/proxy/nginx-proxy';
import { find, image, namesOf, newBackend, newProxy, newShop, objectsAround } from './manifests';

describe('A namespace', () => {
  test('is closed, restricted and labelled when nothing else is made in it', () => {
    const shop = newShop({ labels: { team: 'shop' } });
    const labels = {
      'app.kubernetes.io/name': 'namespace',
      'app.kubernetes.io/instance': 'shop',
      'app.kubernetes.io/component': 'namespace',
      'app.kubernetes.io/part-of': 'shop',
      'app.kubernetes.io/managed-by': 'fairlead',
      team: 'shop',
    };
    expect(objectsAround(shop)).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: {
          name: 'shop',
          labels: {
            ...labels,
            'pod-security.kubernetes.io/enforce': 'restricted',
            'pod-security.kubernetes.io/audit': 'restricted',
            'pod-security.kubernetes.io/warn': 'restricted',
          },
        },
        spec: {},
      },
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'deny-ingress', namespace: 'shop', labels },
        spec: { podSelector: {}, policyTypes: ['Ingress'] },
      },
    ]);
    expect(shop.object.name).toBe('shop');
    expect(shop.denyIngress.name).toBe('deny-ingress');
  });

  test("has objects of the user's own, wherever they stand in it", () => {
    const shop = newShop({ labels: { team: 'shop' } });
    new ConfigMap(shop, 'Settings', { metadata: { name: 'settings' } });
    const group = new Construct(shop, 'group');
    new Job(group, 'Job', { metadata: { name: 'migration' }, containers: [{ image }] });
    for (const [kind, name] of [
      ['ConfigMap', 'settings'],
      ['Job', 'migration'],
    ] as const) {
      expect(find(objectsAround(shop), kind, name).metadata).toMatchObject({
        namespace: 'shop',
        labels: { team: 'shop' },
      });
    }
  });

  test('has a name of its own, or that of its construct', () => {
    const app = new App();
    const [shop, other] = [
      new RestrictedNamespace(app, 'shop'),
      new RestrictedNamespace(app, 'Other Shop', { name: 'other' }),
    ];
    expect([shop.name, other.name]).toEqual(['shop', 'other']);
    const backend = newBackend(other, 'orders');
    expect(backend.model.instances).toEqual({ host: 'orders.other.svc.cluster.local', port: 3000 });
  });

  test.each([
    ['Shop', 'is not a DNS label: give at most 63 letters, digits and hyphens in lower case, such as "orders"'],
    ['default', "is the cluster's own, and would be closed to all that is not restricted: give one of its own"],
    ['kube-public', "is the cluster's own, and would be closed to all that is not restricted: give one of its own"],
  ])('refuses the name %s', (name, remedy) => {
    expect(() => new RestrictedNamespace(new App(), name)).toThrow(new Error(`${name} id: "${name}" ${remedy}`));
    expect(() => new RestrictedNamespace(new App(), 'shop', { name })).toThrow(
      new Error(`shop name: "${name}" ${remedy}`),
    );
  });

  test('is found by its mark, and is no other chart', () => {
    expect(newShop()).toBeInstanceOf(RestrictedNamespace);
    for (const other of [new Chart(new App(), 'shop'), {}, null, 'shop', undefined]) {
      expect(other instanceof RestrictedNamespace).toBe(false);
    }
  });

  test('refuses options that are none', () => {
    expect(() => new RestrictedNamespace(new App(), 'shop', 5 as never)).toThrow(
      new Error('shop options: 5 is not an object with names and values: give one, such as { dnsCacheTtl: "0s" }'),
    );
  });

  test.each([
    ['orders', 253 - (63 + '.orders.svc.'.length)],
    ['a'.repeat(63), 253 - (63 + `.${'a'.repeat(63)}.svc.`.length)],
    // A Service of ours is what is longest.
    ['a', 253 - (63 + '.a.svc.'.length)],
  ])('of %s leaves room for the longest name in a domain', (name, room) => {
    const domain = (letters: number): string => `${'abcdefghi.'.repeat(30).slice(0, letters - 1)}z`;
    const made = (letters: number) => () => newShop({ name, clusterDomain: domain(letters) });
    expect(made(room)).not.toThrow();
    expect(made(room + 1)).toThrow(`leaves no room for the names in it: give at most ${room} letters`);
  });
});

describe('A name in a namespace', () => {
  test.each([
    ['backend', 'backend', 'orders', 'orders'],
    ['backend', 'proxy', 'orders', 'orders'],
    ['proxy', 'backend', 'orders', 'orders'],
    ['proxy', 'proxy', 'edge', 'edge'],
    ['backend', 'backend', 'orders', 'orders-cluster-ip'],
    ['backend', 'proxy', 'orders', 'orders-cluster-ip'],
  ])('of a %s is refused to a %s: %s and %s', (first, second, name, taken) => {
    const shop = newShop();
    const make = (kind: string, scope: Construct, id: string): unknown =>
      kind === 'backend' ? new Backend(scope, id, { image }) : new NginxProxy(scope, id);
    make(first, new Construct(shop, 'a'), name);
    expect(() => make(second, new Construct(shop, 'b'), taken)).toThrow(
      new Error(`shop/b/${taken} id: "${taken}" is the name of another construct's objects in shop: give another`),
    );
  });

  test('of a fallback is refused to a backend that would have it', () => {
    const shop = newShop();
    newProxy(shop, 'orders-cluster-ip');
    expect(() => newBackend(shop, 'orders')).toThrow(
      new Error(
        'shop/orders id: "orders-cluster-ip" is the name of another construct\'s objects in shop: give another',
      ),
    );
  });

  test('of the policy that closes it is refused', () => {
    expect(() => newBackend(newShop(), 'deny-ingress')).toThrow(
      new Error(
        'shop/deny-ingress id: "deny-ingress" is the name of another construct\'s objects in shop: give another',
      ),
    );
  });

  test('may be that of another in another namespace', () => {
    const app = new App();
    for (const id of ['shop', 'other']) {
      const shop = new RestrictedNamespace(app, id);
      newProxy(shop).addRoute('/', newBackend(shop, 'orders'));
    }
    expect(app.charts).toHaveLength(4);
  });

  test.each(['Orders', 'orders.v2', '-orders', ''])('cannot be %j', (id) => {
    const shop = newShop();
    for (const make of [() => newBackend(shop, id), () => newProxy(shop, id)]) {
      expect(make).toThrow(`id: ${JSON.stringify(id)} is not a DNS label`);
    }
  });

  test('of a backend has room for that of its fallback', () => {
    const shop = newShop();
    expect(newBackend(shop, 'a'.repeat(52)).clusterIpService.name).toHaveLength(63);
    expect(() => newBackend(shop, 'b'.repeat(53))).toThrow(
      new Error(
        `shop/${'b'.repeat(53)} id: "${'b'.repeat(53)}" is too long for the name of a Service behind it: give at most 52 letters`,
      ),
    );
  });
});

describe('Outside of a namespace', () => {
  test.each([
    ['an app', () => new App(), ''],
    ['a chart', () => new Chart(new App(), 'charts'), 'charts'],
  ])('of %s a backend and a proxy are refused', (_, scope, path) => {
    const message = `is in no RestrictedNamespace: make one first, new RestrictedNamespace(app, "shop"), and give it as the scope`;
    const at = (id: string): string => (path === '' ? id : `${path}/${id}`);
    expect(() => new Backend(scope(), 'orders', { image })).toThrow(
      new Error(`${at('orders')} scope: ${JSON.stringify(path)} ${message}`),
    );
    expect(() => new NginxProxy(scope(), 'edge')).toThrow(
      new Error(`${at('edge')} scope: ${JSON.stringify(path)} ${message}`),
    );
  });

  test('of a backend is another namespace, within which the inner one counts', () => {
    const outer = newShop();
    const inner = new RestrictedNamespace(new Construct(outer, 'x'), 'inner');
    newBackend(inner, 'orders');
    expect(find(objectsAround(outer), 'Deployment', 'orders').metadata.namespace).toBe('inner');
  });
});

test('Namespaces of one name are refused, wherever they stand', () => {
  const app = new App();
  new RestrictedNamespace(new Construct(app, 'first'), 'shop');
  expect(() => new RestrictedNamespace(new Construct(app, 'second'), 'other', { name: 'shop' })).toThrow(
    new Error('second/other name: "shop" is that of "first/shop" already: give another, or make both in one namespace'),
  );
});

test('What a user makes beside our objects is written with them, and ours stay the first', () => {
  const shop = newShop();
  new Deployment(shop, 'Own', { metadata: { name: 'worker' }, containers: [{ image }] });
  newBackend(shop, 'orders', { replicas: 2 });
  expect(namesOf(objectsAround(shop))).toEqual([
    'Namespace/shop',
    'NetworkPolicy/deny-ingress',
    'Deployment/worker',
    'NetworkPolicy/orders',
    'Service/orders',
    'Service/orders-cluster-ip',
    'Deployment/orders',
    'PodDisruptionBudget/orders',
  ]);
});
