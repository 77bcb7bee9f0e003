import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type LocalBackend, type LocalDeployment, localDeployment } from '../../../local/deployment/deployment';
import type { InstanceProgram } from '../../../local/processes/api-process';
import { UsageError } from '../../../local/start-options';
import { onTestFinished } from '../../afterwards';
import { startOptions } from '../typed-start';

const main = 'test/local/fixtures/shop.ts';

async function deploymentOf(...args: string[]): Promise<LocalDeployment> {
  const options = startOptions(args);
  // As if Docker had this one.
  return localDeployment(options, (image) => Promise.resolve(image === 'orders:1'));
}

/** What starts one instance of a backend. */
function started({ program }: LocalBackend): ReturnType<InstanceProgram> {
  return program.instance({ name: 'one', port: 4000 });
}

describe('what runs for main.ts', () => {
  let shop: LocalDeployment;

  // A module is loaded once.
  beforeAll(async () => {
    shop = await deploymentOf('--main', main);
  });

  test('has the command, directory, environment and number of each backend', () => {
    expect(shop.backends.map(({ name, replicas }) => [name, replicas])).toEqual([
      ['catalog', 2],
      ['orders', 2],
      ['orders-canary', 1],
    ]);
    const [catalog, orders] = shop.backends as [LocalBackend, LocalBackend];
    expect(orders.program).toMatchObject({
      kind: 'command',
      name: 'node',
      healthCheckPath: '/healthcheck',
      missing: ['orders is not told DATABASE_URL, which comes from the cluster: give it in local.environment'],
    });
    expect(started(orders)).toMatchObject({
      command: { file: 'node', args: ['express-app.mjs'], directory: resolve('test/local/fixtures') },
      environment: {
        LOCAL: 'yes',
        LOG_LEVEL: 'warn',
        KEEP_ALIVE_TIMEOUT_SECONDS: '5',
        REQUEST_TIMEOUT_SECONDS: '60',
        SHUTDOWN_TIMEOUT_SECONDS: '62',
        METRICS_PORT: '0',
        PORT: '4000',
        HOST: '127.0.0.1',
        HOSTNAME: 'one',
      },
    });
    expect(started(catalog).environment).toMatchObject({ REQUEST_TIMEOUT_SECONDS: '5' });
    expect(catalog.program.missing).toEqual([
      'catalog is not told the variables of envFrom, which come from the cluster: give them in local.environment',
      'catalog has no volume at /pictures here: it finds there what this machine has',
    ]);
  });

  test('has the limits of main.ts, and those of pods for the only proxy alone', () => {
    const { budget, backends } = shop.proxy(2);
    expect(budget.requestsPerClient).toBe(40);
    expect(backends.map(({ name, maxConnections }) => [name, maxConnections])).toContainEqual(['catalog', 60]);
  });

  test('logs what the proxy logs in a cluster', () => {
    const { accessLog } = shop.proxy(2);
    expect([accessLog.omit, accessLog.add.map(({ name }) => name)]).toEqual([['user_agent'], ['tenant']]);
  });

  test('answers for localhost and the hosts of main.ts, without HSTS', () => {
    expect(shop.hosts).toEqual(['localhost', 'shop.example.com', 'admin.example.com']);
    expect(shop.proxy(2).hosts.map(({ hstsMaxAge, certificate }) => [hstsMaxAge, certificate])).toEqual([
      [0, undefined],
      [0, 'admin.example.com'],
    ]);
  });

  test('lets in whoever is on this machine, where only some may ask', () => {
    const closed = shop.proxy(2).hosts.flatMap(({ routes }) => routes.flatMap(({ allowFrom }) => allowFrom ?? []));
    expect(closed).toEqual(expect.arrayContaining(['192.0.2.0/24', '127.0.0.0/8', '::1/128', '172.16.0.0/12']));
  });

  test('finds instances by SRV records alone, and waits for the longest request of any route', () => {
    const { backends, timeline } = shop.proxy(2);
    expect(backends.map(({ instances, fallback }) => [instances, fallback])).toEqual(
      ['catalog', 'orders', 'orders-canary'].map((name) => [{ host: `${name}.internal`, service: 'http' }, undefined]),
    );
    expect(timeline).toMatchObject({ requestTimeout: 60, resolverValid: 1, discovery: 2 });
  });
});

test('a command is one backend, with what is typed', async () => {
  const command = await deploymentOf(
    '--host',
    'api.test',
    '--scale',
    '5',
    '--keep-alive-timeout',
    '9s',
    '--',
    'node',
    'a.js',
  );
  expect(command.hosts).toEqual(['api.test']);
  expect(command.backends).toMatchObject([
    { name: 'api', program: { kind: 'command' }, replicas: 5, timeline: { keepAliveTimeout: 9 } },
  ]);
  expect(command.backends.map((backend) => started(backend).command)).toEqual([{ file: 'node', args: ['a.js'] }]);
});

