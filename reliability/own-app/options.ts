import { appendFileSync, existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { InvalidOption } from '../../validation/invalid-option';
import { oneOf } from '../../validation/names';
import { amounts, clusterName, clusterPrefix, ownApi, type RunOptions } from '../run-options';
import type { OwnAppOptions } from './own-app';

export const usage = `Usage: npx fairlead-reliability --get PATH [--post PATH] [--only NAME] [--build FOLDER] [--apply PATH] [--summary FILE]

Makes a kind cluster of three nodes on this machine, deploys main.ts to it with four pods of the API and two proxies, runs
scenarios under load, and counts every request. Removes the cluster at the end. Exit code 1 if anything was lost that should
not be, 2 for what was typed wrong.

  --get PATH       asks this path, and tries the backend that it leads to; it has to answer with one status below 500
  --post PATH      gets JSON, as often (default: the path of --get)
  --only NAME      one scenario, or several (--only a --only b; default: all that --list names, which takes hours)
  --build FOLDER   builds the API's image from the Dockerfile of this folder (default: the image of main.ts, which is on this
                   machine, or which Docker can pull)
  --apply PATH     manifests that the API needs, such as a Secret: a file or a folder, applied first; may be given again
  --summary FILE   appends the table to this file, as Markdown (default: the variable GITHUB_STEP_SUMMARY, where it is set)
  --main FILE      what says what is deployed (default: main.ts)
  --rate N         requests a second (default: 100); half are POST, half HTTP/2, a tenth use a new connection
  --seconds N      the least that each operation is under load (default: 90); a fault is for a third
  --keep           leaves the cluster for the next run
  --cluster NAME   the cluster's name (default: ${clusterPrefix}): give ${clusterPrefix}-2, say, to run two at once
  --list           the names of the scenarios, and what is not offered for an app of one's own
  --version
  --help           show this

Needs Docker, kind and kubectl. Environment: KIND_NODE_IMAGE, the node image to create the cluster from.
`;

/** What was typed of a run. */
export interface OwnRunOptions extends RunOptions, OwnAppOptions {
  /** By its whole path. */
  readonly main: string;
  /** Where the table is appended. */
  readonly summary: string | undefined;
}

export function ownRunOptions(
  args: readonly string[],
  scenarios: readonly string[],
  environment: NodeJS.ProcessEnv,
): OwnRunOptions | 'help' | 'list' | 'version' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      get: { type: 'string' },
      post: { type: 'string' },
      only: { type: 'string', multiple: true },
      build: { type: 'string' },
      apply: { type: 'string', multiple: true, default: [] },
      summary: { type: 'string' },
      main: { type: 'string', default: 'main.ts' },
      rate: { type: 'string', default: '100' },
      seconds: { type: 'string', default: '90' },
      keep: { type: 'boolean', default: false },
      cluster: { type: 'string', default: clusterPrefix },
      list: { type: 'boolean' },
      version: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return 'help';
  if (values.list === true) return 'list';
  if (values.version === true) return 'version';
  if (values.get === undefined) {
    throw new InvalidOption('--get', values.get, 'is missing: give a path that the API answers, such as --get /orders');
  }
  return {
    api: ownApi(values.get, values.post),
    only: values.only?.map((name) => oneOf('--only', name, scenarios)),
    ...amounts(values),
    build: values.build === undefined ? undefined : buildFolder(values.build),
    apply: values.apply.map((path) => existing('--apply', path)),
    main: resolve(values.main),
    summary: summaryFile(values.summary, environment),
    keep: values.keep,
    cluster: clusterName('--cluster', values.cluster),
    resume: false,
    soak: undefined,
    clients: false,
  };
}

function existing(option: string, path: string): string {
  if (path !== '' && existsSync(path)) return path;
  throw new InvalidOption(option, path, 'is not there: give a file or a folder of manifests');
}

function buildFolder(path: string): string {
  if (path !== '' && statSync(join(path, 'Dockerfile'), { throwIfNoEntry: false })?.isFile() === true) return path;
  throw new InvalidOption('--build', path, 'has no Dockerfile: give a folder that has one, such as ".."');
}

/** Looked at before a run of minutes, which would be in vain. */
function summaryFile(
  typed: string | undefined,
  { GITHUB_STEP_SUMMARY: ofJob = '' }: NodeJS.ProcessEnv,
): string | undefined {
  if (typed === undefined && ofJob === '') return undefined;
  const [option, file] = typed === undefined ? ['GITHUB_STEP_SUMMARY', ofJob] : ['--summary', typed];
  try {
    appendFileSync(file, '');
    return file;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new InvalidOption(option, file, `cannot be written (${reason}): give a file in a folder that is there`);
  }
}
