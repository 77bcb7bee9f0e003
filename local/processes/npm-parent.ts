import { readFileSync } from 'node:fs';

const pollInterval = 500;
const shell = /^(?:ba|da|a|k|z)?sh$|^busybox$/;

/**
 * Calls `gone` once the npm that runs this process as a script has ended; the function returned stops that. npm passes
 * SIGTERM to the shell of the script, which may die of it without telling its child, and SIGKILL to nobody.
 */
export function onNpmGone(gone: () => void): () => void {
  // Without npm it may be meant to outlive what has started it.
  if (process.env.npm_lifecycle_event === undefined) return () => undefined;
  const before = parents();
  const timer = setInterval(() => {
    if (parents() === before) return;
    clearInterval(timer);
    gone();
  }, pollInterval);
  return () => {
    clearInterval(timer);
  };
}

/** The parent, and npm above it if it is a shell. */
function parents(): string {
  const { ppid } = process;
  // Other systems than Linux have no such file; their shells make way for the command of a script.
  const [, name = '', above = ''] = /^\d+ \((.*)\) \S (\d+)/s.exec(statusOf(ppid)) ?? [];
  return shell.test(name) ? `${ppid} ${above}` : String(ppid);
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
}