test('the example API stands for a backend without a command whose image is not in Docker, with its own endpoints', async () => {
  const { backends } = await deploymentOf('--main', 'examples/single-api.ts');
  expect(backends).toMatchObject([
    { name: 'orders', program: { kind: 'example', healthCheckPath: '/healthcheck' }, replicas: 2 },
  ]);
  expect(backends.map((backend) => started(backend).environment)).toMatchObject([{ DIAGNOSTIC_ENDPOINTS: 'true' }]);
});

test('the example API stands for no backend that speaks gRPC', async () => {
  const deployed = deploymentOf('--main', mainWith("image: 'elsewhere:1', protocol: 'grpc'"));
  await expect(deployed).rejects.toThrow(
    'orders has no program on this machine, and fairlead\'s example API does not speak gRPC: give it one in main.ts, such as local: { command: ["node", "server.js"] }, or docker pull its image',
  );
  // Nothing was typed wrong.
  await expect(deployed).rejects.not.toBeInstanceOf(UsageError);
});

test('a backend that speaks gRPC is asked for the service that its pods are asked for', async () => {
  const main = mainWith("protocol: 'grpc', healthCheck: 'shop.Orders', local: { command: ['node', 'server.js'] }");
  const { backends, proxy } = await deploymentOf('--main', main);
  expect(backends).toMatchObject([{ protocol: 'grpc', program: { healthCheckPath: 'shop.Orders' } }]);
  expect(proxy(1).backends).toMatchObject([{ protocol: 'grpc', healthCheckPath: '/grpc.health.v1.Health/Check' }]);
});

/** A main.ts whose only backend, `orders`, has these options. */
function mainWith(options: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-main-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const file = join(directory, 'main.ts');
  writeFileSync(
    file,
    `import { App } from ${JSON.stringify(resolve('node_modules/cdk8s'))};
import { EnvValue } from ${JSON.stringify(resolve('node_modules/cdk8s-plus-27'))};
import { LoadBalancedApi } from ${JSON.stringify(resolve('index'))};
const app = new App();
new LoadBalancedApi(app, 'orders', { image: 'orders:1', ${options} });
app.synth();
`,
  );
  return file;
}

test('the image of a backend without a command runs where Docker has it, with no more rights than its pods', async () => {
  const main = mainWith(`port: 8000, command: ['node', 'server.js'], args: ['--quiet'], pods: { user: 1001 },
    environment: { LOG_LEVEL: EnvValue.fromValue('warn'), PATH: EnvValue.fromValue('/app') },
    healthCheck: '/health', local: { environment: { DATABASE_URL: 'postgres://host.docker.internal/orders' } }`);
  const { backends } = await deploymentOf('--main', main);
  expect(backends).toMatchObject([
    { program: { kind: 'image', name: 'orders:1', healthCheckPath: '/health', missing: [] } },
  ]);
  const [orders] = backends;
  if (orders === undefined) throw new Error('no backend');
  const [{ command, environment }, another] = [started(orders), started(orders)];
  const [name = ''] = command.args.filter((arg) => arg.startsWith('--name='));
  expect(name).toMatch(/^--name=fairlead-one-[-0-9a-f]{36}$/);
  expect({ ...command, args: command.args.filter((arg) => arg !== name) }).toEqual({
    file: 'docker',
    args: [
      ...['run', '--rm', '--hostname=one', '--publish=127.0.0.1:4000:8000', '--read-only', '--tmpfs=/tmp'],
      ...['--cap-drop=ALL', '--security-opt=no-new-privileges', '--user=1001'],
      // PATH keeps its value for Docker itself.
      ...['--env=PORT', '--env=KEEP_ALIVE_TIMEOUT_SECONDS', '--env=REQUEST_TIMEOUT_SECONDS'],
      ...['--env=SHUTDOWN_TIMEOUT_SECONDS', '--env=LOG_LEVEL', '--env=PATH=/app', '--env=DATABASE_URL'],
      ...['--entrypoint=node', 'orders:1', 'server.js', '--quiet'],
    ],
    kill: { file: 'docker', args: ['rm', '--force', name.replace('--name=', '')] },
  });
  expect(environment).toMatchObject({
    PORT: '8000',
    LOG_LEVEL: 'warn',
    DATABASE_URL: 'postgres://host.docker.internal/orders',
    PATH: process.env.PATH,
  });
  // No two containers may have one name.
  expect(another.command.args).not.toContain(name);
});

