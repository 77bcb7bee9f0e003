import { ExternalService } from '../../../charts/routes/external-service';
import { FixedResponse, Redirect, TrafficSplit } from '../../../charts/routes/route-targets';
import { StaticFiles } from '../../../charts/routes/static-files';
import { composeModel } from '../../../local/compose';
import { Mirror } from '../../../model/routes/mirror';
import type { RouteOptions } from '../../../model/routes/route-options';
import { nginxConf } from '../../../nginx/nginx-conf';
import { somePlace } from '../../nginx/support/models';
import { allowed, newBackend, newProxy, newShop, nginxConfOf, objectsAround } from '../manifests';

function parts(routeDefaults?: (next: Mirror) => RouteOptions) {
  const shop = newShop();
  const orders = newBackend(shop, 'orders');
  const next = orders.addVersion('next', { requestTimeout: '5s' });
  const edge = newProxy(shop, 'edge', { routeDefaults: routeDefaults?.(Mirror.to(next)) ?? {} });
  return { shop, edge, orders, next };
}

const upstreams = (conf: string): string[] => [...conf.matchAll(/^ *upstream (\S+) /gm)].map(([, name = '']) => name);

describe('A mirror', () => {
  test('may be reached by the proxies, and answers nothing', () => {
    const { shop, edge, orders, next } = parts();
    edge.addRoute('/', orders, { mirror: Mirror.to(next, { percent: 10 }) });
    expect(edge.targets.map(({ node }) => node.id)).toEqual(['orders', 'orders-next']);
    const objects = objectsAround(shop);
    const conf = nginxConfOf(objects);
    expect(upstreams(conf)).toEqual(['orders', 'orders_fallback', 'orders-next_mirror']);
    expect(conf).toContain('server orders-next.shop.svc.cluster.local:3000 resolve');
    // One that is away keeps no new proxy back.
    expect(conf.slice(conf.indexOf('location = /startup'))).not.toContain('orders-next');
    expect(allowed(objects, 'ingress', 'orders-next')).toEqual([
      expect.objectContaining({ from: [expect.objectContaining({ podSelector: { matchLabels: edge.matchLabels } })] }),
    ]);
  });

  test('has an upstream of its own beside the one that it answers by', () => {
    const { shop, edge, orders, next } = parts();
    edge.addRoute('/', orders, { mirror: Mirror.to(next) });
    edge.addRoute('/next', next, { mirror: Mirror.to(orders) });
    expect(upstreams(nginxConfOf(objectsAround(shop)))).toEqual([
      ...['orders', 'orders_fallback', 'orders-next', 'orders-next_fallback'],
      ...['orders_mirror', 'orders-next_mirror'],
    ]);
  });

  test('is part of the budget: a connection beside that of each request', () => {
    const { edge, orders, next } = parts();
    const route = (options: RouteOptions): ReturnType<typeof parts>['edge'] => {
      const other = newProxy(edge.namespace, `edge-${Object.keys(options).length}`);
      other.addRoute('/', orders, options);
      return other;
    };
    const [without, mirrored] = [route({}).budget, route({ mirror: Mirror.to(next) }).budget];
    const each = ({ memory }: typeof without): number =>
      memory.find(({ what }) => what === 'requests in progress')?.each ?? 0;
    expect(each(mirrored) - each(without)).toBe((12 + 3 + 16) * 1024 + 2 * 440);
    const { connections, requests, streams } = mirrored;
    expect(mirrored.workerConnections).toBe(connections + 2 * requests + streams + 2 * (64 + 8) + 48);
  });

  test('is waited for as long as for a connection, and no longer than it may take itself', () => {
    const { edge, orders, next } = parts();
    const mirror = Mirror.to(next);
    expect(edge.addRoute('/', orders, { mirror }).model.mirror).toEqual({
      ...{ backend: 'orders-next', percent: 100, timeout: 2 },
    });
    expect(edge.addRoute('/slow', orders, { mirror, connectTimeout: '20s' }).model.mirror).toMatchObject({
      timeout: 5,
    });
  });

  test('is the same on one machine', () => {
    const { edge, orders, next } = parts();
    edge.addRoute('/', orders, { mirror: Mirror.to(next) });
    const conf = nginxConf(composeModel(edge), somePlace());
    expect(upstreams(conf)).toEqual(['orders', 'orders-next_mirror']);
    expect(conf).toContain('mirror /.copy-of-root;');
  });

  test('of all routes is that of routes which can have one', () => {
    const { edge, orders, next } = parts((mirror) => ({ mirror }));
    const split = TrafficSplit.weighted([
      { target: orders, weight: 90 },
      { target: next, weight: 10 },
    ]);
    const mirrored = (['/', '/none', '/next', '/split', '/events', '/old', '/ping'] as const).map((path, index) => {
      const others = [orders, orders, next, split, orders, Redirect.to('/new'), FixedResponse.of(200)] as const;
      const options = { '/none': { mirror: Mirror.none() }, '/events': { streaming: '1h' } } as const;
      const given: RouteOptions = path === '/none' || path === '/events' ? options[path] : {};
      return edge.addRoute(path, others[index] ?? orders, given).model.mirror?.backend;
    });
    expect(mirrored).toEqual(['orders-next', ...Array<undefined>(6).fill(undefined)]);
  });
});

