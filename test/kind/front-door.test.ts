import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { connect } from 'node:tls';
import { Agent, type Dispatcher, request } from 'undici';
import { run } from '../../cluster/external-command';
import { type Pod, podsUntil } from '../../cluster/pods';
import { eventually } from '../../cluster/progress';
import { configMapsOf, type PodTemplateOwner } from '../../cluster/prune-config-maps';
import type { Update } from '../../dashboard/watch';
import { EventStream } from '../dashboard/event-stream';
import { parsed, sum } from '../nginx/metrics/exposition';
import { typescriptProgram } from '../typescript-program';
import { removeCustomMetricsStub, startCustomMetricsStub } from './support/custom-metrics-stub';
import { figure, loadFigure } from './support/figures';
import { frontDoor, known, knownOrigin, ownHost, page, services, tokenForOthers } from './support/front-door';
import { settled, workloads } from './support/pods';
import { expectNoneLost, scenario } from './support/scenario';
import { Scraper } from './support/scraper';
import { cluster, kubectl, suite } from './support/suite';
import { startLoad } from './support/traffic-load';
import { apply } from './support/variant';

let dispatcher: Agent;

beforeAll(async () => {
  await settled();
  await apply(frontDoor());
  await workloads().rolledOut('proxy');
  for (const name of services) await workloads().run('rollout', 'status', `deployment/${name}`, '--timeout=5m');
  await workloads().readyPods('proxy', 2);
  // Two certificates that nobody knows: what each host shows is looked at below.
  dispatcher = new Agent({ connect: { rejectUnauthorized: false, family: 4 } });
});

afterAll(async () => {
  await dispatcher.close();
  const mounted = configMapsOf(await inNamespace(workloads().deployment('proxy')));
  await apply(suite().manifests);
  await workloads().rolledOut('proxy');
  for (const name of services) {
    const kinds = 'deployment,service,horizontalpodautoscaler,poddisruptionbudget,networkpolicy';
    await workloads().run('delete', kinds, `--selector=app.kubernetes.io/instance=${name}`);
  }
  const ofDashboard = 'deployment,service,networkpolicy,configmap';
  await workloads().run('delete', ofDashboard, '--selector=app.kubernetes.io/name=dashboard');
  // Nobody may go back to a revision whose files are gone.
  const revisions = await inNamespace('replicasets', '--selector=app.kubernetes.io/component=proxy');
  for (const revision of revisions) {
    if (configMapsOf([revision]).has('site')) {
      await workloads().run('delete', 'replicaset', revision.metadata.name);
    }
  }
  await workloads().run('delete', 'configmap', ...mounted);
  await workloads().run('delete', 'secret', 'members');
  await settled();
});

function inNamespace(...args: readonly string[]): Promise<PodTemplateOwner[]> {
  return kubectl.list([...args, `--namespace=${suite().namespace}`]);
}

async function ask(
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly headers: Dispatcher.ResponseData['headers']; readonly body: string }> {
  const { httpsPort } = suite().ports;
  const answer = await request(`https://localhost:${httpsPort}${path}`, { dispatcher, headers });
  return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
}

async function answering(path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const { status, body } = await ask(path, headers);
  expect(status).toBe(200);
  return (JSON.parse(body) as { readonly hostname: string }).hostname;
}

/** What each proxy serves to a pod of the catalog, which may scrape. */
async function metrics(): Promise<string[]> {
  const texts: string[] = [];
  for (const { status } of await workloads().pods('proxy')) {
    const program = `
      fetch('http://${String(status.podIP)}:9113/metrics', { signal: AbortSignal.timeout(3000) })
        .then((answer) => answer.text())
        .then((text) => process.stdout.write(text));`;
    texts.push(await workloads().run('exec', 'deployment/catalog', '--', 'node', '--eval', program));
  }
  return texts;
}

