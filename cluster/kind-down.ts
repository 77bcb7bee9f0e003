import { untilSignal } from './command-line';
import { requireTools } from './external-command';
import { KindCluster } from './kind-cluster';
import { Progress } from './progress';

/** `fairlead kind down`: removes the cluster and everything in it. */
export function kindDown(): Promise<void> {
  return untilSignal('fairlead', async (signal) => {
    await requireTools(signal);
    const cluster = new KindCluster('fairlead');
    await new Progress(process.stderr).step('kind cluster "fairlead", removed', () => cluster.delete());
  });
}
