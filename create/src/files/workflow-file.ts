import { dirname, join, posix, relative, sep } from 'node:path';
import { shellWord } from '../../../local/shell-words';
import type { Place } from '../place';
import { defaultHealthCheckPath, type Project } from '../project';
import { workflowText } from './literals';

/** Where GitHub looks for it: one file for each app of a repository, called after its folder. */
export function workflowPath({ repository, app, directory }: Place): string {
  const folder = relative(repository, app ?? directory)
    .replace(/[^\w]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return `.github/workflows/fairlead${folder === '' ? '' : `-${folder.toLowerCase()}`}.yml`;
}

/** Synthesizes and tests what a pull request would deploy, and rolls it out under load before it ships. */
export function workflowFile(project: Project): string {
  const { name, place } = project;
  const folder = relative(place.repository, place.directory).split(sep).join('/');
  const where = folder === '' ? '' : `    defaults:\n      run:\n        working-directory: ${workflowText(folder)}\n`;
  const installed = `      - uses: actions/checkout@v5
        with:
          persist-credentials: false
      - uses: actions/setup-node@v5
        with:
          node-version: 24
          cache: npm
          cache-dependency-path: ${workflowText(posix.join(folder, 'package-lock.json'))}
      - run: npm ci
`;
  return `name: ${workflowText(`fairlead: ${name}`)}
on:
  push:
    branches: [main, master]
  pull_request:
permissions:
  contents: read
jobs:
  manifests:
    runs-on: ubuntu-latest
    timeout-minutes: 10
${where}    steps:
${installed}      - run: npm run synth
      - run: npm test
${rolloutJob(project, where, installed)}`;
}

/** Nothing where no image can be made of what a pull request has: that of main.ts is of an earlier one. */
function rolloutJob(project: Project, where: string, installed: string): string {
  const { place, healthCheck, language, hasDockerfile } = project;
  if (!hasDockerfile || place.app === undefined) return '';
  const folder = relative(place.directory, place.app).split(sep).join('/');
  const options = [
    ...['--get', healthCheck?.path ?? defaultHealthCheckPath, '--only', 'rollout-api', '--build', folder],
    ...(language === 'typescript' ? [] : ['--main', 'main.js']),
  ];
  const command = ['npx', '--yes', ...reliability(project), ...options].map(shellWord).join(' ');
  return `
  # Builds the image, deploys all of it on a kind cluster of its own, for which the runner has what it takes, and fails if the
  # rollout of the API loses a request; the table is the summary of the job. Give paths that clients ask: --get /orders --post /orders.
  rollout:
    if: github.event_name == 'pull_request'
    runs-on: ubuntu-latest
    timeout-minutes: 15
${where}    steps:
${installed}      - run: ${workflowText(command)}
`;
}

/** What npx runs: beside a file of fairlead its own file is expected. */
function reliability({ fairlead, place, version }: Project): readonly string[] {
  const name = 'fairlead-reliability';
  if ('version' in fairlead) return [`${name}@${version}`];
  return [`--package=${relative(place.directory, reliabilityFile(fairlead.file, version)).split(sep).join('/')}`, name];
}

/** Where its file is expected, if fairlead is of a file. */
export function reliabilityFile(fairleadFile: string, version: string): string {
  return join(dirname(fairleadFile), `fairlead-reliability-${version}.tgz`);
}
