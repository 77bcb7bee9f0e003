import { Kubectl } from '../../cluster/kubectl';
import { untilSignal } from '../../cluster/command-line';
import { Output, terminalText } from '../../local/terminal/output';
import type { Check } from './check';
import { clusterChecks } from './cluster';
import { mainChecks } from './main-checks';
import { dockerCheck, loaderCheck, nodeCheck } from './machine';

export interface DoctorOptions {
  readonly main: string;
  /** Of the kubeconfig. @default - the current one */
  readonly context?: string;
  readonly json: boolean;
}

/** `fairlead doctor`: prints all checks, and sets exit code 1 if one failed. */
export function doctor({ main, context, json }: DoctorOptions): Promise<void> {
  return untilSignal('fairlead', async (signal) => {
    const { checks: ofMain, needs } = mainChecks(main);
    const kubectl = new Kubectl(context === undefined ? {} : { context });
    const [docker, ofCluster] = await Promise.all([
      dockerCheck(signal),
      clusterChecks(kubectl, { context, needs, signal }),
    ]);
    const checks = [nodeCheck(process.versions.node), loaderCheck(main), ...ofMain, docker, ...ofCluster];
    if (json) process.stdout.write(`${JSON.stringify(checks, null, 2)}\n`);
    else new Output(process.stdout).block(table(checks));
    if (checks.some(({ status }) => status === 'failed')) process.exitCode = 1;
  });
}

const styles = { ok: 'green', warning: 'yellow', failed: 'red' } as const;

/** A line for each, and below it what to do. What a cluster says of itself is text from elsewhere. */
function table(checks: readonly Check[]): readonly string[] {
  const output = new Output(process.stdout);
  const width = Math.max(0, ...checks.map(({ check }) => check.length));
  const indent = ' '.repeat('warning'.length + 2 + width + 2);
  return checks.flatMap(({ check, status, found, mend }) => [
    `${output.style(styles[status], status.padEnd('warning'.length))}  ${check.padEnd(width)}  ${terminalText(found)}`,
    ...(mend === undefined ? [] : [`${indent}→ ${terminalText(mend)}`]),
  ]);
}
