import { parseArgs } from 'node:util';
import { commandLine } from './command-line';
import { requireTools } from './external-command';
import { KindCluster } from './kind-cluster';
import { Progress } from './progress';

void commandLine('kind:down', async (args, signal) => {
  const { values } = parseArgs({ args: [...args], options: { help: { type: 'boolean' } } });
  if (values.help === true) {
    process.stdout.write('Usage: npm run kind:down\n\nRemoves the kind cluster "fairlead" and everything in it.\n');
    return;
  }
  await requireTools(signal);
  const cluster = new KindCluster('fairlead');
  await new Progress(process.stderr).step('kind cluster "fairlead", removed', () => cluster.delete());
});
