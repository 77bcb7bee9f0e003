import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join, posix, resolve } from 'node:path';
import type ts from 'typescript';
import { pageFiles, uplotFiles } from '../server';

const root = resolve(__dirname, '../..');
/** `.js` in the package, `.ts` where it runs from its sources. */
const extension = extname(__filename);

/** What a pod starts with Node, by its path below the directory where the files are. */
export const program = 'dashboard/cluster/main.js';

let read: Readonly<Record<string, string>> | undefined;

/** The program and the page, by their paths: what a pod needs beside Node itself. */
export function programFiles(): Readonly<Record<string, string>> {
  return (read ??= allFiles());
}

function allFiles(): Readonly<Record<string, string>> {
  const files: Record<string, string> = {};
  const add = (module: string): void => {
    const path = `${module}.js`;
    if (path in files) return;
    const text = javascript(module);
    files[path] = text;
    for (const [, other = ''] of text.matchAll(/\brequire\("(\.[^"]+)"\)/g)) {
      add(posix.join(posix.dirname(module), other));
    }
  };
  add(program.slice(0, -'.js'.length));
  for (const name of pageFiles)
    files[`dashboard/page/${name}`] = readFileSync(join(root, 'dashboard/page', name), 'utf8');
  const uplot = join(require.resolve('uplot/package.json'), '..');
  for (const name of ['package.json', ...uplotFiles]) {
    files[`node_modules/uplot/${name}`] = readFileSync(join(uplot, name), 'utf8');
  }
  return files;
}

/** A module as Node runs it. */
function javascript(module: string): string {
  const text = readFileSync(join(root, `${module}${extension}`), 'utf8');
  if (extension === '.js') return text.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n');
  const { transpileModule, ModuleKind, ScriptTarget } = createRequire(__filename)('typescript') as typeof ts;
  const compilerOptions = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022, esModuleInterop: true };
  return transpileModule(text, { compilerOptions }).outputText;
}
