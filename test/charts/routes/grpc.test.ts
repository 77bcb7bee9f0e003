import { FixedResponse, TrafficSplit } from '../../../charts/routes/route-targets';
import { composeModel } from '../../../local/compose';
import { Auth } from '../../../model/auth/auth';
import { LoadBalancing, RequestKey } from '../../../model/load-balancing';
import { Cors } from '../../../model/routes/cors';
import { ErrorPages } from '../../../model/routes/error-pages';
import { Rewrite } from '../../../model/routes/matching';
import { Mirror } from '../../../model/routes/mirror';
import { ResponseCache } from '../../../model/routes/response-cache';
import type { RouteOptions } from '../../../model/routes/route-options';
import { nginxConf } from '../../../nginx/nginx-conf';
import { somePlace } from '../../nginx/support/models';
import {
  containerOf,
  find,
  newBackend,
  newProxy,
  newShop,
  nginxConfOf,
  objectsAround,
  podSpecOf,
  synthesize,
  type TestProps,
} from '../manifests';

function parts(routeDefaults: RouteOptions = {}) {
  const shop = newShop();
  return {
    shop,
    edge: newProxy(shop, 'edge', { routeDefaults }),
    orders: newBackend(shop, 'orders', { protocol: 'grpc', port: 50_051 }),
    web: newBackend(shop, 'web'),
  };
}

describe('A backend that speaks gRPC', () => {
  test('is asked by the kubelet how it is, by the health protocol of gRPC', () => {
    const container = containerOf(synthesize({ protocol: 'grpc', port: 50_051 }), 'orders');
    for (const name of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
      expect(container[name]).toMatchObject({ grpc: { port: 50_051 } });
      expect(Object.keys(container[name] as object)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(?:httpGet|tcpSocket|exec)$/)]),
      );
    }
    expect(container.livenessProbe).toEqual({
      grpc: { port: 50_051 },
      ...{ periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6, terminationGracePeriodSeconds: 5 },
    });
    expect(container.ports).toEqual([expect.objectContaining({ name: 'grpc', containerPort: 50_051 })]);
  });

  test.each<[TestProps['healthCheck'] & {}, unknown, unknown]>([
    ['shop.Orders', { port: 3000, service: 'shop.Orders' }, { port: 3000, service: 'shop.Orders' }],
    [{ readiness: 'shop.Orders' }, { port: 3000 }, { port: 3000, service: 'shop.Orders' }],
    [{ path: 'all', liveness: '' }, { port: 3000 }, { port: 3000, service: 'all' }],
  ])('may say it by service: %j', (healthCheck, liveness, readiness) => {
    const container = containerOf(synthesize({ protocol: 'grpc', healthCheck }), 'orders');
    const asked = ['startupProbe', 'livenessProbe', 'readinessProbe'].map(
      (name) => (container[name] as { readonly grpc: unknown }).grpc,
    );
    expect(asked).toEqual([liveness, liveness, readiness]);
  });

  test('has Services that say what is spoken, and the same pods otherwise', () => {
    const [http, grpc] = [synthesize(), synthesize({ protocol: 'grpc' })];
    for (const name of ['orders', 'orders-cluster-ip']) {
      expect(find(grpc, 'Service', name).spec?.ports).toEqual([
        { name: 'grpc', port: 3000, targetPort: 3000, appProtocol: 'kubernetes.io/h2c' },
      ]);
      expect(find(http, 'Service', name).spec?.ports).toEqual([{ name: 'http', port: 3000, targetPort: 3000 }]);
    }
    expect(find(grpc, 'NetworkPolicy', 'orders')).toEqual(find(http, 'NetworkPolicy', 'orders'));
    expect(containerOf(grpc, 'orders').lifecycle).toEqual(containerOf(http, 'orders').lifecycle);
    expect(podSpecOf(grpc, 'orders').terminationGracePeriodSeconds).toBe(
      podSpecOf(http, 'orders').terminationGracePeriodSeconds,
    );
  });

  test('is found by the records of its own port where each pod needs a name', () => {
    const conf = (loadBalancing?: LoadBalancing): string =>
      nginxConfOf(synthesize({ protocol: 'grpc', ...(loadBalancing === undefined ? {} : { loadBalancing }) }));
    expect(conf(LoadBalancing.hash(RequestKey.header('x-tenant')))).toContain(
      'server orders.orders.svc.cluster.local service=grpc resolve',
    );
    expect(conf()).toContain('server orders.orders.svc.cluster.local:3000 resolve');
  });

  test('is called by all ways of its routes, with its fallback', () => {
    const { shop, edge, orders, web } = parts();
    edge.addRoute('/shop.Orders', orders);
    edge.addRoute('/', web);
    const conf = nginxConfOf(objectsAround(shop));
    expect(conf.match(/grpc_pass grpc:\/\/orders;/g)?.length).toBeGreaterThan(2);
    expect(conf).toContain('grpc_pass grpc://orders_fallback;');
    expect(conf).not.toMatch(/proxy_pass http:\/\/orders\b/);
    expect(conf).toContain('server orders-cluster-ip.shop.svc.cluster.local:50051 ');
    expect(conf).toContain('proxy_pass http://web;');
  });

  test('is called in the same way on one machine', () => {
    const { edge, orders } = parts();
    edge.addRoute('/shop.Orders', orders);
    const conf = nginxConf(composeModel(edge), somePlace());
    expect(conf).toContain('grpc_pass grpc://orders;');
    expect(conf).toContain('location = /.call-orders');
  });

  test('may have versions that speak it too, and shares its routes with them', () => {
    const { edge, orders } = parts();
    const canary = orders.addVersion('canary');
    const split = TrafficSplit.weighted([
      { target: orders, weight: 50 },
      { target: canary, weight: 50 },
    ]);
    expect(edge.addRoute('/shop.Orders', split).model.protocol).toBe('grpc');
  });
});

