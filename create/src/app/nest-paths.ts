import type { AnsweredPath } from './modules';
import type { SourceFile } from './source-files';

const quoted = String.raw`(['"\`])([^'"\`$]*)\1`;

/** What controllers of Nest answer to GET, below the global prefix and their version. */
export function nestPaths(files: readonly SourceFile[]): AnsweredPath[] {
  const { prefix, excluded } = globalPrefix(files);
  const version = versions(files);
  return files.flatMap(({ path: file, text }) =>
    text
      .split(/(?=@(?:Json)?Controller\()/)
      .filter((part) => /^@(?:Json)?Controller\(/.test(part))
      .flatMap((controller) => {
        const base = controllerPath(controller);
        const methods = [...controller.matchAll(/@(?:Get|All|Head)\(\s*(?:(['"`])([^'"`$]*)\1)?\s*\)/g)];
        return methods.map(([, , path = '']) => {
          const own = trimmed(`${trimmed(base)}/${trimmed(path)}`);
          const parts = [excluded.includes(own) ? '' : prefix, version(controller), own];
          return {
            path: `/${parts
              .map(trimmed)
              .filter((part) => part !== '')
              .join('/')}`,
            file,
          };
        });
      }),
  );
}

/** `@Controller('health')`, `@Controller({ path: 'health', version: '1' })`. */
function controllerPath(controller: string): string {
  const direct = new RegExp(String.raw`^@\w+\(\s*${quoted}`).exec(controller)?.[2];
  return direct ?? new RegExp(String.raw`^@\w+\(\s*\{[^}]*\bpath\s*:\s*${quoted}`).exec(controller)?.[2] ?? '';
}

function globalPrefix(files: readonly SourceFile[]): { readonly prefix: string; readonly excluded: readonly string[] } {
  for (const { text } of files) {
    const found = new RegExp(String.raw`setGlobalPrefix\(\s*${quoted}([^;]*)`).exec(text);
    if (found === null) continue;
    const list = /\bexclude\s*:\s*\[([^\]]*)\]/.exec(found[3] ?? '')?.[1] ?? '';
    const excluded = [...list.matchAll(new RegExp(quoted, 'g'))].map(([, , path = '']) => trimmed(path));
    return { prefix: found[2] ?? '', excluded };
  }
  return { prefix: '', excluded: [] };
}

/** `v1` for a controller that has a version in its path. */
function versions(files: readonly SourceFile[]): (controller: string) => string {
  const [, settings] =
    files.map(({ text }) => /enableVersioning\(([^;]*)/.exec(text)).find((found) => found !== null) ?? [];
  if (settings === undefined || /VersioningType\.(?!URI)/.test(settings)) return () => '';
  const otherwise = new RegExp(String.raw`defaultVersion\s*:\s*${quoted}`).exec(settings)?.[2];
  return (controller) => {
    const [head = ''] = controller.split(/\bclass\b/);
    if (head.includes('VERSION_NEUTRAL')) return '';
    const own = new RegExp(String.raw`\bversion\s*:\s*${quoted}`).exec(head)?.[2] ?? otherwise;
    return own === undefined ? '' : `v${own}`;
  };
}

function trimmed(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}
