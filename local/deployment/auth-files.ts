import { X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { NginxProxy } from '../../charts/proxy/nginx-proxy';
import { authFilesOf } from '../../model/auth/auth';
import { InvalidOption } from '../../validation/invalid-option';
import { existingFile } from './existing-paths';

/** Files that say who may use routes of a proxy, as far as they are on this machine. */
export interface LocalAuthFiles {
  /** The file that stands for each, by the path that nginx finds it by. */
  readonly files: Readonly<Record<string, string>>;
  /** Of each that nothing stands for what it is, and what would be needed: a line. */
  readonly missing: readonly string[];
}

export function localAuthFiles({ routes }: NginxProxy): LocalAuthFiles {
  const all = authFilesOf(routes.map(({ model }) => model));
  return {
    files: Object.fromEntries(
      all.flatMap(({ path, name, local, isNeededAtStart = false }) =>
        local === undefined
          ? []
          : [[path, (isNeededAtStart ? certificateIn : existingFile)(`${name} local.file`, local)]],
      ),
    ),
    missing: all.flatMap(({ kind, name, key, local }) =>
      local === undefined
        ? [
            `the entry ${key} of the ${kind === 'secret' ? 'Secret' : 'ConfigMap'} ${name} is not here: routes that ask for it answer 500; give it local: { file: "…" }`,
          ]
        : [],
    ),
  };
}

/** What nginx would not start with is named before. */
function certificateIn(option: string, path: string): string {
  const file = existingFile(option, path);
  try {
    new X509Certificate(readFileSync(file, 'utf8'));
    return file;
  } catch {
    throw new InvalidOption(option, path, 'is not a certificate: give that of a CA (PEM)');
  }
}

/** Writes them into a directory, as nginx reads them; gives what was written. */
export function writeAuthFiles({ files }: LocalAuthFiles, directory: string): string[] {
  return Object.entries(files).map(([path, file]) => {
    const written = join(directory, path);
    mkdirSync(dirname(written), { recursive: true });
    writeFileSync(written, readFileSync(file), { mode: 0o600 });
    return written;
  });
}
