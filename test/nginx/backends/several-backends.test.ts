import { RequestListener } from 'node:http';
import { RequestKey } from '../../../model/load-balancing';
import { Match } from '../../../model/routes/matching';
import { timeline } from '../../../model/timeline';
import { until } from '../../until';
import { closedPort, taking } from '../support/failing-instances';
import { proxyModel, ProxyParts } from '../support/models';
import { RealNginx } from '../support/real-nginx';
import { Echo, echo } from '../support/several-backends';
import { StubApi } from '../support/stub-api';
import { Instance, StubDns } from '../support/stub-dns';

let dns: StubDns;
let nginx: RealNginx;
const running: { stop(): Promise<void> }[] = [];
const methods = ['GET', 'POST'] as const;

beforeEach(async () => {
  dns = await StubDns.start();
});

afterEach(async () => {
  await nginx.stop();
  await Promise.all(running.splice(0).map((api) => api.stop()));
  await dns.stop();
});

async function api(name: string, listener: RequestListener = echo(name)): Promise<StubApi> {
  const started = await StubApi.start(name, listener);
  running.push(started);
  return started;
}

/** Starts nginx with these instances of each backend, and waits until it has asked for all of them. */
async function start(instances: Readonly<Record<string, readonly Instance[]>>, parts: ProxyParts): Promise<void> {
  for (const [name, some] of Object.entries(instances)) dns.byHost.set(`${name}.orders.svc.cluster.local`, some);
  const asked = dns.questions;
  const questions = Object.values(instances).reduce((all, some) => all + 1 + some.length, 0);
  nginx = await RealNginx.start(proxyModel(parts), { resolvers: [dns.server] });
  await until(() => dns.questions >= asked + questions, 'the questions of nginx');
}

async function ask(method: string, path: string, headers: Record<string, string> = {}): ReturnType<RealNginx['get']> {
  return nginx.get({ method, path, headers, body: method === 'POST' ? 'x' : '' });
}

function fallbackOf({ instance }: StubApi): string {
  return `${instance.address}:${instance.port}`;
}

const split = {
  kind: 'split',
  shares: [
    { backend: 'stable', weight: 50 },
    { backend: 'canary', weight: 50 },
  ],
  stickyBy: RequestKey.header('X-User'),
} as const;

describe('the further tries of a request', () => {
  test('stay with the backend that a split has chosen, and with the path as it was rewritten', async () => {
    const [stable, canary] = [await api('stable fallback'), await api('canary fallback')];
    await start(
      { stable: [await closedPort()], canary: [] },
      {
        backends: [
          { name: 'stable', fallback: fallbackOf(stable) },
          { name: 'canary', fallback: fallbackOf(canary) },
        ],
        routes: [{ path: '/v1', target: split, rewrite: '/api', requestHeaders: [['X-Set', 'yes']] }],
      },
    );
    for (const method of methods) {
      const names = new Map<string, string>();
      for (let user = 0; user < 16; user += 1) {
        const answer = await ask(method, '/v1/x%2F?y', { 'x-user': String(user) });
        const { backend, url, headers } = JSON.parse(answer.body) as Echo;
        expect([answer.status, url, headers['x-set'], headers.host]).toEqual([200, '/api/x%2F?y', 'yes', 'localhost']);
        names.set(String(user), backend);
      }
      expect(new Set(names.values())).toEqual(new Set(['stable fallback', 'canary fallback']));
      for (const [user, name] of names) {
        const { body } = await ask(method, '/v1', { 'x-user': user });
        expect((JSON.parse(body) as Echo).backend).toBe(name);
      }
    }
  });

  test('end with 503 at a backend of a split that has no fallback, though another one has', async () => {
    const fallback = await api('stable fallback');
    await start(
      { stable: [await closedPort()], canary: [await closedPort()] },
      {
        backends: [{ name: 'stable', fallback: fallbackOf(fallback) }, { name: 'canary' }],
        routes: [{ target: split }],
      },
    );
    for (const method of methods) {
      const statuses = new Set<number>();
      for (let user = 0; user < 16; user += 1) {
        const answer = await ask(method, '/', { 'x-user': String(user) });
        statuses.add(answer.status);
        if (answer.status === 503) {
          expect(answer.headers['retry-after']).toBe('1');
          expect(JSON.parse(answer.body)).toMatchObject({ error: 'Service Unavailable' });
        } else {
          expect((JSON.parse(answer.body) as Echo).backend).toBe('stable fallback');
        }
      }
      expect(statuses).toEqual(new Set([200, 503]));
    }
  });

  test('are those of the route that a condition chose: a GET is repeated, a POST that was read is not', async () => {
    const [fallback, orders] = [await api('canary fallback'), await api('orders')];
    const dying = await taking((socket) => socket.resetAndDestroy());
    await start(
      { canary: [dying], orders: [orders.instance] },
      {
        backends: [{ name: 'canary', fallback: fallbackOf(fallback) }, { name: 'orders' }],
        routes: [
          { name: 'all-orders', target: 'orders' },
          {
            name: 'Chosen-one',
            target: 'canary',
            when: Match.header('X-Canary', 'always'),
            responseHeaders: [['X-Chosen', 'yes']],
          },
        ],
      },
    );
    const headers = { 'x-canary': 'always' };
    const get = await ask('GET', '/x?y', headers);
    expect(get.headers['x-chosen']).toBe('yes');
    expect(JSON.parse(get.body)).toMatchObject({ backend: 'canary fallback', url: '/x?y' });
    const post = await ask('POST', '/x', headers);
    expect([post.status, fallback.requests.length]).toEqual([502, 1]);
    expect(JSON.parse((await ask('POST', '/x')).body)).toMatchObject({ backend: 'orders' });
  });

  test('of a backend without fallback end with 503, while those of another one are answered by its fallback', async () => {
    const fallback = await api('with fallback');
    await start(
      { with: [], without: [] },
      {
        backends: [{ name: 'with', fallback: fallbackOf(fallback) }, { name: 'without' }],
        routes: [{ target: 'with' }, { path: '/without', target: 'without' }],
      },
    );
    for (const method of methods) {
      expect((await ask(method, '/')).status).toBe(200);
      const answer = await ask(method, '/without');
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    }
  });

  test('are made as soon as the time of the route is over, whatever others may take', async () => {
    const received: string[] = [];
    const instances = ['one', 'two'].map((name) => api(name, ({ url = '' }) => received.push(url)));
    const hanging = (await Promise.all(instances)).map(({ instance }) => instance);
    await start(
      { api: hanging },
      {
        timeline: timeline({ resolverValid: '1s', dnsCacheTtl: '0s' }),
        routes: [{}, { path: '/quick', when: Match.method('GET'), times: { requestTimeout: 1 } }],
      },
    );
    const answer = await ask('GET', '/quick');
    expect([answer.status, received]).toEqual([504, ['/quick', '/quick']]);
  });
});

