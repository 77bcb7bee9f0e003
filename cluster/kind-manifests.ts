import { dirname, join } from 'node:path';
import { ExternalCommandFailure, run } from './external-command';
import { Failure } from './failure';
import type { HostPorts } from './kind-config';

/** What of main.ts is synthesized, and where to. */
export interface KindSynthOptions {
  /** The ports of this machine that lead to the proxies. */
  readonly ports: HostPorts;
  /** What lies in `dist/` may be meant for another cluster: another directory leaves it as it is. */
  readonly output: string;
  /** Variables for environments.ts. @default - the environment "kind" */
  readonly environment?: Readonly<Record<string, string>>;
}

/** `cdk8s synth` for a kind cluster. */
export async function synthesizeForKind(options: KindSynthOptions, signal?: AbortSignal): Promise<void> {
  const { ports, output, environment = { FAIRLEAD_ENVIRONMENT: 'kind' } } = options;
  const cli = join(dirname(require.resolve('cdk8s-cli/package.json')), 'bin', 'cdk8s');
  try {
    await run(process.execPath, [cli, 'synth', `--output=${output}`, '--check-upgrade=false'], {
      env: {
        ...process.env,
        ...environment,
        FAIRLEAD_HTTP_PORT: String(ports.httpPort),
        FAIRLEAD_HTTPS_PORT: String(ports.httpsPort),
      },
      ...{ signal },
    });
  } catch (error) {
    if (!(error instanceof ExternalCommandFailure)) throw error;
    throw new Failure(`cdk8s synth failed:\n${(error.stderr || error.stdout).trim()}`);
  }
}
