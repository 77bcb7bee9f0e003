import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../usage-error';

type Texts = Readonly<Record<string, string>>;

/** What of an app's package.json is looked at; what is of another type than it should be is passed over. */
export interface PackageJson {
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly main: string | undefined;
  readonly repository: string | undefined;
  readonly scripts: Texts;
  readonly dependencies: Texts;
  readonly devDependencies: Texts;
  readonly jest: Readonly<Record<string, unknown>>;
}

/** That of a directory; undefined if it has none. */
export function packageJson(directory: string): PackageJson | undefined {
  const file = join(directory, 'package.json');
  if (!existsSync(file)) return undefined;
  const content = group(parsed(file));
  const { repository } = content;
  return {
    name: text(content.name),
    version: text(content.version),
    main: text(content.main),
    repository: text(repository) ?? text(group(repository).url),
    scripts: texts(content.scripts),
    dependencies: texts(content.dependencies),
    devDependencies: texts(content.devDependencies),
    jest: group(content.jest),
  };
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    const reason = error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error);
    throw new UsageError(`${JSON.stringify(file)} cannot be read: ${reason}`);
  }
}

function group(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function texts(value: unknown): Texts {
  const entries = Object.entries(group(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(entries);
}
