import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { isIPv6 } from 'node:net';
import { metricsAt, parsedScrape } from '../scrape';
import type {
  BackendDescription,
  CertificateDescription,
  DashboardSystem,
  Instance,
  RouteDescription,
  SystemState,
} from '../system';

/** What the pod of the dashboard is told of the deployment that it shows. */
export interface ClusterConfiguration {
  /** The image of nginx. */
  readonly nginx: string;
  readonly url: string;
  /** Of Kubernetes. */
  readonly namespace: string;
  /** Of the page, on loopback. */
  readonly port: number;
  /** The headless Service of the proxies, and the port of their metrics. */
  readonly proxies: { readonly host: string; readonly port: number };
  readonly backends: readonly (BackendDescription & { readonly host: string; readonly port: number })[];
  readonly routes: readonly RouteDescription[];
  readonly families: readonly (4 | 6)[];
  /** Where weights of shared routes are, which change while it runs. @default - no route is shared */
  readonly weightsFile?: string;
  /** @default - those of the pod */
  readonly dnsServers?: readonly string[];
}

/** In milliseconds. */
const dnsTimeout = 1000;
const scrapeTimeout = 1000;

type Weights = SystemState['weights'];

/** A deployment as DNS and the metrics of its proxies tell: without rights in the cluster, and without doing anything to it. */
export function clusterSystem(configuration: ClusterConfiguration): DashboardSystem {
  const { nginx, url, namespace, proxies, routes, weightsFile } = configuration;
  const backends = configuration.backends.map((backend) => ({
    ...backend,
    found: new FoundByDns(configuration, backend.host),
  }));
  const found = new FoundByDns(configuration, proxies.host);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let certificates: readonly CertificateDescription[] = [];
  return {
    description: {
      version: undefined,
      nginx,
      url,
      command: `curl ${url}/`,
      explain: [`npx fairlead explain CODE --since 10m --namespace ${namespace}`],
      top: `npx fairlead top --namespace ${namespace}`,
      metricsUrl: undefined,
      backends: backends.map(({ name, backend, version, program }) => ({ name, backend, version, program })),
      routes,
      mostInstances: 0,
    },
    state: () => ({
      instances: backends.flatMap(({ name, port, found: { since } }) =>
        [...since].map(([address, time]) => instanceAt(name, address, port, time)),
      ),
      proxies: [...found.since.keys()],
      certificates,
      wanted: {},
      weights: weightsFile === undefined ? {} : weightsIn(weightsFile),
      load: 0,
    }),
    async scrape() {
      await Promise.all([found, ...backends.map((backend) => backend.found)].map((each) => each.ask()));
      const addresses = [...found.since.keys()];
      if (addresses.length === 0) throw new Error(`DNS names no proxy: ${proxies.host} has no addresses`);
      const texts = new Map<string, string>();
      await Promise.all(
        addresses.map((address) =>
          metricsAt(address, proxies.port, agent, scrapeTimeout).then(
            (text) => texts.set(address, text),
            () => undefined,
          ),
        ),
      );
      if (texts.size === 0) throw new Error('No proxy answers: there are no figures now');
      certificates = certificatesIn([...texts.values()], new URL(url).hostname);
      return texts;
    },
    actions: undefined,
    unwatched: () => {
      agent.destroy();
    },
  };
}

/** The addresses of a headless Service. */
class FoundByDns {
  /** When each was seen first, in the order of that. */
  since: ReadonlyMap<string, number> = new Map();
  private readonly resolver = new Resolver({ timeout: dnsTimeout, tries: 2 });

  constructor(
    private readonly configuration: Pick<ClusterConfiguration, 'families' | 'dnsServers'>,
    private readonly host: string,
  ) {
    if (configuration.dnsServers !== undefined) this.resolver.setServers(configuration.dnsServers);
  }

  /** While DNS does not answer, what it said last holds, as it does for nginx. */
  async ask(): Promise<void> {
    const answers = await Promise.all(this.configuration.families.map((family) => this.addresses(family)));
    if (answers.includes(undefined)) return;
    const addresses = answers.flatMap((each) => each ?? []);
    const now = Date.now();
    const kept = [...this.since].filter(([address]) => addresses.includes(address));
    const come = addresses.filter((address) => !this.since.has(address)).sort();
    this.since = new Map([...kept, ...come.map((address) => [address, now] as const)]);
  }

  private async addresses(family: 4 | 6): Promise<readonly string[] | undefined> {
    try {
      return await (family === 4 ? this.resolver.resolve4(this.host) : this.resolver.resolve6(this.host));
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      return code === 'ENOTFOUND' || code === 'ENODATA' ? [] : undefined;
    }
  }
}

/** What DNS names is ready. */
function instanceAt(backend: string, address: string, port: number, since: number): Instance {
  return {
    name: address,
    backend,
    addresses: [`${isIPv6(address) ? `[${address}]` : address}:${port}`],
    health: 'ready',
    reason: undefined,
    since,
    canBeSlow: false,
  };
}

/** Of each that is served, that of the proxy first, the end that comes first: proxies get a renewed one at times of their own. */
function certificatesIn(texts: readonly string[], host: string): CertificateDescription[] {
  const ends = new Map<string, number>();
  for (const text of texts) {
    const served = parsedScrape(text, 0).metrics.get('fairlead_certificate_not_after_timestamp_seconds');
    for (const { labels, value } of served?.values() ?? []) {
      // Those of hosts are called as their hosts.
      const name = labels.certificate === 'proxy' ? '' : (labels.certificate ?? '');
      ends.set(name, Math.min(ends.get(name) ?? Number.POSITIVE_INFINITY, value * 1000));
    }
  }
  return [...ends]
    .sort()
    .map(([name, notAfter]) => ({ hosts: [name === '' ? host : name], notAfter, isSelfSigned: undefined }));
}

/** `{ "root": { "orders": 90, "orders-canary": 10 } }`, without what is none: people edit the file, and may break it. */
function weightsIn(file: string): Weights {
  try {
    const routes = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>);
    return Object.fromEntries(routes.flatMap(([route, own]) => (areShares(own) ? [[route, own] as const] : [])));
  } catch {
    return {};
  }
}

function areShares(value: unknown): value is Readonly<Record<string, number>> {
  return typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'number');
}
