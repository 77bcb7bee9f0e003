import { once } from 'node:events';
import { AddressInfo, createServer } from 'node:net';

/** A port that is free at this moment, on every address: a program may listen on all of them. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
