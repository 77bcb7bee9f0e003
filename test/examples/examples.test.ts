import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { App } from 'cdk8s';
import { selfSignedKeyPair } from '../../certificates/self-signed';
import { loadedApps } from '../../charts/loaded-apps';
import { NginxProxy } from '../../charts/proxy/nginx-proxy';
import { authFilesOf } from '../../model/auth/auth';
import type { ProxyModel } from '../../model/proxy';
import type { RouteModel } from '../../model/routes/route';
import { externalServicesOf } from '../../nginx/plan';
import { modelElsewhere } from '../../local/deployment/elsewhere';
import { localFiles } from '../../local/deployment/local-files';
import { onTestFinished } from '../afterwards';
import { manifestsOf, nginxConfOf, podSpecOf } from '../charts/manifests';
import { AuthDirectory } from '../nginx/support/auth-files';
import { GrpcClient, StubGrpc } from '../nginx/support/grpc';
import { echo } from '../nginx/support/several-backends';
import { Answer, RealNginx, testConfiguration } from '../nginx/support/real-nginx';
import { StubApi } from '../nginx/support/stub-api';
import { StubDns } from '../nginx/support/stub-dns';

const directory = resolve('examples');

interface Question {
  readonly path: string;
  /** Whether it is a call of gRPC, whose answer has this status. */
  readonly grpcStatus?: number;
  readonly host?: string;
  /** What the client names in its handshake. @default - the host */
  readonly servername?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Who answers, and which path it was asked for. */
  readonly backend?: string;
  readonly url?: string;
  readonly status?: number;
  /** What stands in the answer, and a header of it. */
  readonly text?: string;
  readonly cacheControl?: string;
  /** How many of them come at once. @default 1 */
  readonly times?: number;
  /** Of so many, those that are answered at least, and refused (429) beyond; the rate makes room for some that take longer. */
  readonly answered?: number;
}

