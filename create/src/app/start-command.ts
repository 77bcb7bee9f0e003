import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commandLine } from '../../../local/shell-words';
import type { Dockerfile } from './dockerfile';
import type { PackageJson } from './package-json';

/** What runs an app on this machine, in its folder. */
export interface StartCommand {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly from: string;
}

interface Program {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const usualFiles = ['js', 'mjs', 'cjs', 'ts'].flatMap((ending) =>
  ['', 'src/'].flatMap((folder) => ['server', 'index', 'app', 'main'].map((name) => `${folder}${name}.${ending}`)),
);

/** What production runs: a script of npm, `main`, the image's own command, or a file that is called so. */
export function startCommand(
  directory: string,
  repository: string,
  content: PackageJson | undefined,
  docker: Dockerfile | undefined,
): StartCommand | undefined {
  if (content === undefined) return undefined;
  const app = new AppFolder(directory, repository, content);
  const image = withoutInit(docker?.command ?? []);
  const scripts = [scriptOf(image), 'start:prod', 'start:production', 'start'].filter((name) => name !== undefined);
  for (const name of scripts) {
    const program = app.script(name);
    if (program !== undefined) return { ...program, from: `package.json: scripts.${name}` };
  }
  const { main } = content;
  if (main !== undefined && app.canRun(main)) return { ...app.file(main), from: 'package.json: main' };
  const ofImage = app.imageCommand(image);
  if (ofImage !== undefined) return { ...ofImage, from: 'Dockerfile: CMD' };
  const byShell = scripts.find((name) => content.scripts[name] !== undefined && !manager.test(content.scripts[name]));
  if (byShell !== undefined) {
    const words = ['npm', 'run', '--silent', byShell];
    return { words, environment: {}, from: `package.json: scripts.${byShell}, which needs a shell` };
  }
  const usual = usualFiles.find((name) => app.has(name));
  return usual === undefined ? undefined : { ...app.file(usual), from: 'what it is called' };
}

/** What keeps processes, as fairlead does here and Kubernetes there. */
const manager = /\b(?:pm2|pm2-runtime|forever|nodemon|supervisor)\b/;

/** What builds an app, and runs it only by what its settings say. */
const builder = /^(?:tsc|rollup|webpack|vite|esbuild|gulp|grunt|babel)$/;

/** Whether it runs what is not there before the app has been built. */
export function isBuiltFirst({ words }: Pick<StartCommand, 'words'>, directory: string): boolean {
  const built = words.find((word) => /^(?:\.\/)?(?:dist|build|lib|out)(?:\/|$)/.test(word));
  return (
    built !== undefined &&
    !['', '.js', '.mjs', '.cjs', '/index.js'].some((end) => existsSync(join(directory, built + end)))
  );
}

class AppFolder {
  constructor(
    private readonly directory: string,
    private readonly repository: string,
    private readonly content: PackageJson,
  ) {}

  has(file: string): boolean {
    return existsSync(join(this.directory, file));
  }

  /** What is there, or will be when the app was built. */
  canRun(file: string): boolean {
    const built = this.content.scripts.build !== undefined && /^(?:\.\/)?(?:dist|build|lib|out)\//.test(file);
    return built || this.has(file) || this.has(`${file}.js`);
  }

  /** Node, or for TypeScript what the app has for it. */
  file(file: string): Program {
    const runner = /\.[cm]?ts$/.test(file) ? ['tsx', 'ts-node'].find((name) => this.depends(name)) : undefined;
    return { words: [runner === undefined ? 'node' : this.installed(runner), file], environment: {} };
  }

  /** The one program that a script runs, without npm and a shell between. */
  script(name: string, before: readonly string[] = []): Program | undefined {
    const text = this.content.scripts[name];
    if (text === undefined || before.includes(name) || before.length > 3) return undefined;
    // What builds it is run by hand, once.
    const last = text.split('&&').at(-1)?.trim() ?? '';
    const { words, environment } = withoutVariables(wordsOf(last));
    const other = scriptOf(words);
    if (other !== undefined) {
      const program = this.script(other, [...before, name]);
      return program === undefined
        ? undefined
        : { ...program, environment: { ...program.environment, ...environment } };
    }
    const program = this.program(words);
    return program === undefined ? undefined : { words: program, environment };
  }

  /** What the image runs, where that is here too. */
  imageCommand(words: readonly string[]): Program | undefined {
    const [program = '', ...args] = words;
    if (program === 'node' && args.some((word) => this.has(word))) return { words, environment: {} };
    // An image whose entry point is node.
    return args.length === 0 && /\.[cm]?js$/.test(program) && this.has(program) ? this.file(program) : undefined;
  }

  private program(words: readonly string[]): readonly string[] | undefined {
    const [first = '', ...rest] = words;
    // What starts it again when a file changes is for writing it.
    const args = rest.filter((word) => word !== '--watch' && !(first === 'tsx' && word === 'watch'));
    if (first === 'nodemon' || first === 'node-dev')
      return args.length === 1 ? this.file(args[0] ?? '').words : undefined;
    if (first === 'node') return [first, ...args];
    if (manager.test(first) || builder.test(first)) return undefined;
    if (first === 'npx') return args.length === 0 ? undefined : this.program(args);
    const packageOf: Readonly<Record<string, string>> = { nest: '@nestjs/cli', fastify: 'fastify-cli' };
    return this.depends(packageOf[first] ?? first) ? [this.installed(first), ...args] : undefined;
  }

  /** A program of a package: in the folder of the app, or above it in the repository, where workspaces have theirs. */
  private installed(name: string): string {
    const own = `node_modules/.bin/${name}`;
    let found = own;
    for (let folder = this.directory; !existsSync(join(folder, own)); folder = dirname(folder)) {
      if (folder === this.repository || folder === dirname(folder)) return own;
      found = `../${found}`;
    }
    return found;
  }

  private depends(name: string): boolean {
    return name in this.content.dependencies || name in this.content.devDependencies;
  }
}

/** Of `npm start`, `npm run start:prod`, `yarn start`. */
function scriptOf([program, ...args]: readonly string[]): string | undefined {
  if (program !== 'npm' && program !== 'yarn' && program !== 'pnpm') return undefined;
  const [first, second] = args.filter((word) => !word.startsWith('-'));
  return first === 'run' || first === 'run-script' ? second : first;
}

/** What reaps processes in a container has none here. */
function withoutInit(words: readonly string[]): readonly string[] {
  const isInit = (word: string): boolean => /(?:^|\/)(?:dumb-init|tini|docker-entrypoint\.sh|--|-g|-s)$/.test(word);
  const first = words.findIndex((word) => !isInit(word));
  return first === -1 ? [] : words.slice(first);
}

function withoutVariables(words: readonly string[]): Program {
  const environment: Record<string, string> = {};
  let rest = words;
  for (;;) {
    const [word = '', ...others] = rest;
    const [, name, value = ''] = /^([A-Za-z_]\w*)=(.*)$/.exec(word) ?? [];
    // Each process is told a port of its own.
    if (name !== undefined && name !== 'PORT') environment[name] = value;
    else if (name === undefined && word !== 'cross-env' && word !== 'env' && word !== 'exec')
      return { words: rest, environment };
    rest = others;
  }
}

/** The words of a command line; none if it needs a shell. */
function wordsOf(text: string): readonly string[] {
  try {
    // It takes no variables at its beginning.
    const { args } = commandLine('script', `env ${text}`);
    return args;
  } catch {
    return [];
  }
}
