import { readFileSync } from 'node:fs';
import { DashboardServer } from '../server';
import { type ClusterConfiguration, clusterSystem } from './cluster-system';

/** The program of the pod: `node main.js system.json`. */
async function main(file: string): Promise<void> {
  const configuration = JSON.parse(readFileSync(file, 'utf8')) as ClusterConfiguration;
  const dashboard = await DashboardServer.start(clusterSystem(configuration), configuration.port);
  process.stdout.write(
    `The dashboard listens on port ${dashboard.port} of loopback: kubectl port-forward leads there\n`,
  );
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      void dashboard.close();
    });
  }
}

void main(process.argv[2] ?? '').catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
