import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import type { App } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { selfSignedKeyPair } from '../../certificates/self-signed';
import type { Backend } from '../../charts/backend';
import type { NginxProxy } from '../../charts/proxy/nginx-proxy';
import type { Route } from '../../charts/routes/route';
import { Failure } from '../../cluster/command-line';
import { deployedApps } from '../../cluster/deployed-apps';
import { ExternalCommandFailure, run } from '../../cluster/external-command';
import type { KindCluster } from '../../cluster/kind-cluster';
import type { HostPorts } from '../../cluster/kind-config';
import { buildImage, loadImage, pullMissingImage } from '../../cluster/node-images';
import { eventually, type Progress } from '../../cluster/progress';
import { deploymentsOf, rolledOut } from '../../cluster/workloads';
import { InvalidOption } from '../../validation/invalid-option';
import type { DeployedApp, Synthesis } from '../deployed-app';
import { imagesOf, kindManifests, leftOut, type Manifest, ownSecretName, type Trial } from './manifests';

/** Where the keys of certificates are, which fairlead keeps out of git. */
const keysDirectory = '.fairlead';

/** What is tried beside main.ts. */
export interface OwnAppOptions {
  /** The folder whose Dockerfile makes the image of the API. @default - it is found by its name */
  readonly build?: string | undefined;
  /** Files or folders of manifests that the API needs, of Secrets and the like. */
  readonly apply: readonly string[];
}

/** An app of somebody's own, whose main.ts says what is deployed: the backend that a path leads to, and the proxy before it. */
export class OwnApp implements DeployedApp {
  readonly standard: DeployedApp['standard'];
  readonly hosts: DeployedApp['hosts'];
  readonly backends: readonly string[];
  private readonly manifests: readonly Manifest[];
  private readonly trial: Omit<Trial, 'images'>;
  /** What the nodes are given in place of images. */
  private readonly images = new Map<string, string>();

  /** Of the apps that a main.ts makes; what cannot be tried is refused, by the name of that file. */
  constructor(
    apps: readonly App[],
    main: string,
    path: string,
    private readonly options: OwnAppOptions,
  ) {
    this.manifests = manifestsOf(apps);
    const constructs = apps.flatMap((app) => app.node.findAll());
    const proxies = constructs.filter(isProxy);
    const { proxy, backend, route } = tried(proxies, path, basename(main));
    this.standard = { namespace: proxy.namespace, proxy, backend, route };
    this.hosts = hostsOf(proxy);
    this.backends = constructs.flatMap((each) => (isBackend(each) ? each.node.id : []));
    this.trial = {
      namespace: proxy.namespace.name,
      backend: backend.node.id,
      proxy: proxy.node.id,
      certificates: proxies.map((each) => ({
        namespace: each.namespace.name,
        proxy: each.node.id,
        pair: selfSignedKeyPair(hostsOf(each), keysDirectory),
      })),
    };
  }

  /** Reads a main.ts. */
  static of(main: string, path: string, options: OwnAppOptions): OwnApp {
    return new OwnApp(deployedApps(main, {}, cdk8sOf(main)), main, path, options);
  }

  get tlsSecretName(): string {
    return ownSecretName(this.manifests, this.trial);
  }

  /** Builds the image of the API if it is to be, and has all others here. */
  async prepareImages(progress: Progress, signal: AbortSignal): Promise<void> {
    const { image } = this.standard.backend.settings;
    const { build } = this.options;
    if (build !== undefined) {
      const name = `fairlead-reliability/${this.trial.backend}`;
      await progress.step(`image of the API, built from ${join(build, 'Dockerfile')}`, async () => {
        this.images.set(image, await buildImage(build, name, signal));
      });
    }
    for (const each of imagesOf(this.manifests)) {
      if (this.images.has(each)) continue;
      await progress.step(`image ${each}, on this machine`, () => this.find(each, signal));
    }
  }

