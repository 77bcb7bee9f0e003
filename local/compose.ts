import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Yaml } from 'cdk8s';
import type { KeyPair } from '../certificates/key-pair';
import { selfSignedKeyPair } from '../certificates/self-signed';
import type { Backend } from '../charts/backend';
import type { NginxProxy } from '../charts/proxy/nginx-proxy';
import { LoadBalancing } from '../model/load-balancing';
import { type BackendModel, certificatesOf, type ProxyModel } from '../model/proxy';
import { nginxConf } from '../nginx/nginx-conf';
import type { Place } from '../nginx/place';
import { externalServicesOf } from '../nginx/plan';
import { scriptsOf } from '../nginx/scripts';
import { localAuthFiles, writeAuthFiles } from './deployment/auth-files';
import { proxyOfMain } from './deployment/deployment';
import { backendTimes, localHosts, modelElsewhere, proxyTimes } from './deployment/elsewhere';
import { externalServicesHere, type LocalExternalServices, writeAuthorities } from './deployment/external-services';
import { localFiles, missingFiles } from './deployment/local-files';
import { missingHere, plainEnvironment } from './deployment/programs';
import { UsageError } from './start-options';

/** Docker's own DNS server, as every container of a network sees it. */
const resolver = '127.0.0.11';
/** This machine, as a container sees it: a name that Compose puts into its `hosts`. */
const thisMachine = { host: 'host.docker.internal', isFollowed: false } as const;
const workers = 2;
/** Inside the container. */
const directory = '/etc/nginx/fairlead';
const ports = { http: 8080, https: 8443, probe: 8444 } as const;

/** `fairlead compose`: writes the file and what it mounts, and says what to do with it. */
export function compose(options: ComposeOptions): void {
  const proxy = proxyOfMain(options);
  const output = resolve(options.output);
  refuseFileOfOthers(options.output, output);
  const files = join(dirname(output), '.fairlead', 'compose', proxy.node.id);
  writeProxyFiles(proxy, files, options.httpsPort);
  const fromOutput = (path: string): string => `./${relative(dirname(output), path)}`;
  const text = composeFile(proxy, { ...options, files: fromOutput(files), fromOutput });
  writeFileSync(output, `${heading}\n${text}`);
  const missing = [
    ...servicesElsewhere(proxy).missing,
    ...localAuthFiles(proxy).missing,
    ...proxy.targets.flatMap((backend) => missingHere(backend)),
  ];
  for (const line of missing) process.stderr.write(`${line}\n`);
  for (const source of localFiles(proxy).missing) process.stderr.write(`${missingFiles(source)}\n`);
  const [backend] = proxy.targets;
  const written = relative(process.cwd(), output);
  const file = written === 'compose.yaml' ? '' : ` -f ${JSON.stringify(written)}`;
  const scale = backend === undefined ? '' : ` --scale ${backend.node.id}=5`;
  process.stdout.write(`${written} is written: docker compose${file} up${scale}\n`);
}

/** The first line, by which what was written before is told from what a person wrote. */
const heading = '# Written by fairlead compose, which writes it anew: what main.ts says is changed there.';

/** Many who come from Compose have a file of this name. */
function refuseFileOfOthers(given: string, output: string): void {
  const found = statSync(output, { throwIfNoEntry: false });
  if (found === undefined || (found.isFile() && readFileSync(output, 'utf8').startsWith(`${heading}\n`))) return;
  throw new UsageError(
    `--output: ${JSON.stringify(given)} is there, and not of fairlead: move it away, or give another file, such as --output compose.fairlead.yaml`,
  );
}

export interface ComposeOptions {
  readonly main: string;
  readonly proxy: string | undefined;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly output: string;
}

/** The text of a compose.yaml. @see https://github.com/compose-spec/compose-spec/blob/main/spec.md */
export function composeFile(
  proxy: NginxProxy,
  options: Pick<ComposeOptions, 'httpPort' | 'httpsPort'> & {
    readonly files: string;
    /** A path as Compose reads it, from where its file is. */
    readonly fromOutput: (path: string) => string;
  },
): string {
  const { targets } = proxy;
  const { workerShutdownTimeout } = proxyTimes(proxy);
  return Yaml.stringify({
    name: proxy.namespace.name,
    services: {
      [proxy.node.id]: {
        image: proxy.settings.image,
        command: ['nginx', '-c', `${directory}/nginx.conf`],
        user: user(),
        ports: [`127.0.0.1:${options.httpPort}:${ports.http}`, `127.0.0.1:${options.httpsPort}:${ports.https}`],
        volumes: [
          `${options.files}:${directory}:ro`,
          ...servedFiles(proxy).map(({ here, there }) => ({
            type: 'bind',
            source: literal(options.fromOutput(here)),
            target: there,
            read_only: true,
          })),
        ],
        depends_on: targets.map(({ node }) => node.id),
        ...extraHosts(proxy),
        restart: 'unless-stopped',
        stop_grace_period: `${workerShutdownTimeout + 5}s`,
      },
      ...Object.fromEntries(targets.map((backend) => [backend.node.id, service(backend)])),
    },
  });
}

