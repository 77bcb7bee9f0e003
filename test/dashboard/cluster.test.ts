import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { actionHeader } from '../../dashboard/server';
import type { Beginning, Update } from '../../dashboard/watch';
import { RequestKey } from '../../model/load-balancing';
import { TrafficSplit } from '../../charts/routes/route-targets';
import { DnsServer } from '../../local/dns-server';
import { freePort } from '../../local/ports';
import { onTestFinished } from '../afterwards';
import { type Manifest, newBackend, newProxy, newShop, objectsAround } from '../charts/manifests';
import { EventStream } from './event-stream';
import { requestsCounted } from './some-system';
import { writeProgram } from './written-program';

/** Orders and a canary, with a dashboard on this port, and metrics of proxies on the other. */
function manifests(port: number, metricsPort: number): Manifest[] {
  const shop = newShop();
  const edge = newProxy(shop);
  const orders = newBackend(shop, 'orders');
  const canary = orders.addVersion('canary');
  const shares = [
    { target: orders, weight: 80 },
    { target: canary, weight: 20 },
  ];
  edge.addRoute('/', TrafficSplit.weighted(shares, { stickyBy: RequestKey.clientAddress() }));
  edge.addMonitoring({ port: metricsPort, dashboard: { port } });
  return objectsAround(shop);
}

/** A proxy, as far as its metrics go. */
async function proxyAt(address: string, port: number, metrics: () => string): Promise<() => void> {
  const server = createServer(({ url }, response) => {
    response.writeHead(url === '/metrics?peers' ? 200 : 404).end(metrics());
  });
  server.listen(port, address);
  await once(server, 'listening');
  const end = (): void => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(end);
  return end;
}

/** As nginx writes it. */
function metricsOf(requests: number): string {
  return `${requestsCounted(requests)}fairlead_connections{state="active"} 3
fairlead_certificate_not_after_timestamp_seconds{certificate="proxy"} ${2_000_000_000 + requests}
fairlead_certificate_not_after_timestamp_seconds{certificate="admin.example.com"} 2000000000
fairlead_peer_requests_total{backend="orders",version="",peer="10.0.0.1:3000"} ${requests}
fairlead_peer_busy_seconds_total{backend="orders",version="",peer="10.0.0.1:3000"} ${requests}
`;
}

test('the program in the ConfigMap shows every proxy and instance that DNS names, and does nothing to them', async () => {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const named: Record<string, string[]> = {
    'edge-metrics': ['127.0.0.1', '127.0.0.2'],
    orders: ['10.0.0.1', '10.0.0.2'],
    'orders-canary': ['10.0.0.3'],
  };
  const dns = await DnsServer.start(
    {},
    Object.fromEntries(
      Object.keys(named).map((name) => [`${name}.shop.svc.cluster.local`, () => Promise.resolve(named[name] ?? [])]),
    ),
  );
  onTestFinished(() => dns.close());
  let counted = 100;
  await proxyAt('127.0.0.1', metricsPort, () => metricsOf((counted += 10)));
  const endSecond = await proxyAt('127.0.0.2', metricsPort, () => metricsOf((counted += 10)));

  const directory = mkdtempSync(join(tmpdir(), 'test-dashboard-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const weightsFile = join(directory, 'weights.json');
  writeFileSync(weightsFile, '{ "root": { "orders": 80, "orders-canary": 20 } }');
  writeProgram(directory, manifests(port, metricsPort), 'edge-dashboard', (given) => {
    expect(given.weightsFile).toBe('/weights/weights.json');
    return { ...given, dnsServers: [`127.0.0.1:${dns.port}`], weightsFile };
  });
  const child = spawn(process.execPath, ['dashboard/cluster/main.js', 'system.json'], {
    cwd: directory,
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  expect(line).toContain(`port ${port} of loopback`);

  const stream = new EventStream(port);
  const { description, canAct } = await stream.next<Beginning>('beginning');
  expect(canAct).toBe(false);
  expect(description.backends.map(({ name, version, program }) => [name, version, program])).toEqual([
    ['orders', '', 'ghcr.io/acme/orders:1'],
    ['orders-canary', 'canary', 'ghcr.io/acme/orders:1'],
  ]);
  expect(description.routes).toEqual([
    expect.objectContaining({ path: '/', target: 'orders, orders-canary', shared: ['orders', 'orders-canary'] }),
  ]);
  const { state, figures } = await stream.next<Update>('update', (update) => update.figures !== null);
  expect(state.instances.map(({ name, backend, health }) => [name, backend, health])).toEqual([
    ['10.0.0.1', 'orders', 'ready'],
    ['10.0.0.2', 'orders', 'ready'],
    ['10.0.0.3', 'orders-canary', 'ready'],
  ]);
  expect(state.weights).toEqual({ root: { orders: 80, 'orders-canary': 20 } });
  expect(state.certificates.map(({ hosts }) => hosts)).toEqual([['localhost'], ['admin.example.com']]);
  expect(figures?.proxies.map(({ name, connections }) => [name, connections])).toEqual([
    ['127.0.0.1', 2],
    ['127.0.0.2', 2],
  ]);
  expect(figures?.proxy.connections).toBe(4);
  expect(figures?.proxy.requests).toBeGreaterThan(0);
  const [first] = figures?.instances ?? [];
  expect([first?.name, first?.share]).toEqual(['10.0.0.1', 1]);
  expect(first?.inFlight).toBeGreaterThan(0);

  named.orders = ['10.0.0.2'];
  named['edge-metrics'] = ['127.0.0.1'];
  endSecond();
  const gone = await stream.next<Update>('update', (update) => update.happenings.length > 0);
  expect(gone.happenings.map(({ text }) => text)).toEqual(['10.0.0.1 is gone', 'proxy 127.0.0.2 is gone']);

  // As nginx does, it goes on when somebody has broken the file.
  for (const broken of ['null', '{ "root": null }', '{ "root": { "orders": 100 }']) {
    writeFileSync(weightsFile, broken);
    const { events } = stream;
    const seen = events.length;
    const isLater = (update: Update): boolean =>
      events.findIndex(({ data }) => data === update) >= seen && Object.keys(update.state.weights).length === 0;
    await stream.next<Update>('update', isLater);
  }

  const refused = request({
    ...{ host: '127.0.0.1', port, path: '/actions', method: 'POST' },
    headers: { host: `localhost:${port}`, origin: `http://localhost:${port}`, [actionHeader]: '1' },
  });
  refused.end('{ "action": "load", "rate": 100 }');
  const [answer] = (await once(refused, 'response')) as [{ readonly statusCode: number; resume: () => void }];
  answer.resume();
  expect(answer.statusCode).toBe(404);

  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});
