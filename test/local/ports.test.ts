import { once } from 'node:events';
import { AddressInfo, createServer } from 'node:net';
import { checkListenPort, freePort } from '../../local/ports';

describe('a port to listen on', () => {
  test('that is free is accepted, and free again after', async () => {
    const port = await freePort();
    await checkListenPort('--http-port', port);
    await checkListenPort('--http-port', port);
  });

  test.each(['127.0.0.1', '0.0.0.0', '::1'])('that is taken on %s is refused', async (address) => {
    const server = createServer().listen(0, address);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const check = checkListenPort('--http-port', port);
    await check.catch(() => undefined);
    server.close();
    await expect(check).rejects.toThrow(
      `--http-port: ${port} is taken by another program: stop it, or give another port, such as --http-port`,
    );
  });
});
