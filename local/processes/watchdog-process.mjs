// The process that `Watchdog` starts: JavaScript, as a compiler would take longer to load than all of it. The end of its
// standard input means that the runner is gone, however it ended.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** @type {Map<number, import('./watchdog').Leftover>} */
const leftovers = new Map();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => undefined);

createInterface({ input: process.stdin })
  .on('line', (line) => {
    /** @type {import('./watchdog').WatchdogMessage} */
    const message = JSON.parse(line);
    if ('gone' in message) leftovers.delete(message.id);
    else leftovers.set(message.id, message.leftover);
  })
  .on('close', () => {
    // Directories last: processes may still write into them.
    const inOrder = [...leftovers.values()].sort((a, b) => Number('directory' in a) - Number('directory' in b));
    for (const leftover of inOrder) remove(leftover);
  });

/** @param {import('./watchdog').Leftover} leftover */
function remove(leftover) {
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