/** What each example says of some requests. */
const questions: Readonly<Record<string, readonly Question[]>> = {
  'access-rules.ts': [
    { path: '/catalog', backend: 'orders' },
    { path: '/login', backend: 'sessions' },
    { path: '/orders/1', backend: 'orders', url: '/orders/1' },
    { path: '/admin', status: 403 },
    { path: '/orders', host: 'partners.example.com', status: 403 },
    { path: '/orders', servername: 'api.example.com', host: 'partners.example.com', status: 421 },
  ],
  'cached-catalog.ts': [
    { path: '/basket', backend: 'catalog', url: '/basket' },
    { path: '/products/1?a=b', headers: { cookie: 'session=1' }, backend: 'catalog', url: '/products/1?a=b' },
    { path: '/prices/1', headers: { cookie: 'session=1; currency=EUR' }, backend: 'catalog', url: '/prices/1' },
  ],
  'canary.ts': [
    { path: '/a', headers: { 'x-canary': 'always' }, backend: 'orders-canary' },
    { path: '/a', headers: { cookie: 'session=1' }, backend: 'orders' },
  ],
  'customised-pods.ts': [{ path: '/a', headers: { 'x-tenant': 'acme' }, backend: 'orders' }],
  'event-streams.ts': [
    { path: '/ws', backend: 'chat' },
    { path: '/', backend: 'chat' },
  ],
  'existing-secret.ts': [{ path: '/a', backend: 'orders' }],
  'external-service.ts': [
    { path: '/orders/1', backend: 'orders', url: '/orders/1' },
    { path: '/basket?a=b', backend: 'legacy.example.com', url: '/shop/basket?a=b' },
    { path: '/weather/today', backend: 'api.weather.example', url: '/v1/today' },
    { path: '/payments/7', backend: 'payments.billing.svc.cluster.local', url: '/payments/7' },
  ],
  'grpc.ts': [
    { path: '/shop.Orders/Get', grpcStatus: 0, backend: 'orders' },
    { path: '/shop.Chat/Talk', grpcStatus: 0, backend: 'orders' },
    { path: '/elsewhere', backend: 'web', url: '/elsewhere' },
  ],
  'monitoring.ts': [
    { path: '/orders/1', backend: 'orders' },
    { path: '/', status: 404 },
  ],
  'several-hosts.ts': [
    { path: '/', backend: 'orders' },
    { path: '/', host: 'invoices.example.com', backend: 'invoices' },
    { path: '/archive/2020', host: 'invoices.example.com', status: 503 },
    { path: '/', servername: 'orders.example.com', host: 'invoices.example.com', backend: 'invoices' },
    { path: '/', host: 'admin.example.net', backend: 'admin' },
    { path: '/', servername: 'orders.example.com', host: 'admin.example.net', status: 421 },
  ],
  'single-api.ts': [{ path: '/a?b=c', backend: 'orders', url: '/a?b=c' }],
  'single-page-app.ts': [
    { path: '/api/orders', backend: 'orders', url: '/api/orders' },
    { path: '/', text: '<title>Shop</title>', cacheControl: 'no-cache' },
    { path: '/basket/17', text: '<title>Shop</title>', cacheControl: 'no-cache' },
    { path: '/assets/app.3f2a9c1b.js', text: 'This is', cacheControl: 'public, max-age=31536000, immutable' },
    { path: '/assets/app.00000000.js', status: 404 },
  ],
  'three-versions.ts': [
    { path: '/v1/orders', backend: 'orders', url: '/orders' },
    { path: '/v2/orders', backend: 'orders-v2', url: '/orders' },
    { path: '/orders', backend: 'orders-v2', url: '/orders' },
    { path: '/orders', headers: { 'accept-version': '3' }, backend: 'orders-v3' },
    { path: '/v0/orders', status: 308 },
  ],
  'two-services.ts': [
    { path: '/orders/1', backend: 'orders', url: '/orders/1' },
    { path: '/catalog', backend: 'catalog', url: '/catalog' },
    { path: '/else', status: 404 },
    { path: '/orders/checkout', times: 60, answered: 11 },
    { path: '/orders', times: 60, answered: 60 },
  ],
  'web-socket-chat.ts': [
    { path: '/', backend: 'chat' },
    { path: '/ws', backend: 'chat', url: '/ws' },
  ],
};

const apps = new Map<string, App>();

/** That of an example, which jest loads once. */
function appOf(file: string): App {
  const [app = apps.get(file)] = loadedApps(resolve(directory, file), { FAIRLEAD_ENVIRONMENT: 'production' });
  if (app === undefined) throw new Error(`${file} makes no app`);
  apps.set(file, app);
  return app;
}

test('every example is asked', () => {
  const files = readdirSync(directory).filter((name) => name.endsWith('.ts'));
  expect(files.sort()).toEqual(Object.keys(questions));
});

test.each(Object.entries(questions))('%s is synthesized, and answers as it says', async (file, asked) => {
  const app = appOf(file);
  await testConfiguration(nginxConfOf(manifestsOf(app)));

  const { nginx, stop } = await started(app);
  onTestFinished(stop);
  for (const {
    path,
    grpcStatus,
    host = nginx.host,
    servername = host,
    headers = {},
    backend,
    url,
    status = 200,
    text = '',
    cacheControl,
    times,
    answered,
  } of asked) {
    if (grpcStatus !== undefined) {
      const { code, headers: said } = await new GrpcClient(nginx).call(path);
      expect([path, code, said.instance]).toEqual([path, grpcStatus, [backend]]);
      continue;
    }
    const get = (): Promise<Answer> => nginx.get({ path, servername, headers: { host, ...headers } });
    if (times !== undefined && answered !== undefined) {
      const statuses = (await Promise.all(Array.from({ length: times }, get))).map((answer) => answer.status);
      expect(statuses.filter((one) => one === 200).length).toBeGreaterThanOrEqual(answered);
      expect(new Set(statuses)).toEqual(new Set(answered < times ? [200, 429] : [200]));
      continue;
    }
    const answer = await get();
    expect([path, answer.status]).toEqual([path, status]);
    expect(answer.body).toContain(text);
    if (cacheControl !== undefined) expect([path, answer.headers['cache-control']]).toEqual([path, cacheControl]);
    if (backend === undefined) continue;
    const said = JSON.parse(answer.body) as { readonly backend: string; readonly url: string };
    expect([path, said.backend, url ?? said.url]).toEqual([path, backend, said.url]);
  }
});

