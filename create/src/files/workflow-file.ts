import { posix, relative, sep } from 'node:path';
import type { Place } from '../place';
import type { Project } from '../project';
import { workflowText } from './literals';

/** Where GitHub looks for it: one file for each app of a repository, called after its folder. */
export function workflowPath({ repository, app, directory }: Place): string {
  const folder = relative(repository, app ?? directory)
    .replace(/[^\w]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return `.github/workflows/fairlead${folder === '' ? '' : `-${folder.toLowerCase()}`}.yml`;
}

/** Synthesizes and tests what a pull request would deploy. */
export function workflowFile({ name, place }: Project): string {
  const folder = relative(place.repository, place.directory).split(sep).join('/');
  const where = folder === '' ? '' : `    defaults:\n      run:\n        working-directory: ${workflowText(folder)}\n`;
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
      - uses: actions/checkout@v5
        with:
          persist-credentials: false
      - uses: actions/setup-node@v5
        with:
          node-version: 24
          cache: npm
          cache-dependency-path: ${workflowText(posix.join(folder, 'package-lock.json'))}
      - run: npm ci
      - run: npm run synth
      - run: npm test
`;
}
