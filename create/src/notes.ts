import { existsSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { shellWord } from '../../local/shell-words';
import type { FoundApp } from './app/app';
import { isBuiltFirst } from './app/start-command';
import type { TypedOptions } from './command-line';
import { reliabilityFile } from './files/workflow-file';
import { defaultHealthCheckPath, type Project } from './project';

/** What is left to whoever deploys the app, a line each: what was not found, and what would trip over the new folder. */
export function notes(project: Project, app: FoundApp | undefined, options: TypedOptions): string[] {
  return [
    ...(options.fairlead === undefined
      ? [
          'fairlead is not on the registry yet: until it is, make its file by npm pack in a clone, and give it by --fairlead FILE.tgz',
        ]
      : []),
    ...aboutTheRollout(project, app),
    ...(app === undefined ? [] : [...aboutTheApp(project, app, options), ...aboutItsTools(project, app)]),
  ];
}

/** What the job of the workflow that rolls out needs. */
function aboutTheRollout({ fairlead, hasDockerfile, version }: Project, app: FoundApp | undefined): string[] {
  if (app === undefined) return [];
  if (!hasDockerfile) {
    return ['the workflow tries no rollout, as there is no Dockerfile to build the image of a pull request from'];
  }
  const file = 'file' in fairlead ? reliabilityFile(fairlead.file, version) : undefined;
  return file === undefined || existsSync(file)
    ? []
    : [
        `the rollout in the workflow needs ${basename(file)} beside the file of fairlead: npm pack --workspace reliability in a clone`,
      ];
}

function aboutTheApp({ healthCheck, language }: Project, app: FoundApp, options: TypedOptions): string[] {
  const { port, content, user } = app;
  const isNode = content !== undefined;
  const main = language === 'typescript' ? 'main.ts' : 'main.js';
  return [
    app.healthCheck === undefined && healthCheck === undefined
      ? `no health check was found: the app has to answer ${defaultHealthCheckPath} with 2xx, or say its path by healthCheck in ${main}`
      : undefined,
    app.healthCheck?.isReadinessAlone === true && options.healthCheckPath === undefined
      ? `${app.healthCheck.path} is asked whether the app is alive too: if it looks at a database, give healthCheck a liveness path that does not`
      : undefined,
    isNode && !port.readsPort ? portNote(port.otherVariable) : undefined,
    isNode && app.start === undefined && options.command === undefined
      ? `what starts the app was not found: give it in ${main}, such as local: { command: ['node', 'server.js'], directory: '..' }`
      : undefined,
    user?.kind === 'unknown'
      ? `the Dockerfile's USER ${JSON.stringify(user.name)} is not a number, and Kubernetes cannot tell it from root: give it by pods: { user: 1000 }`
      : undefined,
    user === undefined
      ? 'the app has no Dockerfile: its image has to run as a user that is a number, and not root'
      : undefined,
  ].filter((note) => note !== undefined);
}

function portNote(variable: string | undefined): string {
  const says = variable === undefined ? 'listens on a port of its own' : `is told its port by ${variable}`;
  return `the app ${says}: several of it on one machine need process.env.PORT, by which npm start tells each its own`;
}

/** Tools of an app that look into every folder of it. */
function aboutItsTools({ place, language }: Project, { directory, content, user }: FoundApp): string[] {
  const folder = relative(directory, place.directory);
  const has = (name: string): boolean => existsSync(join(directory, name));
  const dependsOn = (name: string): boolean => name in (content?.devDependencies ?? {});
  const rootDir = content?.jest.rootDir ?? content?.jest.roots;
  const settings = [
    language === 'typescript' && takesIn(read(join(directory, 'tsconfig.json')))
      ? `tsconfig.json: "exclude": ["node_modules", "dist", ${JSON.stringify(folder)}]`
      : undefined,
    dependsOn('jest') && rootDir === undefined
      ? `jest: "testPathIgnorePatterns": ["/node_modules/", ${JSON.stringify(`<rootDir>/${folder}/`)}]`
      : undefined,
    dependsOn('vitest') ? `vitest: exclude: [...configDefaults.exclude, ${JSON.stringify(`${folder}/**`)}]` : undefined,
    ['js', 'mjs', 'cjs', 'ts'].some((ending) => has(`eslint.config.${ending}`))
      ? `ESLint: { ignores: [${JSON.stringify(`${folder}/`)}] }`
      : undefined,
    user !== undefined && !isIgnored(folder, read(join(directory, '.dockerignore')) ?? '')
      ? `.dockerignore: ${folder}, as there will be a private key in it`
      : undefined,
  ].filter((setting) => setting !== undefined);
  return settings.length === 0
    ? []
    : [`keep ${basename(folder)}/ out of what looks into every folder:`, ...settings.map((setting) => `  ${setting}`)];
}

/** Whether a tsconfig.json takes every folder. */
function takesIn(tsconfig: string | undefined): boolean {
  if (tsconfig === undefined || /"files"\s*:/.test(tsconfig)) return false;
  const included = /"include"\s*:\s*\[([^\]]*)\]/.exec(tsconfig)?.[1];
  return included === undefined || /"(?:\.\/)?(?:\*|\.")/.test(included);
}

function isIgnored(folder: string, dockerignore: string): boolean {
  const lines = dockerignore.split(/\r?\n/).map((line) => line.trim().replace(/^\/|\/$/g, ''));
  return lines.some((line) => line === '*' || line === '**' || line === folder || line === `**/${folder}`);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** What is typed next, a command a line. */
export function nextCommands({ place }: Project, app: FoundApp | undefined, workingDirectory: string): string[] {
  const built = app?.start !== undefined && isBuiltFirst(app.start, app.directory) ? app.directory : undefined;
  const there = relative(workingDirectory, place.directory);
  return [
    ...(built === undefined ? [] : [`npm run build${inFolder(relative(workingDirectory, built))}`]),
    ...(there === '' ? [] : [`cd ${shellWord(there)}`]),
    'npm install',
    'npm start',
    'npm test && npm run synth',
    'kubectl apply -f dist/',
  ];
}

function inFolder(folder: string): string {
  return folder === '' ? '' : ` --prefix ${shellWord(folder)}`;
}
