import { once } from 'node:events';
import { AddressInfo, createServer } from 'node:net';
import { onTestFinished } from '../afterwards';
import { expectNothingLeft, fairleads } from './running-fairlead';

jest.setTimeout(120_000);

const { start } = fairleads();

describe('fairlead start', () => {
  test('a taken port is refused before anything is started', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const taken = String((server.address() as AddressInfo).port);
    onTestFinished(() => server.close());
    const fairlead = await start('--https-port', taken);
    expect(await fairlead.exited).toBe(1);
    expect(fairlead.errors).toBe(
      `fairlead: --https-port: ${taken} is taken by another program: stop it, or give another port, such as --https-port ${Number(taken) + 1}\n`,
    );
    expect(fairlead.output).toBe('');
  });

  test('both taken ports are said at once', async () => {
    const servers = [createServer().listen(0, '127.0.0.1'), createServer().listen(0, '127.0.0.1')] as const;
    onTestFinished(() => {
      for (const server of servers) server.close();
    });
    await Promise.all(servers.map((server) => once(server, 'listening')));
    const [http, https] = servers.map((server) => String((server.address() as AddressInfo).port)) as [string, string];
    const fairlead = await start('--http-port', http, '--https-port', https);
    expect(await fairlead.exited).toBe(1);
    expect(fairlead.errors.trimEnd().split('\n')).toEqual([
      expect.stringContaining(`fairlead: --http-port: ${http} is taken by another program: `),
      expect.stringContaining(`fairlead: --https-port: ${https} is taken by another program: `),
    ]);
  });

  test('a command that never starts is told with its last lines, and leaves nothing behind', async () => {
    const fairlead = await start('--command', `node -e 'console.error("no database"); process.exit(3)'`);
    expect(await fairlead.exited).toBe(1);
    expect(fairlead.errors).toBe(
      'fairlead: The API does not start: node ended 3 times before it was ready (exit code 3).\n  no database\n',
    );
    await expectNothingLeft(fairlead);
  });

  test('a command that does not exist is named', async () => {
    const fairlead = await start('--command', 'no-such-program --port 1');
    expect(await fairlead.exited).toBe(1);
    expect(fairlead.errors).toBe(
      'fairlead: The API does not start: "no-such-program" is not a program on the PATH: install it, or give its path\n',
    );
    // At the first time: no other one would go otherwise.
    expect(fairlead.output).not.toContain('started again');
  });
});
