import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { relative, resolve, sep } from 'node:path';
import { Failure, untilSignal } from '../../cluster/command-line';
import { deployedApps } from '../../cluster/deployed-apps';
import { Output } from '../../local/terminal/output';
import { type Manifest, podSpecsOf } from '../doctor/needs';
import { withCurrentDigest } from './registry';

export interface ImagesOptions {
  readonly main: string;
  /** Whether digests are renewed. */
  readonly write: boolean;
}

/** An image, as main.ts names it, and whose pods run it. */
interface Use {
  readonly image: string;
  readonly users: readonly string[];
}

/** What its registry says: the image with the digest that its tag has, or why that is not known. */
interface Answer extends Use {
  readonly now?: string;
  readonly problem?: string;
}

/** `fairlead images`: sets exit code 1 if a registry did not say. */
export function images({ main, write }: ImagesOptions): Promise<void> {
  return untilSignal('fairlead', async (signal) => {
    const file = resolve(main);
    const environment = process.env.FAIRLEAD_ENVIRONMENT ?? 'production';
    const apps = deployedApps(file, { FAIRLEAD_ENVIRONMENT: environment });
    const uses = usesOf(apps.flatMap((app) => app.charts.flatMap((chart) => chart.toJson() as Manifest[])));
    const answers = await Promise.all(uses.map((use) => answered(use, signal)));
    const output = new Output(process.stdout);
    output.block(answers.flatMap((answer) => linesOf(answer)));
    if (write) output.block(renewed(ownFiles(file), answers));
    if (answers.some(({ problem }) => problem !== undefined)) process.exitCode = 1;
  });
}

/** Each image once, wherever there are pods. */
function usesOf(manifests: readonly Manifest[]): readonly Use[] {
  const users = new Map<string, Set<string>>();
  for (const { kind, metadata, spec } of manifests) {
    const { namespace, name } = metadata;
    const user = `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
    for (const { containers, initContainers = [] } of podSpecsOf(spec)) {
      for (const { image } of [containers, initContainers].flat() as { readonly image?: string }[]) {
        if (image !== undefined) users.set(image, (users.get(image) ?? new Set<string>()).add(user));
      }
    }
  }
  return [...users].map(([image, names]) => ({ image, users: [...names] }));
}

async function answered(use: Use, signal: AbortSignal): Promise<Answer> {
  try {
    return { ...use, now: await withCurrentDigest(use.image, signal) };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    return { ...use, problem: error.message };
  }
}

function linesOf({ image, users, now, problem }: Answer): readonly string[] {
  const found = now === image ? 'is what its tag has' : `image: '${now ?? ''}'`;
  return [`${image}  (${users.join(', ')})`, `  ${problem ?? found}`];
}

/** Puts new digests in the place of old ones in these files, and says what it has done. */
function renewed(files: readonly string[], answers: readonly Answer[]): readonly string[] {
  const lines = answers.flatMap(({ image, now }) => {
    if (!image.includes('@') || now === undefined || now === image) return [];
    const holders = files.filter((file) => replaced(file, image, now)).map((file) => relative('.', file));
    if (holders.length === 0) return [`${image} stands in no file as a whole: renew it where it is put together`];
    return [`${image} is renewed in ${holders.join(', ')}`];
  });
  return lines.length === 0 ? ['No digest had to be renewed'] : lines;
}

/** Whether the file had the image, which it has by its new digest then. One whose name only ends so is another. */
function replaced(file: string, image: string, now: string): boolean {
  const before = readFileSync(file, 'utf8');
  const isLonger = (at: number): boolean => /[\w./:-]/.test(before.charAt(at - 1));
  const after = before.replaceAll(image, (match, at: number) => (isLonger(at) ? match : now));
  if (after === before) return false;
  writeFileSync(file, after);
  return true;
}

/** main.ts, and the modules that it has loaded, but for those that were installed. */
function ownFiles(main: string): readonly string[] {
  const load = createRequire(main);
  const path = load.resolve(main);
  const files = new Set([path]);
  const modules = [load.cache[path]];
  for (const module of modules) {
    for (const child of module?.children ?? []) {
      if (files.has(child.filename) || child.filename.includes(`${sep}node_modules${sep}`)) continue;
      files.add(child.filename);
      modules.push(child);
    }
  }
  return [...files];
}
