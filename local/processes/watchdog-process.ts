import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command } from './child-output';

/** What must not outlive the runner. */
export type Leftover =
  | { readonly processGroup: number }
  /** Ends what no signal of ours reaches, such as a container. */
  | { readonly command: Command }
  | { readonly directory: string };

/** What the runner tells the watchdog, one JSON object a line. */
export type WatchdogMessage =
  | { readonly id: number; readonly leftover: Leftover }
  /** It is gone by itself. */
  | { readonly id: number; readonly gone: true };

// The process that `Watchdog` starts. The end of its standard input means that the runner is gone, however it ended.
const leftovers = new Map<number, Leftover>();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => undefined);

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const message = JSON.parse(line) as WatchdogMessage;
    if ('gone' in message) leftovers.delete(message.id);
    else leftovers.set(message.id, message.leftover);
  })
  .on('close', () => {
    // Directories last: processes may still write into them.
    const inOrder = [...leftovers.values()].sort((a, b) => Number('directory' in a) - Number('directory' in b));
    for (const leftover of inOrder) remove(leftover);
  });

function remove(leftover: Leftover): void {
  if ('processGroup' in leftover) {
    try {
      process.kill(-leftover.processGroup, 'SIGKILL');
    } catch {
      // No process of this group is left.
    }
  } else if ('command' in leftover) {
    spawnSync(leftover.command.file, leftover.command.args, { stdio: 'ignore', timeout: 30_000 });
  } else {
    rmSync(leftover.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}
