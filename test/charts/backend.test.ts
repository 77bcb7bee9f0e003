import {
  type INetworkPolicyPeer,
  LabelExpression,
  LabelSelector,
  Namespaces,
  NetworkPolicyIpBlock,
  Pods,
} from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { Backend } from '../../charts/backend';
import { LoadBalancing, RequestKey } from '../../model/load-balancing';
import {
  allowed,
  containerOf,
  find,
  type Manifest,
  namesOf,
  newBackend,
  newProxy,
  newShop,
  objectsAround,
} from './manifests';

const dns = {
  ports: [
    { port: 53, protocol: 'UDP' },
    { port: 53, protocol: 'TCP' },
  ],
};

describe('A backend', () => {
  test('by itself is a Deployment that nobody may connect to, with Services, an autoscaler and a budget', () => {
    const shop = newShop();
    newBackend(shop, 'orders');
    const manifests = objectsAround(shop);
    expect(namesOf(manifests).slice(2)).toEqual([
      'NetworkPolicy/orders',
      'Service/orders',
      'Service/orders-cluster-ip',
      'Deployment/orders',
      'HorizontalPodAutoscaler/orders',
      'PodDisruptionBudget/orders',
    ]);
    expect(find(manifests, 'NetworkPolicy', 'orders').spec).toEqual({
      podSelector: {
        matchLabels: { 'app.kubernetes.io/instance': 'orders', 'app.kubernetes.io/name': 'orders' },
      },
      policyTypes: ['Ingress'],
    });
  });

  test('tells a proxy where it is, and what it keeps to', () => {
    const shop = newShop({ clusterDomain: 'corp.example.com' });
    const backend = newBackend(shop, 'orders', {
      port: 8000,
      maxFails: 5,
      failTimeout: '20s',
      replicas: { max: 12 },
      keepAliveTimeout: '30s',
      healthCheck: { path: '/up', readiness: '/readyz' },
    });
    expect(backend.model).toEqual({
      name: 'orders',
      instances: { host: 'orders.shop.svc.corp.example.com', port: 8000 },
      fallback: 'orders-cluster-ip.shop.svc.corp.example.com:8000',
      loadBalancing: LoadBalancing.leastConnections(),
      maxFails: 5,
      failTimeout: 20,
      mostInstances: 12,
      keepAliveTimeout: 30,
      upstreamKeepAliveTimeout: 25,
      healthCheckPath: '/up',
    });
  });

  test('is found by SRV records where a hash needs a name for each pod, and only there', () => {
    const shop = newShop();
    const instances = (id: string, loadBalancing: LoadBalancing): unknown =>
      newBackend(shop, id, { loadBalancing }).model.instances;
    expect(instances('a', LoadBalancing.hash(RequestKey.uri()))).toEqual({
      host: 'a.shop.svc.cluster.local',
      service: 'http',
    });
    expect(instances('b', LoadBalancing.roundRobin())).toEqual({ host: 'b.shop.svc.cluster.local', port: 3000 });
  });

  test('has times of the namespace and its own, whatever a proxy does', () => {
    const backend = newBackend(newShop({ dnsCacheTtl: '0s', resolverValid: '2s' }), 'orders', { requestTimeout: '1s' });
    expect(backend.timeline).toMatchObject({ apiPreStop: 5, apiShutdownTimeout: 3, apiTerminationGracePeriod: 13 });
  });

  test('counts with the number of pods that is fixed', () => {
    expect(newBackend(newShop(), 'orders', { replicas: 7 }).model.mostInstances).toBe(7);
  });
});

