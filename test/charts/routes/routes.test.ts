import type { Backend } from '../../../charts/backend';
import type { NginxProxy } from '../../../charts/proxy/nginx-proxy';
import { type IRouteTarget, type Route } from '../../../charts/routes/route';
import { TrafficSplit } from '../../../charts/routes/route-targets';
import { Match, Path, Rewrite } from '../../../model/routes/matching';
import { Retries, type RouteOptions } from '../../../model/routes/route-options';
import { newBackend, newProxy, newShop } from '../manifests';

function edgeAndOrders(routeDefaults: RouteOptions = {}): { readonly edge: NginxProxy; readonly orders: Backend } {
  const shop = newShop();
  return { edge: newProxy(shop, 'edge', { routeDefaults }), orders: newBackend(shop, 'orders') };
}

const canary = Match.header('X-Canary', 'always');

describe('A route', () => {
  test('has every option by default, and times of its backend', () => {
    const { edge, orders } = edgeAndOrders();
    const route = edge.addRoute('/orders', orders);
    expect(route.model).toEqual({
      name: 'orders',
      path: Path.prefix('/orders'),
      when: [],
      target: { kind: 'backend', backend: 'orders' },
      times: { requestTimeout: 60, connectTimeout: 2, nextUpstreamTimeout: 70, nextUpstreamTries: 3 },
      retries: true,
      streamTimeout: undefined,
      maxBodySize: 2 ** 20,
      rewrite: undefined,
      requestHeaders: [],
      responseHeaders: [],
    });
    expect(route.node.path).toBe('shop/edge/route orders');
    expect(route.proxy).toBe(edge);
    expect(route.path).toEqual(Path.prefix('/orders'));
    expect(edge.routes).toEqual([route]);
  });

  test('has what was given', () => {
    const { edge, orders } = edgeAndOrders();
    const { model } = edge.addRoute(Path.exact('/orders'), orders, {
      when: canary,
      requestTimeout: '30s',
      connectTimeout: '3s',
      retries: Retries.safe({ tries: 5, timeout: '90s' }),
      streaming: '1h',
      maxBodySize: '8m',
      rewrite: Rewrite.stripPrefix(),
      requestHeaders: { 'X-Zone': 'west', Cookie: false },
      responseHeaders: { 'X-Team': 'orders', 'X-Powered-By': false },
    });
    expect(model).toMatchObject({
      path: { kind: 'exact', path: '/orders' },
      when: [{ kind: 'header', name: 'X-Canary', value: 'always' }],
      times: { requestTimeout: 30, connectTimeout: 3, nextUpstreamTimeout: 90, nextUpstreamTries: 5 },
      streamTimeout: 3600,
      maxBodySize: 8 * 2 ** 20,
      rewrite: '',
      requestHeaders: [
        ['X-Zone', 'west'],
        ['Cookie', false],
      ],
      responseHeaders: [
        ['X-Team', 'orders'],
        ['X-Powered-By', false],
      ],
    });
  });

  test('has times that are derived with those of the namespace and the proxy', () => {
    const shop = newShop({ resolverValid: '2s', dnsCacheTtl: '0s', unreachableToleration: '1m' });
    const edge = newProxy(shop, 'edge', { clients: { keepAliveTimeout: '40s' }, certificateValid: '1m' });
    const { timeline } = edge.addRoute('/', newBackend(shop, 'orders', { requestTimeout: '20s' }));
    expect(timeline).toMatchObject({
      requestTimeout: 20,
      nextUpstreamTimeout: 30,
      resolverValid: 2,
      discovery: 3,
      clientKeepAliveHint: 40,
      certificateValid: 60,
      unreachableToleration: 60,
      workerShutdownTimeout: 44,
    });
  });

  test.each<[string, string | Path, Match | undefined, string | RegExp]>([
    ['/', '/', undefined, 'root'],
    ['/orders', '/orders', undefined, 'orders'],
    ['/orders/', '/orders/', undefined, 'orders'],
    ['/v1/orders-of-2026', '/v1/orders-of-2026', undefined, 'v1_orders-of-2026'],
    ['a path that reads like that of all', '/root', undefined, /^root_[0-9a-f]{8}$/],
    ['a path with capitals', '/Orders', undefined, /^orders_[0-9a-f]{8}$/],
    ['a path with other characters', '/a.b~c_d', undefined, /^a-b-c_d_[0-9a-f]{8}$/],
    ['an exact path', Path.exact('/orders'), undefined, /^orders_exact_[0-9a-f]{8}$/],
    ['exactly all', Path.exact('/'), undefined, /^root_exact_[0-9a-f]{8}$/],
    ['a condition', '/', canary, /^root_x-canary_[0-9a-f]{8}$/],
    ['a condition of methods', '/a', Match.method('PUT', 'GET'), /^a_get-put_[0-9a-f]{8}$/],
    ['two conditions', '/a', Match.allOf(Match.cookie('c', '1'), Match.query('q', '2')), /^a_c_q_[0-9a-f]{8}$/],
    ['a path of 50 letters', `/${'a'.repeat(50)}`, undefined, 'a'.repeat(50)],
    ['a longer path', `/${'a'.repeat(51)}`, undefined, /^a{50}_[0-9a-f]{8}$/],
  ])('has a name that says what it is for: %s', (_, path, when, name) => {
    const { edge, orders } = edgeAndOrders();
    const { model } = edge.addRoute(path, orders, when === undefined ? {} : { when });
    if (typeof name === 'string') expect(model.name).toBe(name);
    else expect(model.name).toMatch(name);
  });

  test('has a name that no other route of the proxy has', () => {
    const { edge, orders } = edgeAndOrders();
    const paths = ['/', '/root', '/root/exact', '/a/b', '/a_b', '/A/b', '/a.b', '/a-b', '/shop_example_com__a', '/a'];
    for (const path of paths) {
      edge.addRoute(path, orders);
      edge.addRoute(Path.exact(path), orders);
      edge.addRoute(path, orders, { when: canary });
      edge.addRoute(path, orders, { when: Match.header('X-Canary', 'never') });
      edge.addRoute(path, orders, { when: Match.cookie('X', 'always') });
      edge.addRoute(path, orders, { when: Match.query('X', 'always') });
    }
    const host = edge.addHost('shop.example.com');
    for (const path of paths) host.addRoute(path, orders);
    const names = edge.routes.map(({ model }) => model.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(7 * paths.length);
  });

  test('leads to whatever binds it, which is called once', () => {
    const { edge, orders } = edgeAndOrders();
    const bound: Route[] = [];
    const target: IRouteTarget = {
      bindRoute(route) {
        bound.push(route);
        return orders.bindRoute(route);
      },
    };
    const route = edge.addRoute('/', target);
    expect(bound).toEqual([route]);
    expect(route.model.target).toEqual({ kind: 'backend', backend: 'orders' });
  });
});

describe('Routes of one path', () => {
  test.each<[string, (edge: NginxProxy, orders: Backend) => unknown, string]>([
    ['a path', (edge, orders) => edge.addRoute('/orders', orders), '/orders'],
    ['a path with a slash behind it', (edge, orders) => edge.addRoute('/orders/', orders), '/orders'],
    ['the same as a Path', (edge, orders) => edge.addRoute(Path.prefix('/orders'), orders), '/orders'],
    ['an exact path', (edge, orders) => edge.addRoute(Path.exact('/orders'), orders), '= /orders'],
    ['a path with other options', (edge, orders) => edge.addRoute('/orders', orders, { maxBodySize: '8m' }), '/orders'],
    ['a condition', (edge, orders) => edge.addRoute('/orders', orders, { when: canary }), '/orders with X-Canary'],
    [
      'a header in another case',
      (edge, orders) => edge.addRoute('/orders', orders, { when: Match.header('x-canary', 'always') }),
      '/orders with x-canary',
    ],
    [
      'methods in another order',
      (edge, orders) => edge.addRoute('/orders', orders, { when: Match.method('POST', 'GET') }),
      '/orders with GET|POST',
    ],
  ])('are refused a second time: %s', (_, add, shown) => {
    const { edge, orders } = edgeAndOrders();
    edge.addRoute('/orders', orders);
    edge.addRoute(Path.exact('/orders'), orders);
    edge.addRoute('/orders', orders, { when: canary });
    edge.addRoute('/orders', orders, { when: Match.method('GET', 'POST') });
    expect(() => add(edge, orders)).toThrow(
      new Error(`shop/edge, path: "${shown}" has a route already: take one out, or tell them apart with \`when\``),
    );
  });

  test('are refused with conditions in another order', () => {
    const { edge, orders } = edgeAndOrders();
    const [a, b] = [Match.header('A', '1'), Match.cookie('b', '2')];
    edge.addRoute('/', orders, { when: Match.allOf(a, b) });
    expect(() => edge.addRoute('/', orders, { when: Match.allOf(b, a) })).toThrow('has a route already');
  });

  test('are not taken for anything else that a proxy has: its parts, its hosts', () => {
    const { edge, orders } = edgeAndOrders();
    edge.addHost('orders').addRoute('/', orders);
    for (const path of ['/tls', '/orders', '/Weights', '/Deployment', '/Service']) edge.addRoute(path, orders);
    expect(edge.routes).toHaveLength(6);
  });

  test('are not refused on another host', () => {
    const { edge, orders } = edgeAndOrders();
    edge.addRoute('/orders', orders);
    expect(edge.addHost('www.example.com').addRoute('/orders', orders).model.name).toBe('www_example_com__orders');
  });
});

describe('A path is refused', () => {
  test.each(['', 'orders', '/a//b', '/a b', '/a{', '/..', '/$x', '/a?b', '/%20', '/.well-known', 5, undefined, null])(
    'that is %j',
    (path) => {
      const { edge, orders } = edgeAndOrders();
      const shown = path === undefined ? 'undefined' : JSON.stringify(path);
      expect(() => edge.addRoute(path as string, orders)).toThrow(
        new Error(
          `shop/edge path: ${shown} is not a path that nginx can be given: give letters, digits, ".", "_", "~", "-" between slashes, such as "/events"`,
        ),
      );
    },
  );

  test('of a host by the name of the host', () => {
    const { edge, orders } = edgeAndOrders();
    expect(() => edge.addHost('www.example.com').addRoute('x', orders)).toThrow(
      'shop/edge/www.example.com path: "x" is not a path',
    );
  });
});

describe('An option of a route is refused', () => {
  test.each<[unknown, string]>([
    [
      { requestTimeout: '61s' },
      'requestTimeout: "61s" is longer than that of orders (60s), whose pods end after it: give no more, or give orders a longer one',
    ],
    [{ requestTimeout: '1s' }, 'requestTimeout: "1s" is shorter than connectTimeout: give 2s or more'],
    [{ connectTimeout: '61s' }, 'connectTimeout: "61s" is longer than the backend\'s requestTimeout: give 60s or less'],
    [{ connectTimeout: '76s' }, 'connectTimeout: "76s" is too long: give 75s or less'],
    [{ streaming: '0s' }, 'streaming: "0s" is too short: give 1s or more'],
    [{ streaming: '25h' }, 'streaming: "25h" is too long: give 1d or less'],
    [{ maxBodySize: 1024 }, 'maxBodySize: 1024 is not a size: give a whole number with a unit, such as "16k" or "1m"'],
    [
      { maxBodySize: '-1m' },
      'maxBodySize: "-1m" is not a size: give a whole number with a unit, such as "16k" or "1m"',
    ],
    [{ maxBodySize: '0m' }, 'maxBodySize: "0m" is zero, which nginx reads as no limit: give 1k or more'],
    [{ maxBodySize: '1024g' }, 'maxBodySize: "1024g" is too large: give 1023g or less'],
    [{ when: 'x' }, 'when: "x" is not what stands here: give it as Match.header("X-Canary", "always") does'],
    [
      { when: { conditions: 5 } },
      'when: "(object)" is not what stands here: give it as Match.header("X-Canary", "always") does',
    ],
    [{ retries: 3 }, 'retries: 3 is not what stands here: give it as Retries.safe() does'],
    [{ rewrite: '/' }, 'rewrite: "/" is not what stands here: give it as Rewrite.stripPrefix() does'],
    [
      { retries: Retries.safe({ timeout: '2s' }) },
      'Retries.safe timeout: "2s" leaves no time for another pod after a first one that is silent for connectTimeout (2s): give 3s or more',
    ],
    [{ maxBodySiz: '1m' }, 'maxBodySiz: "1m" is an option that does not exist: maxBodySize does'],
    [{ maxBodySize: null }, 'maxBodySize: null is not a value: give one, or leave the option out'],
    [
      { requestHeaders: ['X-A'] },
      'requestHeaders: ["X-A"] is not an object with names and values: give one, such as { "X-Team": "orders" }',
    ],
    [
      { responseHeaders: 5 },
      'responseHeaders: 5 is not an object with names and values: give one, such as { "X-Team": "orders" }',
    ],
    [{ responseHeaders: null }, 'responseHeaders: null is not a value: give one, or leave the option out'],
    [
      { requestHeaders: { Host: 'a' } },
      'requestHeaders["Host"]: "Host" is set by nginx or the API itself: take it out',
    ],
    [
      { responseHeaders: { 'Content-Length': false } },
      'responseHeaders["Content-Length"]: "Content-Length" is set by nginx or the API itself: take it out',
    ],
    [{ responseHeaders: { 'X-A': true } }, 'responseHeaders["X-A"]: true is not text: give a string'],
    [
      { maxBodySize: '0m', streaming: '0s' },
      'streaming: "0s" is too short: give 1s or more\nshop/edge, route /orders maxBodySize: "0m" is zero, which nginx reads as no limit: give 1k or more',
    ],
  ])('%j', (options, message) => {
    const { edge, orders } = edgeAndOrders();
    expect(() => edge.addRoute('/orders', orders, options as RouteOptions)).toThrow(
      new Error(`shop/edge, route /orders ${message}`),
    );
  });

  test.each([5, null, 'x', ['x']])('that is no option at all: %j', (options) => {
    const { edge, orders } = edgeAndOrders();
    expect(() => edge.addRoute('/', orders, options as never)).toThrow(
      new Error(
        `shop/edge options: ${JSON.stringify(options)} is not an object with names and values: give one, such as { maxBodySize: "8m" }`,
      ),
    );
  });

  test('by the name of the route', () => {
    const { edge, orders } = edgeAndOrders();
    const host = edge.addHost('www.example.com');
    const refused = (path: string | Path, when: Match): (() => unknown) => {
      return () => host.addRoute(path, orders, { when, requestTimeout: '2h' as never });
    };
    expect(refused(Path.exact('/a'), Match.allOf(canary, Match.method('GET', 'PUT')))).toThrow(
      'shop/edge/www.example.com, route = /a with X-Canary, GET|PUT requestTimeout: "2h" is too long',
    );
  });

  test('that is a shorter time than any of the backends of a split has', () => {
    const { edge, orders } = edgeAndOrders();
    const quick = newBackend(edge.namespace, 'quick', { requestTimeout: '5s' });
    const split = TrafficSplit.weighted([
      { target: orders, weight: 50 },
      { target: quick, weight: 50 },
    ]);
    expect(() => edge.addRoute('/a', split, { requestTimeout: '6s' })).toThrow(
      new Error(
        'shop/edge, route /a requestTimeout: "6s" is longer than that of quick (5s), whose pods end after it: give no more, or give quick a longer one',
      ),
    );
    expect(edge.addRoute('/b', split, { requestTimeout: '5s' }).model.times.requestTimeout).toBe(5);
    expect(edge.addRoute('/c', split).model.times.requestTimeout).toBe(5);
  });
});

describe('What a route does not say', () => {
  const defaults: RouteOptions = {
    maxBodySize: '2m',
    connectTimeout: '3s',
    requestTimeout: '30s',
    requestHeaders: { 'X-Proxy': 'edge', 'X-Level': 'proxy' },
    responseHeaders: { 'X-Team': 'shop', 'X-Level': 'proxy', 'X-Gone': 'x' },
  };

  test('it has of the host, and that of the proxy; headers one by one, whatever their case', () => {
    const { edge, orders } = edgeAndOrders(defaults);
    const host = edge.addHost('www.example.com', {
      routeDefaults: {
        maxBodySize: '3m',
        requestHeaders: { 'x-level': 'host' },
        responseHeaders: { 'X-LEVEL': 'host', 'X-Host': 'www' },
      },
    });
    expect(edge.addRoute('/', orders).model).toMatchObject({
      maxBodySize: 2 * 2 ** 20,
      times: { connectTimeout: 3, requestTimeout: 30 },
      requestHeaders: [
        ['X-Proxy', 'edge'],
        ['X-Level', 'proxy'],
      ],
    });
    expect(host.addRoute('/', orders).model).toMatchObject({
      maxBodySize: 3 * 2 ** 20,
      times: { connectTimeout: 3, requestTimeout: 30 },
      requestHeaders: [
        ['X-Proxy', 'edge'],
        ['x-level', 'host'],
      ],
      responseHeaders: [
        ['X-Team', 'shop'],
        ['X-LEVEL', 'host'],
        ['X-Gone', 'x'],
        ['X-Host', 'www'],
      ],
    });
    const own = { maxBodySize: '4m', responseHeaders: { 'X-Gone': false, 'X-Level': 'route' } } as const;
    expect(host.addRoute('/own', orders, own).model).toMatchObject({
      maxBodySize: 4 * 2 ** 20,
      requestHeaders: [
        ['X-Proxy', 'edge'],
        ['x-level', 'host'],
      ],
      responseHeaders: [
        ['X-Team', 'shop'],
        ['X-Level', 'route'],
        ['X-Gone', false],
        ['X-Host', 'www'],
      ],
    });
  });

  test('stays with the routes of the proxy, whatever a host has', () => {
    const { edge, orders } = edgeAndOrders({ maxBodySize: '2m' });
    edge.addHost('www.example.com', { routeDefaults: { maxBodySize: '3m' } });
    expect(edge.addRoute('/', orders).model.maxBodySize).toBe(2 * 2 ** 20);
    expect(edge.routeDefaults).toEqual({ maxBodySize: '2m' });
  });

  test('is refused with the route if it does not go with its backend', () => {
    const { edge } = edgeAndOrders(defaults);
    const quick = newBackend(edge.namespace, 'quick', { requestTimeout: '5s' });
    expect(() => edge.addRoute('/', quick)).toThrow(
      'shop/edge, route / requestTimeout: "30s" is longer than that of quick (5s)',
    );
  });
});

describe('A target is refused', () => {
  test.each([
    [undefined, 'undefined'],
    [null, '"(object)"'],
    ['orders', '"orders"'],
    [{}, '"(object)"'],
    [{ bindRoute: 5 }, '"(object)"'],
  ])('that is %j', (target, shown) => {
    const { edge } = edgeAndOrders();
    expect(() => edge.addRoute('/', target as never)).toThrow(
      new Error(
        `shop/edge, route / target: ${shown} cannot answer requests: give a Backend, TrafficSplit.weighted(…), ExternalService.fromUrl(…), StaticFiles.fromImage(…), Redirect.to(…) or FixedResponse.of(…)`,
      ),
    );
  });
});
