import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../local/start-options';
import { Failure, untilSignal } from './command-line';
import { requireTools } from './external-command';
import { KindCluster } from './kind-cluster';
import { type HostPorts, requireFreePorts } from './kind-config';
import { bothAnswer, deployToKind } from './kind-deployment';
import { Progress } from './progress';

/** `fairlead kind up`: a cluster with what main.ts deploys, up to date and answering. */
export function kindUp(asked: Partial<HostPorts>): Promise<void> {
  return untilSignal('fairlead', async (signal) => {
    if (!existsSync('api/Dockerfile')) {
      throw new Failure(
        'kind up: api/Dockerfile is not here, which it would build: run it in the repository of fairlead, or apply dist/ to a cluster of your own',
      );
    }
    await requireTools(signal);
    const cluster = new KindCluster('fairlead');
    const progress = new Progress(process.stderr);
    const ports = await createOrOpen(cluster, asked, progress, signal);
    await deployToKind(cluster, ports, progress, signal);
    await progress.step('both addresses, answering', () => bothAnswer(ports, '/healthcheck', signal));
    process.stdout.write(`
  https://localhost:${ports.httpsPort}   curl -k https://localhost:${ports.httpsPort}/healthcheck
  http://localhost:${ports.httpPort}    leads there

  kubectl   export KUBECONFIG=${resolve(cluster.kubeconfig)}
            kubectl get pods --all-namespaces
  update    npm run kind:up
  remove    npm run kind:down
`);
  });
}

async function createOrOpen(
  cluster: KindCluster,
  asked: Partial<HostPorts>,
  progress: Progress,
  signal: AbortSignal,
): Promise<HostPorts> {
  if (await cluster.exists(signal)) {
    await cluster.open(signal);
    const ports = await cluster.hostPorts(signal);
    for (const [option, given, has] of [
      ['--http-port', asked.httpPort, ports.httpPort],
      ['--https-port', asked.httpsPort, ports.httpsPort],
    ] as const) {
      if (given !== undefined && given !== has) {
        throw new Failure(
          `${option}: ${given} differs from the ${has} that the cluster was made with: run "npm run kind:down" first`,
        );
      }
    }
    return ports;
  }
  const ports = { httpPort: 8080, httpsPort: 8443, ...asked };
  if (ports.httpPort === ports.httpsPort) {
    throw new UsageError(`--http-port: ${ports.httpPort} is --https-port as well: give a port of its own`);
  }
  await requireFreePorts(ports);
  await progress.step('kind cluster "fairlead", created', () => cluster.create([ports], signal));
  return ports;
}
