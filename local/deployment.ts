import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { App } from 'cdk8s';
import type { Backend } from '../charts/backend';
import { LoadBalancedApi } from '../charts/load-balanced-api';
import { NginxProxy } from '../charts/nginx-proxy';
import { loadedApps } from '../charts/loaded-apps';
import type { ProxyModel } from '../model/proxy';
import { type Timeline } from '../model/timeline';
import { backendTimes, localHosts, modelElsewhere, proxyTimes } from './elsewhere';
import { Command } from './processes/child-output';
import { nodeScript, nodeScriptEnvironment } from './processes/node-script';
import { StartOptions, UsageError } from './start-options';

/** The name below which instances are found. `internal` is for such names. https://www.icann.org/en/board-activities-and-meetings/materials/approved-resolutions-special-meeting-of-the-icann-board-29-07-2024-en */
export const zone = 'internal';

/** A backend whose instances are processes. */
export interface LocalBackend {
  readonly name: string;
  readonly command: Command;
  readonly environment: NodeJS.ProcessEnv;
  readonly healthCheckPath: string;
  readonly replicas: number;
  readonly timeline: Timeline;
  /** Whether it is fairlead's own API in the place of one that has no command. */
  readonly isExample: boolean;
  /** Variables of its pods that come from a Secret or a ConfigMap, which are not here. */
  readonly missing: readonly string[];
}

/** What `fairlead start` runs: one proxy, and the processes of its backends. */
export interface LocalDeployment {
  /** What clients ask for, the first one by default. */
  readonly hosts: readonly [string, ...string[]];
  readonly backends: readonly LocalBackend[];
  readonly timeline: Timeline;
  /** With their routes. */
  readonly hostModels: ProxyModel['hosts'];
  readonly proxy: (workers: number) => ProxyModel;
}

/** The command that was given, or what main.ts says. */
export function localDeployment(options: StartOptions): LocalDeployment {
  const proxy = options.command === undefined ? proxyOfMain(options) : proxyOfCommand(options, options.command);
  const backends = proxy.targets.map((backend) => localBackend(backend, options));
  const hosts = localHosts(proxy, options.host);
  return {
    hosts: hosts.flatMap(({ names }) => names) as [string, ...string[]],
    backends,
    timeline: proxyTimes(proxy),
    hostModels: hosts,
    proxy: (workers) =>
      modelElsewhere(proxy, {
        hosts,
        workers,
        backend: (backend) => ({
          ...backend,
          // Each has a port of its own.
          instances: { host: `${backend.name}.${zone}`, service: 'http' },
          healthCheckPath:
            backends.find(({ name }) => name === backend.name)?.healthCheckPath ?? backend.healthCheckPath,
        }),
      }),
  };
}

function proxyOfCommand(options: StartOptions, { file, args, directory }: Command): NginxProxy {
  const api = new LoadBalancedApi(new App(), 'api', {
    image: 'command',
    host: options.host ?? 'localhost',
    keepAliveTimeout: options.keepAliveTimeout ?? '5s',
    healthCheck: options.healthCheckPath ?? '/healthcheck',
    local: { command: [file, ...args], ...(directory === undefined ? {} : { directory }) },
  });
  return api.proxy;
}

/** The proxy of main.ts, or the one that is asked for. */
export function proxyOfMain({ main: file, proxy: wanted }: Pick<StartOptions, 'main' | 'proxy'>): NginxProxy {
  const main = resolve(file);
  if (!existsSync(main)) {
    throw new UsageError(
      `${file} is not here, which would say what to run: give the program, such as --command "node server.js"`,
    );
  }
  const proxies = loadedApps(main, { FAIRLEAD_ENVIRONMENT: process.env.FAIRLEAD_ENVIRONMENT ?? 'production' }).flatMap(
    (app) => app.node.findAll().filter((construct) => construct instanceof NginxProxy),
  );
  const names = proxies.map(({ node }) => node.path).join(', ');
  const [first, ...others] =
    wanted === undefined ? proxies : proxies.filter(({ node }) => node.path === wanted || node.id === wanted);
  if (first === undefined) {
    throw new UsageError(
      proxies.length === 0
        ? `${file} has no proxy: make a LoadBalancedApi or a NginxProxy in it, and end with app.synth()`
        : `--proxy: ${JSON.stringify(wanted)} is not in ${file}: give one of ${names}`,
    );
  }
  if (others.length > 0) throw new UsageError(`${file} has several proxies: give one by --proxy, of ${names}`);
  return first;
}

function localBackend(backend: Backend, options: StartOptions): LocalBackend {
  const { settings, node } = backend;
  const { local } = settings;
  const times = backendTimes(backend);
  const [file, ...args] = local?.command ?? [];
  const agreed = {
    KEEP_ALIVE_TIMEOUT_SECONDS: String(times.keepAliveTimeout),
    REQUEST_TIMEOUT_SECONDS: String(times.requestTimeout),
    SHUTDOWN_TIMEOUT_SECONDS: String(times.apiShutdownTimeout),
  };
  const common = { name: node.id, replicas: options.scale ?? local?.replicas ?? 2, timeline: times };
  if (file === undefined) {
    const script = exampleApi(node.id);
    return {
      ...common,
      command: nodeScript(script),
      environment: { ...process.env, ...nodeScriptEnvironment(script), ...agreed, DIAGNOSTIC_ENDPOINTS: 'true' },
      healthCheckPath: '/healthcheck',
      isExample: true,
      missing: [],
    };
  }
  const given = plainEnvironment(backend);
  const own = local?.environment ?? {};
  return {
    ...common,
    command: {
      file,
      args,
      ...(local?.directory === undefined ? {} : { directory: existing(node.id, local.directory) }),
    },
    environment: {
      ...process.env,
      ...given.values,
      ...agreed,
      ...own,
    },
    healthCheckPath: settings.healthCheck.path,
    isExample: false,
    missing: given.missing.filter((name) => !(name in own)),
  };
}

/** Variables of a backend that are text, and the names of those that come from objects of the cluster. */
export function plainEnvironment({ settings }: Backend): {
  readonly values: Readonly<Record<string, string>>;
  readonly missing: readonly string[];
} {
  const all = Object.entries(settings.environment).map(([name, { value }]) => [name, value as unknown] as const);
  return {
    values: Object.fromEntries(all.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []))),
    missing: all.flatMap(([name, value]) => (typeof value === 'string' ? [] : [name])),
  };
}

function existing(backend: string, path: string): string {
  const directory = resolve(path);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return directory;
  throw new UsageError(
    `${backend} local.directory: ${JSON.stringify(path)} is not a directory: ${directory} was looked for`,
  );
}

/** The repository has it; the package, which is for other APIs, has not. */
function exampleApi(backend: string): string {
  try {
    return require.resolve('../api/src/main');
  } catch {
    throw new UsageError(
      `${backend} has no command on this machine: give it one in main.ts, such as local: { command: ["node", "server.js"] }`,
    );
  }
}
