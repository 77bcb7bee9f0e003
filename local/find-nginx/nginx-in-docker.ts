import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { ipAddress } from '../../validation/addresses';
import { childOutput } from '../processes/child-output';
import { Nginx, NginxSearch, NotFetched, usualModulesDirectory } from './nginx';
import { nginxArguments, nginxTest, nginxVersion, userDirective } from './nginx-executable';

const image = 'nginx:1.30';
/** Of the ports that it listens on, the first ones. */
const clientPorts = 2;

/** The official image in a Docker engine that runs on this machine. */
export async function nginxInDocker({
  signal,
  workers,
  clientAddress = '127.0.0.1',
  directories = [],
}: NginxSearch): Promise<Nginx> {
  const operatingSystem = await docker(['info', '--format', '{{.OperatingSystem}}'], signal);
  await docker(['image', 'inspect', '--format', '{{.Id}}', image], signal).catch(() => pull(signal));

  // In a virtual machine (macOS, Docker Desktop) "host" is that machine: ports are published, and this one has a name.
  const inVirtualMachine = process.platform !== 'linux' || operatingSystem.includes('Docker Desktop');
  const { stderr } = await childOutput(
    { file: 'docker', args: ['run', '--rm', '--network', 'none', '--entrypoint', 'nginx', image, '-V'] },
    { timeout: 60_000, signal },
  );
  const version = nginxVersion(stderr);
  const published = ipAddress('--listen', clientAddress);
  const machineAddress = inVirtualMachine ? await addressOfThisMachine(signal) : '127.0.0.1';

  // What nginx writes below the mounted directory must belong to whoever removes it, which root always can.
  const [uid, gid] = [workers?.uid ?? process.getuid?.(), workers?.gid ?? process.getgid?.()];
  const user = uid === undefined || gid === undefined ? [] : [`--user=${uid}:${gid}`];
  const run = (confPath: string, network: readonly string[], ...more: readonly string[]): string[] => [
    'run',
    '--rm',
    '--read-only',
    '--cap-drop=ALL',
    // Even from root to root, nginx changes the user of its workers.
    '--cap-add=SETUID',
    '--cap-add=SETGID',
    '--security-opt=no-new-privileges',
    ...network,
    ...user,
    `--volume=${dirname(confPath)}:${dirname(confPath)}`,
    ...directories.map((path) => `--mount=type=bind,readonly,${csvField('source', path)},${csvField('target', path)}`),
    ...more,
    '--entrypoint=nginx',
    image,
    ...nginxArguments(confPath, workers === undefined ? userDirective({ name: 'root', group: 'root' }) : []),
  ];

  return {
    describe: `nginx ${version} from the image ${image}`,
    version,
    listenAddress: inVirtualMachine ? '0.0.0.0' : '127.0.0.1',
    clientAddress: inVirtualMachine ? '0.0.0.0' : clientAddress,
    machineAddress,
    modulesDirectory: usualModulesDirectory,
    command: (confPath, ports = []) => {
      const name = `fairlead-${randomUUID()}`;
      const network = inVirtualMachine
        ? ports.map((port, index) => `--publish=${index < clientPorts ? published : '127.0.0.1'}:${port}:${port}`)
        : ['--network=host'];
      return {
        file: 'docker',
        args: run(confPath, network, `--name=${name}`),
        kill: { file: 'docker', args: ['rm', '--force', name] },
      };
    },
    test: (confPath) => nginxTest({ file: 'docker', args: [...run(confPath, ['--network=none']), '-t', '-q'] }, signal),
  };
}

/** A path may have a comma in it. */
function csvField(name: string, path: string): string {
  return `"${name}=${path.replaceAll('"', '""')}"`;
}

async function docker(args: readonly string[], signal?: AbortSignal): Promise<string> {
  const { stdout } = await childOutput({ file: 'docker', args }, { timeout: 10_000, signal });
  return stdout.trim();
}

/** Docker's own progress is shown, on standard error, and so is what it says if it fails. */
async function pull(signal?: AbortSignal): Promise<void> {
  process.stderr.write(`Pulling the image ${image} …\n`);
  try {
    await childOutput({ file: 'docker', args: ['pull', image] }, { output: 'shown', signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new NotFetched(`the image ${image} could not be pulled: Docker's lines above say why`, { cause: error });
  }
}

async function addressOfThisMachine(signal?: AbortSignal): Promise<string> {
  const { stdout } = await childOutput(
    { file: 'docker', args: ['run', '--rm', '--entrypoint', 'getent', image, 'ahostsv4', 'host.docker.internal'] },
    { timeout: 60_000, signal },
  );
  const address = /^[\d.]+/.exec(stdout)?.[0];
  if (address === undefined) throw new Error('the engine does not know this machine as host.docker.internal');
  return address;
}
