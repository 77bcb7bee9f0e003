import { FixedResponse, Redirect } from '../../../charts/routes/route-targets';
import { RequestKey } from '../../../model/load-balancing';
import { Path } from '../../../model/routes/matching';
import { RateLimit } from '../../../model/routes/rate-limit';
import type { RouteOptions } from '../../../model/routes/route-options';
import { newBackend, newProxy, newShop, nginxConfOf, objectsAround } from '../manifests';

const limit = RateLimit.perClient('5/s', { burst: 10 });

function parts(routeDefaults: RouteOptions = {}) {
  const shop = newShop();
  return { shop, edge: newProxy(shop, 'edge', { routeDefaults }), orders: newBackend(shop, 'orders') };
}

const linesOf = (conf: string, start: string): string[] =>
  conf.split('\n').flatMap((line) => (line.trim().startsWith(start) ? [line.replace(/ +#.*/, '').trim()] : []));

describe('Limits of rates', () => {
  test('are counted for each route, in memory that is part of the budget', () => {
    const { shop, edge, orders } = parts();
    edge.addRoute('/', orders);
    const before = edge.budget;
    edge.addRoute(Path.exact('/login'), orders, {
      rateLimit: [RateLimit.perClient('5/m'), RateLimit.per(RequestKey.header('X-Api-Key'), '100/s')],
    });
    edge.addRoute('/cart', orders, { rateLimit: limit });
    const conf = nginxConfOf(objectsAround(shop));
    const [login] = edge.routes.map(({ model }) => model.name).filter((name) => name.startsWith('login'));
    expect(linesOf(conf, 'limit_req_zone')).toEqual([
      'limit_req_zone $limited_client zone=rate_of_cart:2048k rate=5r/s;',
      `limit_req_zone $limited_client zone=rate_of_${login}:2048k rate=5r/m;`,
      `limit_req_zone $rate_by_header_x_api_key zone=rate_2_of_${login}:2048k rate=100r/s;`,
    ]);
    expect(conf).toContain(`map $route $retry_after {\n    default 1;\n    "~^${login}$" 12;`);
    expect(edge.budget.memory).toContainEqual({ what: 'limits of rates', count: 3, each: 2 * 2 ** 20 });
    expect(edge.budget.requests).toBeLessThan(before.requests);
  });

  test('hold for the routes that have none of their own, and can be taken away', () => {
    const { edge, orders } = parts({ rateLimit: limit });
    const other = RateLimit.perClient('1/s');
    expect(edge.addRoute('/', orders).model.rateLimits).toEqual([limit]);
    expect(edge.addRoute('/cart', orders, { rateLimit: other }).model.rateLimits).toEqual([other]);
    expect(edge.addRoute('/health', orders, { rateLimit: [] }).model.rateLimits).toBeUndefined();
    expect(edge.addHost('www.example.com').addRoute('/', orders).model.rateLimits).toEqual([limit]);
  });

  test.each([
    ['a redirect', Redirect.to('https://www.example.com')],
    ['a fixed response', FixedResponse.of(404)],
  ])('are refused for %s, which has none of those that all have', (_what, target) => {
    const { edge } = parts({ rateLimit: limit });
    expect(edge.addRoute('/a', target).model.rateLimits).toBeUndefined();
    expect(edge.addRoute('/b', target, { rateLimit: [] }).model.rateLimits).toBeUndefined();
    expect(() => edge.addRoute('/c', target, { rateLimit: limit })).toThrow(
      new Error(
        'shop/edge, route /c rateLimit: "(object)" does nothing where nginx answers by itself, before it counts: take it out, or give the route a backend',
      ),
    );
  });

  test('are nowhere in a configuration without them', () => {
    const { shop, edge, orders } = parts();
    edge.addRoute('/', orders);
    expect(nginxConfOf(objectsAround(shop))).not.toMatch(/limit_req|429 @|too_many|rate_/);
  });
});
