import { spawnSync } from 'node:child_process';
import { typescriptProgram } from '../typescript-program';

test.each([
  ['--wirte', "Unknown option '--wirte'"],
  ['page', "Unexpected argument 'page'"],
])('%s is refused in one line, before anything is measured', (arg, message) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...typescriptProgram, 'bench/proxy-cost.ts', arg], {
    encoding: 'utf8',
  });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(new RegExp(`^bench: ${message}.*\\n$`));
});
