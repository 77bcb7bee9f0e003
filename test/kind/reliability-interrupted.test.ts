import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { KindCluster } from '../../cluster/kind-cluster';

// Of another name than a developer's own run has, which may be there too.
const cluster = new KindCluster('fairlead-test-interrupted');

afterAll(async () => {
  if (await cluster.exists()) await cluster.delete();
});

test('npm run reliability, ended by Ctrl-C while it deploys, leaves no cluster', async () => {
  const command = spawn(
    process.execPath,
    ['--require=ts-node/register', 'reliability/reliability.ts', `--cluster=${cluster.name}`],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exit = once(command, 'exit');
  let printed = '';
  command.stderr.setEncoding('utf8').on('data', (text: string) => {
    const before = printed;
    printed += text;
    const created = `kind cluster "${cluster.name}", created: `;
    if (printed.includes(created) && !before.includes(created)) command.kill('SIGINT');
  });
  expect(await exit).toEqual([130, null]);
  expect(printed).toContain('created: ');
  expect(await cluster.exists()).toBe(false);
});
