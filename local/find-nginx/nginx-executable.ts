import { join } from 'node:path';
import { isAtLeast } from '../package-version';
import { childOutput, Command } from '../processes/child-output';
import { Nginx, NginxSearch, usualModulesDirectory } from './nginx';
import { WorkerUser } from './worker-user';

/** An nginx that is a plain process of this machine. The directives come before those of the configuration. */
export async function nginxExecutable(
  from: string,
  program: Command,
  { signal, workers, clientAddress = '127.0.0.1' }: NginxSearch,
  directives: readonly string[] = [],
): Promise<Nginx> {
  const { stderr } = await childOutput(withArguments(program, '-V'), { timeout: 10_000, signal });
  const version = nginxVersion(stderr);
  const args = (confPath: string): string[] =>
    nginxArguments(confPath, [...directives, ...userDirective(workers ?? root)]);
  return {
    describe: `nginx ${version} ${from}`,
    version,
    listenAddress: '127.0.0.1',
    clientAddress,
    machineAddress: '127.0.0.1',
    modulesDirectory: modulesDirectory(program),
    command: (confPath) => withArguments(program, ...args(confPath)),
    test: (confPath) => nginxTest(withArguments(program, '-t', '-q', ...args(confPath)), signal),
  };
}

/** Below the prefix, where it has one of its own. */
function modulesDirectory({ args }: Command): string {
  const prefix = args[args.indexOf('-p') + 1];
  return args.includes('-p') && prefix !== undefined ? join(prefix, 'modules') : usualModulesDirectory;
}

/** The error log that was compiled in is a system path, and is opened before the configuration is read. */
export function nginxArguments(confPath: string, directives: readonly string[]): string[] {
  const global = directives.length === 0 ? [] : ['-g', directives.map((text) => `${text};`).join(' ')];
  return ['-e', 'stderr', '-c', confPath, ...global];
}

/** Unless told, an nginx of root's would give its workers to a user that was compiled in. */
export function userDirective({ name, group }: Pick<WorkerUser, 'name' | 'group'>): string[] {
  return process.getuid?.() === 0 ? [`user ${name} ${group}`] : [];
}

const root = { name: 'root', group: process.platform === 'darwin' ? 'wheel' : 'root' };

function withArguments({ file, args }: Command, ...more: readonly string[]): Command {
  return { file, args: [...args, ...more] };
}

/** Runs an `nginx -t`; rejects with what nginx says. */
export async function nginxTest(command: Command, signal?: AbortSignal): Promise<void> {
  // nginx opens `access_log /dev/stdout` even to test it.
  await childOutput(command, { ignoreStdout: true, signal });
}

/** `server … resolve` with all that the configuration needs is in 1.30, and X25519MLKEM768 is in OpenSSL 3.5. */
const needed = { nginx: [1, 30], openssl: [3, 5] } as const;

/** Reads the output of `nginx -V`; throws if this nginx is too old. */
export function nginxVersion(output: string): string {
  const version = /nginx version: nginx\/(\S+)/.exec(output)?.[1];
  if (version === undefined) {
    throw new Error('is not nginx: its -V does not give a version');
  }
  if (!isAtLeast(version, needed.nginx)) {
    throw new Error(`is nginx ${version}, and ${needed.nginx.join('.')} or newer is needed`);
  }
  // The library that it runs with counts, which may be newer than the one it was built with.
  const openssl = /running with OpenSSL (\S+)/.exec(output)?.[1] ?? /built with OpenSSL (\S+)/.exec(output)?.[1];
  if (openssl === undefined || !isAtLeast(openssl, needed.openssl)) {
    throw new Error(
      `is nginx ${version} with ${openssl === undefined ? 'no OpenSSL' : `OpenSSL ${openssl}`}, and OpenSSL ${needed.openssl.join('.')} or newer is needed`,
    );
  }
  return version;
}
