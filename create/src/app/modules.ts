import { posix } from 'node:path';
import type { SourceFile } from './source-files';

/** A path that the app answers to GET, and the file that says so. */
export interface AnsweredPath {
  readonly path: string;
  readonly file: string;
}

/** A path that something called `owner` answers: `app`, `router`. */
interface OwnedPath {
  readonly owner: string;
  readonly path: string;
}

/** What answers below a prefix: what is called by these names in the same file, and what these files have. */
export interface Mount {
  readonly owner: string;
  readonly prefix: string;
  readonly names: readonly string[];
  readonly files: readonly string[];
}

/** What a source file says of paths. */
export interface Module {
  readonly path: string;
  readonly routes: readonly OwnedPath[];
  readonly mounts: readonly Mount[];
  /** Of routers that are made with one. */
  readonly ownPrefixes: ReadonlyMap<string, string>;
}

/** Names and places of what asks others, and answers nobody. */
const client = /^(?:axios|http|https|fetch|got|request|supertest|superagent|agent|\w*client|redis|cache)$/i;

/** Whether what ends here is given to one of these: `axios.get(`, `fetch(`. */
export function isAsked(before: string): boolean {
  const [, object = '', method] = /([\w$]*)\s*(?:\.\s*(\w+)\s*(?:<[^>()]*>)?)?\(\s*$/.exec(before) ?? [];
  return client.test(object) && (method !== undefined || object === 'fetch' || object === 'axios' || object === 'got');
}

const quoted = String.raw`(['"\`])([^'"\`$\n]*)`;
const pathText = String.raw`(['"\`])(\/[^'"\`$\s]*)`;

/** Reads a file by what routers of Express, Fastify and Koa, and `node:http`, are told by. */
export function readModule({ path, text }: SourceFile, paths: ReadonlySet<string>): Module {
  const imports = importsOf(path, text, paths);
  const routes: OwnedPath[] = [...comparedPaths(text)];
  const mounts: Mount[] = reexports(path, text, paths);
  const calls =
    /(?:(?<![\w$])([\w$]+)\s*(?:\(\s*\)\s*)?)?\.\s*(get|all|head|route|use|register)\s*(?:<[^>()]*>)?\s*\(/g;
  for (const match of text.matchAll(calls)) {
    const [whole, owner = '', method] = match;
    if (client.test(owner)) continue;
    const given = argumentsAt(text, match.index + whole.length);
    if (method === 'use' || method === 'register') mounts.push(mount(path, owner, given, imports, paths));
    else routes.push(...firstPaths(given).map((found) => ({ owner, path: found })));
  }
  return { path, routes, mounts, ownPrefixes: ownPrefixes(text) };
}

/** The text up to the parenthesis that closes the one before it, or as much as is looked at. */
function argumentsAt(text: string, start: number): string {
  let open = 1;
  const end = Math.min(text.length, start + 4000);
  for (let index = start; index < end; index += 1) {
    const character = text.charAt(index);
    if (character === '(') open += 1;
    if (character === ')') open -= 1;
    if (open === 0) return text.slice(start, index);
  }
  return text.slice(start, end);
}

/** `'/health', …`, `['/health', '/healthz'], …`. */
function firstPaths(given: string): string[] {
  const list = /^\s*\[([^\]]*)\]/.exec(given)?.[1];
  if (list !== undefined) return [...list.matchAll(new RegExp(`${pathText}\\1`, 'g'))].map(([, , path = '']) => path);
  const path = new RegExp(`^\\s*${pathText}\\1`).exec(given)?.[2];
  return path === undefined ? [] : [path];
}

function mount(
  path: string,
  owner: string,
  given: string,
  imports: ReadonlyMap<string, string>,
  paths: ReadonlySet<string>,
): Mount {
  // `'/api', router`, `mount('/api', router)`, `routes, { prefix: '/api' }`.
  const prefix =
    new RegExp(`^\\s*(?:[\\w$.]+\\(\\s*)?${pathText}\\1`).exec(given)?.[2] ??
    new RegExp(String.raw`\bprefix\s*:\s*${quoted}\1`).exec(given)?.[2] ??
    '';
  // Not what stands in a function, or is an option.
  const [targets = ''] = given.split(/=>|\bfunction\b|\{/);
  const names = [...targets.replaceAll(/(['"`]).*?\1/g, '').matchAll(/[A-Za-z_$][\w$]*/g)].map(([name]) => name);
  const specifiers = [...given.matchAll(new RegExp(String.raw`\b(?:require|import)\(\s*${quoted}\1`, 'g'))];
  const files = [
    ...names.map((name) => imports.get(name)),
    ...specifiers.map(([, , specifier = '']) => resolved(path, specifier, paths)),
  ];
  return { owner, prefix, names, files: files.filter((file) => file !== undefined) };
}

/** Which file each name comes from, if it is one of the app's own. */
function importsOf(path: string, text: string, paths: ReadonlySet<string>): Map<string, string> {
  const imports = new Map<string, string>();
  const forms = [
    new RegExp(String.raw`\bimport\s+([^'";]+?)\s+from\s*${quoted}\2`, 'g'),
    new RegExp(String.raw`\b(?:const|let|var)\s+(\w+|\{[^}]*\})\s*=\s*(?:await\s+import|require)\(\s*${quoted}\2`, 'g'),
  ];
  for (const form of forms) {
    for (const [, names = '', , specifier = ''] of text.matchAll(form)) {
      const file = resolved(path, specifier, paths);
      if (file === undefined) continue;
      // `health`, `{ health }`, `{ router as health }`, `{ router: health }`, `* as health`: the last word is the name here.
      for (const part of names.split(/[{},]/)) {
        const name = /([\w$]+)\s*$/.exec(part)?.[1];
        if (name !== undefined) imports.set(name, file);
      }
    }
  }
  return imports;
}

function reexports(path: string, text: string, paths: ReadonlySet<string>): Mount[] {
  const form = new RegExp(String.raw`\bexport\s+(?:\*|\{[^}]*\})[^'"\n;]*?\bfrom\s*${quoted}\1`, 'g');
  return [...text.matchAll(form)].flatMap(([, , specifier = '']) => {
    const file = resolved(path, specifier, paths);
    return file === undefined ? [] : [{ owner: '', prefix: '', names: [], files: [file] }];
  });
}

/** The file that an import means: beside the one that has it, or from the root as aliases of TypeScript have it. */
function resolved(from: string, specifier: string, paths: ReadonlySet<string>): string | undefined {
  const aliased = /^(?:[@~]\/|src\/|#)(.*)$/.exec(specifier)?.[1];
  const bases = specifier.startsWith('.')
    ? [posix.join(posix.dirname(from), specifier)]
    : aliased === undefined
      ? []
      : [posix.join('src', aliased), aliased];
  const endings = ['', '.ts', '.js', '.mts', '.mjs', '.cts', '.cjs', '.tsx', '/index.ts', '/index.js', '/index.mjs'];
  for (const base of bases) {
    // TypeScript is imported by the name of what is made of it.
    for (const stem of [base, base.replace(/\.([cm]?)js$/, '.$1ts')]) {
      const ending = endings.find((candidate) => paths.has(`${stem}${candidate}`));
      if (ending !== undefined) return `${stem}${ending}`;
    }
  }
  return undefined;
}

/** `request.url === '/health'`, `case '/health':`, `url: '/health'` of a Fastify route. */
function comparedPaths(text: string): OwnedPath[] {
  const forms = [
    String.raw`\b(?:url|path|pathname|originalUrl)\b\)?\s*={2,3}\s*${pathText}\1`,
    String.raw`${pathText}\1\s*={2,3}\s*[\w.]*\b(?:url|path|pathname)\b`,
    String.raw`\b(?:url|path|pathname)\.startsWith\(\s*${pathText}\1`,
    String.raw`\bcase\s+${pathText}\1\s*:`,
    String.raw`\b(?:url|path)\s*:\s*${pathText}\1`,
  ];
  return forms.flatMap((form) =>
    [...text.matchAll(new RegExp(form, 'g'))].map(([, , path = '']) => ({ owner: '', path })),
  );
}

/** `api = new Router({ prefix: '/api' })`, `api.prefix('/api')`. */
function ownPrefixes(text: string): Map<string, string> {
  const made = new RegExp(
    String.raw`(?<![\w$])([\w$]+)\s*(?::[^=\n]*)?=\s*(?:new\s+)?[\w.]*Router\s*(?:<[^>]*>)?\(\s*\{[^}]*\bprefix\s*:\s*${quoted}\2`,
    'g',
  );
  const called = new RegExp(String.raw`(?<![\w$])([\w$]+)\.prefix\(\s*${quoted}\2`, 'g');
  return new Map(
    [made, called].flatMap((form) =>
      [...text.matchAll(form)].map(([, name = '', , prefix = '']) => [name, prefix] as const),
    ),
  );
}
