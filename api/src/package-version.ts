import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version in the nearest package.json: built and unbuilt files lie at different depths. */
export function packageVersion(directory = __dirname): string {
  const file = join(directory, 'package.json');
  if (!existsSync(file)) {
    const parent = dirname(directory);
    return parent === directory ? 'unknown' : packageVersion(parent);
  }
  const content = JSON.parse(readFileSync(file, 'utf8')) as { readonly version?: string };
  return content.version ?? 'unknown';
}
