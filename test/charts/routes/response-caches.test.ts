import type { Backend } from '../../../charts/backend';
import { FixedResponse, Redirect, TrafficSplit } from '../../../charts/routes/route-targets';
import { ExternalService } from '../../../charts/routes/external-service';
import { StaticFiles } from '../../../charts/routes/static-files';
import { composeModel } from '../../../local/compose';
import { Auth } from '../../../model/auth/auth';
import { Jwks } from '../../../model/auth/jwks';
import { RequestKey } from '../../../model/load-balancing';
import { ResponseCache } from '../../../model/routes/response-cache';
import type { RouteOptions } from '../../../model/routes/route-options';
import { nginxConf } from '../../../nginx/nginx-conf';
import { somePlace } from '../../nginx/support/models';
import { containerOf, newBackend, newProxy, newShop, nginxConfOf, objectsAround, podSpecOf } from '../manifests';

function parts(routeDefaults: RouteOptions = {}) {
  const shop = newShop();
  return { shop, edge: newProxy(shop, 'edge', { routeDefaults }), orders: newBackend(shop, 'orders') };
}

const MiB = 2 ** 20;
const paths = (conf: string): string[] =>
  [...conf.matchAll(/proxy_cache_path "([^"]*)"/g)].map(([, path = '']) => path);

