import { LoadBalancing, RequestKey } from '../../../model/load-balancing';
import { onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { proxyModel, ProxyParts } from '../support/models';
import { RealNginx } from '../support/real-nginx';
import { StubApi } from '../support/stub-api';
import { StubDns } from '../support/stub-dns';

let dns: StubDns;
let apis: StubApi[];
let nginx: RealNginx;

beforeEach(async () => {
  dns = await StubDns.start();
  apis = await Promise.all(
    ['a', 'b', 'c', 'd', 'e'].map((name) => StubApi.start(name, (_request, response) => response.end('ok'))),
  );
});

afterEach(async () => {
  await nginx.stop();
  await Promise.all(apis.map((api) => api.stop()));
  await dns.stop();
});

async function start(loadBalancing: LoadBalancing, parts: ProxyParts = {}): Promise<void> {
  dns.instances = apis.map(({ instance }) => instance);
  nginx = await RealNginx.start(proxyModel({ backends: [{ loadBalancing }], ...parts }), { resolvers: [dns.server] });
  // nginx takes the answers to its first questions as a whole: who is known, is known with all others.
  await nginx.untilAnswered(({ status }) => status === 200);
}

/** nginx has as many peers as its answers of the last questions had. */
async function untilEveryoneIsKnown(count: number): Promise<void> {
  const target = dns.questions + 2 * (count + 1);
  await until(() => dns.questions >= target, 'new questions of nginx');
}

async function instances(count: number, headers: Record<string, string> = {}, path = '/'): Promise<string[]> {
  const names: string[] = [];
  for (let i = 0; i < count; i += 1) names.push(String((await nginx.get({ headers, path })).headers['x-instance']));
  return names;
}

test.each(['leastConnections', 'roundRobin'] as const)('%s goes exactly in turn when idle', async (method) => {
  await start(LoadBalancing[method]());
  const names = await instances(15);
  for (let i = 0; i < 15; i += 5) expect(new Set(names.slice(i, i + 5)).size).toBe(5);
});

test('randomOfTwo reaches every instance', async () => {
  await start(LoadBalancing.randomOfTwo());
  expect(new Set(await instances(80)).size).toBe(5);
});

test('a hash sends one key to one instance, other keys to others, and moves few when an instance goes', async () => {
  await start(LoadBalancing.hash(RequestKey.header('X-User')));
  const keys = Array.from({ length: 40 }, (_, i) => `user-${i}`);
  const byKey = new Map<string, string>();
  for (const key of keys) {
    const names = new Set(await instances(2, { 'X-User': key }));
    expect(names.size).toBe(1);
    byKey.set(key, [...names].join());
  }
  expect(new Set(byKey.values()).size).toBe(5);

  dns.instances = dns.instances.slice(0, 4);
  await untilEveryoneIsKnown(4);
  for (const [key, name] of byKey) {
    const [now] = await instances(1, { 'X-User': key });
    if (name === 'e') expect(now).not.toBe('e');
    else expect(now).toBe(name);
  }
});

test('a hash sends a key to the same instance through every proxy', async () => {
  const loadBalancing = LoadBalancing.hash(RequestKey.header('X-User'));
  await start(loadBalancing);
  const other = await RealNginx.start(proxyModel({ backends: [{ loadBalancing }] }), { resolvers: [dns.server] });
  onTestFinished(() => other.stop());
  await other.untilAnswered(({ status }) => status === 200);
  for (let user = 0; user < 40; user += 1) {
    const headers = { 'X-User': `user-${user}` };
    const [expected] = await instances(1, headers);
    expect((await other.get({ headers })).headers['x-instance']).toBe(expected);
  }
});

test.each([
  ['uri', RequestKey.uri(), {}, '/a?b'],
  ['cookie', RequestKey.cookie('session'), { Cookie: 'session=42' }, '/'],
  ['query', RequestKey.query('user'), {}, '/?user=42'],
] as const)('a hash by %s is the same for every request', async (_kind, key, headers, path) => {
  await start(LoadBalancing.hash(key));
  expect(new Set(await instances(8, headers, path)).size).toBe(1);
});

test('by client address, one client stays with one instance', async () => {
  await start(LoadBalancing.hash(RequestKey.clientAddress()));
  expect(new Set(await instances(8)).size).toBe(1);
});

test('the client that a trusted load balancer names is the one that is hashed and told', async () => {
  await start(LoadBalancing.hash(RequestKey.clientAddress()), { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] });
  const names = new Set<string>();
  for (let i = 1; i <= 30; i += 1) {
    names.add((await instances(1, { 'X-Forwarded-For': `6.6.6.6, 192.0.2.${i}, 10.0.0.1` })).join());
  }
  expect(names.size).toBe(5);
  expect(apis.flatMap(({ requests }) => requests).map(({ headers }) => headers['x-forwarded-for'])).toContain(
    '192.0.2.30',
  );
});

