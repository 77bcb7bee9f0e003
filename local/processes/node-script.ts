import { extname, join } from 'node:path';
import { Command } from './child-output';

/** Runs a module of fairlead in a process of its own: in the repository TypeScript, in the package JavaScript. */
export function nodeScript(module: string): Command {
  const loader = ['--enable-source-maps', `--require=${join(__dirname, 'typescript-modules.cjs')}`];
  return { file: process.execPath, args: [...(extname(module) === '.ts' ? loader : []), module] };
}