test("a variable that Docker's own program would go by is told to what runs in the image alone", async () => {
  const main = mainWith(`environment: {
      DOCKER_HOST: EnvValue.fromValue('tcp://docker:2375'),
      LD_PRELOAD: EnvValue.fromValue('/usr/lib/libjemalloc.so.2'),
    }`);
  const { backends } = await deploymentOf('--main', main);
  const [orders] = backends;
  if (orders === undefined) throw new Error('no backend');
  const { command, environment } = started(orders);
  expect(command.args).toContain('--env=DOCKER_HOST=tcp://docker:2375');
  expect(command.args).toContain('--env=LD_PRELOAD=/usr/lib/libjemalloc.so.2');
  // By which its client looks for the engine, and is loaded.
  expect([environment.DOCKER_HOST, environment.LD_PRELOAD]).toEqual([process.env.DOCKER_HOST, process.env.LD_PRELOAD]);
});

describe('spans', () => {
  const traced = (more = ''): string =>
    mainWith(`proxy: { tracing: { endpoint: 'http://collector.example.com:4318', sampledPercent: 5${more} } }`);

  test('go nowhere from one machine, whose traces are passed on all the same', async () => {
    const { proxy, externalServices } = await deploymentOf('--main', traced());
    expect(proxy(1)).toMatchObject({ tracing: undefined, traceContext: { sampledPercent: 5 } });
    expect(externalServices.names).toEqual([]);
  });

  test.each([
    ['http://localhost:4318', { host: 'localhost', isAddress: false, port: 4318 }, ['localhost']],
    // nginx may be in a container, to which this machine has another address.
    ['http://127.0.0.1:4318', { host: 'localhost', isAddress: false, port: 4318 }, ['localhost']],
    ['http://192.0.2.1:4318', { host: '192.0.2.1', isAddress: true, port: 4318 }, []],
    ['https://otlp.example.com', { host: 'otlp.example.com', isSecure: true, port: 443 }, ['otlp.example.com']],
  ])('go where main.ts says for one machine: %s', async (url, collector, names) => {
    const { proxy, externalServices } = await deploymentOf('--main', traced(`, localEndpoint: '${url}'`));
    expect(proxy(1).tracing).toMatchObject({ collector, service: { name: 'nginx', namespace: 'orders' } });
    expect(externalServices.names).toEqual(names);
  });
});

test('a directory that is not there is refused with the name of its backend', async () => {
  await expect(deploymentOf('--main', mainWith("local: { command: ['node'], directory: 'nowhere' }"))).rejects.toThrow(
    `orders local.directory: "nowhere" is not a directory: ${resolve('nowhere')} was looked for`,
  );
});

test('a directory without a command is refused', async () => {
  await expect(deploymentOf('--main', mainWith("local: { directory: 'orders' }"))).rejects.toThrow(
    'orders local.directory: "orders" is where local.command runs: give that as well',
  );
});

test('variables of a file come before those of main.ts, and not before those of the shell', async () => {
  const main = mainWith(`local: { command: ['node', 'server.js'], environment: { LOG_LEVEL: 'warn' } },
    environment: { DATABASE_URL: EnvValue.fromSecretValue({ secret: { name: 'database' }, key: 'url' }) }`);
  const file = join(dirname(main), 'variables.env');
  writeFileSync(
    file,
    'LOG_LEVEL=debug\nDATABASE_URL=postgres://localhost/orders\nPORT=1\nMETRICS_PORT=9464\nFAIRLEAD_TEST_OF_SHELL=file\n',
  );
  process.env.FAIRLEAD_TEST_OF_SHELL = 'shell';
  onTestFinished(() => delete process.env.FAIRLEAD_TEST_OF_SHELL);
  const { backends } = await deploymentOf('--main', main, '--env-file', file);
  // What a Secret has in the cluster is not missing then.
  expect(backends.map(({ program }) => program.missing)).toEqual([[]]);
  expect(backends.map((backend) => started(backend).environment)).toMatchObject([
    {
      LOG_LEVEL: 'debug',
      DATABASE_URL: 'postgres://localhost/orders',
      PORT: '4000',
      METRICS_PORT: '9464',
      FAIRLEAD_TEST_OF_SHELL: 'shell',
    },
  ]);
});

test('whoever may come from elsewhere is let in by the route alone, and this machine as well', async () => {
  const main = mainWith("route: { allowFrom: ['192.0.2.0/24'] }");
  const { hostModels } = await deploymentOf('--main', main, '--listen', '0.0.0.0');
  expect(hostModels.flatMap(({ routes }) => routes.map(({ allowFrom }) => allowFrom))).toEqual([
    ['192.0.2.0/24', '127.0.0.0/8', '::1/128'],
  ]);
});
