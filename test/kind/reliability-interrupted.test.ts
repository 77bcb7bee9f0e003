import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { KindCluster } from '../../cluster/kind-cluster';

const cluster = new KindCluster('fairlead-reliability');

test('npm run reliability, ended by Ctrl-C while it deploys, leaves no cluster', async () => {
  // One that somebody keeps (--keep) is not ours to remove.
  expect(await cluster.exists()).toBe(false);
  const command = spawn(process.execPath, ['--require=ts-node/register', 'reliability/reliability.ts'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exit = once(command, 'exit');
  let printed = '';
  command.stderr.setEncoding('utf8').on('data', (text: string) => {
    const before = printed;
    printed += text;
    const created = `kind cluster "${cluster.name}", created: `;
    if (printed.includes(created) && !before.includes(created)) command.kill('SIGINT');
  });
  await exit;
  expect(printed).toContain('created: ');
  expect(await cluster.exists()).toBe(false);
});
