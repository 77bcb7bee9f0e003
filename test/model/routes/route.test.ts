import { RequestKey } from '../../../model/load-balancing';
import { describedRoutes } from '../../../model/routes/description';
import { Match, Path } from '../../../model/routes/matching';
import { RateLimit } from '../../../model/routes/rate-limit';
import { ResponseCache } from '../../../model/routes/response-cache';
import {
  cachesOf,
  countOfClientLimits,
  countOfRateLimits,
  greatestBody,
  isGrpc,
  passesBodyOn,
} from '../../../model/routes/route';
import { externalTarget, routeModel } from '../../nginx/support/models';

const MiB = 2 ** 20;

test.each([
  [{}, false, false],
  [{ streamTimeout: 60 }, false, false],
  [{ protocol: 'grpc' }, true, false],
  [{ protocol: 'grpc', streamTimeout: 60 }, true, true],
] as const)('a route with %j speaks gRPC: %j, and passes a body on as it comes: %j', (parts, grpc, passes) => {
  const route = routeModel(parts);
  expect([isGrpc(route), passesBodyOn(route)]).toEqual([grpc, passes]);
});

describe('The greatest body of routes', () => {
  const small = routeModel({ path: '/a', maxBodySize: MiB });
  const great = routeModel({ path: '/upload', maxBodySize: 8 * MiB });
  const stream = routeModel({ path: '/events', maxBodySize: 16 * MiB, streamTimeout: 60 });
  const call = routeModel({ path: '/shop.Chat', maxBodySize: 64 * MiB, streamTimeout: 60, protocol: 'grpc' });

  test('is that of the one that takes most, whatever their order', () => {
    for (const routes of [
      [small, great],
      [great, small],
    ]) {
      expect(greatestBody(routes)).toEqual({ maxBodySize: 8 * MiB, maxBodyPath: '/upload' });
    }
  });

  test('is none of what passes through, which only calls of gRPC do', () => {
    expect(greatestBody([small, call])).toEqual({ maxBodySize: MiB, maxBodyPath: '/a' });
    expect(greatestBody([small, stream, call])).toEqual({ maxBodySize: 16 * MiB, maxBodyPath: '/events' });
  });

  test('is 1 KiB where there is none', () => {
    expect(greatestBody([])).toEqual({ maxBodySize: 1024, maxBodyPath: undefined });
    expect(greatestBody([call])).toEqual({ maxBodySize: 1024, maxBodyPath: undefined });
  });
});

test('limits are counted for each route, and a cache once', () => {
  const [one, other] = [ResponseCache.of().model, ResponseCache.of().model];
  if (one === undefined || other === undefined) throw new Error('there is no cache');
  const limit = RateLimit.perClient('5/s');
  const routes = [
    routeModel(),
    routeModel({ rateLimits: [limit, RateLimit.perClient('5/m')], cache: one }),
    routeModel({ rateLimits: [limit], cache: other, maxConnectionsPerClient: 1 }),
    routeModel({ cache: one, maxConnectionsPerClient: 1 }),
  ];
  expect([countOfRateLimits(routes), countOfClientLimits(routes)]).toEqual([3, 2]);
  expect(cachesOf(routes)).toEqual([one, other]);
  expect([countOfRateLimits([]), countOfClientLimits([]), cachesOf([])]).toEqual([0, 0, []]);
});

test('routes are described as people read them', () => {
  const shares = ['orders', 'orders-canary'].map((backend) => ({ backend, weight: 50 }));
  const routes = [
    routeModel({ name: 'a', path: '/a', target: 'orders' }),
    routeModel({ name: 'b', path: Path.exact('/b'), target: { kind: 'redirect', location: '/v1', status: 308 } }),
    routeModel({
      ...{ name: 'c', path: '/c', when: Match.allOf(Match.header('X-Team', 'a'), Match.method('PUT', 'GET')) },
      target: { kind: 'split', stickyBy: RequestKey.clientAddress(), shares },
    }),
    routeModel({ name: 'd', path: '/d', when: Match.query('v', '2'), target: externalTarget('https://a.example.com') }),
    routeModel({
      ...{ name: 'e', path: '/e', when: Match.cookie('beta', 'yes') },
      target: { kind: 'response', status: 404, body: '', contentType: 'text/plain' },
    }),
    routeModel({ name: 'f', target: { kind: 'files', source: 'web:1', singlePage: true, immutable: undefined } }),
  ];
  const described = describedRoutes([
    { names: ['shop.example.com', 'www.example.com'], routes },
    { names: ['admin.example.com'], routes: [routeModel({ name: 'g' })] },
  ]);
  const host = 'shop.example.com';
  expect(described).toEqual([
    { host, route: 'a', path: '/a', target: 'orders', shared: [] },
    { host, route: 'b', path: '= /b', target: '308 to /v1', shared: [] },
    {
      ...{ host, route: 'c', path: '/c · header X-Team: a · GET, PUT' },
      ...{ target: 'orders, orders-canary', shared: ['orders', 'orders-canary'] },
    },
    { host, route: 'd', path: '/d · query v: 2', target: 'a.example.com:443', shared: [] },
    { host, route: 'e', path: '/e · cookie beta: yes', target: 'fixed answer 404', shared: [] },
    { host, route: 'f', path: '/', target: 'files of web:1', shared: [] },
    { host: 'admin.example.com', route: 'g', path: '/', target: 'api', shared: [] },
  ]);
});