describe('Another version', () => {
  test('has objects of its own, the same options with some changed, and the name of what it is a version of', () => {
    const shop = newShop();
    const orders = newBackend(shop, 'orders', { port: 8000, replicas: { min: 3, max: 12 }, environment: { A: 'b' } });
    const canary = orders.addVersion('canary', { image: 'ghcr.io/acme/orders:2', replicas: 2 });
    expect(canary.node.path).toBe('shop/orders-canary');
    const manifests = objectsAround(shop);
    expect(namesOf(manifests).slice(8)).toEqual([
      'NetworkPolicy/orders-canary',
      'Service/orders-canary',
      'Service/orders-canary-cluster-ip',
      'Deployment/orders-canary',
      'PodDisruptionBudget/orders-canary',
    ]);
    const container = containerOf(manifests, 'orders-canary');
    expect(container).toMatchObject({ image: 'ghcr.io/acme/orders:2', ports: [{ containerPort: 8000 }] });
    expect(container.env).toContainEqual({ name: 'A', value: 'b' });
    expect(find(manifests, 'Deployment', 'orders-canary').spec?.replicas).toBe(2);
    const labels = { 'app.kubernetes.io/name': 'orders', 'app.kubernetes.io/instance': 'orders-canary' };
    expect(find(manifests, 'Deployment', 'orders-canary')).toMatchObject({
      metadata: { labels: { ...labels, 'app.kubernetes.io/version': '2' } },
      spec: { selector: { matchLabels: labels } },
    });
    expect(find(manifests, 'Service', 'orders-canary').spec?.selector).toEqual(labels);
    // That of the first does not find the pods of the second.
    expect(find(manifests, 'Service', 'orders').spec?.selector).toEqual({
      ...labels,
      'app.kubernetes.io/instance': 'orders',
    });
    expect(canary.matchLabels).toEqual(labels);
  });

  test('is the same again when nothing is changed', () => {
    const orders = newBackend(newShop(), 'orders', { port: 8000 });
    expect(orders.addVersion('b').settings).toMatchObject({ port: 8000, image: 'ghcr.io/acme/orders:1' });
  });

  test('of a version is one of the first, and changes on from the second', () => {
    const orders = newBackend(newShop(), 'orders', { port: 8000 });
    const third = orders.addVersion('v2', { maxFails: 7 }).addVersion('v3', { port: 9000 });
    expect(third.node.id).toBe('orders-v3');
    expect(third.matchLabels).toEqual({
      'app.kubernetes.io/name': 'orders',
      'app.kubernetes.io/instance': 'orders-v3',
    });
    expect(third.settings).toMatchObject({ port: 9000, maxFails: 7 });
  });

  test('is refused by its own name: twice, and with an option that cannot work', () => {
    const orders = newBackend(newShop(), 'orders');
    orders.addVersion('canary');
    expect(() => orders.addVersion('canary')).toThrow(
      new Error(
        'shop/orders-canary id: "orders-canary" is the name of another construct\'s objects in shop: give another',
      ),
    );
    expect(() => orders.addVersion('next', { port: 0 })).toThrow(
      new Error('shop/orders-next port: 0 is out of range: give a whole number from 1 to 65535'),
    );
  });
});

