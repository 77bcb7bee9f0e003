import { lchownSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { childOutput } from '../processes/child-output';

/** Whom the workers of an nginx belong to that root starts: they read what clients send. */
export interface WorkerUser {
  readonly name: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
}

/** The user `nobody`; nothing unless root asks, as only root can give processes to another user. */
export async function workerUser(signal?: AbortSignal): Promise<WorkerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const { stdout } = await childOutput({ file: 'id', args: ['nobody'] }, { signal });
  const [, uid, name, gid, group] = /^uid=(\d+)\(([^)]+)\) gid=(\d+)\(([^)]+)\)/.exec(stdout) ?? [];
  if (name === undefined || group === undefined) {
    throw new Error("there is no user nobody for nginx's workers: add it, or start as another user than root");
  }
  return { name, group, uid: Number(uid), gid: Number(gid) };
}

/** Gives a directory with all that is in it to the workers, if they are another user's. */
export function giveToWorkers(directory: string, user: WorkerUser | undefined): void {
  if (user === undefined) return;
  for (const name of ['', ...readdirSync(directory, { encoding: 'utf8', recursive: true })]) {
    lchownSync(join(directory, name), user.uid, user.gid);
  }
}

/** Where temporary files go. A directory of root's own, as some systems have, is closed to the workers. */
export function temporaryDirectory(): string {
  const directories = [tmpdir(), '/tmp', '/var/tmp'].filter((path) => statSync(path, { throwIfNoEntry: false }));
  const own = realpathSync(directories[0] ?? tmpdir());
  if (process.getuid?.() !== 0) return own;
  const open = directories.map((path) => realpathSync(path)).find(isOpen);
  if (open === undefined)
    throw new Error(`${own} is open to root alone, and so is /tmp: set TMPDIR to one that is not`);
  return open;
}

/** Those of these directories that workers of another user cannot enter. */
export function closedDirectories(paths: readonly string[]): string[] {
  return process.getuid?.() === 0 ? paths.filter((path) => !isOpen(realpathSync(path))) : [];
}

function isOpen(path: string): boolean {
  const isThis = (statSync(path).mode & 0o001) !== 0;
  return isThis && (path === dirname(path) || isOpen(dirname(path)));
}
