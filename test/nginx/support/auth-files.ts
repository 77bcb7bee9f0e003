import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Auth } from '../../../model/auth/auth';
import { RouteModel } from '../../../model/routes/route';
import { onFileFinished } from '../../afterwards';
import { RouteParts } from './models';

/** A directory of files that say who may use routes, gone with the tests of a file. */
export class AuthDirectory {
  readonly path = mkdtempSync(join(tmpdir(), 'fairlead-auth-'));

  constructor() {
    onFileFinished(() => {
      this.remove('');
    });
  }

  /** In one step, as the kubelet does. */
  write(path: string, content: string): void {
    const file = join(this.path, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, content);
    renameSync(`${file}.new`, file);
  }

  remove(path: string): void {
    rmSync(join(this.path, path), { recursive: true, force: true });
  }
}

/** What a route has of it. */
export function authParts({ model }: Auth): Pick<RouteModel, 'auth'> & Pick<RouteParts, 'requestHeaders'> {
  return model === undefined ? {} : { auth: model, requestHeaders: model.requestHeaders };
}

/** A line of a password file, as RFC 2307 has it: cheap to make, and to compare. */
export function passwordLine(user: string, password: string): string {
  const salt = Buffer.from('salt');
  const digest = createHash('sha1').update(password).update(salt).digest();
  return `${user}:{SSHA}${Buffer.concat([digest, salt]).toString('base64')}\n`;
}

/** The header of a client that knows a password. */
export function basic(user: string, password: string): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}