test('customised-pods.ts has an init container, and a native sidecar before it, as restricted as the API', () => {
  const app = appOf('customised-pods.ts');
  const { containers, initContainers } = podSpecOf(manifestsOf(app), 'orders');
  const [sidecar, migration] = initContainers as readonly object[];
  expect(sidecar).toMatchObject({ name: 'database-proxy', restartPolicy: 'Always' });
  expect(migration).toMatchObject({ name: 'migrate', command: ['npm', 'run', 'migrate'] });
  expect(migration).not.toHaveProperty('restartPolicy');
  for (const container of [...containers, sidecar, migration]) {
    expect(container).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
      },
    });
  }
  expect(containers[1]).not.toHaveProperty('lifecycle');
});

/** What nginx does not start without: a CA that has signed nothing. */
function certificateAuthorities({ model }: NginxProxy): AuthDirectory {
  const files = new AuthDirectory();
  const { certificate } = selfSignedKeyPair(['localhost'], resolve('.fairlead/test-certificates'));
  for (const { path, isNeededAtStart = false } of authFilesOf(model.hosts.flatMap(({ routes }) => routes))) {
    if (isNeededAtStart) files.write(path, certificate);
  }
  return files;
}

/** The proxy of an app, with one instance of each of its backends. */
async function started(app: App): Promise<{ readonly nginx: RealNginx; readonly stop: () => Promise<void> }> {
  const proxy = app.node.findAll().find((construct) => construct instanceof NginxProxy);
  if (proxy === undefined) throw new Error('no proxy');
  const dns = await StubDns.start();
  const apis: (StubApi | StubGrpc)[] = [];
  for (const { node, settings } of proxy.targets) {
    const api =
      settings.protocol === 'grpc' ? await StubGrpc.start(node.id) : await StubApi.start(node.id, echo(node.id));
    apis.push(api);
    dns.byHost.set(`${node.id}.internal`, [api.instance]);
  }
  const { hosts } = proxy.model;
  const ports = new Map<string, number>();
  for (const { name, host } of externalServicesOf(hosts.flatMap(({ routes }) => routes))) {
    const api = await StubApi.start(host, echo(host));
    apis.push(api);
    ports.set(name, api.instance.port);
    dns.byHost.set(host, [api.instance]);
  }
  /** By plain HTTP: what TLS does is tried elsewhere. */
  const here = (route: RouteModel): RouteModel => {
    const { target } = route;
    if (target.kind !== 'external') return route;
    const port = ports.get(target.service.name) ?? 0;
    return { ...route, target: { ...target, service: { ...target.service, port, tls: undefined } } };
  };
  const model = modelElsewhere(proxy, {
    hosts: hosts.map((host) => ({ ...host, routes: host.routes.map(here) })) as unknown as ProxyModel['hosts'],
    workers: 1,
    backend: (backend) => ({ ...backend, instances: { host: `${backend.name}.internal`, service: 'http' } }),
  });
  // All of them come from this machine.
  const nginx = await RealNginx.start(
    { ...model, unlimitedClients: [] },
    {
      ...{ resolvers: [dns.server], workers: 1, filesDirectories: localFiles(proxy).directories },
      authDirectory: certificateAuthorities(proxy).path,
    },
  );
  await nginx.untilAnswered(({ status }) => status === 200, { port: nginx.place.probePort, path: '/startup' });
  return {
    nginx,
    stop: async () => {
      await nginx.stop();
      await Promise.all(apis.map((api) => api.stop()));
      await dns.stop();
    },
  };
}
