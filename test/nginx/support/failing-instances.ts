import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { AddressInfo, connect, createServer, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../../local/ports';
import { onFileFinished } from '../../afterwards';
import { Instance } from './stub-dns';

const address = '127.0.0.1';

/** An instance that refuses connections. */
export async function closedPort(): Promise<Instance> {
  return { address, port: await freePort() };
}

/** An instance that reads some of a request, and whose connection then meets its fate. */
export async function taking(
  fate: (socket: Socket) => void,
  port = 0,
): Promise<Instance & { readonly received: () => number }> {
  let received = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.once('data', () => {
      received += 1;
      fate(socket);
    });
  });
  server.listen(port, address);
  await once(server, 'listening');
  onFileFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return { address, port: (server.address() as AddressInfo).port, received: () => received };
}

/** As on a lost node: nothing is refused, and nothing answers. A process that was stopped, with its queue full. */
export async function silent(port = 0): Promise<Instance> {
  const listen = `net.createServer().listen({ port: ${port}, host: '${address}', backlog: 1 }, function () { console.log(this.address().port); })`;
  const child = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const listening = Number(line.toString());
  child.kill('SIGSTOP');
  const sockets: Socket[] = [];
  onFileFinished(async () => {
    for (const socket of sockets) socket.destroy();
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  for (let open = true; open;) {
    const socket = connect(listening, address).on('error', () => undefined);
    sockets.push(socket);
    open = await Promise.race([once(socket, 'connect').then(() => true), delay(500).then(() => false)]);
  }
  return { address, port: listening };
}
