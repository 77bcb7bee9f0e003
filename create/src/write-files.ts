import { closeSync, lstatSync, mkdirSync, openSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { UsageError } from './usage-error';

/** Texts by absolute path. */
export type Files = ReadonlyMap<string, string>;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Refuses, by their names, files that would have to be overwritten. */
export function refuseExisting(files: Files, workingDirectory: string): void {
  const there = [...files.keys()].map(inTheWay).filter((path) => path !== undefined);
  if (there.length === 0) return;
  const list = there.map((path) => `\n  ${relative(workingDirectory, path)}`).join('');
  throw new UsageError(
    `nothing was written, as these are there already:${list}\nMove them away, or give another folder: --directory FOLDER`,
  );
}

/** The file itself, or one where it would need a folder. */
function inTheWay(path: string): string | undefined {
  // A link to nowhere is there too.
  if (known(() => lstatSync(path)) !== undefined) return path;
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const there = known(() => statSync(folder));
    if (there !== undefined) return there.isDirectory() ? undefined : folder;
  }
  return undefined;
}

/** Of what is there. */
function known(look: () => Stats): Stats | undefined {
  try {
    return look();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Writes all of them or none. */
export function writeFiles(files: Files, workingDirectory: string): void {
  refuseExisting(files, workingDirectory);
  const undo: (() => void)[] = [];
  // What is written in one go is whole when a signal is looked at again.
  const hold = (): void => undefined;
  for (const signal of signals) process.on(signal, hold);
  try {
    for (const [path, text] of files) {
      const made = mkdirSync(dirname(path), { recursive: true });
      if (made !== undefined)
        undo.push(() => {
          rmSync(made, { recursive: true });
        });
      const file = openSync(path, 'wx');
      undo.push(() => {
        rmSync(path);
      });
      writeFileSync(file, text);
      closeSync(file);
    }
  } catch (error) {
    for (const step of undo.reverse()) step();
    throw error;
  } finally {
    for (const signal of signals) process.off(signal, hold);
  }
}