describe('A route to gRPC', () => {
  test('takes none of what all routes have that does not go with it', () => {
    const { edge, orders, web } = parts({
      cache: ResponseCache.of({ valid: '1m' }),
      cors: Cors.allow(['https://app.example.com']),
      errorPages: ErrorPages.html({ default: 'sorry' }),
      rewrite: Rewrite.stripPrefix(),
      allowFrom: ['192.0.2.0/24'],
    });
    const { model } = edge.addRoute('/shop.Orders', orders);
    expect(model).toMatchObject({ protocol: 'grpc', allowFrom: ['192.0.2.0/24'], rewrite: undefined });
    for (const option of ['cache', 'cors', 'errorPages', 'mirror']) expect(model).not.toHaveProperty(option);
    const other = edge.addRoute('/app', web).model;
    for (const option of ['cache', 'cors', 'errorPages']) expect(other).toHaveProperty(option);
  });

  test('takes no copies from what all routes have', () => {
    const shop = newShop();
    const [web, orders] = [newBackend(shop, 'web'), newBackend(shop, 'orders', { protocol: 'grpc' })];
    const edge = newProxy(shop, 'edge', { routeDefaults: { mirror: Mirror.to(web.addVersion('next')) } });
    expect(edge.addRoute('/shop.Orders', orders).model).not.toHaveProperty('mirror');
  });

  test('has no bound of what a stream sends but its own, and keeps nothing of it', () => {
    const { edge, orders } = parts({ maxBodySize: '2m' });
    edge.addRoute('/shop.Orders', orders);
    const size = (path: string, options: RouteOptions): number =>
      edge.addRoute(path, orders, options).model.maxBodySize;
    expect(size('/shop.Chat', { streaming: '1h' })).toBe(1023 * 2 ** 30);
    expect(size('/shop.Feed', { streaming: '1h', maxBodySize: '4m' })).toBe(4 * 2 ** 20);
    expect(size('/shop.Items', {})).toBe(2 * 2 ** 20);
    // As much as a node has without asking; a body of that length would be refused.
    expect(edge.budget.temporaryStorage).toBeLessThan(8 * 2 ** 30);
  });
});

