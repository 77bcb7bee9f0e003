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

/** Whether a version (`20.20.1`, `v1.34.4+k3s1`) is another or newer. */
export function isAtLeast(version: string, [major, minor]: readonly [major: number, minor: number]): boolean {
  const [, ofMajor = 0, ofMinor = 0] = (/^v?(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
  return ofMajor > major || (ofMajor === major && ofMinor >= minor);
}

function packageJson(): { readonly version: string; readonly engines: { readonly node: string } } {
  let directory = __dirname;
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as ReturnType<typeof packageJson>;
}
