import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { KindCluster } from '../../cluster/kind-cluster';

// Of another name than a developer's own run has, which may be there too.
const cluster = new KindCluster('fairlead-reliability-test');
const command = [
  `--require=${require.resolve('ts-node/register')}`,
  resolve('reliability/reliability.ts'),
  `--cluster=${cluster.name}`,
];
const elsewhere = mkdtempSync(join(tmpdir(), 'fairlead-elsewhere-'));

const removeCluster = async (): Promise<void> => {
  if (await cluster.exists()) await cluster.delete();
};

beforeAll(removeCluster);
afterAll(async () => {
  await removeCluster();
  rmSync(elsewhere, { recursive: true });
});

test('npm run reliability leaves the cluster of another directory alone, and none of its own after Ctrl-C', async () => {
  const run = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exit = once(run, 'exit');
  let other: { status: number | null; stderr: string } | undefined;
  let printed = '';
  for await (const text of run.stderr.setEncoding('utf8')) {
    printed += String(text);
    if (other !== undefined || !printed.includes(`kind cluster "${cluster.name}", created: `)) continue;
    other = spawnSync(process.execPath, command, {
      cwd: elsewhere,
      env: { ...process.env, TS_NODE_PROJECT: resolve('tsconfig.json') },
      encoding: 'utf8',
    });
    run.kill('SIGINT');
  }
  expect(other).toMatchObject({ status: 1 });
  expect(other?.stderr).toContain(`the kind cluster "${cluster.name}" was made in another directory: give another`);
  expect(await exit).toEqual([130, null]);
  expect(await cluster.exists()).toBe(false);
});
