import { constants } from 'node:os';
import { logFatal, type ServeLogger } from './logger';
import { ServeError } from './serve-error';

/** A server that has to end before the process does. */
export interface Ending {
  readonly logger: ServeLogger;
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
    all[0]?.logger.error(`${signal} again: ends at once`);
    process.exit(128 + constants.signals[signal]);
  }
  asked = true;
  void Promise.all(all.map(({ end }) => end())).then((clean) => {
    process.exit(clean.includes(false) ? 1 : 0);
  });
}

/**
 * A `ServeError` that nobody catches ends the process with exit code 1, as any other error does, but with one line in
 * place of a stack trace. An app that listens for `uncaughtException` goes on deciding that by itself.
 */
export function endInOneLine(): void {
  if (!process.listeners('uncaughtExceptionMonitor').includes(onUncaught)) {
    process.on('uncaughtExceptionMonitor', onUncaught);
  }
}

function onUncaught(error: Error): void {
  const isHandled = process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback();
  if (!(error instanceof ServeError) || isHandled) return;
  logFatal(error.message);
  process.exit(1);
}
