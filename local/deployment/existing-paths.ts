import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidOption } from '../../validation/invalid-option';

/** The whole path of a file that an option of main.ts names; refuses one that is not on this machine. */
export function existingFile(option: string, path: string): string {
  const file = resolve(path);
  if (existsSync(file) && statSync(file).isFile()) return file;
  throw new InvalidOption(option, path, `is not a file: ${file} was looked for`);
}

/** The same of a directory. */
export function existingDirectory(option: string, path: string): string {
  const directory = resolve(path);
  if (existsSync(directory) && statSync(directory).isDirectory()) return directory;
  throw new InvalidOption(option, path, `is not a directory: ${directory} was looked for`);
}
