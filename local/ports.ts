import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { AddressInfo, createServer } from 'node:net';
import { InvalidOption, refuseAll } from '../validation/invalid-option';

/** Both are where a client may go for `localhost`. */
const loopback = ['127.0.0.1', '::1'] as const;

/** Refuses ports on which nginx could not listen, or on which another program would be met instead: all of them at once. */
export async function checkListenPorts(
  ports: readonly (readonly [option: string, port: number])[],
  address?: string,
): Promise<void> {
  // No instance gets one of them before nginx listens there.
  for (const [, port] of ports) given.add(port);
  const refused = await Promise.all(ports.map(([option, port]) => whyRefused(option, port, address)));
  refuseAll(refused.filter((error) => error !== undefined));
}

async function whyRefused(option: string, port: number, given?: string): Promise<InvalidOption | undefined> {
  for (const address of new Set([...(given === undefined ? [] : [given]), ...loopback])) {
    const code = await whyNotListening(address, port);
    if (code === 'EADDRINUSE') {
      return new InvalidOption(
        option,
        port,
        `is taken by another program: stop it, or give another port, such as ${option} ${another(port)}`,
      );
    }
    if (code === 'EACCES') {
      return new InvalidOption(
        option,
        port,
        `needs a permission that is missing: give a port from 1024 on, such as ${option} ${another(port)}`,
      );
    }
    if (code === 'EADDRNOTAVAIL' && address === given) {
      return new InvalidOption('--listen', address, 'is not an address of this machine: give one that is');
    }
    // A machine without IPv6 has no ::1, and nobody is met there.
    if (code !== undefined && address === '127.0.0.1') {
      return new InvalidOption(option, port, `cannot be listened on (${code}): give another port`);
    }
  }
  return undefined;
}

/** The port that was given, or else the usual one; another one if that is taken. */
export async function ownPort(option: string, given: number | undefined, usual: number): Promise<number> {
  if (given !== undefined) {
    await checkListenPorts([[option, given]]);
    return given;
  }
  for (const address of loopback) {
    if ((await whyNotListening(address, usual)) === 'EADDRINUSE') return freePort();
  }
  return usual;
}

function whyNotListening(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    server.listen(port, address, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}

function another(port: number): number {
  if (port < 1024) return 8000 + port;
  return port < 65_535 ? port + 1 : port - 1;
}

/** Below those that systems give to connections (from 32768 on by default), which could take one before it is listened on. */
const firstPort = 20_000;
const lastPort = 32_767;

/** What this process claimed. */
const given = new Set<number>();

/** In milliseconds: by then a program listens, or is not going to. */
const claimLasts = 60_000;

/**
 * A port that is free at this moment, on every address: a program may listen on all of them. Two processes that look at
 * once do not find the same one.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const port = randomInt(firstPort, lastPort + 1);
    if ((await claimed(port)) && (await isFree(port))) return port;
  }
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether nothing listens on a port, on whatever address. A machine may have no IPv6. */
async function isFree(port: number): Promise<boolean> {
  const code = await whyNotListening('::', port);
  return code === undefined || (code === 'EAFNOSUPPORT' && (await whyNotListening('0.0.0.0', port)) === undefined);
}

/** Whether no other process has claimed the port, nor this one before: by a name in Linux's abstract namespace, which ends with it. */
async function claimed(port: number): Promise<boolean> {
  if (given.has(port)) return false;
  given.add(port);
  if (process.platform !== 'linux') return true;
  const claim = createServer().unref();
  return new Promise((resolve) => {
    claim.once('error', () => {
      resolve(false);
    });
    claim.listen(`\0fairlead-port-${port}`, () => {
      setTimeout(() => claim.close(), claimLasts).unref();
      resolve(true);
    });
  });
}
