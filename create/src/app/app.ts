import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Dockerfile, dockerfile, type ImageUser, imageUser } from './dockerfile';
import { foundHealthCheck, type FoundHealthCheck } from './health-check';
import { type PackageJson, packageJson } from './package-json';
import { foundPort, type FoundPort } from './port';
import { type SourceFile, sourceFiles } from './source-files';
import { startCommand, type StartCommand } from './start-command';

export const frameworks = {
  nest: 'Nest',
  fastify: 'Fastify',
  koa: 'Koa',
  express: 'Express',
  http: 'node:http',
} as const;
export type Framework = keyof typeof frameworks;

/** What was found out of an app by reading its files; none of them is run. */
export interface FoundApp {
  readonly directory: string;
  /** As package.json has it, or the folder. */
  readonly title: string;
  readonly version: string | undefined;
  readonly framework: Framework | undefined;
  /** That of the app; undefined where it is neither. */
  readonly language: 'typescript' | 'javascript' | undefined;
  /** Who owns the repository on GitHub, as package.json or git says. */
  readonly owner: string | undefined;
  readonly port: FoundPort;
  readonly healthCheck: FoundHealthCheck | undefined;
  readonly start: StartCommand | undefined;
  /** Undefined without a Dockerfile. */
  readonly user: ImageUser | undefined;
  /** Whether it uses fairlead-serve, which keeps connections for longer than Node does. */
  readonly usesServe: boolean;
  readonly content: PackageJson | undefined;
}

/** Reads the folder of an app. */
export function foundApp(directory: string, repository: string): FoundApp {
  const content = packageJson(directory);
  const docker = dockerfile(text(join(directory, 'Dockerfile')));
  const files = content === undefined ? [] : sourceFiles(directory);
  const settings = ['.env', '.env.example', '.env.sample'].map((name) => text(join(directory, name))).join('\n');
  return {
    directory,
    title: content?.name ?? basename(directory),
    version: content?.version,
    framework: frameworkOf(content, files),
    language: languageOf(content, directory, files),
    owner: owner(content?.repository ?? originOf(repository)),
    port: portOf(content, files, docker, settings),
    healthCheck: foundHealthCheck(files, docker?.healthCheckPath),
    start: startCommand(directory, repository, content, docker),
    user: docker === undefined ? undefined : imageUser(docker),
    usesServe: content !== undefined && 'fairlead-serve' in content.dependencies,
    content,
  };
}

/** Nest stands on another one; of two others, the one that the sources import. */
function frameworkOf(content: PackageJson | undefined, files: readonly SourceFile[]): Framework | undefined {
  const packages: readonly (readonly [Framework, RegExp])[] = [
    ['nest', /^@nestjs\/core$/],
    ['fastify', /^(?:fastify|fastify-cli)$/],
    ['koa', /^koa$/],
    ['express', /^express$/],
  ];
  const names = Object.keys(content?.dependencies ?? {});
  const candidates = packages.filter(([, name]) => names.some((dependency) => name.test(dependency)));
  const imported = candidates.find(([framework]) => imports(framework === 'nest' ? '@nestjs/core' : framework, files));
  const [framework] = imported ?? candidates[0] ?? [];
  if (framework !== undefined) return framework;
  const isServer = files.some(({ text: source }) => /\bcreateServer\s*\(/.test(source));
  return isServer && (imports('node:http', files) || imports('http', files)) ? 'http' : undefined;
}

function imports(name: string, files: readonly SourceFile[]): boolean {
  const form = new RegExp(String.raw`(?:\bfrom\s*|\brequire\(\s*|\bimport\(?\s*)(['"])${name}\1`);
  return files.some(({ text: source }) => form.test(source));
}

/** TypeScript that is run or built has its settings, or is all that there is. */
function languageOf(
  content: PackageJson | undefined,
  directory: string,
  files: readonly SourceFile[],
): FoundApp['language'] {
  if (content === undefined) return undefined;
  const count = (ending: RegExp): number => files.filter(({ path }) => ending.test(path)).length;
  const typescript = count(/\.[cm]?tsx?$/);
  const hasSettings = existsSync(join(directory, 'tsconfig.json'));
  return typescript > 0 && (hasSettings || typescript > count(/\.[cm]?jsx?$/)) ? 'typescript' : 'javascript';
}

/** Packages that read PORT for the app. */
const readingPort = ['fastify-cli', 'fairlead-serve'];

function portOf(
  content: PackageJson | undefined,
  files: readonly SourceFile[],
  docker: Dockerfile | undefined,
  settings: string,
): FoundPort {
  const said = foundPort(files, docker, settings);
  const found = said.port !== undefined && said.port > 65_535 ? { ...said, port: undefined } : said;
  const isRead = readingPort.some((name) => name in (content?.dependencies ?? {}));
  return isRead ? { ...found, readsPort: true } : found;
}

/** `acme` of `https://github.com/acme/orders.git`, `git@github.com:acme/orders.git`, `github:acme/orders` and `acme/orders`. */
function owner(repository: string | undefined): string | undefined {
  return /(?:github\.com[:/]|^(?:github:)?)([\w-]+)\/[\w.-]+$/.exec(repository ?? '')?.[1]?.toLowerCase();
}

function originOf(repository: string): string | undefined {
  return /\[remote "origin"\][^[]*?\burl\s*=\s*(\S+)/.exec(text(join(repository, '.git/config')))?.[1];
}

/** What is not there, or cannot be read, says nothing. */
function text(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
