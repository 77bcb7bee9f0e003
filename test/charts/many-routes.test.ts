import { Auth } from '../../model/auth/auth';
import { Jwks } from '../../model/auth/jwks';
import { RateLimit } from '../../model/routes/rate-limit';
import { ResponseCache } from '../../model/routes/response-cache';
import type { RouteOptions } from '../../model/routes/route-options';
import { testConfiguration } from '../nginx/support/real-nginx';
import { newBackend, newProxy, newShop, nginxConfOf, objectsAround } from './manifests';

/** What each directive of this name is given in a configuration. */
function named(conf: string, directive: string): ReadonlySet<string | undefined> {
  return new Set([...conf.matchAll(new RegExp(`^ *${directive} ([^{;]+?) ?[{;]`, 'gm'))].map(([, name]) => name));
}

test('500 routes to 100 backends are all in nginx.conf, which real nginx takes without a warning', async () => {
  const shop = newShop();
  const edge = newProxy(shop, 'edge', { host: 'shop.example.com' });
  const sessions = newBackend(shop, 'sessions');
  const backends = [sessions, ...Array.from({ length: 99 }, (_, index) => newBackend(shop, `backend-${index}`))];
  const jwks = Jwks.fromConfigMap('issuer-keys');
  const kinds: Readonly<Record<string, RouteOptions>> = {
    plain: {},
    tokens: { auth: Auth.jwt({ issuer: 'https://id.example.com', audience: 'shop', jwks }) },
    asked: { auth: Auth.external(sessions, { path: '/verify', responseHeaders: ['X-User'] }) },
    limited: { rateLimit: RateLimit.perClient('5/s', { burst: 10 }) },
    kept: { cache: ResponseCache.of({ valid: '1m' }) },
  };
  const routes = Object.entries(kinds).flatMap(([kind, options]) =>
    backends.map((backend) => edge.addRoute(`/${kind}/${backend.node.id}`, backend, options)),
  );
  const conf = nginxConfOf(objectsAround(shop));

  expect(routes).toHaveLength(500);
  expect(named(conf, 'set \\$route')).toEqual(new Set(routes.map(({ model }) => model.name)));
  const locations = named(conf, 'location');
  const entries = routes.flatMap(({ path }) => [`= ${path.path}`, `${path.path}/`]);
  expect(entries.filter((entry) => !locations.has(entry))).toEqual([]);
  const upstreams = named(conf, 'upstream');
  expect(backends.map(({ node }) => node.id).filter((id) => !upstreams.has(id))).toEqual([]);
  expect(named(conf, 'limit_req_zone').size).toBe(100);
  expect(await testConfiguration(conf)).not.toContain('[warn]');
});
