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
 * What is installed with a package, in CycloneDX, by npm. The lock file says it of the root, as what runs here does not count; a
 * workspace has none of its own, and no dependency: in an empty folder npm finds it alone, or says what is missing.
 */
export async function softwareBillOfMaterials(
  { directory, name }: Pick<ReleasePackage, 'directory' | 'name'>,
  signal: AbortSignal,
): Promise<string> {
  const options = ['sbom', '--sbom-format=cyclonedx', '--no-workspaces'];
  const bom = JSON.parse(
    directory === '.'
      ? await run('npm', [...options, '--package-lock-only'], { signal })
      : await inEmptyFolder(directory, (cwd) => run('npm', [...options, '--omit=dev'], { cwd, signal })),
  ) as Bom;
  if (directory === '.') leaveInstalled(bom);
  // npm calls it as its folder is called.
  bom.metadata.component.name = name;
  return `${JSON.stringify(bom, undefined, 2)}\n`;
}

async function inEmptyFolder(directory: string, work: (place: string) => Promise<string>): Promise<string> {
  const place = mkdtempSync(join(tmpdir(), 'fairlead-sbom-'));
  try {
    const content = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as object;
    writeFileSync(join(place, 'package.json'), JSON.stringify({ ...content, devDependencies: {} }));
    return await work(place);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Takes out what is there for development alone. npm's own `--omit=dev` leaves out packages that are there for both. */
function leaveInstalled(bom: Bom): void {
  const installed = installedPackages();
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

/** `name@version` of everything that the root depends on, directly or not. */
function installedPackages(): ReadonlySet<string> {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const found = new Map<string, string>();
  const follow = (from: string): void => {
    for (const name of Object.keys(packages[from]?.dependencies ?? {})) {
      const path = foundFrom(from, name, packages);
      if (path === undefined || found.has(path)) continue;
      found.set(path, `${name}@${packages[path]?.version ?? ''}`);
      follow(path);
    }
  };
  follow('');
  return new Set(found.values());
}

/** Where Node finds a package from another one: beside it, or further up. */
function foundFrom(from: string, name: string, packages: Readonly<Record<string, unknown>>): string | undefined {
  for (let place = from; ; place = place.replace(/\/?node_modules\/(?:@[^/]+\/)?[^/]+$/, '')) {
    const path = `${place}${place === '' ? '' : '/'}node_modules/${name}`;
    if (path in packages) return path;
    if (place === '') return undefined;
  }
}
