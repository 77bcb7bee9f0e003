import { required, type Table } from '../../validation/options';
import { filePath } from '../../validation/text';

/** A file that says who may come in, kept apart from the configuration. */
export interface AuthFile {
  /** Its place below the directory of all of them, which follows from what keeps it. */
  readonly path: string;
  readonly kind: 'secret' | 'configMap';
  /** Of the object, and of the entry in it. */
  readonly name: string;
  readonly key: string;
  /** The file that stands for it where there is no cluster. @default - none */
  readonly local: string | undefined;
  /** Whether nginx reads it when it starts, and does not start without. @default false */
  readonly isNeededAtStart?: boolean;
}

/** What stands for a Secret or ConfigMap where there is no cluster (`npm start`, `fairlead compose`). */
export interface AuthLocalOptions {
  /** A file with the same content, which is read at the start. */
  readonly file: string;
}

export const authLocalOptions = {
  file: required(filePath('ca.crt')),
} satisfies Table<AuthLocalOptions>;

export function authFile(kind: AuthFile['kind'], name: string, key: string, local: string | undefined): AuthFile {
  return { path: `${kind === 'secret' ? 'secrets' : 'config-maps'}/${name}/${key}`, kind, name, key, local };
}
