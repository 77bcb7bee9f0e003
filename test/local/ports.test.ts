import crypto from 'node:crypto';
import { once } from 'node:events';
import { AddressInfo, createServer } from 'node:net';
import * as ports from '../../local/ports';
import { checkListenPorts, freePort, ownPort } from '../../local/ports';
import { onTestFinished } from '../afterwards';

describe('a port to listen on', () => {
  test('that is free is accepted, and free again after', async () => {
    const port = await freePort();
    await checkListenPorts([['--http-port', port]]);
    await checkListenPorts([['--http-port', port]]);
  });

  test.each(['127.0.0.1', '0.0.0.0', '::1'])('that is taken on %s is refused', async (address) => {
    const server = createServer().listen(0, address);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const check = checkListenPorts([['--http-port', port]]);
    await check.catch(() => undefined);
    server.close();
    await expect(check).rejects.toThrow(
      `--http-port: ${port} is taken by another program: stop it, or give another port, such as --http-port`,
    );
  });

  test('is looked for on the address that is given, which has to be one of this machine', async () => {
    const server = createServer().listen(0, '127.0.0.2');
    await once(server, 'listening');
    onTestFinished(() => server.close());
    const { port } = server.address() as AddressInfo;
    await checkListenPorts([['--http-port', port]]);
    await expect(checkListenPorts([['--http-port', port]], '127.0.0.2')).rejects.toThrow('is taken by another program');
    await expect(checkListenPorts([['--http-port', port]], '192.0.2.1')).rejects.toThrow(
      '--listen: "192.0.2.1" is not an address of this machine: give one that is',
    );
  });

  test('is found once: another process that looks at the same time finds another one', async () => {
    const port = await freePort();
    const drawn = jest.spyOn(crypto, 'randomInt').mockImplementationOnce(() => port);
    onTestFinished(() => {
      drawn.mockRestore();
    });
    await jest.isolateModulesAsync(async () => {
      const elsewhere = jest.requireActual<typeof ports>('../../local/ports');
      expect(await elsewhere.freePort()).not.toBe(port);
      expect(drawn.mock.calls.length).toBeGreaterThan(1);
    });
  });

  test('is the usual one, or another one if that is taken; what was given is never exchanged', async () => {
    const usual = await freePort();
    expect(await ownPort('--metrics-port', undefined, usual)).toBe(usual);
    const server = createServer().listen(usual, '127.0.0.1');
    await once(server, 'listening');
    const other = await ownPort('--metrics-port', undefined, usual);
    const refused = ownPort('--metrics-port', usual, 9113);
    await refused.catch(() => undefined);
    server.close();
    expect(other).not.toBe(usual);
    await expect(refused).rejects.toThrow(`--metrics-port: ${usual} is taken by another program`);
  });
});
