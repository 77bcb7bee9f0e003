import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { requireTools } from '../../../cluster/external-command';
import { freePorts, nodePorts } from '../../../cluster/kind-config';
import { bothAnswer, deployToKind } from '../../../cluster/kind-deployment';
import { Progress } from '../../../cluster/progress';
import { deploymentsOf } from '../../../cluster/workloads';
import { freePort } from '../../../local/ports';
import { figure, forgetFigures } from './figures';
import { idleMemory } from './idle-memory';
import { cluster, kubectl, writeSuite } from './suite';

/** The cluster that every test file uses: made here, the way `npm run kind:up` makes one. */
export default async function globalSetup(): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = (): void => {
    interrupted.abort(new Error('ended early'));
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    await setUp(interrupted.signal);
  } catch (error) {
    if (interrupted.signal.aborted) endEarly();
    // There is no teardown after a setup that failed.
    removeCluster();
    throw error;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
  // Jest ends at once on Ctrl-C, without its teardown.
  process.once('SIGINT', endEarly).once('SIGTERM', endEarly);
}

async function setUp(signal: AbortSignal): Promise<void> {
  const progress = new Progress(process.stderr);
  await requireTools(signal);
  const kept = await cluster.exists(signal);
  if (kept) await cluster.open(signal);
  const ports = kept
    ? { ...(await cluster.hostPorts(signal)), otherHttpsPort: await cluster.hostPort(nodePorts.otherHttps, signal) }
    : { ...(await freePorts()), otherHttpsPort: await freePort() };
  if (!kept) await progress.step(`kind cluster "${cluster.name}", created`, () => cluster.create([ports], signal));
  forgetFigures();
  const { manifests, synthSeconds } = await deployToKind(cluster, ports, progress, signal);
  const [deployment] = await deploymentsOf(kubectl, manifests, signal);
  const namespace = deployment?.metadata.namespace;
  if (namespace === undefined) throw new Error('the manifests have a Deployment, and it has a namespace');
  writeSuite({ ports, manifests, namespace });
  await progress.step('both addresses, answering', () => bothAnswer(ports, '/healthcheck', signal));
  const memory = await progress.step('metrics of an idle proxy', idleMemory);
  figure('cdk8s synth', `${synthSeconds.toFixed(1)} s`);
  figure('memory of an idle nginx pod (working set)', memory);
}

function endEarly(): never {
  removeCluster();
  process.exit(130);
}

function removeCluster(): void {
  if (process.env.FAIRLEAD_KEEP_CLUSTER === '1') return;
  execFileSync('kind', ['delete', 'cluster', `--name=${cluster.name}`, `--kubeconfig=${cluster.kubeconfig}`]);
  rmSync(cluster.directory, { recursive: true, force: true });
}
