import { join } from 'node:path';
import type { Framework } from '../app/app';
import { type Project, standIn } from '../project';
import type { Files } from '../write-files';
import { mainFile, standInFile } from './main-file';
import { packageFile } from './package-file';
import { readmeFile } from './readme-file';
import { testFile } from './test-file';
import { workflowFile, workflowPath } from './workflow-file';

const tsconfig = `{
  "compilerOptions": {
    "target": "es2022",
    "module": "node16",
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "isolatedModules": true,
    "esModuleInterop": true,
    "skipLibCheck": true,
    "types": ["node", "jest"],
    "noEmit": true
  },
  "include": ["*.ts"],
  "ts-node": {
    "swc": true
  }
}
`;

const gitignore = `node_modules/
dist/
# Private keys: of certificates that fairlead makes, and any of yours.
.fairlead/
*.key
*.pem
`;

/** Every file, by absolute path. */
export function projectFiles(project: Project, framework: Framework | undefined): Files {
  const { place, language, local } = project;
  const isTyped = language === 'typescript';
  const loaded = isTyped
    ? '-r ts-node/register -r fairlead/one-line-errors main.ts'
    : '-r fairlead/one-line-errors main.js';
  const needsStandIn = local?.isOfTheApp === false && local.command.includes(standIn);
  const files: readonly (readonly [string, string])[] = [
    [isTyped ? 'main.ts' : 'main.js', mainFile(project)],
    [isTyped ? 'main.test.ts' : 'main.test.js', testFile(project)],
    ...(needsStandIn ? ([[standIn, standInFile]] as const) : []),
    ['package.json', packageFile(project)],
    ['cdk8s.yaml', `${isTyped ? 'language: typescript\n' : ''}app: node ${loaded}\n`],
    ...(isTyped ? ([['tsconfig.json', tsconfig]] as const) : []),
    ['.gitignore', gitignore],
    ['README.md', readmeFile(project, framework)],
  ];
  return new Map([
    ...files.map(([name, text]) => [join(place.directory, name), text] as const),
    [join(place.repository, workflowPath(place)), workflowFile(project)],
  ]);
}
