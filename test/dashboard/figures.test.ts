import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { figures, type Figures, peerFigures, proxyFigures, routeFigures } from '../../dashboard/figures';
import { decisionTable } from '../../explain/explanation';
import { Growth, parsedScrape, type Scrape } from '../../dashboard/scrape';
import { someDescription, someInstance } from './some-system';

const description = {
  backends: [
    { name: 'orders', backend: 'orders', version: '', program: 'node' },
    { name: 'orders-canary', backend: 'orders', version: 'canary', program: 'node' },
  ],
  routes: [
    { host: 'shop', route: 'root', path: '/', target: 'orders, orders-canary', shared: ['orders', 'orders-canary'] },
    { host: 'shop', route: 'idle', path: '/idle', target: 'orders', shared: [] },
  ],
};
const state = {
  instances: [
    someInstance('orders-1', { addresses: ['127.0.0.1:1001'] }),
    someInstance('orders-2', { addresses: ['127.0.0.1:1003', '127.0.0.1:1002'] }),
    someInstance('orders-canary-1', { addresses: ['127.0.0.1:1004'], health: 'failed' }),
  ],
  weights: { root: { orders: 90, 'orders-canary': 10 } },
};

function scrape(time: number, ...lines: readonly string[]): Scrape {
  return parsedScrape(lines.join('\n'), time);
}

const answered = (version: string, code: number, count: number): string =>
  `fairlead_http_requests_total{host="shop",route="root",backend="orders"${version},method="GET",code="${code}"} ${count}`;
const canary = ',version="canary"';
const peer = (port: number, metric: string, value: number): string =>
  `fairlead_peer_${metric}{backend="orders",peer="127.0.0.1:${port}"} ${value}`;
/** So many answers of an instance, of which some took no more than 100 ms, and the rest no more than a second. */
const answers = (port: number, fast: number, all: number): string[] =>
  [['0.1', fast] as const, ['1', all] as const, ['+Inf', all] as const].map(
    ([bound, count]) =>
      `fairlead_peer_response_duration_seconds_bucket{backend="orders",peer="127.0.0.1:${port}",le="${bound}"} ${count}`,
  );

test('figures are of the time between two scrapes, and counts of all time', () => {
  const before = scrape(0, answered('', 200, 100), answered('', 502, 1));
  const after = scrape(
    10_000,
    answered('', 200, 280),
    answered('', 502, 3),
    answered(canary, 200, 10),
    answered(canary, 404, 8),
    'fairlead_connections{state="active"} 31',
    'fairlead_connections{state="writing"} 1',
    'fairlead_connections_limit 4000',
    'fairlead_requests_limit 900',
  );
  const { seconds, proxy, routes, backends, splits } = figures(
    new Map([['nginx', [before, after]]]),
    description,
    state,
  );
  expect(seconds).toBe(10);
  expect(proxy).toEqual({
    requests: 20,
    errors: 0.2,
    clientErrors: 0.8,
    p50: null,
    p95: null,
    p99: null,
    counted: { requests: 301, errors: 3, clientErrors: 8 },
    // Without whoever has asked.
    connections: 30,
    inProgress: 0,
    connectionsLimit: 4000,
    requestsLimit: 900,
  });
  expect(routes.map(({ route, requests }) => [route, requests])).toEqual([
    ['root', 20],
    ['idle', 0],
  ]);
  expect(backends.map(({ name, requests, errors }) => [name, requests, errors])).toEqual([
    ['orders', 18.2, 0.2],
    ['orders-canary', 1.8, 0],
  ]);
  expect(splits).toEqual([
    {
      host: 'shop',
      route: 'root',
      path: '/',
      shares: [
        { backend: 'orders', weight: 90, measured: 91 },
        { backend: 'orders-canary', weight: 10, measured: 9 },
      ],
    },
  ]);
});

