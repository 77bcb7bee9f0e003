import { constants } from 'node:os';
import type { Logger } from 'pino';

/** A server that has to end before the process does. */
export interface Ending {
  readonly logger: Logger;
  /** Resolves with false if something had to be cut off. */
  readonly end: () => Promise<boolean>;
}

// One process may serve more than one port: it ends when the last one has.
const endings = new Set<Ending>();
let asked = false;

/** Explicit handlers: for process 1 of a container the kernel has no default ones. */
export function endOnSignals(ending: Ending): void {
  if (endings.size === 0) {
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  }
  endings.add(ending);
}

export function forgetEnding(ending: Ending): void {
  endings.delete(ending);
  // Once asked, the handlers stay: until the process has ended a second signal is answered by them.
  if (endings.size > 0 || asked) return;
  process.off('SIGTERM', onSignal);
  process.off('SIGINT', onSignal);
}

function onSignal(signal: NodeJS.Signals): void {
  const all = [...endings];
  if (asked) {
    all[0]?.logger.warn(`${signal} again: ends at once`);
    process.exit(128 + constants.signals[signal]);
  }
  asked = true;
  void Promise.all(all.map(({ end }) => end())).then((clean) => {
    process.exit(clean.includes(false) ? 1 : 0);
  });
}
