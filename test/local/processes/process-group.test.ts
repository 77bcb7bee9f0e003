import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { childOutput, type Command } from '../../../local/processes/child-output';
import { ProcessGroup } from '../../../local/processes/process-group';
import { Watchdog } from '../../../local/processes/watchdog';
import { onTestFinished } from '../../afterwards';
import { typescriptProgram } from '../../typescript-program';

/** What a process prints that has opened all the files that it may before it runs this. */
function printedWithoutFileDescriptors(script: string): { readonly stdout: string; readonly stderr: string } {
  const program = `const { openSync } = require('node:fs');
const [{ ProcessGroup }, { childOutput }, { run }] = process.argv.slice(1).map((module) => require(module));
const print = (text) => process.stdout.write(text);
try {
  for (;;) openSync('/dev/null');
} catch {
  ${script}
}`;
  const modules = ['local/processes/process-group', 'local/processes/child-output', 'cluster/external-command'];
  const paths = modules.map((module) => resolve(`${module}.ts`));
  const node = [process.execPath, ...typescriptProgram, '-e', program, ...paths];
  const { stdout, stderr } = spawnSync('sh', ['-c', 'ulimit -n 256; exec "$@"', 'sh', ...node], { encoding: 'utf8' });
  return { stdout, stderr };
}

test.each([
  [
    'a group',
    `new ProcessGroup({ file: 'true', args: [] }, { environment: process.env, onLine: () => undefined }).exited.then(print);`,
  ],
  ['a command', `childOutput({ file: 'true', args: [] }).catch(({ message }) => print(message));`],
  ['a command of a cluster', `run('true', []).catch(({ message }) => print(message));`],
])('%s that no file descriptor is left for is told like one that cannot be started', (_, script) => {
  const { stdout, stderr } = printedWithoutFileDescriptors(script);
  expect(stderr).toBe('');
  expect(stdout).toContain('EMFILE');
});

/** Why a group could not be started, or ended. */
async function endOf(command: Command): Promise<string> {
  const watchdog = Watchdog.start();
  onTestFinished(() => watchdog.end());
  return new ProcessGroup(command, { environment: process.env, watchdog, onLine: () => undefined }).exited;
}

test('a program whose directory has gone is not said to be none', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'test-process-group-'));
  const command = { file: 'true', args: [], directory };
  expect(await endOf(command)).toBe('exit code 0');
  rmSync(directory, { recursive: true });
  expect(await endOf(command)).toBe(
    `the directory ${JSON.stringify(directory)}, in which "true" runs, is not there: make it again`,
  );
});

test.each([
  ['no-such-program', '"no-such-program" is not a program on the PATH: install it, or give its path'],
  ['/no/such/program', '"/no/such/program" is not a program: give the path of one'],
  [__filename, `${JSON.stringify(__filename)} may not be executed: chmod +x would let it`],
])('%s is refused alike, whether it goes on or ends', async (file, reason) => {
  expect(await endOf({ file, args: [] })).toBe(reason);
  await expect(childOutput({ file, args: [] })).rejects.toThrow(reason);
});
