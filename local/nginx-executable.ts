import { childOutput } from './child-output';
import { Command, Nginx } from './nginx';
import { nginxTest } from './nginx-test';
import { nginxVersion } from './nginx-version';

/** An nginx that is a plain process of this machine. */
export async function nginxExecutable(from: string, program: Command, signal?: AbortSignal): Promise<Nginx> {
  const { stderr } = await childOutput(withArguments(program, '-V'), { timeout: 10_000, signal });
  const version = nginxVersion(stderr);
  return {
    describe: `nginx ${version} ${from}`,
    version,
    listenAddress: '127.0.0.1',
    machineAddress: '127.0.0.1',
    command: (confPath) => withArguments(program, ...nginxArguments(confPath)),
    test: (confPath) => nginxTest(withArguments(program, '-t', '-q', ...nginxArguments(confPath)), signal),
  };
}

/** The error log that was compiled in is a system path, and is opened before the configuration is read. */
export function nginxArguments(confPath: string): string[] {
  return ['-e', 'stderr', '-c', confPath, ...asRoot()];
}

/** Started by root, nginx would give its workers to `nobody`, who may not read a private key that root made. */
function asRoot(): string[] {
  if (process.getuid?.() !== 0) return [];
  return ['-g', `user root ${process.platform === 'darwin' ? 'wheel' : 'root'};`];
}

function withArguments({ file, args }: Command, ...more: readonly string[]): Command {
  return { file, args: [...args, ...more] };
}
