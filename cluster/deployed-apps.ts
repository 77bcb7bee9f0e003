import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { App } from 'cdk8s';
import { loadedApps, type Variables } from '../charts/loaded-apps';
import { Failure } from './command-line';

/** The apps that the module would have written; no manifest is. */
export function deployedApps(
  main: string,
  variables: Variables,
  cdk8s?: Pick<typeof import('cdk8s'), 'App'>,
): readonly App[] {
  if (!existsSync(main))
    throw new Failure(
      `${basename(main)} is not in ${dirname(main)}: put it there, or name the file that is: --main main.js`,
    );
  try {
    return loadedApps(main, variables, cdk8s);
  } catch (error) {
    // By name: an app may carry a second copy of the package, whose class is another.
    if (error instanceof Error && error.name === 'InvalidOption') throw new Failure(error.message);
    throw error;
  }
}
