import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { App } from 'cdk8s';
import type { Backend } from '../../charts/backend';
import { LoadBalancedApi } from '../../charts/load-balanced-api';
import { NginxProxy } from '../../charts/proxy/nginx-proxy';
import { loadedApps } from '../../charts/loaded-apps';
import type { ProxyModel } from '../../model/proxy';
import type { Protocol } from '../../model/routes/route';
import { type Timeline } from '../../model/timeline';
import type { TracingModel } from '../../model/traces';
import { type LocalAuthFiles, localAuthFiles } from './auth-files';
import { backendTimes, localHosts, modelElsewhere, proxyTimes } from './elsewhere';
import { externalServicesHere, isThisMachine, type LocalExternalServices } from './external-services';
import { type LocalFiles, localFiles } from './local-files';
import { Command } from '../processes/child-output';
import { HasImage, isInDocker, Program, programOf } from './programs';
import { isLoopback, StartOptions, UsageError } from '../start-options';

/** The name below which instances are found. `internal` is for such names. https://www.icann.org/en/board-activities-and-meetings/materials/approved-resolutions-special-meeting-of-the-icann-board-29-07-2024-en */
export const zone = 'internal';

/** A backend whose instances are processes. */
export interface LocalBackend {
  readonly name: string;
  readonly protocol: Protocol;
  readonly program: Program;
  readonly replicas: number;
  readonly timeline: Timeline;
}

/** What `fairlead start` runs: one proxy, and the processes of its backends. */
export interface LocalDeployment {
  /** What clients ask for, the first one by default. */
  readonly hosts: readonly [string, ...string[]];
  readonly backends: readonly LocalBackend[];
  readonly files: LocalFiles;
  readonly authFiles: LocalAuthFiles;
  readonly timeline: Timeline;
  /** With their routes. */
  readonly hostModels: ProxyModel['hosts'];
  readonly externalServices: LocalExternalServices;
  readonly proxy: (workers: number) => ProxyModel;
}

/** Where nginx finds this machine's loopback interface, our own DNS server says: it depends on the nginx. */
const thisMachine = { host: 'localhost', isFollowed: true } as const;

/** The command that was given, or what main.ts says. */
export async function localDeployment(
  options: StartOptions,
  hasImage: HasImage = isInDocker,
): Promise<LocalDeployment> {
  const proxy = options.command === undefined ? proxyOfMain(options) : proxyOfCommand(options, options.command);
  const backends = await Promise.all(proxy.targets.map((backend) => localBackend(backend, options, hasImage)));
  const externalServices = externalServicesHere(
    proxy,
    localHosts(proxy, options.host, isOpenToOthers(options)),
    thisMachine,
  );
  const { hosts } = externalServices;
  const tracing = tracingHere(proxy);
  return {
    hosts: hosts.flatMap(({ names }) => names) as [string, ...string[]],
    backends,
    files: localFiles(proxy),
    authFiles: localAuthFiles(proxy),
    timeline: proxyTimes(proxy),
    hostModels: hosts,
    externalServices: { ...externalServices, names: withCollector(externalServices.names, tracing) },
    proxy: (workers) =>
      modelElsewhere(proxy, {
        hosts,
        workers,
        tracing,
        backend: (backend) => ({
          ...backend,
          // Each has a port of its own.
          instances: { host: `${backend.name}.${zone}`, service: 'http' },
          // What stands for an API may have another one; gRPC has one for all.
          healthCheckPath:
            backends.find(({ name, protocol }) => name === backend.name && protocol === 'http')?.program
              .healthCheckPath ?? backend.healthCheckPath,
        }),
      }),
  };
}

/** Where spans go from here, if main.ts says so. */
function tracingHere({ settings, model }: NginxProxy): TracingModel | undefined {
  const { tracing } = model;
  const collector = settings.tracing?.localEndpoint;
  if (tracing === undefined || collector === undefined) return undefined;
  if (!isThisMachine(collector)) return { ...tracing, collector };
  return { ...tracing, collector: { ...collector, host: thisMachine.host, isAddress: false } };
}

function withCollector(names: readonly string[], tracing: TracingModel | undefined): readonly string[] {
  if (tracing === undefined || tracing.collector.isAddress) return names;
  return [...new Set([...names, tracing.collector.host])];
}

function isOpenToOthers({ listen }: StartOptions): boolean {
  return listen !== undefined && !isLoopback(listen);
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
  if (statSync(main, { throwIfNoEntry: false })?.isFile() !== true) {
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

async function localBackend(backend: Backend, options: StartOptions, hasImage: HasImage): Promise<LocalBackend> {
  const times = backendTimes(backend);
  return {
    name: backend.node.id,
    protocol: backend.settings.protocol,
    program: await programOf(backend, times, { hasImage, environment: options.environment }),
    replicas: options.scale ?? backend.settings.local?.replicas ?? 2,
    timeline: times,
  };
}
