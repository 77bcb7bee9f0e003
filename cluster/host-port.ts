import { once } from 'node:events';
import { createServer } from 'node:net';
import { port } from '../values/integer';
import { Failure } from './failure';

/** A port as it stands on a command line. */
export function portOption(option: string, value: string): number {
  return port(option, /^\d+$/.test(value) ? Number(value) : value);
}

/** Refuses a port of this machine that another program has. */
export async function requireFreePort(option: string, hostPort: number): Promise<void> {
  const server = createServer();
  try {
    server.listen(hostPort, '127.0.0.1');
    await once(server, 'listening');
  } catch (error) {
    // Docker may take a port that this user may not.
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return;
    throw new Failure(`${option}: port ${hostPort} is taken: end the program that has it, or give another port`);
  } finally {
    server.close();
  }
}