  synthesize({ output }: Pick<Synthesis, 'output'>): Promise<void> {
    const manifests = kindManifests(this.manifests, { ...this.trial, images: this.images });
    mkdirSync(output, { recursive: true, mode: 0o700 });
    const write = (file: string, items: readonly Manifest[]): void => {
      // There are private keys in it.
      writeFileSync(join(output, file), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), { mode: 0o600 });
    };
    write(namespacesFile, manifests.filter(isNamespace));
    write(
      'others.json',
      manifests.filter((manifest) => !isNamespace(manifest)),
    );
    return Promise.resolve();
  }

  async deploy(
    cluster: KindCluster,
    { httpsPort }: HostPorts,
    path: string,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> {
    const { kubectl } = cluster;
    const output = join(cluster.directory, 'manifests');
    await this.synthesize({ output });
    const kinds = leftOut(this.manifests);
    if (kinds.length > 0)
      process.stderr.write(`Left out, as a kind cluster has no use for them: ${kinds.join(', ')}\n`);
    const apply = (file: string): Promise<void> =>
      progress.step(`kubectl apply -f ${file}`, async () => {
        await kubectl.run(['apply', `--filename=${file}`], { signal });
      });
    await progress.step('images, loaded into the nodes', async () => {
      for (const image of imagesOf(this.manifests)) await this.load(image, cluster, signal);
    });
    await apply(join(output, namespacesFile));
    // Where no namespace is said, that of the API is meant.
    const { namespace } = this.trial;
    await kubectl.run(['config', 'set-context', `kind-${cluster.name}`, `--namespace=${namespace}`], { signal });
    for (const file of this.options.apply) await apply(file);
    await apply(output);
    for (const deployment of await deploymentsOf(kubectl, output, signal)) {
      const { metadata } = deployment;
      const title = `deployment ${metadata.namespace ?? 'default'}/${metadata.name}, ready`;
      await progress.step(title, (doing) => rolledOut(kubectl, deployment, doing, signal));
    }
    const [host] = this.hosts;
    await progress.step(`https://${host}${path}, answering`, (doing) => answers(host, httpsPort, path, doing, signal));
  }

  /** Has an image here, under a name that nodes can be given it by: one that is named by its digest alone loses that when it is copied. */
  private async find(image: string, signal: AbortSignal): Promise<void> {
    try {
      await pullMissingImage(image, signal);
    } catch (error) {
      if (!(error instanceof ExternalCommandFailure) || image !== this.standard.backend.settings.image) throw error;
      throw new Failure(`${error.message}: docker login, or give --build FOLDER with the Dockerfile of the API`);
    }
    const [, digest] = /@sha256:([0-9a-f]{12})/.exec(image) ?? [];
    if (digest === undefined) return;
    const name = `fairlead-reliability/by-digest:${digest}`;
    await run('docker', ['tag', image, name], { signal });
    this.images.set(image, name);
  }

  private async load(image: string, cluster: KindCluster, signal: AbortSignal): Promise<void> {
    const ours = this.images.get(image);
    try {
      await loadImage(cluster, ours ?? image, signal);
    } catch (error) {
      // Under a name that registries know the nodes pull it: loading only saves them that.
      if (!(error instanceof ExternalCommandFailure) || ours !== undefined) throw error;
    }
  }
}

const namespacesFile = '0-namespaces.json';

function isNamespace({ kind }: Manifest): boolean {
  return kind === 'Namespace';
}

/** That of the app, whose constructs are made with it. */
function cdk8sOf(main: string): typeof import('cdk8s') {
  try {
    return createRequire(main)('cdk8s') as typeof import('cdk8s');
  } catch {
    throw new Failure(`cdk8s is not installed for ${basename(main)} in ${dirname(main)}: npm install there first`);
  }
}

/** What would be written. What main.ts says that cannot be is said in a line each, and is no mistake of this program. */
function manifestsOf(apps: readonly App[]): readonly Manifest[] {
  try {
    return apps.flatMap((app) => app.charts.flatMap((chart) => chart.toJson() as Manifest[]));
  } catch (error) {
    // By its name in a text: the app's fairlead is another copy of it, and cdk8s says of which object it is.
    const [, refused] =
      /^(?:Error: Failed serializing construct [^]*?: )?InvalidOption: ([^]*)$/.exec(String(error)) ?? [];
    if (refused !== undefined) throw new Failure(refused);
    const [heading, ...lines] = String(error).split('\n  ');
    if (heading !== 'Error: Validation failed with the following errors:') throw error;
    throw new Failure(lines.map((line) => line.replace(/^\[(.*?)\] (?=\1[ ,])/, '')).join('\n'));
  }
}

