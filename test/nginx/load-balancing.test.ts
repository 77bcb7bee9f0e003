import { ProxyProps } from '../../nginx/proxy';
import { RealNginx } from './real-nginx';
import { StubApi } from './stub-api';
import { StubDns } from './stub-dns';

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

async function start(props: Partial<ProxyProps>): Promise<void> {
  dns.instances = apis.map(({ instance }) => instance);
  nginx = await RealNginx.start({ upstreamService: 'http', resolvers: [dns.server], ...props });
  // nginx takes the answers to its first questions as a whole: who is known, is known with all others.
  await nginx.untilAnswered(({ status }) => status === 200);
}

/** nginx has as many peers as its answers of the last questions had. */
async function untilEveryoneIsKnown(count: number): Promise<void> {
  const seen = new Set<string>();
  await nginx.untilAnswered(({ headers }) => {
    seen.add(String(headers['x-instance']));
    return true;
  });
  const target = dns.questions + 2 * (count + 1);
  await nginx.untilAnswered(() => dns.questions >= target);
}

async function instances(count: number, headers: Record<string, string> = {}, path = '/'): Promise<string[]> {
  const names: string[] = [];
  for (let i = 0; i < count; i += 1) names.push(String((await nginx.get({ headers, path })).headers['x-instance']));
  return names;
}

test.each(['least_conn', 'round_robin'] as const)('%s goes exactly in turn when idle', async (loadBalancing) => {
  await start({ loadBalancing });
  const names = await instances(15);
  for (let i = 0; i < 15; i += 5) expect(new Set(names.slice(i, i + 5)).size).toBe(5);
});

test('random_two_least_conn reaches every instance', async () => {
  await start({ loadBalancing: 'random_two_least_conn' });
  expect(new Set(await instances(80)).size).toBe(5);
});

test('a hash sends one key to one instance, other keys to others, and moves few when an instance goes', async () => {
  await start({ loadBalancing: 'hash', hashKey: 'header:X-User' });
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

test.each([
  ['uri', {}, '/a?b'],
  ['cookie:session', { Cookie: 'session=42' }, '/'],
] as const)('a hash by %s is the same for every request', async (hashKey, headers, path) => {
  await start({ loadBalancing: 'hash', hashKey });
  expect(new Set(await instances(8, headers, path)).size).toBe(1);
});

test('by client address, one client stays with one instance', async () => {
  await start({ loadBalancing: 'client_address' });
  expect(new Set(await instances(8)).size).toBe(1);
});

test('the client that a trusted load balancer names is the one that is hashed and told', async () => {
  await start({ loadBalancing: 'client_address', trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] });
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
  await start({});
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
  nginx = await RealNginx.start({ upstreamPort: other.instance.port, resolvers: [dns.server] });
  await nginx.untilAnswered(({ headers }) => headers['x-instance'] === 'other');
});
