import { LoadBalancing } from '../../model/load-balancing';
import { Match, Path } from '../../model/routes/matching';
import { TargetModel } from '../../model/routes/route';
import { nginxConf } from '../../nginx/nginx-conf';
import { until } from '../until';
import { HostParts, ProxyParts, proxyModel, RouteParts, somePlace } from './support/models';
import { RealNginx } from './support/real-nginx';
import { StubApi } from './support/stub-api';
import { StubDns } from './support/stub-dns';

const named = (body: string): TargetModel => ({ kind: 'response', status: 200, body, contentType: 'text/plain' });
const longName = (index: number): string => `a-route-with-a-name-as-long-as-people-make-them-${index}`;
const backends = Array.from({ length: 100 }, (_, index) => ({
  name: `backend-${index}`,
  fallback: '127.0.0.1:9',
  loadBalancing: index % 2 === 0 ? LoadBalancing.leastConnections() : LoadBalancing.roundRobin(),
}));

/** 500 routes of every kind. */
function manyRoutes(): RouteParts[] {
  return Array.from({ length: 500 }, (_, index): RouteParts => {
    const name = longName(index);
    const target = `backend-${index % 100}`;
    if (index < 100)
      return {
        name,
        target,
        path: Path.exact(`/exact/${index}`),
        responseHeaders: [[`X-${'Long-'.repeat(11)}${index}`, 'x']],
      };
    if (index < 200) return { name, target, path: `/prefix/${index}`, rewrite: '', maxBodySize: 1000 + index };
    if (index < 300)
      return {
        name,
        target: named(name),
        path: '/many',
        when: index % 2 === 0 ? Match.header('X-Route', String(index)) : Match.query('route', String(index)),
      };
    if (index < 400)
      return {
        name,
        target,
        path: `/chosen/${index}`,
        when: Match.allOf(Match.method('GET'), Match.cookie('a', String(index))),
        requestHeaders: [[`X-Own-${index}`, 'x']],
      };
    return { name, target: named(name), path: '/versions', when: Match.header('Accept-Version', String(index)) };
  });
}

async function start(parts: ProxyParts): Promise<RealNginx> {
  const dns = await StubDns.start();
  const api = await StubApi.start('one', (_request, response) => response.end('ok'));
  dns.instances = [api.instance];
  return RealNginx.start(proxyModel({ ...parts, workers: 1 }), { resolvers: [dns.server], workers: 1 });
}

test('500 routes and 100 backends start without a warning, and each is found', async () => {
  const hosts: [HostParts, ...HostParts[]] = [
    { names: ['shop.example.com'], routes: manyRoutes() },
    ...Array.from({ length: 60 }, (_, index): HostParts => ({
      names: [`${index}.${'long-label-of-a-name.'.repeat(8)}example.com`],
      hstsMaxAge: index,
      routes: [{ name: `host-${index}`, target: named(`host ${index}`) }],
    })),
  ];
  const nginx = await start({ backends, hosts });
  await until(async () => (await nginx.get({ path: '/exact/7' })).headers['x-instance'] === 'one', 'an instance');
  // Requests that came before the first answer of DNS are errors, and no warnings.
  expect(nginx.errors).not.toMatch(/\[(?!error\])\w+\]/);
  for (const index of [200, 201, 219, 220, 241, 298, 299]) {
    const path = index % 2 === 0 ? '/many/x' : `/many?route=${index}`;
    expect((await nginx.get({ path, headers: { 'x-route': String(index) } })).body).toBe(longName(index));
  }
  expect((await nginx.get({ path: '/versions', headers: { 'accept-version': '477' } })).body).toBe(longName(477));
  expect((await nginx.get({ path: '/versions', headers: { 'accept-version': '4' } })).status).toBe(404);
  expect((await nginx.get({ path: '/prefix/150/x' })).status).toBe(200);
  expect((await nginx.get({ path: '/exact/7' })).headers).toHaveProperty(`x-${'long-'.repeat(11)}7`, 'x');
  const host = hosts[60]?.names?.[0] ?? '';
  expect((await nginx.get({ servername: host, headers: { host } })).headers['strict-transport-security']).toBe(
    'max-age=59',
  );
  await nginx.stop();
});

test('conditions at every level of the longest path lead on to the shortest', async () => {
  const path = (levels: number): string => '/a'.repeat(levels);
  const levels = Array.from({ length: 100 }, (_, index) => index + 1);
  const nginx = await start({
    routes: [
      { name: 'root', target: named('root') },
      ...levels.map((level): RouteParts => ({
        name: `level-${level}`,
        target: named(`level ${level}`),
        path: path(level),
        when: Match.header('X-Level', String(level)),
      })),
    ],
  });
  const reached = async (level: string): Promise<string> =>
    (await nginx.get({ path: `${path(100)}/x`, headers: { 'x-level': level } })).body;
  for (const level of [100, 61, 60, 2, 1]) expect(await reached(String(level))).toBe(`level ${level}`);
  expect(await reached('none')).toBe('root');
  await nginx.stop();
});

test('500 routes and 100 backends are rendered in a moment, and fit in a ConfigMap', () => {
  const model = proxyModel({ backends, routes: manyRoutes() });
  const started = performance.now();
  const text = nginxConf(model, somePlace());
  expect(performance.now() - started).toBeLessThan(2000);
  expect(Buffer.byteLength(text)).toBeLessThan(1_000_000);
});
