import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import type { Backend } from '../../charts/backend';
import { temporaryDirectory } from '../../charts/pods/volume-mounts';
import type { Timeline } from '../../model/timeline';
import { existingDirectory } from './existing-paths';
import { childOutput } from '../processes/child-output';
import { nodeScript } from '../processes/node-script';
import { InstanceProgram } from '../processes/api-process';

/** What runs on this machine for a backend. */
export interface Program {
  /** Its own command, its image in Docker, or fairlead's example API in its place. */
  readonly kind: 'command' | 'image' | 'example';
  /** For people: `node`, `ghcr.io/acme/orders:1.4.2`. */
  readonly name: string;
  /** What starts one instance. */
  readonly instance: InstanceProgram;
  /** Of gRPC the name of a service. */
  readonly healthCheckPath: string;
  /** What its pods have of the cluster and it does not, a line each. */
  readonly missing: readonly string[];
  /** Where its files are, which may change. Undefined of an image. */
  readonly directory: string | undefined;
}

/** Whether an image can run on this machine. */
export type HasImage = (image: string) => Promise<boolean>;

interface ThisMachine {
  readonly hasImage: HasImage;
  /** What was given for this run. */
  readonly environment: Variables;
}

/** The command of a backend, or its image where it can run, or the example API. */
export async function programOf(
  backend: Backend,
  times: Timeline,
  { hasImage, environment }: ThisMachine,
): Promise<Program> {
  const { local, image } = backend.settings;
  const given: Given = {
    agreed: {
      KEEP_ALIVE_TIMEOUT_SECONDS: String(times.keepAliveTimeout),
      REQUEST_TIMEOUT_SECONDS: String(times.requestTimeout),
      SHUTDOWN_TIMEOUT_SECONDS: String(times.apiShutdownTimeout),
    },
    // As Node itself reads such a file: what is set already stays.
    ofRun: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, process.env[name] ?? value])),
  };
  if (local?.command !== undefined) return commandProgram(backend, local.command, given);
  if (await hasImage(image)) return imageProgram(backend, given);
  if (backend.settings.protocol === 'grpc') {
    throw new Error(
      `${backend.node.id} has no program on this machine, and fairlead's example API does not speak gRPC: give it one in main.ts, such as local: { command: ["node", "server.js"] }, or docker pull its image`,
    );
  }
  return exampleProgram(backend.node.id, given);
}

type Variables = Readonly<Record<string, string>>;

/** Variables that come from elsewhere than main.ts. */
interface Given {
  /** What it has to agree on with nginx. */
  readonly agreed: Variables;
  readonly ofRun: Variables;
}

function commandProgram(backend: Backend, [file = '', ...args]: readonly string[], given: Given): Program {
  const { local, healthCheck } = backend.settings;
  const values = environmentOf(backend, given);
  const directory = local?.directory;
  const command = {
    file,
    args,
    ...(directory === undefined
      ? {}
      : { directory: existingDirectory(`${backend.node.id} local.directory`, directory) }),
  };
  return {
    kind: 'command',
    name: file,
    instance: ({ name, port }) => ({
      command,
      // Instances share the ports of this machine: where fairlead-serve serves metrics is any free one.
      environment: { METRICS_PORT: '0', ...process.env, ...values, ...address(name, port) },
    }),
    healthCheckPath: healthCheck.path,
    missing: missingHere(backend, given.ofRun),
    directory: command.directory ?? process.cwd(),
  };
}

/** With no more rights than its pods have. */
function imageProgram(backend: Backend, given: Given): Program {
  const { image, port: ownPort, command = [], args = [], healthCheck, pods } = backend.settings;
  const values = environmentOf(backend, given);
  const [entrypoint, ...entrypointArguments] = command;
  const environment = { ...values, PORT: String(ownPort) };
  const hidden = Object.fromEntries(Object.entries(environment).filter(([name]) => !isOfDocker(name)));
  return {
    kind: 'image',
    name: image,
    instance: ({ name, port }) => {
      const container = `fairlead-${name}-${randomUUID()}`;
      return {
        command: {
          file: 'docker',
          args: [
            'run',
            '--rm',
            `--name=${container}`,
            `--hostname=${name}`,
            `--publish=127.0.0.1:${port}:${ownPort}`,
            '--read-only',
            '--tmpfs=/tmp',
            '--cap-drop=ALL',
            '--security-opt=no-new-privileges',
            ...(pods.user === undefined ? [] : [`--user=${pods.user}`]),
            ...variables(environment),
            ...(entrypoint === undefined ? [] : [`--entrypoint=${entrypoint}`]),
            image,
            ...entrypointArguments,
            ...args,
          ],
          kill: { file: 'docker', args: ['rm', '--force', container] },
        },
        environment: { ...process.env, ...hidden },
      };
    },
    healthCheckPath: healthCheck.path,
    missing: missingHere(backend, given.ofRun),
    directory: undefined,
  };
}