scenario('each route leads to its backend, its version, or another Service', async () => {
  expect(await answering('/catalog/healthcheck')).toMatch(/^catalog-/);
  expect(await answering('/orders/healthcheck', { 'x-canary': 'always' })).toMatch(/^orders-canary-/);
  expect(await answering('/elsewhere/healthcheck')).toMatch(/^catalog-/);
  expect(await answering('/healthcheck')).toMatch(/^api-/);
  // By whom each client is answered is by chance, and the same through both proxies.
  const versions = new Map<string, string>();
  for (let client = 0; client < 40; client += 1) {
    for (let time = 0; time < 3; time += 1) {
      const hostname = await answering('/orders/healthcheck', { 'x-client': String(client) });
      const version = hostname.startsWith('orders-canary-') ? 'canary' : 'stable';
      expect(versions.get(String(client)) ?? version).toBe(version);
      versions.set(String(client), version);
    }
  }
  expect(new Set(versions.values()).size).toBe(2);
});

scenario('copies of requests reach who they are for, and change no answer', async () => {
  const since = new Date();
  for (let time = 0; time < 20; time += 1) expect(await answering('/copied/status/200')).toMatch(/^api-/);
  await eventually('twenty copies in the log of the catalog', async () => {
    const log = await workloads().run('logs', 'deployment/catalog', `--since-time=${since.toISOString()}`);
    return log.split('\n').filter((line) => line.includes('/status/200')).length === 20 ? true : undefined;
  });
});

scenario('a limit of the rate is answered 429 beyond what each proxy lets through', async () => {
  const statuses: number[] = [];
  for (let time = 0; time < 30; time += 1) statuses.push((await ask('/limited/healthcheck')).status);
  const passed = statuses.filter((status) => status === 200).length;
  expect(passed).toBeGreaterThanOrEqual(3);
  // Three of each address at each of two proxies: nodes stand for clients here.
  expect(passed).toBeLessThan(30);
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
});

scenario('routes ask for a password, for a token of an issuer, or another service who it is', async () => {
  const statusOf = async (path: string, headers = {}): Promise<number> => (await ask(path, headers)).status;
  expect(await statusOf('/members/healthcheck')).toBe(401);
  expect(await statusOf('/members/healthcheck', known.password)).toBe(200);
  expect(await statusOf('/tokens/healthcheck')).toBe(401);
  expect(await statusOf('/tokens/healthcheck', tokenForOthers)).toBe(401);
  expect(await statusOf('/tokens/healthcheck', known.token)).toBe(200);
  expect(await statusOf('/asked/healthcheck')).toBe(200);
  expect(await statusOf('/refused/healthcheck')).toBe(403);
});

scenario('routes refuse strangers, and let pages of known origins ask', async () => {
  expect((await ask('/strangers/healthcheck')).status).toBe(403);
  const page = await ask('/pages/healthcheck', { origin: knownOrigin });
  expect(page.headers['access-control-allow-origin']).toBe(knownOrigin);
  const others = await ask('/pages/healthcheck', { origin: 'https://evil.example.com' });
  expect(others.headers['access-control-allow-origin']).toBeUndefined();
});

scenario('both proxies have counted each request, and tell it to who may scrape', async () => {
  const before = await counted('copied');
  for (let time = 0; time < 100; time += 1) await answering('/copied/healthcheck');
  await eventually('a hundred more', async () => ((await counted('copied')) - before >= 100 ? true : undefined));
  expect((await counted('copied')) - before).toBe(100);
});

/** Requests of a route, by the metrics of all proxies. */
async function counted(route: string): Promise<number> {
  const texts = await metrics();
  return texts.reduce((all, text) => all + sum(parsed(text), 'fairlead_http_requests_total', { route }), 0);
}

