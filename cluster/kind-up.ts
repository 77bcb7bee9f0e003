import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { InvalidOption } from '../validation/invalid-option';
import { commandLine, Failure } from './command-line';
import { requireTools } from './external-command';
import { KindCluster } from './kind-cluster';
import { type HostPorts, portOption, requireFreePort } from './kind-config';
import { bothAnswer, deployToKind } from './kind-deployment';
import { Progress } from './progress';

const usage = `Usage: npm run kind:up -- [--https-port PORT] [--http-port PORT]

Makes a kind cluster "fairlead" with three nodes on this machine, builds the API's image, and deploys main.ts with the
environment "kind". Run again after a change, it brings the cluster up to date.

  --https-port PORT   https://localhost:PORT (default: 8443)
  --http-port PORT    http://localhost:PORT (default: 8080)
  --help              show this

Environment: KIND_NODE_IMAGE, the node image to create the cluster from.
`;

void commandLine('kind:up', async (args, signal) => {
  const { values } = parseArgs({
    args: [...args],
    options: { 'http-port': { type: 'string' }, 'https-port': { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return;
  }
  const asked = {
    ...(values['http-port'] !== undefined && { httpPort: portOption('--http-port', values['http-port']) }),
    ...(values['https-port'] !== undefined && { httpsPort: portOption('--https-port', values['https-port']) }),
  };
  requireTwoPorts(asked);
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
  requireTwoPorts(ports);
  await requireFreePort('--http-port', ports.httpPort);
  await requireFreePort('--https-port', ports.httpsPort);
  await progress.step('kind cluster "fairlead", created', () => cluster.create([ports], signal));
  return ports;
}

function requireTwoPorts({ httpPort, httpsPort }: Partial<HostPorts>): void {
  if (httpPort !== undefined && httpPort === httpsPort) {
    throw new InvalidOption('--http-port', httpPort, 'is --https-port as well: give a port of its own');
  }
}
