import { dirname, join } from 'node:path';
import { ExternalCommandFailure, run } from './external-command';
import { Failure } from './failure';
import type { HostPorts } from './kind-config';

/**
 * `cdk8s synth` for the kind environment, into a directory of its own: what lies in `dist/` may be meant for another
 * cluster and stays as it is.
 */
export async function synthesizeForKind(directory: string, ports: HostPorts, signal?: AbortSignal): Promise<string> {
  const output = join(directory, 'manifests');
  const cli = join(dirname(require.resolve('cdk8s-cli/package.json')), 'bin', 'cdk8s');
  try {
    await run(process.execPath, [cli, 'synth', `--output=${output}`, '--check-upgrade=false'], {
      env: {
        ...process.env,
        FAIRLEAD_ENVIRONMENT: 'kind',
        FAIRLEAD_HTTP_PORT: String(ports.httpPort),
        FAIRLEAD_HTTPS_PORT: String(ports.httpsPort),
      },
      ...{ signal },
    });
  } catch (error) {
    if (!(error instanceof ExternalCommandFailure)) throw error;
    throw new Failure(`cdk8s synth failed:\n${(error.stderr || error.stdout).trim()}`);
  }
  return output;
}
