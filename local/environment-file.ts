import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { InvalidOption } from '../validation/invalid-option';

/** The variables of a file (`NAME=value`), as Node's own `--env-file` reads it. */
export function environmentFile(path: string): Readonly<Record<string, string>> {
  const variables = parseEnv(textOf(path)) as Readonly<Record<string, string>>;
  const wrong = Object.keys(variables).find((name) => !/^[A-Za-z_][\w.-]*$/.test(name));
  if (wrong !== undefined) {
    throw new InvalidOption(
      '--env-file',
      path,
      `has ${JSON.stringify(wrong)}, which is not the name of a variable: give letters, digits and "_"`,
    );
  }
  return variables;
}

function textOf(path: string): string {
  let text: string;
  try {
    text = readFileSync(resolve(path), 'utf8');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'is not there' : code === 'EISDIR' ? 'is a directory' : `cannot be read (${code})`;
    throw new InvalidOption('--env-file', path, `${why}: ${JSON.stringify(resolve(path))} was looked for`);
  }
  if (text.includes('\0')) throw new InvalidOption('--env-file', path, 'has a NUL character: it is not a text file');
  return text;
}
