import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

/** A file of an app's own code: where it is in the app, by slashes, and what it says, without comments that fill lines. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Enough for an API; what is larger is generated, or data. */
const most = { files: 1000, depth: 8, bytes: 256 * 1024 };

/** What others wrote, what was built, what is tried, and what runs in a browser. */
const notOfTheServer = new Set([
  ...['node_modules', 'dist', 'build', 'out', 'coverage', 'vendor'],
  ...['test', 'tests', '__tests__', '__mocks__', 'spec', 'e2e', 'cypress', 'mocks', 'fixtures'],
  ...['public', 'static', 'client', 'frontend', 'web', 'docs', 'examples', 'migrations', 'deploy'],
]);

const isSource = /^(?!.*\.(?:test|spec|e2e-spec|stories|min)\.)(?!.*\.d\.[cm]?ts$).*\.[cm]?[jt]sx?$/;

/** The sources of an app, those nearest to its root first. Nothing is run, and links are not followed. */
export function sourceFiles(directory: string): SourceFile[] {
  const files: SourceFile[] = [];
  let level = [''];
  for (let depth = 0; depth < most.depth && level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const folder of level) {
      for (const entry of entries(join(directory, folder))) {
        const path = posix.join(folder, entry.name);
        if (entry.isDirectory() && !entry.name.startsWith('.') && !notOfTheServer.has(entry.name)) next.push(path);
        if (!entry.isFile() || files.length >= most.files) continue;
        // Express' generator writes `bin/www`.
        if (!isSource.test(entry.name) && !(folder === 'bin' && !entry.name.includes('.'))) continue;
        // At the root those of tools; an app has its own below.
        if (folder === '' && entry.name.includes('.config.')) continue;
        const text = textOf(join(directory, path));
        if (text !== undefined) files.push({ path, text: withoutComments(text) });
      }
    }
    level = next;
  }
  return files;
}

function entries(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true }).sort((one, other) => (one.name < other.name ? -1 : 1));
  } catch {
    // Of another user.
    return [];
  }
}

function textOf(file: string): string | undefined {
  try {
    return statSync(file).size > most.bytes ? undefined : readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Comments that begin a line: within one, `//` may as well be that of a URL. */
function withoutComments(text: string): string {
  return text.replaceAll(/^[ \t]*\/\*[^]*?\*\//gm, '').replaceAll(/^[ \t]*\/\/.*$/gm, '');
}
