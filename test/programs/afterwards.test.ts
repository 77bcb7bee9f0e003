import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from '../afterwards';

/** As jest runs it: a test that starts a server, and fails. */
const failing = `import { createServer } from 'node:net';
import { onFileFinished, onTestFinished } from ${JSON.stringify(resolve('test/afterwards'))};

test('starts what it does not end', () => {
  onFileFinished(() => process.stderr.write('last\\n'));
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => new Promise((resolve) => server.close(resolve)));
  onTestFinished(() => process.stderr.write('second\\n'));
  onTestFinished(() => {
    process.stderr.write('first\\n');
    throw new Error('its end fails too');
  });
  throw new Error('it fails');
});
`;

test('what a failing test has started is ended, in reverse, and jest ends', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-afterwards-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  writeFileSync(join(directory, 'failing.test.ts'), failing);
  const config = {
    rootDir: directory,
    testEnvironment: 'node',
    testMatch: ['**/*.test.ts'],
    transform: { '^.+\\.ts$': [resolve('node_modules/@swc/jest'), { jsc: { target: 'es2022' } }] },
  };
  const { status, signal, stderr } = spawnSync(
    process.execPath,
    [resolve('node_modules/jest/bin/jest.js'), '--config', JSON.stringify(config)],
    { encoding: 'utf8', timeout: 50_000 },
  );
  expect({ status, signal }).toEqual({ status: 1, signal: null });
  expect(stderr).toMatch(/first\n[\s\S]*second\n[\s\S]*last\n/);
  expect(stderr).toContain('it fails');
  expect(stderr).toContain('its end fails too');
});
