import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { UsageError } from './usage-error';

/** Where files are written, and what they are for. */
export interface Place {
  readonly directory: string;
  /** The folder of the app that is deployed. */
  readonly app: string | undefined;
  /** Where a repository has its `.github`: that of git, or what is nearest to one. */
  readonly repository: string;
}

/** In an app's folder: it keeps its own package.json, tsconfig.json and node_modules, and its image has nothing of cdk8s. */
const besideAnApp = 'deploy';

/** The folder that is given, or `deploy/` in it if it is an app's. One within an app's folder is that app's. */
export function placeOf(given: string | undefined, workingDirectory: string): Place {
  const path = resolve(workingDirectory, given ?? '.');
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new UsageError(`${JSON.stringify(path)} is a file: give a folder`);
  }
  if (isApp(path)) return { directory: join(path, besideAnApp), app: path, repository: repositoryOf(path) };
  const app = isWithin(path, workingDirectory) && isApp(workingDirectory) ? workingDirectory : undefined;
  return { directory: path, app, repository: repositoryOf(app ?? path) };
}

/** A folder with a cdk8s.yaml is a deployment itself. */
function isApp(directory: string): boolean {
  const has = (name: string): boolean => existsSync(join(directory, name));
  return (has('package.json') || has('Dockerfile')) && !has('cdk8s.yaml');
}

function isWithin(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`);
}

function repositoryOf(directory: string): string {
  for (let path = directory; ; path = dirname(path)) {
    if (existsSync(join(path, '.git'))) return path;
    if (path === dirname(path)) return directory;
  }
}
