import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { HostPorts } from './kind-config';

/** Two ports of this machine that nothing has. */
export async function freePorts(): Promise<HostPorts> {
  const servers = [createServer(), createServer()] as const;
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const [httpPort, httpsPort] = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) server.close();
  if (httpPort === undefined || httpsPort === undefined) throw new Error('a server that listens has a port');
  return { httpPort, httpsPort };
}
