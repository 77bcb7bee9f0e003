import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cluster/external-command';
import type { ReleasePackage } from './packages';

interface Bom {
  readonly metadata: { readonly component: { name: string; readonly 'bom-ref': string } };
  components: readonly Component[];
  dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly properties?: readonly { readonly name: string }[];
}

interface LockedPackage {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * What is installed with a package, in CycloneDX, by npm: as the lock file says it. It has one for the whole repository, in which what
 * runs here alone is left out; a workspace gets its part of it in an empty folder, where npm finds nothing else.
 */
export async function softwareBillOfMaterials(
  { directory, name }: Pick<ReleasePackage, 'directory' | 'name'>,
  signal: AbortSignal,
): Promise<string> {
  const args = ['sbom', '--sbom-format=cyclonedx', '--no-workspaces', '--package-lock-only'];
  const bom = JSON.parse(
    directory === '.'
      ? await run('npm', args, { signal })
      : await inFolderOfItsOwn(directory, (cwd) => run('npm', args, { cwd, signal })),
  ) as Bom;
  if (directory === '.') leaveInstalled(bom);
  // npm calls it as its folder is called.
  bom.metadata.component.name = name;
  return `${JSON.stringify(bom, undefined, 2)}\n`;
}

async function inFolderOfItsOwn(directory: string, work: (place: string) => Promise<string>): Promise<string> {
  const place = mkdtempSync(join(tmpdir(), 'fairlead-sbom-'));
  try {
    const own = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as object;
    const content = { ...own, devDependencies: {} };
    const entries = [...installedFrom(directory)].map(([path, entry]) => [
      path.slice(path.indexOf('node_modules/')),
      { ...entry, dev: false },
    ]);
    const packages = { '': content, ...(Object.fromEntries(entries) as object) };
    writeFileSync(join(place, 'package.json'), JSON.stringify(content));
    writeFileSync(join(place, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, requires: true, packages }));
    return await work(place);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Takes out what is there for development alone. npm's own `--omit=dev` leaves out packages that are there for both. */
function leaveInstalled(bom: Bom): void {
  const installed = new Set(
    [...installedFrom('')].map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`),
  );
  const refs = new Set([bom.metadata.component['bom-ref']]);
  bom.components = bom.components.flatMap((component) => {
    if (!installed.has(`${component.name}@${component.version}`)) return [];
    refs.add(component['bom-ref']);
    const properties = component.properties?.filter(({ name }) => name !== 'cdx:npm:package:development') ?? [];
    return [{ ...component, properties }];
  });
  bom.dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((each) => refs.has(each)) }));
}

/** Everything that a folder of the lock file depends on, directly or not, by its path there. */
function installedFrom(folder: string): ReadonlyMap<string, LockedPackage> {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const found = new Map<string, LockedPackage>();
  const follow = (from: string): void => {
    for (const name of Object.keys(packages[from]?.dependencies ?? {})) {
      const path = foundFrom(from, name, packages);
      const entry = path === undefined ? undefined : packages[path];
      if (path === undefined || entry === undefined || found.has(path)) continue;
      found.set(path, entry);
      follow(path);
    }
  };
  follow(folder);
  return found;
}

/** Where Node finds a package from another one: beside it, or further up. */
function foundFrom(from: string, name: string, packages: Readonly<Record<string, unknown>>): string | undefined {
  for (let place = from; ; place = folderAbove(place)) {
    const path = `${place}${place === '' ? '' : '/'}node_modules/${name}`;
    if (path in packages) return path;
    if (place === '') return undefined;
  }
}

/** `reliability` of `reliability/node_modules/ws`, and the root of that. */
function folderAbove(place: string): string {
  const end = place.lastIndexOf('node_modules/');
  return end === -1 ? '' : place.slice(0, end).replace(/\/$/, '');
}
