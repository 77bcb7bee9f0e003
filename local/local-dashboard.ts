import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { metricsAt } from '../dashboard/scrape';
import { DashboardServer } from '../dashboard/server';
import type {
  BackendDescription,
  CertificateDescription,
  DashboardSystem,
  Health,
  Instance,
  SystemActions,
} from '../dashboard/system';
import { describedRoutes } from '../model/routes/description';
import { firstRequest } from './terminal/console';
import type { Backends } from './deployment/backends';
import type { LocalDeployment } from './deployment/deployment';
import type { Weights } from './deployment/weights';
import type { Nginx } from './find-nginx/nginx';
import type { LocalLoad } from './local-load';
import { certificateFiles } from './local-proxy';
import { packageVersion } from './package-version';
import { freePort } from './ports';
import type { ApiProcess } from './processes/api-process';
import { shellWord } from './shell-words';
import { maxScale, type StartOptions } from './start-options';

/** Beside that of the metrics. */
const usualPort = 9114;
/** In milliseconds. */
const scrapeTimeout = 3000;
/** Earlier addresses of an instance, whose counts are still its own. */
const rememberedAddresses = 5;

export interface LocalDashboardParts {
  readonly options: StartOptions;
  readonly deployment: LocalDeployment;
  readonly backends: Backends;
  readonly weights: Weights;
  readonly load: LocalLoad;
  readonly nginx: Nginx;
  readonly metricsPort: number | undefined;
  /** Where the certificates are. */
  readonly directory: string;
  readonly actions: SystemActions;
}

/** Serves what runs on this machine. */
export function startDashboard(parts: LocalDashboardParts): Promise<DashboardServer> {
  const { dashboardPort, httpPort, httpsPort } = parts.options;
  return listeningDashboard(localSystem(parts), dashboardPort, [httpPort, httpsPort, parts.metricsPort]);
}

/** On the port that is given, or the usual one, or another if that is one of others, or is taken. */
export async function listeningDashboard(
  system: DashboardSystem,
  given: number | undefined,
  others: readonly (number | undefined)[],
): Promise<DashboardServer> {
  if (given !== undefined) return DashboardServer.start(system, given);
  if (!others.includes(usualPort)) {
    try {
      return await DashboardServer.start(system, usualPort);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  return DashboardServer.start(system, await freePort());
}

/** What runs on this machine, as the dashboard sees it. */
function localSystem(parts: LocalDashboardParts): DashboardSystem {
  const { options, deployment, backends, weights, load, nginx, metricsPort, actions } = parts;
  const addresses = new Addresses(nginx.machineAddress);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const [host] = deployment.hosts;
  const certificates = certificateDescriptions(deployment, parts.directory);
  return {
    description: {
      version: packageVersion(),
      nginx: nginx.describe,
      url: `https://${host}:${options.httpsPort}`,
      command: firstRequest(
        options,
        host,
        deployment.backends.map(({ protocol, program }) => ({
          healthCheckPath: protocol === 'http' ? program.healthCheckPath : undefined,
        })),
      ),
      explain: [
        ...(options.accessLog === undefined ? ['npm start -- --access-log access.log'] : []),
        `npx fairlead explain CODE --since 10m --log ${shellWord(options.accessLog ?? 'access.log')}`,
      ],
      top: metricsPort === undefined ? undefined : `npx fairlead top --metrics-port ${metricsPort}`,
      metricsUrl: metricsPort === undefined ? undefined : `http://localhost:${metricsPort}/metrics`,
      backends: backendDescriptions(deployment),
      routes: describedRoutes(deployment.hostModels),
      mostInstances: maxScale,
    },
    state: () => ({
      instances: backends.names.flatMap((name) =>
        backends.allOf(name).map((process) => instanceOf(name, process, addresses.of(process))),
      ),
      proxies: [],
      certificates,
      wanted: Object.fromEntries(backends.names.map((name) => [name, backends.wanted(name)])),
      weights: weights.current,
      load: load.rate,
    }),
    async scrape() {
      if (metricsPort === undefined) throw new Error('There are no figures: this nginx has no njs with QuickJS');
      return new Map([['nginx', await metricsAt('127.0.0.1', metricsPort, agent, scrapeTimeout)]]);
    },
    actions,
    unwatched: () => {
      if (load.rate > 0) actions.load(0);
      agent.destroy();
    },
  };
}

/** Where instances were found: one that is started again has another port. */
class Addresses {
  private readonly known = new Map<string, readonly string[]>();

  constructor(private readonly machineAddress: string) {}

  of({ name, port }: ApiProcess): readonly string[] {
    const address = `${this.machineAddress}:${port}`;
    const before = this.known.get(name) ?? [];
    if (port === 0 || before[0] === address) return before;
    const all = [address, ...before].slice(0, rememberedAddresses);
    this.known.set(name, all);
    return all;
  }
}

function instanceOf(backend: string, process: ApiProcess, addresses: readonly string[]): Instance {
  const { name, failure, lastFailure, since, canBeSlow } = process;
  const health = healthOf(process);
  const reason = health === 'failed' ? lastFailure?.reason : failure;
  return { name, backend, addresses, health, reason, since, canBeSlow };
}

/** In milliseconds: a failure is shown for so long, though the instance is ready again, as the page looks once a second. */
const leastShown = 1500;

function healthOf({ ending, ready, isSlow, failure, lastFailure }: ApiProcess): Health {
  if (ending) return 'ending';
  if (lastFailure !== undefined && Date.now() - lastFailure.time < leastShown) return 'failed';
  if (ready) return isSlow ? 'slow' : 'ready';
  return failure === undefined ? 'starting' : 'failed';
}

function backendDescriptions(deployment: LocalDeployment): BackendDescription[] {
  const models = new Map(deployment.proxy(1).backends.map((backend) => [backend.name, backend]));
  return deployment.backends.map(({ name, program }) => {
    const version = models.get(name)?.version;
    return { name, backend: version?.of ?? name, version: version?.name ?? '', program: program.name };
  });
}

function certificateDescriptions(deployment: LocalDeployment, directory: string): CertificateDescription[] {
  return certificateFiles(deployment, directory).map(({ hosts, certificateFile }) => {
    const certificate = new X509Certificate(readFileSync(certificateFile));
    return {
      hosts,
      notAfter: Date.parse(certificate.validTo),
      isSelfSigned: certificate.issuer === certificate.subject,
    };
  });
}
