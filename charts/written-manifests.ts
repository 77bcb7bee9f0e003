import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { App } from 'cdk8s';
import type { IConstruct } from 'constructs';

/** Writes the manifests, with whatever goes before and after. */
type Around = (write: () => void, app: App) => void;

const put = new WeakMap<App, Set<Around>>();

/** Puts something around `app.synth()` of the app that a construct is in, once for each app. */
export function aroundSynth({ node: { root } }: IConstruct, around: Around): void {
  if (!(root instanceof App)) return;
  const known = put.get(root) ?? new Set();
  if (known.has(around)) return;
  put.set(root, known.add(around));
  const write = root.synth.bind(root);
  root.synth = () => {
    around(write, root);
  };
}

/** Says in a line of its own what works and may be meant otherwise. */
export function warn(line: string): void {
  process.stderr.write(`warning: ${line}\n`);
}

/** Lets the files that hold a private key be read by their owner alone; cdk8s has no modes. */
export function keepPrivateKeys(write: () => void, app: App): void {
  mkdirSync(app.outdir, { recursive: true });
  const mode = statSync(app.outdir).mode & 0o7777;
  // Until the files are closed, their directory is.
  setMode(app.outdir, 0o700);
  try {
    write();
    for (const file of manifestsBelow(app)) {
      if (/-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/.test(readFileSync(file, 'utf8'))) setMode(file, 0o600);
    }
  } finally {
    setMode(app.outdir, mode);
  }
}

/** What apps of this process have written: several may write into one directory. */
const written = new Set<string>();

/**
 * Says which manifests of the directory are not of this app. Only the CLI of cdk8s empties it before; what a construct of another name
 * has left would be applied for ever. Nothing is deleted: it may be another program's.
 */
export function sayWhatIsLeft(write: () => void, app: App): void {
  const before = new Map(manifestsBelow(app).map((file) => [file, modified(file)]));
  write();
  const left: string[] = [];
  for (const file of manifestsBelow(app)) {
    if (before.get(file) !== modified(file)) written.add(resolve(file));
    else if (!written.has(resolve(file))) left.push(basename(file));
  }
  if (left.length === 0) return;
  const [is, it] = left.length === 1 ? ['is', 'it'] : ['are', 'them'];
  warn(
    `${app.outdir}: ${left.sort().join(', ')} ${is} not of this app, and kubectl apply -f ${app.outdir} would apply ${it} as well: delete what is left from before, as cdk8s synth does by itself`,
  );
}

/** What cdk8s writes stands in the output directory, or in one of a chart in it. */
function manifestsBelow({ outdir, outputFileExtension }: App): string[] {
  if (!existsSync(outdir)) return [];
  const directories = readdirSync(outdir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [outdir, ...directories.map(({ name }) => join(outdir, name))].flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => name.endsWith(outputFileExtension))
      .map((name) => join(directory, name)),
  );
}

function modified(file: string): bigint {
  return statSync(file, { bigint: true }).mtimeNs;
}

function setMode(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch (error) {
    // Someone else's directory, or a file system without modes.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}
