import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timeline } from '../../../model/timeline';
import { Place } from '../../../nginx/place';
import { onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { closedPort, taking } from '../support/failing-instances';
import { startGrpc, StubGrpc } from '../support/grpc';
import { proxyModel, ProxyParts } from '../support/models';
import { RealNginx } from '../support/real-nginx';
import { StubApi } from '../support/stub-api';
import { Instance, StubDns } from '../support/stub-dns';

let dns: StubDns;

beforeEach(async () => {
  dns = await StubDns.start();
  onTestFinished(() => dns.stop());
});

function newStore(): string {
  const store = mkdtempSync(join(tmpdir(), 'fairlead-store-'));
  onTestFinished(() => {
    rmSync(store, { recursive: true, force: true });
  });
  return store;
}

/** An instance whose health is told by a status, or by what answers. */
async function instance(name: string, health: number | RequestListener = 200): Promise<StubApi> {
  const listener: RequestListener =
    typeof health === 'number'
      ? ({ url }, response) => response.writeHead(url === '/health' ? health : 500).end()
      : health;
  const api = await StubApi.start(name, listener);
  onTestFinished(() => api.stop());
  return api;
}

function name(backend: string, ...instances: readonly Instance[]): void {
  dns.byHost.set(`${backend}.orders.svc.cluster.local`, instances);
}

/** A proxy of as many backends, which DNS is asked for each second. */
function parts(count: number): ProxyParts {
  return {
    backends: Array.from({ length: count }, (_, index) => ({ name: `b${index}`, healthCheckPath: '/health' })),
    routes: [{ path: '/', target: 'b0' }],
    timeline: timeline({ resolverValid: '1s', dnsCacheTtl: '0s' }),
  };
}

async function start(
  given: ProxyParts,
  { patience = 600, store = newStore(), ...place }: Partial<Place> & { patience?: number; store?: string } = {},
  change: (conf: string) => string = String,
): Promise<RealNginx> {
  const whole = { resolvers: [dns.server], certificateStore: store, backendPatience: patience, ...place };
  const nginx = await RealNginx.start(proxyModel(given), whole, { change });
  onTestFinished(() => nginx.stop());
  return nginx;
}

function startup(nginx: RealNginx): ReturnType<RealNginx['get']> {
  return nginx.get({ port: nginx.place.probePort, servername: '', path: '/startup' });
}

function untilStarted(nginx: RealNginx): Promise<unknown> {
  return until(async () => (await startup(nginx)).status === 200, 'the proxy to be started');
}

/** Waits until the probe is answered that an instance of none of these is reached. */
function untilAwaited(nginx: RealNginx, ...backends: readonly string[]): Promise<unknown> {
  const expected = { status: 503, body: `No instance is reached of: ${backends.join(', ')}\n` };
  return until(async () => {
    const { status, body } = await startup(nginx);
    return status === expected.status && body === expected.body;
  }, `a probe that says: ${expected.body}`);
}

function logged(nginx: RealNginx): string[] {
  return nginx.errors.split('\n').flatMap((line) => /startup: .*/.exec(line)?.[0].replace(/, client:.*/, '') ?? []);
}

test('a new proxy waits until an instance of each backend was reached, and says of which none is', async () => {
  const [b0, b1, b2] = [await instance('b0'), await instance('b1'), await instance('b2')];
  name('b0', b0.instance);
  name('b2', await closedPort());
  const nginx = await start(parts(3));
  await untilAwaited(nginx, 'b1', 'b2');
  name('b2', b2.instance);
  await untilAwaited(nginx, 'b1');
  // Who was reached once may go.
  name('b2');
  name('b1', b1.instance);
  await untilStarted(nginx);
  expect(b1.requests.map(({ method, url }) => `${method} ${url}`)).toContain('HEAD /health');
  expect(b1.requests[0]?.headers.host).toBe(nginx.host);
  await until(() => logged(nginx).length > 0, 'a line of it');
  expect(logged(nginx)).toEqual([
    expect.stringMatching(/^startup: waits until 2\d{3}-\S+Z at most for an instance of b.*/),
  ]);
  // What is ready and alive does not depend on it.
  expect((await nginx.get({ port: nginx.place.probePort, servername: '', path: '/healthz' })).status).toBe(200);
});

test('a new proxy starts without a backend that does not come', async () => {
  name('b1', (await instance('b1')).instance);
  const nginx = await start(parts(2), { patience: 1 });
  await untilStarted(nginx);
  await until(() => logged(nginx).length === 2, 'both lines');
  expect(logged(nginx)).toEqual([
    expect.stringMatching(/^startup: waits until \S+ at most for an instance of b0/),
    'startup: this proxy starts all the same, without an instance of b0',
  ]);
  await untilStarted(nginx);
  expect(logged(nginx)).toHaveLength(2);
});

test('a new proxy that reaches no backend never starts', async () => {
  name('b1', await closedPort());
  const nginx = await start(parts(2), { patience: 1 });
  await until(async () => (await startup(nginx)).status === 502, 'the end of its patience');
  for (let attempt = 0; attempt < 3; attempt += 1) expect((await startup(nginx)).status).toBe(502);
});

test.each([204, 302, 401, 404, 405, 501])(
  'an instance that answers %i is reached, as what it is judged by are the probes of its pod',
  async (status) => {
    name('b0', (await instance('b0')).instance);
    name('b1', (await instance('b1', status)).instance);
    await untilStarted(await start(parts(2)));
  },
);

test.each<[string, number | RequestListener]>([
  ['answers 500', 500],
  ['answers 503', 503],
  ['closes the connection', ({ socket }) => socket.destroy()],
])('an instance that %s is not reached', async (_, health) => {
  const api = await instance('b1', health);
  name('b0', (await instance('b0')).instance);
  name('b1', api.instance);
  const nginx = await start(parts(2));
  await untilAwaited(nginx, 'b1');
  await until(() => api.requests.length > 0, 'the instance to be asked');
  await untilAwaited(nginx, 'b1');
});

test('an instance that is silent is not reached', async () => {
  name('b0', (await instance('b0')).instance);
  const silent = await taking(() => undefined);
  name('b1', silent);
  const nginx = await start(parts(2));
  await until(async () => {
    await startup(nginx);
    return silent.received() > 0;
  }, 'the instance to be asked');
  await untilAwaited(nginx, 'b1');
});

test('each of many backends is waited for, however long their names are', async () => {
  const api = await instance('all');
  const names = Array.from({ length: 200 }, (_, index) => `b${index}-${'x'.repeat(50)}`);
  for (const each of names) name(each, api.instance);
  const many: ProxyParts = { ...parts(0), backends: names.map((each) => ({ name: each, healthCheckPath: '/health' })) };
  const last = names.at(-1) ?? '';
  name(last);
  const nginx = await start({ ...many, routes: [{ path: '/', target: names[0] ?? '' }] });
  await until(() => startup(nginx).then(({ status }) => status === 503), 'the first probe');
  await until(() => logged(nginx).length > 0, 'a line of it');
  expect(logged(nginx)[0]).toMatch(/Z at most for an instance of b/);
  await untilAwaited(nginx, last);
  // Those that were reached are hardly asked any more.
  const before = api.requests.length;
  await startup(nginx);
  expect(api.requests.length - before).toBeLessThanOrEqual(4);
  name(last, api.instance);
  await untilStarted(nginx);
});

test('a proxy that has no room for what it knows starts all the same', async () => {
  const api = await instance('all');
  const names = Array.from({ length: 500 }, (_, index) => `b${index}-${'x'.repeat(55)}`);
  for (const each of names) name(each, api.instance);
  const many: ProxyParts = { ...parts(0), backends: names.map((each) => ({ name: each, healthCheckPath: '/health' })) };
  const smallest = (conf: string): string => conf.replace(/zone=startup:\d+k/, 'zone=startup:32k');
  const nginx = await start({ ...many, routes: [{ path: '/', target: names[0] ?? '' }] }, { patience: 1 }, smallest);
  await untilStarted(nginx);
  expect(nginx.errors).toMatch(/startup: cannot remember b\d+-x+: /);
});

test('a container that starts again waits for nobody who was reached before, and has to reach one', async () => {
  const store = newStore();
  name('b0', (await instance('b0')).instance);
  name('b1', (await instance('b1')).instance);
  const before = await start(parts(2), { store });
  await untilStarted(before);
  const state = join(store, 'startup.json');
  await until(() => existsSync(state) && readFileSync(state).includes('b1'), 'nginx to keep its state');
  await before.stop();
  name('b1');
  const again = await start(parts(2), { store });
  await untilStarted(again);
  await again.stop();
  name('b0');
  expect((await startup(await start(parts(2), { store }))).status).toBe(502);
});

test('a backend that speaks gRPC is waited for as any other', async () => {
  const web = await instance('web');
  const several: ProxyParts = {
    backends: [{ name: 'chat' }, { name: 'web', protocol: 'http', healthCheckPath: '/health' }],
    routes: [
      { path: '/shop.Chat', target: 'chat' },
      { path: '/', target: 'web', protocol: 'http' },
    ],
    timeline: timeline({ resolverValid: '1s', dnsCacheTtl: '0s' }),
  };
  const place = { certificateStore: newStore(), backendPatience: 600 };
  const { nginx, dns: own } = await startGrpc(several, { chat: [], web: [web.instance] }, place);
  onTestFinished(() => nginx.stop());
  await untilAwaited(nginx, 'chat');
  const chat = await StubGrpc.start('chat');
  own.byHost.set('chat.orders.svc.cluster.local', [chat.instance]);
  await untilStarted(nginx);
});

test('nobody but the script asks the backends of a probe', async () => {
  name('b0', (await instance('b0')).instance);
  name('b1');
  const nginx = await start(parts(2));
  const { status } = await nginx.get({ port: nginx.place.probePort, servername: '', path: '/.reach-b0' });
  expect(status).toBe(404);
});
