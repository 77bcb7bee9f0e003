import { type FSWatcher, lstatSync, readdirSync, type Stats, watch } from 'node:fs';
import { join, sep } from 'node:path';

/** What is installed, kept and built. */
const ignoredDirectories: ReadonlySet<string> = new Set(['node_modules', '.git', 'dist']);
/** Logs, and what editors write beside a file for a moment. */
const ignoredFiles = /\.(?:log|swp|swx|tmp)$|~$|^\.#|^4913$/;
/** Milliseconds without a change after which those before count as one: an editor or a compiler writes several files. */
const settled = 100;

export interface DirectoryWatchEvents {
  /** Some of its files are others now. */
  readonly changed: (paths: readonly string[]) => void;
  /** No more is told. */
  readonly failed: (error: Error) => void;
}

/**
 * Tells of changes in a directory and all below it. Each directory has a watch of its own: the recursive one of Node 20 knows of no
 * directory that is left out, and there may be thousands in node_modules.
 */
export class DirectoryWatch {
  private readonly watches = new Map<string, FSWatcher>();
  private readonly changed = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    directory: string,
    private readonly events: DirectoryWatchEvents,
  ) {
    this.follow(directory);
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    for (const each of this.watches.values()) each.close();
    this.watches.clear();
  }

  private follow(directory: string): void {
    // Those beside the one that failed are still to be followed then.
    if (this.isClosed || this.watches.has(directory)) return;
    try {
      const each = watch(directory, { persistent: false }, (_, name) => {
        if (name !== null) this.onChange(directory, name);
      });
      each.on('error', () => {
        this.forget(directory);
      });
      this.watches.set(directory, each);
      for (const entry of readdirSync(directory, { withFileTypes: true })) {
        if (entry.isDirectory() && !ignoredDirectories.has(entry.name)) this.follow(join(directory, entry.name));
      }
    } catch (error) {
      // It is gone again, or somebody else's.
      if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(String((error as NodeJS.ErrnoException).code))) return;
      this.close();
      this.events.failed(error as Error);
    }
  }

  private onChange(directory: string, name: string): void {
    if (ignoredDirectories.has(name) || ignoredFiles.test(name)) return;
    const path = join(directory, name);
    const found = known(path);
    if (found === undefined) this.forget(path);
    else if (found.isDirectory()) this.follow(path);
    this.changed.add(path);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const paths = [...this.changed];
      this.changed.clear();
      this.events.changed(paths);
    }, settled);
  }

  /** What was a directory, with all below it. */
  private forget(path: string): void {
    for (const [directory, each] of this.watches) {
      if (directory !== path && !directory.startsWith(path + sep)) continue;
      each.close();
      this.watches.delete(directory);
    }
  }
}

/** What is there, and not what a link leads to, as at the start; nothing if it is gone, or cannot be looked at. */
function known(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}
