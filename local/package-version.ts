import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version of fairlead, from the package.json that is nearest: above the sources, or above what was built of them. */
export function packageVersion(): string {
  return packageJson().version;
}

/** The oldest version of Node that fairlead runs with. */
export function neededNode(): readonly [major: number, minor: number] {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(packageJson().engines.node) ?? [];
  return [Number(major), Number(minor)];
}

function packageJson(): { readonly version: string; readonly engines: { readonly node: string } } {
  let directory = __dirname;
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as ReturnType<typeof packageJson>;
}
