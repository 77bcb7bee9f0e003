import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { AddressInfo, createServer } from 'node:net';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from '../afterwards';
import { expectNothingLeft, fairleads } from './running-fairlead';
import { typescriptProgram } from '../typescript-program';

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
    expect(fairlead.errors).toContain('"no-such-program" is not a program on the PATH');
  });
});

describe('the command line', () => {
  const run = async (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> => {
    try {
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        [...typescriptProgram, 'cli.ts', ...args],
        { cwd: resolve(__dirname, '../..') },
      );
      return { code: 0, stdout, stderr };
    } catch (error) {
      return error as { code: number; stdout: string; stderr: string };
    }
  };

  test('shows help and the version', async () => {
    expect((await run('--help')).stdout).toContain('Usage: fairlead start');
    expect((await run('start', '--help')).stdout).toContain('--keep-alive-timeout');
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([
    [[], 2, 'fairlead: a command is missing; fairlead --help shows them\n'],
    [['stop'], 2, 'fairlead: "stop" is not a command; fairlead --help shows them\n'],
    [['start', '--scael', '2'], 2, "fairlead: Unknown option '--scael'; fairlead start --help shows the options\n"],
    [['start', '--scale', 'many'], 2, 'fairlead: --scale: "many" is out of range: give a whole number from 1 to 100\n'],
  ])('%j ends with exit code %i and one line', async (args, code, stderr) => {
    expect(await run(...args)).toMatchObject({ code, stdout: '', stderr });
  });
});