describe('It is refused', () => {
  const refused = 'shop/edge, route /shop.Orders';
  test.each<[string, (given: ReturnType<typeof parts>) => unknown, string]>([
    [
      'to rewrite a call',
      ({ edge, orders }) => edge.addRoute('/shop.Orders', orders, { rewrite: Rewrite.stripPrefix() }),
      `${refused} rewrite: "(object)" does not go with gRPC, whose paths are names of services and methods that client and backend have from one .proto file: take it out`,
    ],
    [
      'to keep its answer',
      ({ edge, orders }) => edge.addRoute('/shop.Orders', orders, { cache: ResponseCache.of({}) }),
      `${refused} cache: "(object)" does not go with gRPC, whose calls are POST, and which no cache keeps: take it out`,
    ],
    [
      'to copy it',
      ({ edge, orders, web }) => edge.addRoute('/shop.Orders', orders, { mirror: Mirror.to(web) }),
      `${refused} mirror: "(object)" does not go with gRPC, as copies are sent over HTTP/1.1: take it out`,
    ],
    [
      'to copy a request to it',
      ({ edge, orders, web }) => edge.addRoute('/app', web, { mirror: Mirror.to(orders) }),
      'shop/edge, route /app mirror: "orders" speaks gRPC, and copies are sent over HTTP/1.1: give a backend that takes them',
    ],
    [
      'to let pages of other origins call it',
      ({ edge, orders }) => edge.addRoute('/shop.Orders', orders, { cors: Cors.allow(['https://a.example.com']) }),
      `${refused} cors: "(object)" does not go with gRPC, which no browser speaks, and gRPC-Web is not translated: take it out`,
    ],
    [
      'to answer it with pages',
      ({ edge, orders }) => edge.addRoute('/shop.Orders', orders, { errorPages: ErrorPages.html({ default: 'x' }) }),
      `${refused} errorPages: "(object)" does not go with gRPC, whose errors are a status in the headers of an answer: take it out`,
    ],
    [
      'to ask a backend of gRPC who may use a route',
      ({ edge, orders, web }) => edge.addRoute('/app', web, { auth: Auth.external(orders) }),
      'shop/edge, route /app auth: "shop/orders" speaks gRPC, and is asked over HTTP/1.1 who may use a route: give a backend that answers it',
    ],
    [
      'to share a route with a backend that speaks HTTP',
      ({ edge, orders }) =>
        edge.addRoute(
          '/shop.Orders',
          TrafficSplit.weighted([
            { target: orders, weight: 50 },
            { target: orders.addVersion('web', { protocol: 'http', healthCheck: '/up' }), weight: 50 },
          ]),
        ),
      `${refused} target: ["orders","orders-web"] speak different protocols, so that one cannot answer in the place of another: give them routes of their own`,
    ],
    [
      'to keep clients to a pod by a cookie',
      ({ shop }) => newBackend(shop, 'chat', { protocol: 'grpc', loadBalancing: LoadBalancing.stickyCookie('pod') }),
      'shop/chat loadBalancing: "(object)" does not go with gRPC, whose clients keep no cookies: give LoadBalancing.hash(RequestKey.header("x-tenant")), say',
    ],
    [
      'to ask for its health by a path',
      ({ shop }) => newBackend(shop, 'chat', { protocol: 'grpc', healthCheck: '/health check' }),
      'shop/chat healthCheck: "/health check" is not the name of a gRPC service: give it with its package, such as "shop.Orders", or "" for the server as a whole',
    ],
    [
      'to ask for the health of HTTP by the name of a service',
      ({ shop }) => newBackend(shop, 'chat', { healthCheck: 'shop.Orders' }),
      'shop/chat healthCheck: "shop.Orders" is not a URL path: start it with "/" and percent-encode what RFC 3986 does not allow in a path, such as "/healthcheck"',
    ],
    [
      'to speak what nobody knows',
      ({ shop }) => newBackend(shop, 'chat', { protocol: 'grpc-web' as never }),
      'shop/chat protocol: "grpc-web" is unknown: give one of http, grpc',
    ],
  ])('%s', (_what, make, message) => {
    const given = parts();
    expect(() => make(given)).toThrow(new Error(message));
  });

  test('unless it takes away what all routes have', () => {
    const { edge, orders } = parts({ cors: Cors.allow(['https://app.example.com']) });
    const options = { cors: Cors.none(), errorPages: ErrorPages.json(), cache: ResponseCache.none() };
    expect(edge.addRoute('/shop.Orders', orders, options).model).not.toHaveProperty('cors');
    expect(edge.addRoute('/ping', FixedResponse.of(200, 'pong')).model).toHaveProperty('cors');
  });
});