test('an instance has what all of its addresses have counted', () => {
  const before = scrape(
    0,
    peer(1001, 'requests_total', 10),
    peer(1001, 'busy_seconds_total', 5),
    ...answers(1001, 10, 10),
    peer(1002, 'requests_total', 10),
    peer(1002, 'retried_total', 3),
    peer(1002, 'busy_seconds_total', 1),
    ...answers(1002, 0, 10),
  );
  const after = scrape(
    2000,
    peer(1001, 'requests_total', 30),
    peer(1001, 'busy_seconds_total', 6),
    ...answers(1001, 30, 30),
    peer(1002, 'requests_total', 14),
    peer(1002, 'failures_total', 2),
    peer(1002, 'retried_total', 6),
    peer(1002, 'busy_seconds_total', 2),
    ...answers(1002, 2, 12),
    peer(1003, 'requests_total', 6),
    peer(1003, 'retried_total', 1),
    peer(1003, 'busy_seconds_total', 4),
    ...answers(1003, 3, 6),
    // Of one that nobody knows any more.
    peer(1999, 'requests_total', 50),
    peer(1999, 'busy_seconds_total', 50),
    ...answers(1999, 0, 50),
  );
  expect(figures(new Map([['nginx', [before, after]]]), description, state).instances).toEqual([
    {
      ...{ name: 'orders-1', requests: 10, share: 20 / 30, inFlight: 0.5, failures: 0, retries: 0, failed: 0 },
      ...{ p50: 0.05, p99: expect.closeTo(0.099) as number },
    },
    {
      ...{ name: 'orders-2', requests: 5, share: 10 / 30, inFlight: 2.5, failures: 2, retries: 4, failed: 2 },
      ...{ p50: expect.closeTo(0.08) as number, p99: expect.closeTo(0.976) as number },
    },
    {
      ...{ name: 'orders-canary-1', requests: 0, share: null, inFlight: 0, failures: 0, retries: 0, failed: 0 },
      ...{ p50: null, p99: null },
    },
  ]);
});

test('an instance that answered nothing has no percentiles, though its tries took time and were retried', () => {
  const after = scrape(
    1000,
    peer(1001, 'requests_total', 4),
    peer(1001, 'failures_total', 4),
    peer(1001, 'retried_total', 3),
    peer(1001, 'busy_seconds_total', 2),
  );
  const { instances } = figures(new Map([['nginx', [scrape(0), after]]]), description, state);
  expect(instances[0]).toMatchObject({ inFlight: 2, p50: null, p99: null, failures: 4, retries: 3 });
});

test('an instance has what several proxies did there, though one counts anew', () => {
  const counted = (time: number, requests: number, busy: number, retried: number, fast: number): Scrape =>
    scrape(
      time,
      answered('', 200, requests),
      peer(1001, 'requests_total', requests),
      peer(1001, 'retried_total', retried),
      peer(1001, 'busy_seconds_total', busy),
      ...answers(1001, fast, requests),
    );
  const pairs = new Map([
    ['one', [counted(0, 100, 50, 8, 100), counted(10_000, 150, 80, 9, 150)] as const],
    ['restarted', [counted(0, 90, 4, 2, 0), counted(10_000, 50, 30, 4, 0)] as const],
  ]);
  const { instances } = figures(pairs, description, state);
  expect(instances[0]).toMatchObject({ requests: 10, inFlight: 6, retries: 5, p50: 0.1 });
  expect(instances[0]?.p99).toBeCloseTo(0.982);
});

test('what a proxy of an older version does not say of an instance is unknown, and not 0', () => {
  const old: readonly [Scrape, Scrape] = [scrape(0), scrape(1000, peer(1001, 'requests_total', 10))];
  const young: readonly [Scrape, Scrape] = [
    scrape(0),
    scrape(
      1000,
      peer(1001, 'requests_total', 10),
      peer(1001, 'retried_total', 1),
      peer(1001, 'busy_seconds_total', 2),
      ...answers(1001, 10, 10),
    ),
  ];
  const first = (...pairs: readonly (readonly [Scrape, Scrape])[]) => {
    const named = pairs.map((pair, index) => [String(index), pair] as const);
    return figures(new Map(named), description, state).instances[0];
  };
  const unknown = { inFlight: null, p50: null, p99: null, retries: null };
  expect(first(old)).toMatchObject({ requests: 10, share: 1, failures: 0, ...unknown });
  expect(peerFigures(new Growth(old))).toMatchObject([{ requests: 10, ...unknown }]);
  expect(first(young)).toMatchObject({ inFlight: 2, retries: 1, p50: 0.05 });
  // A sum without what the old one does not say would be too low; percentiles are those of what is known.
  expect(first(old, young)).toMatchObject({ requests: 20, inFlight: null, retries: null, p50: 0.05 });
  // One that has asked no instance has nothing to say.
  expect(first([scrape(0), scrape(1000)], young)).toMatchObject({ inFlight: 2, retries: 1 });
});