/** For what is reached on this machine. */
function extraHosts(proxy: NginxProxy): { readonly extra_hosts?: readonly string[] } {
  const services = externalServicesOf(composeModel(proxy).hosts.flatMap(({ routes }) => routes));
  if (!services.some(({ host }) => host === thisMachine.host)) return {};
  return { extra_hosts: [`${thisMachine.host}:host-gateway`] };
}

function service(backend: Backend): object {
  const { settings } = backend;
  const { command, args, image, local } = settings;
  const { apiTerminationGracePeriod, apiPreStop } = backendTimes(backend);
  const environment = { ...plainEnvironment(backend), PORT: String(settings.port), ...local?.environment };
  return {
    image,
    ...(command === undefined ? {} : { entrypoint: command.map(literal) }),
    ...(args === undefined ? {} : { command: args.map(literal) }),
    environment: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, literal(value)])),
    init: true,
    restart: 'unless-stopped',
    deploy: { replicas: local?.replicas ?? 2 },
    stop_grace_period: `${apiTerminationGracePeriod - apiPreStop}s`,
  };
}

/** A text as Compose writes it: a "$" in it is no variable of Compose's. */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

/** What nginx reads: its configuration and a certificate, for the user that it runs as alone. */
function writeProxyFiles(proxy: NginxProxy, files: string, httpsPort: number): void {
  const model = composeModel(proxy);
  const place: Place = {
    resolvers: [resolver],
    workers,
    httpPort: ports.http,
    httpsPort: ports.https,
    probePort: ports.probe,
    externalHttpsPort: httpsPort,
    certificateDirectory: `${directory}/certificate`,
    hostCertificatesDirectory: `${directory}/certificates-of-hosts`,
    authoritiesDirectory: `${directory}/${authorities}`,
    authDirectory: `${directory}/${auth}`,
    filesDirectories: Object.fromEntries(servedFiles(proxy).map(({ source, there }) => [source, there])),
  };
  const conf = nginxConf(model, place);
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, '.gitignore'), '*\n');
  writeFileSync(join(files, 'nginx.conf'), conf);
  for (const { name, text } of scriptsOf(model, place, conf)) writeFileSync(join(files, name), text);
  writeAuthorities(servicesElsewhere(proxy).authorities, join(files, authorities));
  for (const file of writeAuthFiles(localAuthFiles(proxy), join(files, auth))) forNginxAlone(file);
  for (const { name, hosts } of certificatesOf(model.hosts)) {
    const pair = selfSignedKeyPair(hosts, join(dirname(files), 'certificates'));
    writePair(pair, join(files, name === undefined ? 'certificate' : `certificates-of-hosts/${name}`));
  }
}

function writePair({ certificate, privateKey }: KeyPair, path: string): void {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'tls.crt'), certificate);
  const key = join(path, 'tls.key');
  writeFileSync(key, privateKey, { mode: 0o600 });
  forNginxAlone(key);
}

/** What was written before may have had other rights. */
function forNginxAlone(file: string): void {
  chmodSync(file, 0o600);
  if (isRoot()) chownSync(file, nginxUser, nginxUser);
}

/** Below what nginx reads. */
const authorities = 'certificate-authorities';
const auth = 'auth';

function servicesElsewhere(proxy: NginxProxy): LocalExternalServices {
  return externalServicesHere(proxy, localHosts(proxy, undefined), thisMachine);
}

/** Directories of this machine that nginx serves, and where the container has them. */
function servedFiles(proxy: NginxProxy): { readonly source: string; readonly here: string; readonly there: string }[] {
  const { directories } = localFiles(proxy);
  return Object.entries(directories).map(([source, here], index) => ({
    source,
    here,
    there: `/srv/files-${index + 1}`,
  }));
}

/** What the nginx.conf of a compose.yaml is made from. */
export function composeModel(proxy: NginxProxy): ProxyModel {
  const { hosts } = servicesElsewhere(proxy);
  return modelElsewhere(proxy, { hosts, workers, backend: (backend) => inNetwork(proxy, backend) });
}

/** Every container of a service has its name. A hash would need one for each, which Docker's DNS does not have. */
function inNetwork({ targets }: NginxProxy, backend: BackendModel): BackendModel {
  const { name, loadBalancing } = backend;
  const { settings } = targets.find(({ node }) => node.id === name) ?? {};
  return {
    ...backend,
    instances: { host: name, port: settings?.port ?? 3000 },
    loadBalancing: loadBalancing.method === 'hash' ? LoadBalancing.leastConnections() : loadBalancing,
  };
}

/** In the image. */
const nginxUser = 101;

/** Who owns what is mounted, as nginx needs no more rights than that; or its own user, where that is root. */
function user(): string {
  if (isRoot()) return `${nginxUser}:${nginxUser}`;
  return `${process.getuid?.() ?? nginxUser}:${process.getgid?.() ?? nginxUser}`;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