/** Values stand in Docker's own environment, where no list of processes shows them, unless they would be its own. */
function variables(environment: Variables): string[] {
  return Object.entries(environment).map(([name, value]) =>
    isOfDocker(name) ? `--env=${name}=${value}` : `--env=${name}`,
  );
}

/** Variables that Docker's own program goes by, its runtime (Go), and what loads it. */
const ofDocker =
  /^(?:DOCKER|LD|DYLD|SSL_CERT)_|^GO(?:COVERDIR|DEBUG|GC|MAXPROCS|MEMLIMIT|TRACEBACK)$|^(?:https?|no|all)_proxy$/i;

/** Whether Docker has a variable of this name, or would go by it. */
function isOfDocker(name: string): boolean {
  return name in process.env || ofDocker.test(name);
}

/** The repository has it; the package, which is for other APIs, does not. */
function exampleProgram(backend: string, { agreed, ofRun }: Given): Program {
  const script = exampleApi(backend);
  return {
    kind: 'example',
    name: "fairlead's example API",
    instance: ({ name, port }) => ({
      command: nodeScript(script),
      environment: {
        ...process.env,
        ...agreed,
        ...ofRun,
        DIAGNOSTIC_ENDPOINTS: 'true',
        ...address(name, port),
      },
    }),
    healthCheckPath: '/healthcheck',
    missing: [],
    directory: dirname(script),
  };
}

function exampleApi(backend: string): string {
  try {
    return require.resolve('../../api/src/main');
  } catch {
    throw new Error(
      `${backend} has no program on this machine: give it one in main.ts, such as local: { command: ["node", "server.js"] }, or docker pull its image`,
    );
  }
}

function address(name: string, port: number): Variables {
  return { PORT: String(port), HOST: '127.0.0.1', HOSTNAME: name };
}

/** Whether Docker has an image. It is never pulled: what starts must not wait for a registry, nor ask for its password. */
export const isInDocker: HasImage = (image) => {
  const inspect = { file: 'docker', args: ['image', 'inspect', '--format={{.Id}}', image] };
  return childOutput(inspect, { timeout: 5000 }).then(
    () => true,
    () => false,
  );
};

/** Variables of a backend on this machine. */
function environmentOf(backend: Backend, { agreed, ofRun }: Given): Variables {
  return { ...plainEnvironment(backend), ...agreed, ...backend.settings.local?.environment, ...ofRun };
}

/** Variables of a backend that are text. */
export function plainEnvironment({ settings }: Backend): Variables {
  return Object.fromEntries(
    Object.entries(settings.environment).flatMap(([name, { value }]) =>
      typeof value === 'string' ? [[name, value]] : [],
    ),
  );
}

/** What the pods of a backend have of the cluster, and what runs on this machine does not, a line each. */
export function missingHere({ node: { id }, settings }: Backend, ofRun: Variables = {}): readonly string[] {
  const own = { ...settings.local?.environment, ...ofRun };
  const variables = Object.entries(settings.environment)
    .filter(([name, { value }]) => typeof (value as unknown) !== 'string' && !(name in own))
    .map(([name]) => `${id} is not told ${name}, which comes from the cluster: give it in local.environment`);
  const groups =
    settings.envFrom.length === 0
      ? []
      : [`${id} is not told the variables of envFrom, which come from the cluster: give them in local.environment`];
  const volumes = settings.volumes
    .filter(({ path }) => path !== temporaryDirectory)
    .map(({ path }) => `${id} has no volume at ${path} here: it finds there what this machine has`);
  return [...variables, ...groups, ...volumes];
}