describe('/startup', () => {
  const startup = async (): Promise<number> =>
    (await nginx.get({ port: nginx.place.probePort, servername: '', path: '/startup' })).status;
  const health =
    (status: number): RequestListener =>
    ({ url }, response) =>
      response.writeHead(url === '/health' ? status : 500).end();
  const backends = (count: number): ProxyParts => ({
    backends: Array.from({ length: count }, (_, index) => ({ name: `b${index}`, healthCheckPath: '/health' })),
    hosts: [
      { names: ['a.example.com'], routes: [{ name: 'b0', target: 'b0' }] },
      { names: ['b.example.com'], routes: [{ name: 'b1', target: 'b1' }] },
    ],
  });

  test('is 200 once one backend answers 2xx, whatever the others do', async () => {
    const good = await api('good', health(204));
    await start(
      { b0: [], b1: [await closedPort()], b2: [await taking(() => undefined)], b3: [good.instance] },
      backends(4),
    );
    await until(async () => (await startup()) === 204, 'a backend to answer');
    expect(good.requests.at(-1)).toMatchObject({ url: '/health', headers: { host: 'a.example.com' } });
  });

  test.each([302, 304, 401, 404, 418, 429, 500, 503])('does not take %i for an answer', async (status) => {
    const [bad, good] = [await api('bad', health(status)), await api('good', health(200))];
    await start({ b0: [bad.instance], b1: [good.instance] }, backends(2));
    await until(async () => (await startup()) === 200, 'a backend to answer');
    expect(good.requests.at(-1)?.headers.host).toBe('b.example.com');
    expect(bad.requests.length).toBeGreaterThan(0);
  });

  test('is not 2xx while no backend is reached', async () => {
    const bad = await api('bad', health(503));
    await start({ b0: [bad.instance], b1: [], b2: [await closedPort()] }, backends(3));
    for (let attempt = 0; attempt < 3; attempt += 1) expect(await startup()).toBeGreaterThanOrEqual(500);
    for (const name of ['b0', 'b1']) {
      const direct = await nginx.get({ port: nginx.place.probePort, servername: '', path: `/@startup_${name}` });
      expect(direct.status).toBe(404);
    }
  });

  test('comes to the one that works of many, probe by probe', async () => {
    const good = await api('good', health(200));
    const none = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`b${index}`, []]));
    await start({ ...none, b11: [good.instance] }, backends(12));
    await until(async () => (await startup()) === 200, 'a probe that asks the backend that works');
  });
});