scenario('the dashboard shows both proxies and every pod, through a port-forward', async () => {
  await workloads().run('rollout', 'status', 'deployment/nginx-dashboard', '--timeout=5m');
  const stop = new AbortController();
  let forwarded: (port: number) => void = () => undefined;
  const port = new Promise<number>((resolve) => (forwarded = resolve));
  const forwarding = kubectl.run(
    ['port-forward', `--namespace=${suite().namespace}`, '--address=127.0.0.1', 'deployment/nginx-dashboard', ':9114'],
    {
      signal: stop.signal,
      onLine: (line) => {
        forwarded(Number(/:(\d+) ->/.exec(line)?.[1]));
      },
    },
  );
  try {
    const stream = new EventStream(await Promise.race([port, forwarding.then(() => 0)]));
    for (let time = 0; time < 50; time += 1) await answering('/copied/healthcheck');
    const { figures, state } = await stream.next<Update>(
      'update',
      (update) => (update.figures?.proxies ?? []).length === 2 && (update.figures?.proxy.requests ?? 0) > 0,
    );
    const selector = `app.kubernetes.io/component=api,app.kubernetes.io/instance in (${services.join(',')})`;
    const pods = await kubectl.list<Pod>(['pods', `--namespace=${suite().namespace}`, `--selector=${selector}`]);
    expect(state.instances.map(({ addresses: [address = ''] }) => address)).toEqual(
      expect.arrayContaining(pods.map(({ status }) => `${String(status.podIP)}:3000`)),
    );
    expect(state.weights).toEqual({ orders: { orders: 80, 'orders-canary': 20 } });
    expect(state.certificates.map(({ hosts }) => hosts)).toContainEqual([ownHost]);
    expect(figures?.proxy.connectionsLimit).toBeGreaterThan(0);
  } finally {
    stop.abort();
    await forwarding.catch(() => undefined);
  }
});

scenario('fairlead top shows both proxies, each through a port-forward of its own', async () => {
  const program = [...typescriptProgram, 'cli.ts', 'top', '--namespace', suite().namespace, '--once'];
  const context = ['--context', `kind-${cluster.name}`];
  const shown = await run(process.execPath, [...program, ...context], {
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
  });
  expect(shown).toMatch(/^fairlead top .* 2 proxies answer$/m);
  for (const { metadata } of await workloads().readyPods('proxy', 2)) expect(shown).toContain(metadata.name);
});

scenario('fairlead explain finds a refused request in the logs of the proxies, and says why', async () => {
  const { status, headers } = await ask('/refused/healthcheck');
  expect(status).toBe(403);
  const id = String(headers['x-request-id']);
  const explain = ['cli.ts', 'explain', id, '--namespace', suite().namespace, '--context', `kind-${cluster.name}`];
  const said = await eventually('the line of the request', () =>
    run(process.execPath, [...typescriptProgram, ...explain], {
      env: { ...process.env, KUBECONFIG: cluster.kubeconfig, FAIRLEAD_ENVIRONMENT: 'kind' },
    }).catch(() => undefined),
  );
  expect(said).toContain(id);
  expect(said).toContain('403');
  expect(said).toContain('/refused/healthcheck');
});

