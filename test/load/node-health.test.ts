import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Load } from '../../load/load';
import { type LoadNode, NodeHealth } from '../../load/node-health';
import { onTestFinished } from '../afterwards';
import { until } from '../until';

const servers: Server[] = [];

/** A node whose health check and answers are one server's. */
async function node(
  hostname: string,
): Promise<{ node: LoadNode; health: { status: number }; asked: { count: number } }> {
  const health = { status: 200 };
  const asked = { count: 0 };
  const server = createServer((request, response) => {
    if (request.url === '/healthz') {
      response.writeHead(health.status).end();
      return;
    }
    asked.count += 1;
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => response.end(JSON.stringify({ hostname, body })));
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return { node: { url, healthCheckUrl: `${url}/healthz` }, health, asked };
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

test('a node whose health check fails twice gets no more requests, until it is well twice again', async () => {
  const [a, b] = [await node('a'), await node('b')];
  const changes: string[] = [];
  const health = new NodeHealth([a.node, b.node], (changed, healthy) => {
    changes.push(`${changed === a.node ? 'a' : 'b'} ${String(healthy)}`);
  });
  onTestFinished(() => {
    health.stop();
  });
  expect(health.healthy).toEqual([a.node, b.node]);
  a.health.status = 503;
  await until(() => changes.includes('a false'), 'a to be out');
  expect(health.healthy).toEqual([b.node]);
  b.health.status = 503;
  await until(() => changes.includes('b false'), 'b to be out');
  // With nothing that is well, everything is as good as anything.
  expect(health.healthy).toEqual([a.node, b.node]);
  a.health.status = 200;
  await until(() => changes.includes('a true'), 'a to be in');
  expect(health.healthy).toEqual([a.node]);
});

test('load is spread over the nodes', async () => {
  const [a, b] = [await node('a'), await node('b')];
  const result = await new Load({ url: a.node.url, nodes: [a.node, b.node], rate: 200, total: 100 }).finished;
  expect(result).toMatchObject({ sent: 100, ok: 100 });
  expect(a.asked.count).toBeGreaterThan(20);
  expect(b.asked.count).toBeGreaterThan(20);
});

test('a health check elsewhere than on this machine is refused', () => {
  expect(() => new NodeHealth([{ url: 'http://localhost:1', healthCheckUrl: 'http://example.com/healthz' }])).toThrow(
    'url: "http://example.com/healthz" is not on this machine',
  );
});
