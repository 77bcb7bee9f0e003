import express from 'express';
import { Match, Path } from '../../../model/routes/matching';
import { RateLimit } from '../../../model/routes/rate-limit';
import { nginxConf } from '../../../nginx/nginx-conf';
import { proxyModel, RouteParts, somePlace } from '../support/models';
import { OneInstance, startWithOneInstance } from '../support/one-instance';
import { Answer } from '../support/real-nginx';

/** Nobody of these tests has an address of it. */
const office = ['192.0.2.0/24', '198.51.100.0/24'];
const onceAMinute = [RateLimit.perClient('1/m')];

/** As apps are: without settings of their own, so that it knows neither case nor a slash at the end. */
const app = express()
  .use('/admin', (_request, response) => response.send('admin'))
  .post('/login', (_request, response) => response.send('login'))
  .use((_request, response) => response.send('other'));

let system: OneInstance;

beforeAll(async () => {
  const host = (name: string, routes: readonly RouteParts[]) => ({
    names: [`${name}.test`] as const,
    routes: routes.map((route, index) => ({ name: `${name}-${index}`, ...route })),
  });
  system = await startWithOneInstance(
    {
      unlimitedClients: [],
      hosts: [
        host('open', [
          {},
          { path: '/admin', allowFrom: office },
          { path: Path.exact('/login'), rateLimits: onceAMinute },
          { path: '/reports', when: Match.header('X-Canary', 'yes'), allowFrom: office },
        ]),
        host('shut', [{ allowFrom: office }, { path: '/public' }]),
        host('both', [{}, { path: '/admin', allowFrom: office }, { path: '/Admin' }]),
        host('alike', [
          { allowFrom: ['127.0.0.0/8', '10.0.0.0/8'] },
          { path: '/orders', allowFrom: ['10.0.0.0/8', '127.0.0.0/8'] },
        ]),
      ],
    },
    app,
  );
});

afterAll(() => system.stop());

function ask(name: string, path: string, method = 'GET'): Promise<Answer> {
  return system.nginx.get({ path, method, servername: `${name}.test`, headers: { host: `${name}.test` } });
}

async function told(name: string, path: string, method?: string): Promise<[status: number, body: string]> {
  const { status, body } = await ask(name, path, method);
  return [status, status === 200 ? body : ''];
}

describe('A path that Express takes for that of a route with rules', () => {
  test.each<[host: string, method: string, path: string, status: number]>([
    ['open', 'GET', '/ADMIN/users', 404],
    ['open', 'GET', '/Admin', 404],
    ['open', 'GET', '/%41dmin/', 404],
    ['open', 'POST', '/login/', 404],
    ['open', 'POST', '/Login', 404],
    ['open', 'GET', '/admin/../x', 400],
    ['open', 'GET', '/admin/..%2fx', 400],
    ['shut', 'GET', '/admin/..%2fpublic/x', 400],
  ])('is refused where another route would take it: %s %s %s', async (host, method, path, status) => {
    const before = system.api.requests.length;
    expect(await told(host, path, method)).toEqual([status, '']);
    expect(system.api.requests).toHaveLength(before);
  });

  test('is held to its rules to the letter, and what is another path goes on', async () => {
    expect(await told('open', '/admin/users')).toEqual([403, '']);
    expect([await told('open', '/login', 'POST'), await told('open', '/login', 'POST')]).toEqual([
      [200, 'login'],
      [429, ''],
    ]);
    for (const path of ['/', '/administrators', '/x/ADMIN', '/login/x', '/..a/b..?c=/../']) {
      expect([path, ...(await told('open', path))]).toEqual([path, 200, 'other']);
    }
    expect(await told('shut', '/PUBLIC')).toEqual([403, '']);
    expect(await told('shut', '/public/x')).toEqual([200, 'other']);
  });

  test('is that of a route of its own, where there is one', async () => {
    expect(await told('both', '/Admin/users')).toEqual([200, 'admin']);
    expect(await told('both', '/ADMIN/users')).toEqual([404, '']);
    expect(await told('both', '/admin/users')).toEqual([403, '']);
  });

  test('goes on to the letter to another route, if the conditions of its own do not hold', async () => {
    expect(await told('open', '/reports/x')).toEqual([200, 'other']);
    expect(await told('open', '/Reports/x')).toEqual([404, '']);
  });

  test('is refused nowhere if rules are alike', async () => {
    expect(await told('alike', '/Orders/7')).toEqual([200, 'other']);
    expect(await told('alike', '/orders/../x')).toEqual([200, 'other']);
  });
});

test.each<[string, readonly RouteParts[]]>([
  ['no rules', [{}, { path: '/orders' }]],
  ['the same rules', [{ rateLimits: onceAMinute }, { path: '/orders', rateLimits: onceAMinute }]],
  [
    'rules of files',
    [
      {},
      { path: '/docs', target: { kind: 'files', source: 'docs', singlePage: false, immutable: [] }, allowFrom: office },
    ],
  ],
])('nginx.conf says nothing of spellings where routes have %s', (_rules, routes) => {
  const conf = nginxConf(proxyModel({ routes }), somePlace({ filesDirectories: { docs: '/docs' } }));
  expect(conf).not.toMatch(/spelt_otherwise|straight_uri/);
});
