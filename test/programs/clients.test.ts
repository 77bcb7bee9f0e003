import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shippedClients } from '../../reliability/clients/shipped-clients';
import { onTestFinished } from '../afterwards';
import { expectEachCounted } from '../reliability/counting-client';

// Go compiles its own library the first time.
jest.setTimeout(300_000);

/** What runs each whose libraries are its own; that of Node is tried by npm test. */
const runtimes: Readonly<Record<string, readonly [program: string, version: string]>> = {
  'Go net/http': ['go', 'version'],
  'Java java.net.http': ['java', '-version'],
};

function isInstalled(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args).status === 0;
}

describe.each(Object.entries(runtimes))('the program of %s, where the machine has what runs it,', (name, runtime) => {
  (isInstalled(...runtime) ? test : test.skip).each(['h2', 'http/1.1'] as const)(
    'speaks %s, and counts each request and each failure once',
    async (protocol) => {
      const client = shippedClients.find((each) => each.name === name);
      if (client === undefined) throw new Error(`${name} is not shipped`);
      const directory = mkdtempSync(join(tmpdir(), 'fairlead-clients-'));
      onTestFinished(() => {
        rmSync(directory, { recursive: true });
      });
      const command = await client.prepare(directory, new AbortController().signal);
      await expectEachCounted({ client, command, version: '' }, protocol);
    },
  );
});

(isInstalled('python3', '--version') ? test : test.skip)('the program of Python httpx can be read', () => {
  const script = 'import ast, sys; ast.parse(open(sys.argv[1]).read())';
  const { status, stderr } = spawnSync('python3', ['-c', script, 'reliability/clients/python_httpx.py'], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