test('retries, and tries that found no instance, are those of a version', () => {
  const retried = (version: string, outcome: string, count: number): string =>
    `fairlead_retried_requests_total{backend="orders"${version},outcome="${outcome}"} ${count}`;
  const after = scrape(
    1000,
    retried('', 'answered', 5),
    retried('', 'failed', 1),
    retried(canary, 'answered', 2),
    'fairlead_upstream_no_peer_total{backend="orders",version="canary"} 7',
  );
  const { backends } = figures(new Map([['nginx', [scrape(0), after]]]), description, state);
  expect(backends.map(({ saved, lost, noInstance }) => [saved, lost, noInstance])).toEqual([
    [5, 1, 0],
    [2, 0, 7],
  ]);
});

test('a request that no route has is a row of its own', () => {
  const after = scrape(1000, 'fairlead_http_requests_total{host="shop",route="(none)",method="GET",code="404"} 3');
  const { routes } = figures(new Map([['nginx', [scrape(0), after]]]), description, state);
  expect(routes.at(-1)).toMatchObject({
    host: 'shop',
    route: '(none)',
    path: 'no route',
    requests: 3,
    clientErrors: 3,
  });
});

test('handshakes are added up by protocol and group', () => {
  const handshakes = (protocol: string, resumed: boolean, count: number, group = 'X25519'): string =>
    `fairlead_tls_connections_total{protocol="${protocol}",group="${group}",resumed="${resumed}"} ${count}`;
  const after = scrape(
    1000,
    handshakes('TLSv1.3', true, 6),
    handshakes('TLSv1.3', false, 4),
    handshakes('TLSv1.3', false, 2, 'X25519MLKEM768'),
    handshakes('TLSv1.2', false, 1),
  );
  expect(figures(new Map([['nginx', [scrape(0), after]]]), description, state).tls).toEqual([
    { protocol: 'TLSv1.2', group: 'X25519', connections: 1, resumed: 0 },
    { protocol: 'TLSv1.3', group: 'X25519', connections: 10, resumed: 6 },
    { protocol: 'TLSv1.3', group: 'X25519MLKEM768', connections: 2, resumed: 0 },
  ]);
});

test('failures are added up by route, status and reason, those of the last seconds first', () => {
  const failed = (route: string, code: number, reason: string, count: number, method = 'GET'): string =>
    `fairlead_http_requests_total{host="shop",route="${route}",method="${method}",code="${code}",reason="${reason}"} ${count}`;
  const before = scrape(0, failed('root', 502, 'broke-off', 2), failed('(none)', 404, 'not-found', 90));
  const after = scrape(
    1000,
    failed('root', 502, 'broke-off', 3),
    failed('root', 502, 'broke-off', 4, 'POST'),
    failed('root', 502, 'api-status', 6),
    failed('(none)', 404, 'not-found', 90),
    answered('', 200, 500),
  );
  expect(figures(new Map([['nginx', [before, after]]]), description, state).failures).toEqual([
    { host: 'shop', route: 'root', path: '/', code: '502', reason: 'api-status', lately: 6, counted: 6 },
    { host: 'shop', route: 'root', path: '/', code: '502', reason: 'broke-off', lately: 5, counted: 7 },
    { host: 'shop', route: '(none)', path: 'no route', code: '404', reason: 'not-found', lately: 0, counted: 90 },
  ]);
});

test('two scrapes at one time have no rate', () => {
  const after = scrape(0, answered('', 200, 5));
  expect(figures(new Map([['nginx', [scrape(0), after]]]), someDescription, state).proxy.requests).toBe(0);
});

test('connections and limits of several proxies add up, without those who have asked', () => {
  const proxy = (active: number, limit: number): Scrape =>
    scrape(0, `fairlead_connections{state="active"} ${active}`, `fairlead_connections_limit ${limit}`);
  const growth = new Growth([proxy(3, 100), proxy(11, 100)], [proxy(3, 100), proxy(1, 50)]);
  expect(proxyFigures(growth)).toMatchObject({ connections: 10, connectionsLimit: 150, requestsLimit: null });
});

