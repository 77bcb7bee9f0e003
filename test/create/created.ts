import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { PassThrough } from 'node:stream';
import { create } from '../../create/src/create';
import { onTestFinished } from '../afterwards';

export type Texts = Readonly<Record<string, string>>;

/** A folder of these files, for one test. */
export function folderOf(files: Texts = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'create-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

/** Every file below a folder, by its path from there. */
export function filesOf(directory: string): Texts {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return Object.fromEntries(paths.map((path) => [relative(directory, path), readFileSync(path, 'utf8')]));
}

/** What `npm create fairlead` says where there is no terminal. */
export async function created(directory: string, ...args: readonly string[]): Promise<string> {
  const output = new PassThrough();
  await create(args, directory, { input: new PassThrough(), output });
  return String(output.read() ?? '');
}
