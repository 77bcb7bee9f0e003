import { createRequire } from 'node:module';
import { extname, resolve } from 'node:path';
import { ExternalCommandFailure, run } from '../../cluster/external-command';
import { isAtLeast, neededNode } from '../../local/package-version';
import { type Check, failed, ok, warning } from './check';

/** Whether Node is as new as the package says. */
export function nodeCheck(version: string): Check {
  const needed = neededNode();
  const found = `${version}, and ${needed.join('.')} or newer is needed`;
  if (isAtLeast(version, needed)) return ok('Node', version);
  return failed('Node', found, 'install one: https://nodejs.org/en/download');
}

/** Whether TypeScript can be loaded as main.ts is. */
export function loaderCheck(main: string): Check {
  if (extname(main) !== '.ts') return ok('ts-node', `is not needed: ${main} is JavaScript`);
  const load = createRequire(resolve(main));
  for (const name of ['ts-node', 'tsx']) {
    try {
      return ok(name, (load(`${name}/package.json`) as { readonly version: string }).version);
    } catch {
      // The other one may be there.
    }
  }
  return failed(
    'ts-node',
    `is not installed, nor is tsx, one of which has to load ${main}`,
    'npm install --save-dev ts-node typescript@6',
  );
}

const forWhat = '"fairlead kind up" needs it, and "fairlead start" for images';

/** Whether Docker answers, which some commands need, and no deployment. */
export async function dockerCheck(signal: AbortSignal): Promise<Check> {
  try {
    const version = await run('docker', ['info', '--format={{.ServerVersion}}'], { signal });
    return ok('Docker', version.trim());
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ExternalCommandFailure) {
      return warning(
        'Docker',
        `does not answer: ${error.message}`,
        `start it, or let this user talk to it: ${forWhat}`,
      );
    }
    return warning('Docker', 'is not installed', `see https://docs.docker.com/engine/install/: ${forWhat}`);
  }
}
