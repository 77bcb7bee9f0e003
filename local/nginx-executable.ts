import { childOutput } from './child-output';
import { Command, Nginx, NginxSearch } from './nginx';
import { nginxTest } from './nginx-test';
import { nginxVersion } from './nginx-version';
import { WorkerUser } from './worker-user';

/** An nginx that is a plain process of this machine. The directives come before those of the configuration. */
export async function nginxExecutable(
  from: string,
  program: Command,
  { signal, workers }: NginxSearch,
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
    machineAddress: '127.0.0.1',
    command: (confPath) => withArguments(program, ...args(confPath)),
    test: (confPath) => nginxTest(withArguments(program, '-t', '-q', ...args(confPath)), signal),
  };
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
