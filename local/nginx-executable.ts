import { childOutput } from './child-output';
import { Command, Nginx } from './nginx';
import { nginxTest } from './nginx-test';
import { nginxVersion } from './nginx-version';

interface ExecutableOptions {
  readonly signal?: AbortSignal | undefined;
  /** Of the main context, before those of the configuration. @default - none */
  readonly directives?: readonly string[];
}

/** An nginx that is a plain process of this machine. */
export async function nginxExecutable(
  from: string,
  program: Command,
  { signal, directives = [] }: ExecutableOptions = {},
): Promise<Nginx> {
  const { stderr } = await childOutput(withArguments(program, '-V'), { timeout: 10_000, signal });
  const version = nginxVersion(stderr);
  return {
    describe: `nginx ${version} ${from}`,
    version,
    listenAddress: '127.0.0.1',
    machineAddress: '127.0.0.1',
    command: (confPath) => withArguments(program, ...nginxArguments(confPath, directives)),
    test: (confPath) => nginxTest(withArguments(program, '-t', '-q', ...nginxArguments(confPath, directives)), signal),
  };
}

/** The error log that was compiled in is a system path, and is opened before the configuration is read. */
export function nginxArguments(confPath: string, directives: readonly string[] = []): string[] {
  const all = [...directives, ...asRoot()];
  return ['-e', 'stderr', '-c', confPath, ...(all.length === 0 ? [] : ['-g', `${all.join('; ')};`])];
}

/** Started by root, nginx would give its workers to `nobody`, who may not read a private key that root made. */
function asRoot(): string[] {
  if (process.getuid?.() !== 0) return [];
  return [`user root ${process.platform === 'darwin' ? 'wheel' : 'root'}`];
}

function withArguments({ file, args }: Command, ...more: readonly string[]): Command {
  return { file, args: [...args, ...more] };
}
