import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** What may be made again at any time, but takes long. @see https://specifications.freedesktop.org/basedir-spec/latest/ */
export function cacheDirectory(): string {
  const given = process.env.XDG_CACHE_HOME;
  return join(given !== undefined && isAbsolute(given) ? given : join(homedir(), '.cache'), 'fairlead');
}