describe('A cache of answers', () => {
  test('has a volume with room for all that is kept, what is being fetched, and what nginx has not noticed', () => {
    const { shop, edge, orders } = parts();
    edge.addRoute('/', orders, { cache: ResponseCache.of({ size: '2g', maxAnswerSize: '2m' }) });
    const objects = objectsAround(shop);
    const room = 2048 + 2 * edge.budget.requests + 1024;
    expect(podSpecOf(objects, 'edge').volumes).toContainEqual({
      name: 'kept-answers',
      emptyDir: { sizeLimit: `${room}Mi` },
    });
    const { volumeMounts, resources } = containerOf(objects, 'edge');
    expect(volumeMounts).toContainEqual({ name: 'kept-answers', mountPath: '/var/cache/nginx' });
    const bodies = edge.budget.temporaryStorage / MiB + 16;
    expect(resources.requests['ephemeral-storage']).toBe(`${2048 + 64}Mi`);
    expect(resources.limits['ephemeral-storage']).toBe(`${bodies + room + 64}Mi`);
    expect(paths(nginxConfOf(objects))).toEqual(['/var/cache/nginx/cache_of_root']);
    expect(nginxConfOf(objects)).toContain('keys_zone=cache_of_root:16384k max_size=2g');
  });

  test('has its script where it gives what is not fresh, and nowhere else', () => {
    for (const [staleFor, has] of [
      ['10m', true],
      ['0s', false],
    ] as const) {
      const { shop, edge, orders } = parts();
      edge.addRoute('/', orders, { cache: ResponseCache.of({ staleFor }) });
      const objects = objectsAround(shop);
      const mounts = containerOf(objects, 'edge').volumeMounts.filter(({ subPath }) => subPath === 'stale-answers.mjs');
      expect(mounts).toEqual(
        has ? [expect.objectContaining({ name: 'config', mountPath: '/etc/nginx/stale-answers.mjs' })] : [],
      );
      const files = objects.flatMap(({ kind, data }) => (kind === 'ConfigMap' ? Object.keys(data ?? {}) : []));
      expect(files.includes('stale-answers.mjs')).toBe(has);
      expect(nginxConfOf(objects).includes('js_periodic stale_answers.forget')).toBe(has);
    }
  });

  test('changes nothing of a proxy without one', () => {
    const { shop, edge, orders } = parts();
    edge.addRoute('/', orders, { cache: ResponseCache.none() });
    const text = JSON.stringify(objectsAround(shop));
    expect(text).not.toMatch(/cache_of|kept-answers|stale_answers|Cache-Status/);
    expect(edge.budget).toMatchObject({ keptAnswers: 0, cacheStorage: 0 });
  });

  test('is shared by routes that have the same, named after the first of them whatever their order', () => {
    const made = (reversed: boolean): string[] => {
      const { shop, edge, orders } = parts();
      const cache = ResponseCache.of();
      const routes = ['/a', '/b', '/c'].map((path) => [path, path === '/c' ? ResponseCache.of() : cache] as const);
      for (const [path, each] of reversed ? routes.reverse() : routes) edge.addRoute(path, orders, { cache: each });
      return paths(nginxConfOf(objectsAround(shop)));
    };
    expect(made(false)).toEqual(['/var/cache/nginx/cache_of_a', '/var/cache/nginx/cache_of_c']);
    expect(made(true)).toEqual(made(false));
  });

  test('is part of the budget: keys and two processes, and two more files a request', () => {
    const { edge, orders } = parts();
    const budget = (options: RouteOptions, id: string) => {
      const other = newProxy(edge.namespace, id);
      other.addRoute('/', orders, options);
      return other.budget;
    };
    const without = budget({}, 'without');
    const kept = budget({ cache: ResponseCache.of({ size: '64m' }) }, 'kept');
    const behind = budget({ cache: ResponseCache.of({ size: '64m', backgroundUpdate: true }) }, 'behind');
    expect(kept.memory).toContainEqual({ what: 'keys of answers that are kept', count: 1, each: 7 * MiB });
    expect(without.memory.map(({ what }) => what)).not.toContain('keys of answers that are kept');
    expect(kept.openFiles - kept.workerConnections).toBe(3 * kept.requests + 48);
    const each = ({ memory }: typeof kept): number =>
      memory.find(({ what }) => what === 'requests in progress')?.each ?? 0;
    expect(each(kept)).toBe(each(without));
    expect(each(behind) - each(kept)).toBe((12 + 3 + 16 + 32) * 1024);
  });

  test('lets in fewer requests where the disk has no room for their answers, and refuses what an API would suffer from', () => {
    const { edge, orders } = parts();
    edge.addRoute('/', orders, { cache: ResponseCache.of({ maxAnswerSize: '40m' }) });
    expect(edge.budget.requests).toBe(204);
    expect(() => {
      const { edge: other, orders: backend } = parts();
      other.addRoute('/', backend, { cache: ResponseCache.of({ size: '1g', maxAnswerSize: '100m' }) });
      return other.budget;
    }).toThrow(
      /^shop\/edge ResponseCache\.of maxAnswerSize: "100m" does not fit: \d+ answers that are fetched at once are \d+Mi of temporary files, and 8192Mi are what a node is sure to have: give less, or clients\.maxRequests 81 or less$/,
    );
    const { orders: backend, shop } = parts();
    const given = newProxy(shop, 'given', { clients: { maxRequests: 80 } });
    given.addRoute('/', backend, { cache: ResponseCache.of({ size: '1g', maxAnswerSize: '100m' }) });
    expect(given.budget.cacheStorage).toBe((1024 + 8000 + 1024) * MiB);
  });

  test('asks the API for answers as they are, unless the route says otherwise', () => {
    const { edge, orders } = parts();
    const cache = ResponseCache.of();
    expect(edge.addRoute('/a', orders, { cache }).model.requestHeaders).toEqual([['Accept-Encoding', false]]);
    const own = { 'accept-encoding': 'br', 'X-Team': 'orders' };
    expect(edge.addRoute('/b', orders, { cache, requestHeaders: own }).model.requestHeaders).toEqual([
      ['accept-encoding', 'br'],
      ['X-Team', 'orders'],
    ]);
    expect(edge.addRoute('/c', orders).model.requestHeaders).toEqual([]);
  });

  const tokens = {
    issuer: 'https://id.example.com',
    audience: 'orders',
    jwks: Jwks.fromConfigMap('issuer-keys'),
  };

  test.each([
    [
      'X-Api-Key of `forwardHeaders` of Auth.external, which is not in the key of the cache',
      (asked: Backend) => Auth.external(asked, { forwardHeaders: ['Cookie', 'X-Api-Key'] }),
    ],
  ])('is refused where the backend knows clients apart by %s', (told, auth) => {
    const cache = ResponseCache.of();
    const { edge, orders, shop } = parts({ cache });
    const options = { auth: auth(newBackend(shop, 'sessions')) };
    expect(() => edge.addRoute('/', orders, { ...options, cache })).toThrow(
      `would give one client what another was answered, as the backend knows them by ${told}: take one out`,
    );
    // That of all routes is left out.
    expect(edge.addRoute('/a', orders, options).model.cache).toBeUndefined();
  });

  test('goes with proof that is in its key, or that the backend does not see', () => {
    const { edge, orders, shop } = parts();
    const sessions = newBackend(shop, 'sessions');
    const kept = (auth: Auth, cache = ResponseCache.of()): unknown =>
      edge.addRoute(`/${String(edge.node.children.length)}`, orders, { auth, cache }).model.cache;
    expect(kept(Auth.jwt({ ...tokens, claims: { 'X-User': 'sub' } }))).toBeDefined();
    const asked = { forwardHeaders: ['X-Api-Key'], responseHeaders: ['X-User'] };
    expect(kept(Auth.external(sessions, asked))).toBeDefined();
    expect(kept(Auth.basic({ secret: 'admins' }))).toBeDefined();
    expect(kept(Auth.external(sessions))).toBeDefined();
    const byCurrency = ResponseCache.of({ key: [RequestKey.cookie('currency')] });
    expect(kept(Auth.external(sessions, asked), byCurrency)).toBeDefined();
    const byKey = Auth.external(sessions, { forwardHeaders: ['X-Api-Key'] });
    expect(kept(byKey, ResponseCache.of({ key: [RequestKey.header('x-api-key')] }))).toBeDefined();
    const unseen: RouteOptions = { auth: byKey, cache: ResponseCache.of(), requestHeaders: { 'x-api-key': false } };
    expect(edge.addRoute('/unseen', orders, unseen).model.cache).toBeDefined();
  });

  test('is the same on one machine, in the directory of the run or of the container', () => {
    const { edge, orders } = parts();
    edge.addRoute('/', orders, { cache: ResponseCache.of() });
    expect(paths(nginxConf(composeModel(edge), somePlace()))).toEqual(['/tmp/cache_of_root']);
    const place = somePlace({ runtimeDirectory: '/run/fairlead-x' });
    expect(paths(nginxConf(composeModel(edge), place))).toEqual(['/run/fairlead-x/cache_of_root']);
  });

  test('of all routes is that of routes which can have one', () => {
    const { edge, orders } = parts({ cache: ResponseCache.of({ valid: '1m' }) });
    const split = TrafficSplit.weighted([{ target: orders, weight: 100 }]);
    const kept = [
      edge.addRoute('/', orders),
      edge.addRoute('/split', split),
      edge.addRoute('/external', ExternalService.fromUrl('https://a.example.com')),
      edge.addRoute('/none', orders, { cache: ResponseCache.none() }),
      edge.addRoute('/events', orders, { streaming: '1h' }),
      edge.addRoute('/old', Redirect.to('/new')),
      edge.addRoute('/ping', FixedResponse.of(200)),
      edge.addRoute('/web', StaticFiles.fromConfigMap('site')),
    ].map(({ model }) => model.cache?.valid);
    expect(kept).toEqual([60, 60, 60, undefined, undefined, undefined, undefined, undefined]);
  });

  test('leaves a header of the route that is called as its own', () => {
    const { shop, edge, orders } = parts();
    edge.addRoute('/', orders, { cache: ResponseCache.of(), responseHeaders: { 'cache-status': false } });
    expect(nginxConfOf(objectsAround(shop))).not.toContain('add_header Cache-Status');
  });
});

