import { extname, join } from 'node:path';
import { Command } from './child-output';

/** Node's arguments for TypeScript, with the packages of the repository as they are, not as they were built last. */
const fromSources = [
  '--enable-source-maps',
  '--conditions=fairlead-source',
  `--require=${join(__dirname, 'typescript-modules.cjs')}`,
];

/** Runs a module of fairlead in a process of its own: in the repository TypeScript, in the package JavaScript. */
export function nodeScript(module: string): Command {
  return { file: process.execPath, args: [...(extname(module) === '.ts' ? fromSources : []), module] };
}
