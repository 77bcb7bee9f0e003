import { type AnsweredPath, type Module, type Mount, readModule } from './modules';
import { nestPaths } from './nest-paths';
import type { SourceFile } from './source-files';

/** More places than one router has. */
const mostPrefixes = 16;

/** Every path of plain letters, which has no variables, with the prefixes of all routers that it is below. */
export function answeredPaths(files: readonly SourceFile[]): AnsweredPath[] {
  const paths = new Set(files.map(({ path }) => path));
  const modules = files.map((file) => readModule(file, paths));
  const prefixes = new Prefixes(modules, isAutoloaded(files));
  const found = modules.flatMap((module) =>
    [...module.routes, ...module.mounts.filter((mount) => answersItself(mount, module, modules)).map(asRoute)].flatMap(
      ({ owner, path }) =>
        prefixes.of(module, owner).map((prefix) => ({ path: joined(prefix, path), file: module.path })),
    ),
  );
  return [...found, ...nestPaths(files)].filter(({ path }) => /^(?:\/[\w.~-]+)+$/.test(path));
}

function asRoute({ owner, prefix }: Mount): { readonly owner: string; readonly path: string } {
  return { owner, path: prefix };
}

/** `app.use('/health', handler)`: nothing that has routes of its own stands there. */
function answersItself(mount: Mount, module: Module, modules: readonly Module[]): boolean {
  if (mount.prefix === '') return false;
  const has = ({ routes, mounts }: Module): boolean => routes.length > 0 || mounts.length > 0;
  return (
    !modules.some((other) => mount.files.includes(other.path) && has(other)) &&
    ![...module.routes, ...module.mounts].some(({ owner }) => owner !== mount.owner && mount.names.includes(owner))
  );
}

/** Whether Fastify finds the files of `routes/` by itself, each below the folder that it is in. */
function isAutoloaded(files: readonly SourceFile[]): boolean {
  return files.some(({ text }) => /['"](?:@fastify\/autoload|fastify-autoload)['"]/.test(text));
}

/** Below what the routers of each file answer. */
class Prefixes {
  constructor(
    private readonly modules: readonly Module[],
    private readonly isAutoloaded: boolean,
  ) {}

  of(module: Module, owner: string): readonly string[] {
    return products(this.ofFile(module, []), this.ofOwner(module, owner, []));
  }

  private ofFile(module: Module, seen: readonly string[]): readonly string[] {
    if (seen.includes(module.path)) return [];
    const folder = this.isAutoloaded ? /(?:^|\/)routes((?:\/[^/]+)*)\/[^/]+$/.exec(module.path)?.[1] : undefined;
    if (folder !== undefined) return [folder];
    const above = this.modules.flatMap((other) =>
      other.mounts
        .filter(({ files }) => files.includes(module.path))
        .flatMap((mount) =>
          products(
            this.ofFile(other, [...seen, module.path]),
            this.ofOwner(other, mount.owner, []).map((prefix) => joined(prefix, mount.prefix)),
          ),
        ),
    );
    return above.length === 0 ? [''] : unique(above);
  }

  private ofOwner(module: Module, owner: string, seen: readonly string[]): readonly string[] {
    const own = module.ownPrefixes.get(owner) ?? '';
    if (owner === '' || seen.includes(owner)) return [own];
    const above = module.mounts
      .filter((mount) => mount.owner !== owner && mount.names.includes(owner))
      .flatMap((mount) =>
        this.ofOwner(module, mount.owner, [...seen, owner]).map((prefix) => joined(prefix, mount.prefix)),
      );
    return (above.length === 0 ? [''] : unique(above)).map((prefix) => joined(prefix, own));
  }
}

function products(before: readonly string[], after: readonly string[]): readonly string[] {
  return unique(before.flatMap((prefix) => after.map((rest) => joined(prefix, rest))));
}

function unique(prefixes: readonly string[]): readonly string[] {
  return [...new Set(prefixes)].slice(0, mostPrefixes);
}

/** One path of several: `/api/` and `health` are `/api/health`, and nothing is nothing. */
export function joined(...parts: readonly string[]): string {
  const segments = parts.flatMap((part) => part.split('/')).filter((segment) => segment !== '');
  return segments.map((segment) => `/${segment}`).join('');
}
