import { ExternalCommandFailure, run } from './external-command';
import { Failure } from './failure';

/** Refuses to begin without docker, kind and kubectl, or without a running Docker. */
export async function requireTools(signal?: AbortSignal): Promise<void> {
  await run('kind', ['version'], { signal });
  await run('kubectl', ['version', '--client'], { signal });
  try {
    await run('docker', ['info', '--format={{.ServerVersion}}'], { signal });
  } catch (error) {
    if (!(error instanceof ExternalCommandFailure)) throw error;
    const reason = error.stderr.trim().split('\n').at(-1) ?? error.message;
    throw new Failure(`Docker does not answer: start it, or let this user talk to it (${reason})`);
  }
}
