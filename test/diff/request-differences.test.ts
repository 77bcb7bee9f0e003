import { FrontDoor, type Weights } from '../../diff/requests/front-door';
import { written } from '../../diff/requests/request';
import { type RequestDifference, requestDifferences } from '../../diff/requests/request-differences';
import { RequestKey } from '../../model/load-balancing';
import { Cors } from '../../model/routes/cors';
import { Match, Path } from '../../model/routes/matching';
import { RateLimit } from '../../model/routes/rate-limit';
import { nginxConf } from '../../nginx/nginx-conf';
import { authParts } from '../nginx/support/auth-files';
import { Auth } from '../../model/auth/auth';
import { proxyModel, type ProxyParts, somePlace } from '../nginx/support/models';

const shop = { names: ['shop.example.com'], backends: [{ name: 'orders' }, { name: 'catalog' }] } as const;

function door(parts: ProxyParts, weights?: Weights): FrontDoor {
  const weightsFile = weights === undefined ? {} : { weightsFile: '/etc/nginx/weights/weights.json' };
  return new FrontDoor(nginxConf(proxyModel({ ...shop, ...parts }), somePlace(weightsFile)), weights);
}

function differences(before: ProxyParts, after: ProxyParts): readonly RequestDifference[] {
  return requestDifferences(door(before), door(after));
}

/** As people read it: where, and each change. */
function said(all: readonly RequestDifference[]): unknown {
  return all.map(({ where, changes }) => [
    where.join(' '),
    ...changes.map(({ subject, before, after }) => `${subject}: ${before} → ${after}`),
  ]);
}

test('the same configuration answers nothing otherwise', () => {
  const parts = { routes: [{ target: 'orders' }, { path: '/catalog', target: 'catalog', rewrite: '' }] };
  expect(differences(parts, parts)).toEqual([]);
});

test('a route that has another name, or another place in the order of adding, answers nothing otherwise', () => {
  const limited = { rateLimits: [RateLimit.perClient('5/m')], cors: Cors.allow(['https://example.com']) };
  const [orders, catalog] = [
    { target: 'orders' },
    { path: '/catalog', target: 'catalog', rewrite: '', ...limited },
  ] as const;
  expect(said(differences({ routes: [orders, catalog] }, { routes: [{ ...catalog, name: 'goods' }, orders] }))).toEqual(
    [],
  );
});

test('a new route takes its paths from the one that had them, with a request for each', () => {
  const all = differences(
    { routes: [{ target: 'orders' }] },
    { routes: [{ target: 'orders' }, { path: '/catalog', target: 'catalog' }] },
  );
  expect(said(all)).toContainEqual([
    'https://shop.example.com/catalog https://shop.example.com/catalog/…',
    'answered by: backend orders → backend catalog',
  ]);
  expect(all.map(({ witness }) => written(witness))).toContain('GET https://shop.example.com/catalog');
});

test('a path that loses its last route is answered 404', () => {
  const exact = { path: Path.exact('/status'), target: 'orders' } as const;
  const all = differences({ routes: [exact, { path: '/catalog', target: 'catalog' }] }, { routes: [exact] });
  expect(said(all)).toContainEqual([
    'https://shop.example.com/catalog https://shop.example.com/catalog/…',
    'answered by: backend catalog → 404, as no route fits',
  ]);
});

test('a condition is asked for with a request that meets it', () => {
  const all = differences(
    { routes: [{ target: 'orders' }] },
    {
      routes: [
        { target: 'orders' },
        {
          name: 'testers',
          target: 'catalog',
          when: Match.allOf(Match.header('X-Canary', 'always'), Match.query('as', 'a.b'), Match.method('PUT')),
        },
      ],
    },
  );
  expect(all.map(({ witness }) => written(witness))).toEqual([
    'PUT https://shop.example.com/1?as=a.b with X-Canary: always',
  ]);
  expect(said(all)).toEqual([
    [
      'https://shop.example.com/… with PUT and ?as=a.b and X-Canary: always',
      'answered by: backend orders → backend catalog',
    ],
  ]);
});

test('a condition that no request meets is not asked for', () => {
  const when = Match.query('as', 'PLACE');
  const conf = nginxConf(
    proxyModel({ ...shop, routes: [{ target: 'orders' }, { path: '/beta', target: 'catalog', when }] }),
    somePlace(),
  );
  const witnesses = (value: string): readonly string[] =>
    requestDifferences(door({ routes: [{ target: 'orders' }] }), new FrontDoor(conf.replaceAll('PLACE', value)))
      .filter(({ changes }) => changes.some(({ subject }) => subject === 'answered by'))
      .map(({ witness }) => written(witness));
  expect(witnesses('a;b')).toContain('GET https://shop.example.com/beta?as=a;b');
  for (const value of ['a b', 'a&b', 'a#b']) expect(witnesses(value)).toEqual([]);
});

