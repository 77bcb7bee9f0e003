import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kindConfig, portOption, requireFreePort } from '../../cluster/kind-config';
import { onTestFinished } from '../afterwards';
import { typescriptProgram } from '../typescript-program';

function command(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ReturnType<typeof outcome> {
  return outcome(
    spawnSync(process.execPath, [...typescriptProgram, join('cluster', file), ...args], {
      encoding: 'utf8',
      env,
    }),
  );
}

function outcome({ status, stdout, stderr }: ReturnType<typeof spawnSync>): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  return { status, stdout: String(stdout), stderr: String(stderr) };
}

test.each([
  [
    'kind-up.ts',
    ['--https-port', '0'],
    'kind:up: --https-port: 0 is out of range: give a whole number from 1 to 65535\n',
  ],
  [
    'kind-up.ts',
    ['--http-port', '8080x'],
    'kind:up: --http-port: "8080x" is out of range: give a whole number from 1 to 65535\n',
  ],
  [
    'kind-up.ts',
    ['--http-port', '9999', '--https-port', '9999'],
    'kind:up: --http-port: 9999 is --https-port as well: give a port of its own\n',
  ],
  ['kind-up.ts', ['--port', '1'], "kind:up: Unknown option '--port'"],
  ['kind-down.ts', ['everything'], "kind:down: Unexpected argument 'everything'"],
  ['prune.ts', [], 'prune: --namespace: undefined is not a namespace: give the one of the deployment\n'],
  ['prune.ts', ['--namespace', 'A b'], 'prune: --namespace: "A b" is not a DNS label: give at most'],
  ['prune.ts', ['--namespace', 'api', '--older-than', '10'], 'prune: --older-than: "10" is not a duration'],
])('%s %j is refused in one line', (file, args, message) => {
  const { status, stdout, stderr } = command(file, args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});

test.each(['kind-up.ts', 'kind-down.ts', 'prune.ts'])('%s --help says how to use it', (file) => {
  const { status, stdout, stderr } = command(file, ['--help']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^Usage: npm run /);
});

test('a missing tool is one line that names it and says where to get it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-path-'));
  symlinkSync(process.execPath, join(directory, 'node'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const { status, stderr } = command('kind-up.ts', [], { ...process.env, PATH: directory });
  expect(status).toBe(1);
  expect(stderr).toBe(
    'kind:up: kind is not installed, or not on the PATH: see https://kind.sigs.k8s.io/docs/user/quick-start/#installation\n',
  );
});

test('a taken port is one line that names the option and the port', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => server.close());
  const { port } = server.address() as AddressInfo;
  await expect(requireFreePort('--https-port', port)).rejects.toThrow(
    `--https-port: port ${port} is taken: end the program that has it, or give another port`,
  );
  server.close();
  await once(server, 'close');
  await expect(requireFreePort('--https-port', port)).resolves.toBeUndefined();
});

test('ports of a command line are whole numbers', () => {
  expect(portOption('--http-port', '8080')).toBe(8080);
  for (const value of ['', ' 1', '1e3', '-1', '65536', '0x10']) {
    expect(() => portOption('--http-port', value)).toThrow('--http-port: ');
  }
});

test('the cluster has three nodes, and its ports are open on this machine alone', () => {
  const config = JSON.parse(kindConfig([{ httpPort: 8080, httpsPort: 8443 }])) as {
    nodes: { role: string; extraPortMappings?: object[] }[];
  };
  expect(config.nodes.map(({ role }) => role)).toEqual(['control-plane', 'worker', 'worker']);
  expect(config.nodes.flatMap(({ extraPortMappings }) => extraPortMappings ?? [])).toEqual([
    { containerPort: 30_080, hostPort: 8080, listenAddress: '127.0.0.1', protocol: 'TCP' },
    { containerPort: 30_443, hostPort: 8443, listenAddress: '127.0.0.1', protocol: 'TCP' },
  ]);
});

test('each node can have ports of its own, so that the loss of one leaves a way in', () => {
  const ports = [1, 2, 3].map((node) => ({ httpPort: 8080 + node, httpsPort: 8443 + node }));
  const config = JSON.parse(kindConfig(ports)) as { nodes: { extraPortMappings: { hostPort: number }[] }[] };
  expect(config.nodes.map(({ extraPortMappings }) => extraPortMappings.map(({ hostPort }) => hostPort))).toEqual([
    [8081, 8444],
    [8082, 8445],
    [8083, 8446],
  ]);
});

test('a node can have a port for the health checks of load balancers besides', () => {
  const ports = [{ httpPort: 8080, httpsPort: 8443, healthCheckPort: 8256 }];
  const config = JSON.parse(kindConfig(ports)) as { nodes: { extraPortMappings: object[] }[] };
  expect(config.nodes[0]?.extraPortMappings).toContainEqual({
    containerPort: 30_256,
    hostPort: 8256,
    listenAddress: '127.0.0.1',
    protocol: 'TCP',
  });
});
