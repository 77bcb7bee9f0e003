import { extname, resolve } from 'node:path';
import { Command } from './child-output';

/** The root of the repository, or of the built package. */
const packageRoot = resolve(__dirname, '../..');

/** Runs a module of fairlead in a process of its own: in the repository TypeScript, in the package JavaScript. */
export function nodeScript(module: string): Command {
  const loader = extname(module) === '.ts' ? ['-r', require.resolve('ts-node/register/transpile-only')] : [];
  return { file: process.execPath, args: [...loader, module] };
}

/** What ts-node must know wherever the process is started from. */
export function nodeScriptEnvironment(module: string): Readonly<Record<string, string>> {
  return extname(module) === '.ts' ? { TS_NODE_PROJECT: resolve(packageRoot, 'tsconfig.json') } : {};
}
