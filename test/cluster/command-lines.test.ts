import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kindConfig, requireFreePorts } from '../../cluster/kind-config';
import { onTestFinished } from '../afterwards';
import { typescriptProgram } from '../typescript-program';

test('a missing tool is one line that names it and says where to get it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-path-'));
  symlinkSync(process.execPath, join(directory, 'node'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const { status, stderr } = spawnSync(process.execPath, [...typescriptProgram, 'cli.ts', 'kind', 'up'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: directory },
  });
  expect(status).toBe(1);
  expect(stderr).toBe(
    'fairlead: kind is not installed, or not on the PATH: see https://kind.sigs.k8s.io/docs/user/quick-start/#installation\n',
  );
});

test('taken ports are named at once, each with its option', async () => {
  const servers = [createServer().listen(0, '127.0.0.1'), createServer().listen(0, '127.0.0.1')] as const;
  onTestFinished(() => {
    for (const server of servers) server.close();
  });
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const [httpPort = 0, httpsPort = 0] = servers.map((server) => (server.address() as AddressInfo).port);
  await expect(requireFreePorts({ httpPort, httpsPort })).rejects.toThrow(
    `--http-port: ${httpPort} is taken by another program: end it, or give another port\n--https-port: ${httpsPort} is taken by another program: end it, or give another port`,
  );
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  await expect(requireFreePorts({ httpPort, httpsPort })).resolves.toBeUndefined();
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

test.each([
  ['the health checks of load balancers', { healthCheckPort: 8256 }, 30_256, 8256],
  ['other proxies', { otherHttpsPort: 8444 }, 30_444, 8444],
])('a node can have a port for %s besides', (_, port, containerPort, hostPort) => {
  const ports = [{ httpPort: 8080, httpsPort: 8443, ...port }];
  const config = JSON.parse(kindConfig(ports)) as { nodes: { extraPortMappings: object[] }[] };
  expect(config.nodes[0]?.extraPortMappings.slice(2)).toEqual([
    { containerPort, hostPort, listenAddress: '127.0.0.1', protocol: 'TCP' },
  ]);
});