scenario(
  'nginx serves files that a container of the pod has copied from an image, and those of a ConfigMap',
  async () => {
    const program = await ask('/program/main.js');
    expect([program.status, program.headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8']);
    expect((await ask('/program/none.js')).status).toBe(404);
    for (const path of ['/app/', '/app/basket/17']) expect(await ask(path)).toMatchObject({ status: 200, body: page });
  },
);

scenario('a host shows the certificate of its own, and no connection of another host asks for it', async () => {
  const certificateOf = async (servername: string): Promise<X509Certificate | undefined> => {
    const { httpsPort: port } = suite().ports;
    const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const certificate = socket.getPeerX509Certificate();
    socket.destroy();
    return certificate;
  };
  const [own, other] = [await certificateOf(ownHost), await certificateOf('localhost')];
  expect([own?.checkHost(ownHost), own?.checkHost('localhost')]).toEqual([ownHost, undefined]);
  expect([other?.checkHost(ownHost), other?.checkHost('localhost')]).toEqual([undefined, 'localhost']);
  const { httpsPort: port } = suite().ports;
  const misdirected = get({
    ...{ host: '127.0.0.1', port, path: '/healthcheck', rejectUnauthorized: false },
    servername: 'localhost',
    headers: { host: ownHost },
  });
  const [answer] = (await once(misdirected, 'response')) as [IncomingMessage];
  answer.resume();
  expect(answer.statusCode).toBe(421);
});

scenario('a rolling update of both versions of a split answers 200 to each request, and counts it', async () => {
  const before = await counted('orders');
  const load = await startLoad({ getPath: '/orders/healthcheck', postPath: '/orders/echo' });
  await eventually('the first answers', () => (load.requests.length > 100 ? true : undefined));
  for (const name of ['orders', 'orders-canary']) {
    await workloads().run('rollout', 'restart', `deployment/${name}`);
    await workloads().run('rollout', 'status', `deployment/${name}`, '--timeout=5m');
  }
  await eventually('the last of 3,000 requests', () => (load.requests.length >= 3000 ? true : undefined));
  const result = await load.stop();
  loadFigure('rolling update of both versions of a split', result);
  await expectNoneLost(result);
  const { sent } = result;
  await eventually('all of them, counted', async () => ((await counted('orders')) - before >= sent ? true : undefined));
  expect((await counted('orders')) - before).toBe(sent);
  figure('requests that the proxies counted through that update of the API, of those sent', `${sent} of ${sent}`);
});

scenario('a rolling update of the proxies loses no request, and none that it counted', async () => {
  const scraper = await Scraper.start('orders', 2);
  try {
    const before = await scraper.counted();
    const load = await startLoad({ getPath: '/orders/healthcheck', postPath: '/orders/echo' });
    await eventually('the first answers', () => (load.requests.length > 100 ? true : undefined));
    await workloads().run('rollout', 'restart', 'deployment/nginx');
    await workloads().rolledOut('proxy');
    // They answer what they hold, and then wait for the scraper.
    await workloads().readyPods('proxy', 2);
    const result = await load.stop();
    loadFigure('rolling update of the proxies, which are scraped', result);
    await expectNoneLost(result);
    expect((await scraper.counted()) - before).toBe(result.sent);
    figure(
      'requests that the proxies counted through their own update, of those sent',
      `${result.sent} of ${result.sent}`,
    );
  } finally {
    await scraper.stop();
  }
});

scenario('an autoscaler that goes by requests a second adds pods as they grow, and takes them away again', async () => {
  try {
    await startCustomMetricsStub();
    const paths = { getPath: '/catalog/healthcheck', postPath: '/catalog/echo' };
    const begin = Date.now();
    // Three times what one pod is to have.
    const load = await startLoad({ rate: 60, ...paths });
    await eventually('a third pod that answers', () => {
      const answered = new Set(load.requests.map(({ hostname }) => hostname));
      return answered.size === 3 ? true : undefined;
    });
    const added = Date.now();
    const result = await load.stop();
    loadFigure('autoscaler by requests adds pods (60 requests a second)', result);
    await expectNoneLost(result);

    const ended = Date.now();
    const light = await startLoad({ rate: 6, ...paths });
    const pods = ['pods', `--namespace=${suite().namespace}`, '--selector=app.kubernetes.io/instance=catalog'];
    await podsUntil(kubectl, pods, 'one pod of the catalog', ({ length }) => (length === 1 ? true : undefined));
    const takenAway = Date.now();
    const lightResult = await light.stop();
    loadFigure('autoscaler by requests takes pods away (6 requests a second)', lightResult);
    await expectNoneLost(lightResult);
    const seconds = (from: number, to: number): string => `${Math.round((to - from) / 1000)} s`;
    figure('autoscaler by requests, from the beginning of the load to an answer of a third pod', seconds(begin, added));
    figure('autoscaler by requests, from the end of the load to one pod', seconds(ended, takenAway));
  } finally {
    await removeCustomMetricsStub();
  }
});