test('instances come and go by DNS alone, while nginx runs on as it is', async () => {
  await start(LoadBalancing.leastConnections());
  dns.instances = apis.slice(0, 1).map(({ instance }) => instance);
  await untilEveryoneIsKnown(1);
  expect(new Set(await instances(10))).toEqual(new Set(['a']));
  dns.instances = apis.slice(1).map(({ instance }) => instance);
  await untilEveryoneIsKnown(4);
  expect(new Set(await instances(12))).toEqual(new Set(['b', 'c', 'd', 'e']));
});

test('an instance found by its address alone gets requests on the port that was given', async () => {
  const other = await StubApi.start('other', (_request, response) => response.end('ok'));
  apis.push(other);
  dns.instances = [other.instance];
  const instances = { host: 'api.orders.svc.cluster.local', port: other.instance.port };
  nginx = await RealNginx.start(proxyModel({ backends: [{ instances }] }), { resolvers: [dns.server] });
  await nginx.untilAnswered(({ headers }) => headers['x-instance'] === 'other');
});

test('a sticky cookie keeps each client with its instance through 5, 8 and 5 of them, and gives it another when that is gone', async () => {
  await start(LoadBalancing.stickyCookie('orders_instance', { expires: '1h' }));
  const clients = new Map<string, string>();
  for (let count = 0; count < 20; count += 1) {
    const { headers } = await nginx.get({});
    const [cookie = ''] = headers['set-cookie'] ?? [];
    expect(cookie).toMatch(
      /^orders_instance=[^;]+; expires=[^;]+; max-age=3600; httponly; secure; samesite=lax; path=\/$/i,
    );
    clients.set(cookie.replace(/;.*/, ''), String(headers['x-instance']));
  }
  expect(clients.size).toBe(5);
  const whom = async (cookie: string): Promise<string | undefined> => (await instances(1, { cookie }))[0];

  const all = dns.instances;
  const more = await Promise.all(
    ['f', 'g', 'h'].map((name) => StubApi.start(name, (_request, response) => response.end('ok'))),
  );
  apis.push(...more);
  for (const there of [[...all, ...more.map(({ instance }) => instance)], all]) {
    dns.instances = there;
    await untilEveryoneIsKnown(there.length);
    for (const [cookie, instance] of clients) expect(await whom(cookie)).toBe(instance);
  }
  const leaving = apis[0]?.name;
  for (const there of [all.slice(1), all]) {
    dns.instances = there;
    await untilEveryoneIsKnown(there.length);
    for (const [cookie, instance] of clients) {
      if (instance !== leaving) expect(await whom(cookie)).toBe(instance);
      else expect((await nginx.get({ headers: { cookie } })).status).toBe(200);
    }
  }
});

test('answers 503 with Retry-After once every instance has as many requests as it may', async () => {
  const held: (() => void)[] = [];
  const slow = await StubApi.start('slow', (_request, response) => held.push(() => response.end('ok')));
  dns.instances = [slow.instance];
  nginx = await RealNginx.start(proxyModel({ backends: [{ maxConnections: 2 }] }), { resolvers: [dns.server] });
  const waiting: Promise<{ readonly status: number }>[] = [];
  // DNS is asked after the start.
  while (held.length < 2) {
    const before = held.length;
    const request = nginx.get({ path: '/slow' });
    await Promise.race([request, until(() => held.length > before, 'a request at the instance')]);
    if (held.length > before) waiting.push(request);
  }
  const { status, headers } = await nginx.get({ path: '/one-more' });
  expect([status, headers['retry-after']]).toEqual([503, '1']);
  for (const answer of held.splice(0)) answer();
  expect((await Promise.all(waiting)).map((answer) => answer.status)).toEqual([200, 200]);
  const next = nginx.get({});
  await until(() => held.length === 1, 'room at the instance');
  held[0]?.();
  expect((await next).status).toBe(200);
});
