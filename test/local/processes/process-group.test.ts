import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { typescriptProgram } from '../../typescript-program';

/** What a process prints that has opened all the files that it may before it runs this. */
function printedWithoutFileDescriptors(script: string): { readonly stdout: string; readonly stderr: string } {
  const program = `const { openSync } = require('node:fs');
const [ProcessGroup, childOutput] = [require(process.argv[1]).ProcessGroup, require(process.argv[2]).childOutput];
const print = (text) => process.stdout.write(text);
try {
  for (;;) openSync('/dev/null');
} catch {
  ${script}
}`;
  const modules = ['process-group', 'child-output'].map((name) =>
    resolve(__dirname, `../../../local/processes/${name}.ts`),
  );
  const node = [process.execPath, ...typescriptProgram, '-e', program, ...modules];
  const { stdout, stderr } = spawnSync('sh', ['-c', 'ulimit -n 256; exec "$@"', 'sh', ...node], { encoding: 'utf8' });
  return { stdout, stderr };
}

test.each([
  [
    'a group',
    `new ProcessGroup({ file: 'true', args: [] }, { environment: process.env, onLine: () => undefined }).exited.then(print);`,
  ],
  ['a command', `childOutput({ file: 'true', args: [] }).catch(({ message }) => print(message));`],
])('%s that no file descriptor is left for is told like one that cannot be started', (_, script) => {
  const { stdout, stderr } = printedWithoutFileDescriptors(script);
  expect(stderr).toBe('');
  expect(stdout).toContain('EMFILE');
});