describe('A mirror is refused', () => {
  test.each<[string, (given: ReturnType<typeof parts>) => unknown, string]>([
    [
      'where nginx answers by itself',
      ({ edge, next }) => edge.addRoute('/a', Redirect.to('/b'), { mirror: Mirror.to(next) }),
      'shop/edge, route /a mirror: "(object)" does nothing where nginx answers by itself: take it out, or give the route a backend',
    ],
    [
      'for files',
      ({ edge, next }) => edge.addRoute('/a', StaticFiles.fromConfigMap('site'), { mirror: Mirror.to(next) }),
      'shop/edge, route /a mirror: "(object)" does nothing where nginx answers by itself: take it out, or give the route a backend',
    ],
    [
      'for an external service',
      ({ edge, next }) =>
        edge.addRoute('/a', ExternalService.fromUrl('https://a.example.com'), { mirror: Mirror.to(next) }),
      'shop/edge, route /a mirror: "(object)" does not go with an ExternalService, which is asked by other names and paths than a backend: take it out',
    ],
    [
      'for streams',
      ({ edge, orders, next }) => edge.addRoute('/a', orders, { mirror: Mirror.to(next), streaming: '1h' }),
      'shop/edge, route /a mirror: "(object)" does not go with `streaming`, as answers without an end cannot be dropped: take one out',
    ],
    [
      'if it answers already',
      ({ edge, orders }) => edge.addRoute('/a', orders, { mirror: Mirror.to(orders) }),
      'shop/edge, route /a mirror: "orders" answers the requests of this route already: give another backend, such as a version',
    ],
    [
      'in another namespace',
      ({ edge, orders }) =>
        edge.addRoute('/a', orders, { mirror: Mirror.to(newBackend(newShop({ name: 'other' }), 'next')) }),
      'shop/edge, route /a mirror: "shop/next" is in the namespace other, and the proxy in shop: make both in one',
    ],
    [
      'if it is none',
      ({ edge, orders }) => edge.addRoute('/a', orders, { mirror: 'next' as never }),
      'shop/edge, route /a mirror: "next" is not what stands here: give it as Mirror.to(next) does',
    ],
    [
      'to what is no backend',
      () => Mirror.to(Redirect.to('/a') as never),
      'Mirror.to target: "(object)" is not a Backend: give one, or a version of one',
    ],
    [
      'to nothing',
      () => Mirror.to(undefined as never),
      'Mirror.to target: undefined is not a Backend: give one, or a version of one',
    ],
    ...[0, 101, 1.5, '10'].map((percent): [string, (given: ReturnType<typeof parts>) => unknown, string] => [
      `with ${JSON.stringify(percent)} percent`,
      ({ next }) => Mirror.to(next, { percent: percent as number }),
      `Mirror.to percent: ${JSON.stringify(percent)} is out of range: give a whole number from 1 to 100`,
    ]),
  ])('%s', (_when, make, message) => {
    const given = parts();
    expect(() => make(given)).toThrow(new Error(message));
  });
});
