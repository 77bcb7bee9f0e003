import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ExternalCommandFailure, run } from '../cluster/external-command';
import { softwareBillOfMaterials } from './sbom';

/** A package that is published, as its package.json says. */
export interface ReleasePackage {
  readonly directory: string;
  readonly name: string;
  readonly version: string;
}

/** A package as it would be published. */
export interface Packed extends ReleasePackage {
  /** The name of its tarball. */
  readonly file: string;
  /** Of the tarball, as the registry has it. */
  readonly integrity: string;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly files: number;
  /** What the checks that failed said, by their names. */
  readonly problems: ReadonlyMap<string, string>;
}

/** In the order in which they are published, so that each finds what it leads to: what create-fairlead writes installs and runs the others. */
const directories = ['serve', '.', 'reliability', 'create'] as const;

export function releasePackages(): readonly ReleasePackage[] {
  return directories.map(releasePackage);
}

export function releasePackage(directory: string): ReleasePackage {
  const { name, version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as ReleasePackage;
  return { directory, name, version };
}

/** By their programs: what each is given to look at a tarball. */
export const checks: Readonly<Record<string, (tarball: string) => readonly string[]>> = {
  publint: (tarball) => ['run', tarball, '--strict'],
  // The oldest way to resolve modules knows no `exports`, and so not what is preloaded by `fairlead/one-line-errors`.
  attw: (tarball) => [tarball, '--profile=node16'],
};

/**
 * Packs a package into a folder, given by its whole path, with an SBOM, and checks it. It says of itself that it is of the repository
 * at this address, where that is known.
 */
export async function pack(
  each: ReleasePackage,
  folder: string,
  repository: string | undefined,
  signal: AbortSignal,
): Promise<Packed> {
  const { directory, name, version } = each;
  const manifest = join(directory, 'package.json');
  const written = readFileSync(manifest, 'utf8');
  try {
    if (repository !== undefined) writeFileSync(manifest, withAddresses(written, repository, directory));
    await run('npm', ['pack', `--pack-destination=${folder}`, '--loglevel=error'], { cwd: directory, signal });
  } finally {
    writeFileSync(manifest, written);
  }
  const file = `${name}-${version}.tgz`;
  const tarball = join(folder, file);
  const content = readFileSync(tarball);
  writeFileSync(join(folder, `${name}-${version}.cdx.json`), await softwareBillOfMaterials(each, signal));
  return {
    ...each,
    file,
    integrity: `sha512-${createHash('sha512').update(content).digest('base64')}`,
    packedBytes: content.length,
    ...contentsOf(gunzipSync(content)),
    problems: await problemsOf(tarball, signal),
  };
}

/** A package.json with the addresses that the registry shows; with that of the repository it compares provenance. */
function withAddresses(manifest: string, repository: string, directory: string): string {
  const isRoot = directory === '.';
  const addresses = {
    repository: { type: 'git', url: `git+${repository}.git`, ...(isRoot ? {} : { directory }) },
    homepage: `${repository}${isRoot ? '' : `/tree/main/${directory}`}#readme`,
    bugs: { url: `${repository}/issues` },
  };
  return `${JSON.stringify({ ...(JSON.parse(manifest) as object), ...addresses }, undefined, 2)}\n`;
}

async function problemsOf(tarball: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const problems = new Map<string, string>();
  for (const [program, args] of Object.entries(checks)) {
    try {
      await run(program, args(tarball), { signal });
    } catch (error) {
      if (!(error instanceof ExternalCommandFailure)) throw error;
      problems.set(program, `${error.stdout}${error.stderr}`.trim());
    }
  }
  return problems;
}

const block = 512;

/**
 * Files of an archive, and their bytes together. Before each stands a block that has its size in octal digits from byte 124
 * on, and at 156 what it is; an empty block ends the archive.
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */
function contentsOf(archive: Buffer): { readonly files: number; readonly unpackedBytes: number } {
  let files = 0;
  let unpackedBytes = 0;
  let at = 0;
  while (at + block <= archive.length && archive[at] !== 0) {
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 136), 8);
    if (archive.toString('latin1', at + 156, at + 157) === '0') {
      files += 1;
      unpackedBytes += size;
    }
    at += block + Math.ceil(size / block) * block;
  }
  return { files, unpackedBytes };
}