describe('A NetworkPolicy of a backend', () => {
  function policyOf(change: (backend: Backend) => void): Manifest['spec'] {
    const shop = newShop();
    change(newBackend(shop, 'orders', { port: 8000 }));
    return find(objectsAround(shop), 'NetworkPolicy', 'orders').spec;
  }

  const peers: [string, (scope: Construct) => INetworkPolicyPeer, object[]][] = [
    [
      'a block of addresses',
      (scope) => NetworkPolicyIpBlock.ipv4(scope, 'Block', '10.20.0.0/16'),
      [{ ipBlock: { cidr: '10.20.0.0/16' } }],
    ],
    [
      'a block without some of its addresses',
      (scope) => NetworkPolicyIpBlock.ipv6(scope, 'Block', '2001:db8::/32', ['2001:db8:1::/48']),
      [{ ipBlock: { cidr: '2001:db8::/32', except: ['2001:db8:1::/48'] } }],
    ],
    [
      'pods of the same namespace',
      (scope) => Pods.select(scope, 'Pods', { labels: { app: 'worker' } }),
      [{ podSelector: { matchLabels: { app: 'worker' } } }],
    ],
    [
      'pods by an expression',
      (scope) =>
        Pods.select(scope, 'Pods', {
          expressions: [LabelExpression.in('app', ['a', 'b'])],
        }),
      [{ podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['a', 'b'] }] } }],
    ],
    [
      'namespaces by name',
      (scope) => Namespaces.select(scope, 'Namespaces', { names: ['queues', 'mail'] }),
      [
        { podSelector: {}, namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'queues' } } },
        { podSelector: {}, namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'mail' } } },
      ],
    ],
    [
      'namespaces by label',
      (scope) => Namespaces.select(scope, 'Namespaces', { labels: { team: 'shop' } }),
      [{ podSelector: {}, namespaceSelector: { matchLabels: { team: 'shop' } } }],
    ],
    ['every namespace', (scope) => Namespaces.all(scope, 'Namespaces'), [{ podSelector: {}, namespaceSelector: {} }]],
    [
      'pods of some namespaces',
      (scope) =>
        Pods.select(scope, 'Pods', {
          labels: { app: 'worker' },
          namespaces: Namespaces.select(scope, 'Namespaces', { names: ['queues'] }),
        }),
      [
        {
          podSelector: { matchLabels: { app: 'worker' } },
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'queues' } },
        },
      ],
    ],
  ];
  const sorted = (rules: readonly object[]): object[] =>
    rules
      .map((rule) => JSON.stringify(rule))
      .sort()
      .map((text) => JSON.parse(text) as object);

  test.each(peers)('lets %s connect, to its port or to another', (_, peer, expected) => {
    const own = policyOf((backend) => {
      backend.allowFrom(peer(backend));
    });
    expect(own).toMatchObject({ policyTypes: ['Ingress'] });
    expect(own).not.toHaveProperty('egress');
    const rules = (port: number): object[] =>
      expected.map((each) => ({ from: [each], ports: [{ port, protocol: 'TCP' }] }));
    expect(sorted(own?.ingress as object[])).toEqual(sorted(rules(8000)));
    const other = policyOf((backend) => {
      backend.allowFrom(peer(backend), 9090);
    });
    expect(sorted(other?.ingress as object[])).toEqual(sorted(rules(9090)));
  });

  test.each(peers)(
    'lets it connect to %s, on every port or on one, and to nothing else but DNS',
    (_, peer, expected) => {
      const all = policyOf((backend) => {
        backend.allowTo(peer(backend));
      });
      expect(all?.policyTypes).toEqual(['Ingress', 'Egress']);
      expect(all).not.toHaveProperty('ingress');
      const [first, ...rules] = all?.egress as object[];
      expect(first).toEqual(dns);
      expect(sorted(rules)).toEqual(sorted(expected.map((each) => ({ to: [each] }))));
      const one = policyOf((backend) => {
        backend.allowTo(peer(backend), 5432);
      });
      expect(sorted((one?.egress as object[]).slice(1))).toEqual(
        sorted(expected.map((each) => ({ to: [each], ports: [{ port: 5432, protocol: 'TCP' }] }))),
      );
    },
  );

  test('has a rule once, in an order that does not follow from that of the calls', () => {
    const spec = (order: readonly string[]): unknown =>
      policyOf((backend) => {
        const blocks = new Map(
          ['10.0.0.0/8', '192.0.2.0/24'].map((cidr) => [cidr, NetworkPolicyIpBlock.ipv4(backend, cidr, cidr)]),
        );
        for (const cidr of order) {
          const block = blocks.get(cidr);
          if (block === undefined) continue;
          backend.allowTo(block, 5432);
          backend.allowFrom(block);
        }
      });
    const [first, second] = ['10.0.0.0/8', '192.0.2.0/24'] as const;
    expect(spec([second, first, second])).toEqual(spec([first, second]));
    expect((spec([first, second]) as { egress: unknown[] }).egress).toHaveLength(3);
  });

  test('is not opened by a selector that selects nothing', () => {
    const spec = policyOf((backend) => {
      backend.allowTo({ toNetworkPolicyPeerConfig: () => ({}) } as never);
    });
    expect(spec?.egress).toEqual([dns]);
  });

  test.each([
    ['10.0.0.0/8', '"10.0.0.0/8"'],
    [{ cidr: '10.0.0.0/8' }, '"(object)"'],
    [undefined, 'undefined'],
    [null, '"(object)"'],
    [LabelSelector.of(), '"(object)"'],
  ])('refuses the peer %j', (peer, shown) => {
    for (const method of ['allowFrom', 'allowTo'] as const) {
      expect(() =>
        policyOf((backend) => {
          backend[method](peer as never);
        }),
      ).toThrow(
        new Error(
          `shop/orders ${method}: ${shown} is not a peer of a NetworkPolicy: give one, such as NetworkPolicyIpBlock.ipv4(chart, "Database", "192.0.2.0/24") or Namespaces.select(…)`,
        ),
      );
    }
  });

  test.each([0, 65_536, 1.5, '80'])('refuses the port %j', (port) => {
    for (const method of ['allowFrom', 'allowTo'] as const) {
      expect(() =>
        policyOf((backend) => {
          backend[method](NetworkPolicyIpBlock.anyIpv4(backend, 'Any'), port as never);
        }),
      ).toThrow(
        new Error(
          `shop/orders ${method} port: ${JSON.stringify(port)} is out of range: give a whole number from 1 to 65535`,
        ),
      );
    }
  });

  test('keeps what was allowed beside the proxies of its routes', () => {
    const shop = newShop();
    const orders = newBackend(shop, 'orders', { port: 8000 });
    orders.allowFrom(Pods.select(shop, 'Workers', { labels: { app: 'worker' } }), 9090);
    newProxy(shop).addRoute('/', orders);
    expect(allowed(objectsAround(shop), 'ingress', 'orders')).toEqual([
      { from: [{ podSelector: { matchLabels: { app: 'worker' } } }], ports: [{ port: 9090, protocol: 'TCP' }] },
      {
        from: [
          {
            podSelector: {
              matchLabels: { 'app.kubernetes.io/name': 'nginx', 'app.kubernetes.io/instance': 'edge' },
            },
          },
        ],
        ports: [{ port: 8000, protocol: 'TCP' }],
      },
    ]);
  });
});
