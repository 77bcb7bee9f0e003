import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { localDeployment } from '../../local/deployment';
import { startOptions } from '../../local/start-options';

const main = 'test/local/fixtures/shop.ts';

function deploymentOf(...args: string[]): ReturnType<typeof localDeployment> {
  const options = startOptions(args);
  if (options === undefined) throw new Error('help was asked for');
  return localDeployment(options);
}

describe('what runs for main.ts', () => {
  // A module is loaded once.
  const shop = deploymentOf('--main', main);

  test('has the command, directory, environment and number of each backend', () => {
    expect(shop.backends.map(({ name, replicas }) => [name, replicas])).toEqual([
      ['catalog', 2],
      ['orders', 2],
      ['orders-canary', 1],
    ]);
    expect(shop.backends[1]).toMatchObject({
      command: { file: 'node', args: ['express-app.mjs'], directory: resolve('test/local') },
      environment: {
        LOCAL: 'yes',
        LOG_LEVEL: 'warn',
        KEEP_ALIVE_TIMEOUT_SECONDS: '5',
        REQUEST_TIMEOUT_SECONDS: '60',
        SHUTDOWN_TIMEOUT_SECONDS: '62',
      },
      healthCheckPath: '/healthcheck',
      isExample: false,
      missing: ['DATABASE_URL'],
    });
    expect(shop.backends[0]?.environment).toMatchObject({ REQUEST_TIMEOUT_SECONDS: '5' });
  });

  test('answers for localhost and the hosts of main.ts, without HSTS', () => {
    expect(shop.hosts).toEqual(['localhost', 'shop.example.com']);
    expect(shop.proxy(2).hosts.map(({ hstsMaxAge }) => hstsMaxAge)).toEqual([0]);
  });

  test('finds instances by SRV records alone, and waits for the longest request of any route', () => {
    const { backends, timeline } = shop.proxy(2);
    expect(backends.map(({ instances, fallback }) => [instances, fallback])).toEqual(
      ['catalog', 'orders', 'orders-canary'].map((name) => [{ host: `${name}.internal`, service: 'http' }, undefined]),
    );
    expect(timeline).toMatchObject({ requestTimeout: 60, resolverValid: 1, discovery: 2 });
  });
});

test('a command is one backend, with what is typed', () => {
  const command = deploymentOf(
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
    { name: 'api', command: { file: 'node', args: ['a.js'] }, replicas: 5, timeline: { keepAliveTimeout: 9 } },
  ]);
});

test('the example API stands for a backend without a command, with its own endpoints', () => {
  expect(deploymentOf('--main', 'examples/single-api.ts').backends).toMatchObject([
    {
      name: 'orders',
      isExample: true,
      healthCheckPath: '/healthcheck',
      environment: { DIAGNOSTIC_ENDPOINTS: 'true' },
      replicas: 2,
    },
  ]);
});

test('a directory that is not there is refused with the name of its backend', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-main-'));
  try {
    const file = join(directory, 'main.ts');
    writeFileSync(
      file,
      `import { App } from ${JSON.stringify(resolve('node_modules/cdk8s'))};
import { LoadBalancedApi } from ${JSON.stringify(resolve('index'))};
const app = new App();
new LoadBalancedApi(app, 'orders', { image: 'orders:1', local: { command: ['node'], directory: 'nowhere' } });
app.synth();
`,
    );
    expect(() => deploymentOf('--main', file)).toThrow(
      `orders local.directory: "nowhere" is not a directory: ${resolve('nowhere')} was looked for`,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
