import { FixedResponse, Redirect } from '../../../charts/routes/route-targets';
import { Cors } from '../../../model/routes/cors';
import { ErrorPages } from '../../../model/routes/error-pages';
import type { RouteOptions } from '../../../model/routes/route-options';
import { newBackend, newProxy, newShop, nginxConfOf, objectsAround } from '../manifests';

function parts(routeDefaults: RouteOptions = {}, defaultResponseHeaders = {}) {
  const shop = newShop();
  const edge = newProxy(shop, 'edge', { routeDefaults, defaultResponseHeaders });
  return { shop, edge, orders: newBackend(shop, 'orders') };
}

const count = (conf: string, line: RegExp): number => conf.split('\n').filter((text) => line.test(text)).length;

const cors = Cors.allow(['https://app.example.com']);
const errorPages = ErrorPages.html({ 404: '<h1>Gone</h1>' });
const all: RouteOptions = { allowFrom: ['192.0.2.1'], cors, errorPages, maxConnectionsPerClient: 5 };

describe('Who may ask, CORS, error pages and requests at once', () => {
  test('hold for the routes that have none of their own, by host too, and can be exchanged or taken away', () => {
    const { edge, orders } = parts(all);
    const inherited = { ...all, allowFrom: ['192.0.2.1/32'] };
    expect(edge.addRoute('/', orders).model).toMatchObject(inherited);
    const other = { allowFrom: ['198.51.100.0/24'], cors: Cors.allow(['*']), maxConnectionsPerClient: 9 };
    expect(edge.addRoute('/other', orders, other).model).toMatchObject({ ...inherited, ...other });
    const { model } = edge.addRoute('/open', orders, { cors: Cors.none(), errorPages: ErrorPages.json() });
    expect([model.cors, model.errorPages]).toEqual([undefined, undefined]);
    const host = edge.addHost('www.example.com', { routeDefaults: { maxConnectionsPerClient: 2 } });
    expect(host.addRoute('/', orders).model).toMatchObject({ ...inherited, maxConnectionsPerClient: 2 });
  });

  test('are written once for all routes that share them', () => {
    const { shop, edge, orders } = parts(all);
    for (const path of ['/', '/a', '/b', '/c']) edge.addRoute(path, orders);
    edge.addRoute('/d', orders, { allowFrom: ['192.0.2.2'] });
    const conf = nginxConfOf(objectsAround(shop));
    expect(count(conf, /^ *geo \$stranger_to_/)).toBe(2);
    expect(count(conf, /^ *map \$http_origin /)).toBe(1);
    expect(count(conf, /^ *geo \$page_404_/)).toBe(1);
    expect(count(conf, /^ *location = \/\.nginx-error-of-/)).toBe(1);
    expect(count(conf, /^ *limit_conn_zone .* zone=client_on_/)).toBe(5);
  });

  test('give the same text in any order of networks, origins and pages', () => {
    const conf = (options: RouteOptions): string => {
      const { shop, edge, orders } = parts();
      edge.addRoute('/', orders, options);
      const { allowFrom = ['192.0.2.1', '192.0.2.9'] } = options;
      edge.addRoute('/a', orders, { ...options, allowFrom });
      edge.addRoute('/b', orders, { ...options, allowFrom: [...allowFrom].reverse() });
      return nginxConfOf(objectsAround(shop));
    };
    const origins = ['https://b.example.com', 'https://a.example.com'];
    const pages = { 502: 'b', 404: 'a' } as const;
    expect(conf({ cors: Cors.allow(origins), errorPages: ErrorPages.html(pages) })).toBe(
      conf({ cors: Cors.allow([...origins].reverse()), errorPages: ErrorPages.html({ 404: 'a', 502: 'b' }) }),
    );
    expect(count(conf({}), /^ *geo \$stranger_to_/)).toBe(1);
  });

  test('take memory that is part of the budget', () => {
    const { edge, orders } = parts();
    edge.addRoute('/', orders);
    const before = edge.budget;
    edge.addRoute('/a', orders, { maxConnectionsPerClient: 5 });
    edge.addRoute('/b', orders, { maxConnectionsPerClient: 5 });
    expect(edge.budget.memory).toContainEqual({ what: 'limits of clients on routes', count: 2, each: 128 * 1024 });
    const requestsOf = ({ memory }: typeof before): number =>
      memory.find(({ what }) => what === 'requests in progress')?.each ?? 0;
    expect(requestsOf(edge.budget) - requestsOf(before)).toBe(2 * 128);
  });

  test('hold for redirects and fixed answers, but for what counts requests', () => {
    const { edge } = parts(all);
    const { maxConnectionsPerClient, ...held } = all;
    expect(maxConnectionsPerClient).toBe(5);
    for (const [path, target] of [
      ['/a', Redirect.to('https://www.example.com')],
      ['/b', FixedResponse.of(404)],
    ] as const) {
      const { model } = edge.addRoute(path, target);
      expect(model).toMatchObject({ ...held, allowFrom: ['192.0.2.1/32'] });
      expect(model.maxConnectionsPerClient).toBeUndefined();
      expect(() => edge.addRoute(`${path}/own`, target, { maxConnectionsPerClient: 5 })).toThrow(
        new Error(
          `shop/edge, route ${path}/own maxConnectionsPerClient: 5 does nothing where nginx answers by itself, before it counts: take it out, or give the route a backend`,
        ),
      );
    }
  });

  test('are refused where a header of CORS would be said twice', () => {
    const { edge, orders } = parts();
    expect(() => edge.addRoute('/', orders, { cors, responseHeaders: { 'access-control-allow-origin': '*' } })).toThrow(
      new Error(
        'shop/edge, route / responseHeaders["access-control-allow-origin"]: "*" is what `cors` says already: take one of them out',
      ),
    );
    const other = parts({}, { 'Access-Control-Allow-Origin': '*' });
    other.edge.addRoute('/a', other.orders);
    expect(other.edge.budget.requests).toBeGreaterThan(0);
    other.edge.addRoute('/b', other.orders, { cors });
    expect(() => other.edge.budget).toThrow(
      new Error(
        'shop/edge defaultResponseHeaders["Access-Control-Allow-Origin"]: "*" is what `cors` of the route /b says already: take one of them out',
      ),
    );
  });

  test.each<[RouteOptions, string]>([
    [
      { allowFrom: ['10.0.0.1/8'] },
      'allowFrom: "10.0.0.1/8" is an address within its network: give the first one of the network, such as "10.0.0.0/8", or the address alone',
    ],
    [
      { cors: ['*'] as never },
      'cors: "(object)" is not what stands here: give it as Cors.allow(["https://app.example.com"]) does',
    ],
    [{ errorPages: '<h1>' as never }, 'errorPages: "<h1>" is not what stands here: give it as ErrorPages.json() does'],
    [
      { maxConnectionsPerClient: 0 },
      'maxConnectionsPerClient: 0 is out of range: give a whole number from 1 to 100000',
    ],
  ])('%# are refused with the name of the route', (options, message) => {
    const { edge, orders } = parts();
    expect(() => edge.addRoute('/a', orders, options)).toThrow(new Error(`shop/edge, route /a ${message}`));
  });

  test('are nowhere in a configuration without them', () => {
    const { shop, edge, orders } = parts();
    edge.addRoute('/', orders);
    expect(nginxConfOf(objectsAround(shop))).not.toMatch(
      /stranger|[Aa]ccess-[Cc]ontrol|preflight|error_pages?_|nginx-error-of|client_on_|varies/,
    );
  });
});
