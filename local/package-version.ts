import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version of fairlead, from the package.json that is nearest: above the sources, or above what was built of them. */
export function packageVersion(): string {
  let directory = __dirname;
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { version: string };
  return version;
}