test('what a path is rewritten to, and where a redirect leads, is that of the witness', () => {
  const redirect = (location: string) => ({ kind: 'redirect', location, status: 308 }) as const;
  const all = differences(
    {
      routes: [
        { path: '/catalog', target: 'catalog' },
        { path: '/old', target: redirect('/orders') },
      ],
    },
    {
      routes: [
        { path: '/catalog', target: 'catalog', rewrite: '' },
        { path: '/old', target: redirect('/catalog') },
      ],
    },
  );
  const changes = all.flatMap((each) => each.changes.map(({ before, after }) => `${before} → ${after}`));
  expect(changes).toContain('backend catalog → backend catalog, asked for /');
  expect(changes).toContain(
    'a redirect, 308 to https://shop.example.com/orders → a redirect, 308 to https://shop.example.com/catalog',
  );
});

test.each<[string, ProxyParts, string]>([
  [
    'a longer body',
    { routes: [{ target: 'orders', maxBodySize: 20 * 2 ** 20 }] },
    'longest body (client_max_body_size): 1m → 20m',
  ],
  [
    'a header of answers',
    { routes: [{ target: 'orders', responseHeaders: [['Referrer-Policy', 'same-origin']] }] },
    'header of answers, Referrer-Policy: no-referrer → same-origin',
  ],
  [
    'a header to the backend',
    { routes: [{ target: 'orders', requestHeaders: [['X-A', 'b']] }] },
    'header to the backend, X-A: none → b',
  ],
  [
    'who may ask',
    { routes: [{ target: 'orders', allowFrom: ['192.0.2.0/24'] }] },
    'who may ask, by address (allowFrom): none → 192.0.2.0/24',
  ],
  [
    'a rate',
    { routes: [{ target: 'orders', rateLimits: [RateLimit.perClient('5/m', { burst: 3 })] }] },
    'rate (limit_req): none → 5 requests/m by address burst=3 nodelay',
  ],
  [
    'CORS',
    { routes: [{ target: 'orders', cors: Cors.allow(['https://example.com']) }] },
    'CORS: origins: none → https://example.com',
  ],
  [
    'another way to choose an instance',
    { backends: [{ name: 'orders', maxFails: 5 }], routes: [{ target: 'orders' }] },
    'instances of orders: least_conn; server orders.orders.svc.cluster.local service=http resolve max_fails=3 fail_timeout=5s → least_conn; server orders.orders.svc.cluster.local service=http resolve max_fails=5 fail_timeout=5s',
  ],
])('%s is said of every request, once', (_, after, change) => {
  const all = differences(
    { backends: [{ name: 'orders' }], routes: [{ target: 'orders' }] },
    { backends: [{ name: 'orders' }], ...after },
  );
  const [first] = all;
  expect(first?.isEverywhere).toBe(true);
  expect(
    all.flatMap(({ changes }) => changes.map(({ subject, before, after: now }) => `${subject}: ${before} → ${now}`)),
  ).toContain(change);
});

test('who may ask is said though another route answers', () => {
  const admins = authParts(Auth.basic({ secret: 'admins' }));
  const all = differences(
    { routes: [{ target: 'orders' }, { path: '/admin', target: 'catalog', ...admins }] },
    { routes: [{ target: 'orders' }] },
  );
  const changes = all.flatMap(({ changes: own }) => own.map(({ subject }) => subject));
  expect(changes).toContain('answered by');
  expect(changes).toContain('a password (auth_basic)');
});

test('what a rule of one path is to paths that are spelt otherwise is said in words', () => {
  const [orders, admin] = [{ target: 'orders' }, { path: '/admin', target: 'catalog' }] as const;
  const all = differences({ routes: [orders, admin] }, { routes: [orders, { ...admin, allowFrom: ['192.0.2.0/24'] }] });
  const changes = all.flatMap(({ changes: own }) => own.map(({ subject, after }) => `${subject}: ${after}`));
  expect(changes).toContain('paths of other routes with rules, spelt otherwise: answered 404');
  expect(changes).toContain('paths that climb to other routes: answered 400');
});

test('weights that stand in a ConfigMap are shares of who answers', () => {
  const target = {
    kind: 'split',
    shares: [
      { backend: 'catalog', weight: 5 },
      { backend: 'orders', weight: 95 },
    ],
    stickyBy: RequestKey.clientAddress(),
  } as const;
  const [before, after] = [5, 50].map((weight) =>
    door({ routes: [{ target }] }, { all: { catalog: weight, orders: 100 - weight } }),
  );
  if (before === undefined || after === undefined) throw new Error('there are two');
  expect(said(requestDifferences(before, after))).toEqual([
    ['https://shop.example.com/…', 'answered by: backends catalog 5%, orders 95% → backends catalog 50%, orders 50%'],
  ]);
});

test('a host that is new, or gone, has nobody on the other side', () => {
  const routes = [{ target: 'orders' }];
  const all = differences(
    { hosts: [{ names: ['shop.example.com'], routes }] },
    {
      hosts: [
        { names: ['shop.example.com'], routes },
        { names: ['api.example.com'], routes },
      ],
    },
  );
  expect(said(all)).toContainEqual([
    'https://api.example.com/…',
    'answered by: nobody, as the host is not known → backend orders',
  ]);
});
