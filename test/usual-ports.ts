import { once } from 'node:events';
import { createServer } from 'node:net';

/** Of `npm start`, which may run beside the tests. */
const usual = [8080, 8443, 9113, 9114];

/** Takes them for as long as tests run, so that none can count on them; another program that has one does the same. */
export default async function takeUsualPorts(): Promise<void> {
  for (const port of usual) {
    const server = createServer().listen(port, '127.0.0.1').unref();
    server.on('connection', (socket) => socket.destroy());
    await Promise.race([once(server, 'listening'), once(server, 'error')]).catch(() => undefined);
  }
}