test('figures of each proxy add up to those of all', () => {
  const counted = (times: number): readonly [Scrape, Scrape] => [
    scrape(0, answered('', 200, 100), peer(1001, 'requests_total', 10)),
    scrape(
      10_000,
      answered('', 200, 100 + 20 * times),
      answered(canary, 502, times),
      peer(1001, 'requests_total', 10 + 20 * times),
      peer(1004, 'requests_total', times),
      peer(1004, 'failures_total', times),
      'fairlead_upstream_no_peer_total{backend="orders",version="canary"} ' + String(times),
      `fairlead_tls_connections_total{protocol="TLSv1.3",resumed="false"} ${times}`,
    ),
  ];
  const pairs = new Map([
    ['one', counted(1)],
    ['two', counted(3)],
  ]);
  const all = figures(pairs, description, state);
  const each = [...pairs].map((pair) => figures(new Map([pair]), description, state));
  for (const of of [
    ({ proxy }: Figures) => proxy.requests,
    ({ proxy }: Figures) => proxy.counted.errors,
    ({ routes }: Figures) => routes[0]?.errors,
    ({ backends }: Figures) => backends[1]?.noInstance,
    ({ instances }: Figures) => instances[0]?.requests,
    ({ instances }: Figures) => instances[2]?.failed,
    ({ tls }: Figures) => tls[0]?.connections,
  ]) {
    expect(of(all)).toBeGreaterThan(0);
    expect(each.reduce((sum, one) => sum + (of(one) ?? NaN), 0)).toBeCloseTo(of(all) ?? NaN, 9);
  }
  expect(each.flatMap(({ proxies }) => proxies)).toEqual(all.proxies);
});

test('a route that nobody has described is called as metrics call it', () => {
  const counted = (host: string, route: string): string =>
    `fairlead_http_requests_total{host="${host}",route="${route}",method="GET",code="200"} 1`;
  const after = scrape(1000, counted('shop', 'root'), counted('shop', 'other'), counted('other', 'other'));
  const routes = routeFigures(new Growth([scrape(0), after]), []);
  expect(routes.map(({ host, path }) => [host, path])).toEqual([
    ['shop', 'root'],
    ['shop', 'other'],
    ['other', 'refused before routing'],
  ]);
});

test('a peer is told from the same address of another backend, and has its share of its own', () => {
  const tries = (backend: string, port: number, count: number): string =>
    `fairlead_peer_requests_total{backend="${backend}",peer="127.0.0.1:${port}"} ${count}`;
  const before = scrape(0, tries('orders', 1001, 10), tries('legacy', 1001, 5));
  const after = scrape(
    2000,
    tries('orders', 1001, 40),
    tries('legacy', 1001, 5),
    tries('orders', 1002, 10),
    peer(1002, 'failures_total', 2),
    peer(1002, 'retried_total', 1),
    peer(1002, 'busy_seconds_total', 4),
    ...answers(1002, 0, 8),
  );
  const idle = { inFlight: 0, p50: null, p99: null, failures: 0, retries: 0 };
  const first = { backend: 'orders', version: '', peer: '127.0.0.1:1001' };
  expect(peerFigures(new Growth([before, after]))).toEqual([
    { ...first, ...idle, requests: 15, share: 0.75 },
    { ...first, ...idle, backend: 'legacy', requests: 0, share: null },
    {
      ...{ ...first, peer: '127.0.0.1:1002', requests: 5, share: 0.25, inFlight: 2, failures: 2, retries: 1 },
      ...{ p50: expect.closeTo(0.55) as number, p99: expect.closeTo(0.991) as number },
    },
  ]);
});

test('the page has words for every reason that fairlead explain has', () => {
  const page = readFileSync(join(__dirname, '../../dashboard/page/failures.mjs'), 'utf8');
  const worded = [...page.matchAll(/^ {2}'?([a-z-]+)'?: \[/gm)].map(([, reason = '']) => reason);
  const explained = new Set(decisionTable.map(({ reason }) => reason));
  expect(worded.sort()).toEqual([...explained].filter((reason) => !['answered', 'saved'].includes(reason)).sort());
});