describe('A cache of answers is refused', () => {
  const cache = ResponseCache.of();
  const byItself =
    'cache: "(object)" does nothing where nginx answers by itself: take it out, or give the route a backend';
  test.each<[string, (given: ReturnType<typeof parts>) => unknown, string]>([
    [
      'for a redirect',
      ({ edge }) => edge.addRoute('/a', Redirect.to('/b'), { cache }),
      `shop/edge, route /a ${byItself}`,
    ],
    [
      'for a fixed answer',
      ({ edge }) => edge.addRoute('/a', FixedResponse.of(204), { cache }),
      `shop/edge, route /a ${byItself}`,
    ],
    [
      'for files',
      ({ edge }) => edge.addRoute('/a', StaticFiles.fromConfigMap('site'), { cache }),
      `shop/edge, route /a ${byItself}`,
    ],
    [
      'beside a service that knows sessions, if another cookie is in its key',
      ({ edge, orders }) =>
        edge.addRoute('/a', orders, {
          auth: Auth.external(orders),
          cache: ResponseCache.of({ key: [RequestKey.cookie('currency')] }),
        }),
      'shop/edge, route /a cache: "(object)" would give one client what another was answered, as the backend knows them by Cookie of `forwardHeaders` of Auth.external, which is not in the key of the cache: take one out',
    ],
    [
      'for streams',
      ({ edge, orders }) => edge.addRoute('/a', orders, { cache, streaming: '1h' }),
      'shop/edge, route /a cache: "(object)" does not go with `streaming`, whose answers pass through as they come: take one out',
    ],
    [
      'if it is none',
      ({ edge, orders }) => edge.addRoute('/a', orders, { cache: { valid: '1m' } as never }),
      'shop/edge, route /a cache: "(object)" is not what stands here: give it as ResponseCache.of({ valid: "1m" }) does',
    ],
    ...(
      [
        [{ size: '512k' }, 'size: "512k" is too small: give 1m or more'],
        [{ size: '2048g' }, 'size: "2048g" is too large: give 1024g or less'],
        [{ size: 5 }, 'size: 5 is not a size: give a whole number with a unit, such as "16k" or "1m"'],
        [
          { size: '4m', maxAnswerSize: '5m' },
          'maxAnswerSize: "5m" is more than all answers together may take: give no more than size',
        ],
        [{ valid: '0s' }, 'valid: "0s" is too short: give 1s or more'],
        [{ valid: '366d' }, 'valid: "366d" is too long: give 365d or less'],
        [{ staleFor: '31d' }, 'staleFor: "31d" is too long: give 30d or less'],
        [{ staleFor: '1500ms' }, 'staleFor: "1500ms" is not a whole number of seconds: give one, such as "30s"'],
        [{ backgroundUpdate: 1 }, 'backgroundUpdate: 1 is neither true nor false: give one of them'],
        [
          { backgroundUpdate: true, staleFor: '0s' },
          'backgroundUpdate: true does nothing while staleFor is 0s: take it out, or give staleFor',
        ],
        [
          { key: [RequestKey.clientAddress()] },
          'key: "clientAddress" would keep an answer for each client: give headers and cookies',
        ],
        [
          { key: [RequestKey.uri()] },
          'key: "uri" is part of the key already, as the whole path and query string are: take it out',
        ],
        [
          { key: [RequestKey.query('page')] },
          'key: "query" is part of the key already, as the whole path and query string are: take it out',
        ],
        [{ key: [RequestKey.header('a'), RequestKey.header('A')] }, 'key: "A" is given twice: take one out'],
        [
          { key: ['X-Tenant'] },
          'key: "X-Tenant" is not what stands here: give it as RequestKey.header("Accept-Language") does',
        ],
      ] as const
    ).map(([options, message]): [string, () => unknown, string] => [
      `with ${JSON.stringify(options)}`,
      () => ResponseCache.of(options as never),
      `ResponseCache.of ${message}`,
    ]),
  ])('%s', (_when, make, message) => {
    const given = parts();
    expect(() => make(given)).toThrow(new Error(message));
  });
});