/** By what it has: the app's fairlead is another copy of it. */
function isProxy(construct: IConstruct): construct is NginxProxy {
  return 'addRoute' in construct && 'configMap' in construct && 'routes' in construct;
}

function isBackend(construct: IConstruct): construct is Backend {
  return 'addVersion' in construct && 'headlessService' in construct;
}

/** Every name that a proxy answers for: first that of the proxy itself. */
function hostsOf({ model: { hosts } }: NginxProxy): DeployedApp['hosts'] {
  const [first, ...others] = hosts.flatMap(({ names }) => names);
  if (first === undefined) throw new Error('a proxy has a host');
  return [first, ...others];
}

interface Tried {
  readonly proxy: NginxProxy;
  readonly backend: Backend;
  readonly route: Route;
}

/** The backend that a GET of a path of the first host of a proxy leads to; of several versions the one that gets the most. */
function tried(proxies: readonly NginxProxy[], path: string, main: string): Tried {
  if (proxies.length === 0) {
    throw new Failure(`${main} synthesizes no NginxProxy: add one, or a LoadBalancedApi, and end with app.synth()`);
  }
  for (const proxy of proxies) {
    const route = routeOf(proxy, path);
    const name = route === undefined ? undefined : backendOf(route);
    const backend = proxy.targets.find(({ node }) => node.id === name);
    if (route !== undefined && backend !== undefined) return { proxy, backend, route };
  }
  throw new InvalidOption('--get', path, `leads to no Backend of ${main}: give a path whose route does`);
}

/** What has conditions is for requests that no load of ours sends, unless they are of the method. */
function routeOf(proxy: NginxProxy, path: string): Route | undefined {
  const isFor = ({ node, model: { path: of, when } }: Route): boolean =>
    node.scope === proxy &&
    when.every((condition) => condition.kind === 'method' && condition.methods.includes('GET')) &&
    (of.path === path || (of.kind === 'prefix' && (of.path === '/' || path.startsWith(`${of.path}/`))));
  const rank = ({ model: { path: of, when } }: Route): number =>
    (of.kind === 'exact' ? 1e6 : 0) + of.path.length * 10 + Math.min(when.length, 9);
  return [...proxy.routes].filter(isFor).sort((a, b) => rank(b) - rank(a))[0];
}

function backendOf({ model: { target } }: Route): string | undefined {
  if (target.kind === 'backend') return target.backend;
  if (target.kind !== 'split') return undefined;
  return [...target.shares].sort((a, b) => b.weight - a.weight)[0]?.backend;
}

/** Waits until a GET is answered by something else than an error of a server. */
async function answers(
  host: string,
  port: number,
  path: string,
  doing: (detail: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let last = '';
  const ask = async (): Promise<true | undefined> => {
    const status = await statusOf(host, port, path);
    if (typeof status === 'number' && status < 500) return true;
    if (String(status) !== last) doing(`answered ${String(status)}`);
    last = String(status);
    return undefined;
  };
  await eventually('an answer that is no error of a server', ask, { patience: 60_000, signal });
}

/** The status of an answer, or why there is none. */
function statusOf(host: string, port: number, path: string): Promise<number | string> {
  return new Promise((resolve) => {
    // The certificate is self-signed: this asks whether the port leads to the proxies, not who they are.
    const options = { rejectUnauthorized: false, agent: false, timeout: 5000 } as const;
    const request = get({ host: '127.0.0.1', port, path, servername: host, headers: { host }, ...options });
    request
      .on('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
      .on('timeout', () => request.destroy(new Error('no answer within 5 seconds')))
      .on('error', ({ message }) => {
        resolve(message);
      });
  });
}
