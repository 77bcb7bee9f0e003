import { childOutput } from './child-output';
import { Command } from './nginx';

/** Runs an `nginx -t`; rejects with what nginx says. */
export async function nginxTest(command: Command, signal?: AbortSignal): Promise<void> {
  // nginx opens `access_log /dev/stdout` even to test it.
  await childOutput(command, { ignoreStdout: true, signal });
}
