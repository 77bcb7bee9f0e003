import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { selfSignedKeyPair } from '../certificates/self-signed';
import { certificatesOf } from '../model/proxy';
import { metricsFiles } from '../nginx/metrics/metrics-section';
import { nginxConf } from '../nginx/nginx-conf';
import type { Place } from '../nginx/place';
import { scriptsOf } from '../nginx/scripts';
import { spansFiles } from '../nginx/tracing/tracing-section';
import { writeAuthFiles } from './deployment/auth-files';
import { writeAuthorities, writeSystemAuthorities } from './deployment/external-services';
import { cacheDirectory } from './find-nginx/cache-directory';
import { findNginx } from './find-nginx/find-nginx';
import { Nginx } from './find-nginx/nginx';
import { giveToWorkers, workerUser } from './find-nginx/worker-user';
import { LocalDeployment } from './deployment/deployment';
import { StartOptions } from './start-options';

const mostWorkers = 4;

export interface LocalProxySettings {
  readonly options: StartOptions;
  readonly deployment: LocalDeployment;
  /** Where weights of shared routes are. */
  readonly weightsFile: string | undefined;
  readonly dnsPort: number;
  readonly probePort: number;
  readonly metricsPort: number;
  /** Everything that nginx reads and writes is in it. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

export interface LocalProxy {
  readonly nginx: Nginx;
  readonly confPath: string;
  /** Undefined if this nginx cannot serve metrics, nor send spans. */
  readonly metricsPort: number | undefined;
}

/** Writes a certificate and a configuration, and finds the nginx that can run it. */
export async function prepareLocalProxy(settings: LocalProxySettings): Promise<LocalProxy> {
  writeCertificates(settings);
  const confPath = join(settings.directory, 'nginx.conf');
  writeAuthorities(settings.deployment.externalServices.authorities, authoritiesIn(settings.directory));
  writeAuthFiles(settings.deployment.authFiles, authIn(settings.directory));
  writeSystemAuthorities(settings.deployment.proxy(1), systemAuthoritiesIn(settings.directory));
  const workers = await workerUser(settings.signal);
  let metricsPort: number | undefined;
  const nginx = await findNginx({
    signal: settings.signal,
    workers,
    clientAddress: settings.options.listen,
    directories: Object.values(settings.deployment.files.directories),
    suits: async (candidate) => {
      const tryWith = async (port: number | undefined): Promise<void> => {
        writeConfiguration(settings, candidate, confPath, port);
        giveToWorkers(settings.directory, workers);
        await candidate.test(confPath);
        metricsPort = port;
      };
      // One without njs, or whose njs has no QuickJS, serves all but metrics, and sends no spans.
      await tryWith(settings.metricsPort).catch(() => tryWith(undefined));
    },
  });
  return { nginx, confPath, metricsPort };
}

function writeConfiguration(
  settings: LocalProxySettings,
  nginx: Nginx,
  confPath: string,
  metricsPort: number | undefined,
): void {
  const { options, deployment, weightsFile, dnsPort, probePort, directory } = settings;
  const workers = Math.min(mostWorkers, availableParallelism());
  const whole = deployment.proxy(workers);
  // Spans take what metrics do.
  const proxy = metricsPort === undefined ? { ...whole, tracing: undefined } : whole;
  const place: Place = {
    resolvers: [`${nginx.machineAddress}:${dnsPort}`],
    workers,
    listenAddress: nginx.listenAddress,
    clientAddress: nginx.clientAddress,
    httpPort: options.httpPort,
    httpsPort: options.httpsPort,
    probePort,
    metricsPort,
    externalHttpsPort: options.httpsPort,
    ...certificateDirectories(directory),
    weightsFile,
    systemAuthorities: systemAuthoritiesIn(directory),
    authoritiesDirectory: authoritiesIn(directory),
    authDirectory: authIn(directory),
    filesDirectories: deployment.files.directories,
    modulesDirectory: nginx.modulesDirectory,
    runtimeDirectory: directory,
  };
  const conf = nginxConf(proxy, place);
  writeFileSync(confPath, conf);
  for (const { name, text } of scriptsOf(proxy, place, conf)) writeFileSync(join(directory, name), text);
  if (metricsPort === undefined) return;
  const emptied = [...metricsFiles(directory), ...(proxy.tracing === undefined ? [] : spansFiles(directory))];
  // Of the workers, which empty them: nginx would make them root's.
  for (const file of emptied) writeFileSync(file, '');
}

function authoritiesIn(directory: string): string {
  return join(directory, 'certificate-authorities');
}

function authIn(directory: string): string {
  return join(directory, 'auth');
}

function systemAuthoritiesIn(directory: string): string {
  return join(directory, 'system-authorities.crt');
}

function certificateDirectories(directory: string) {
  return {
    certificateDirectory: join(directory, 'certificate'),
    hostCertificatesDirectory: join(directory, 'certificates-of-hosts'),
  };
}

interface CertificateFile {
  readonly hosts: readonly string[];
  readonly certificateFile: string;
}

/** Every certificate of the proxy whose files are below a directory. */
export function certificateFiles({ hostModels }: LocalDeployment, directory: string): CertificateFile[] {
  const { certificateDirectory, hostCertificatesDirectory } = certificateDirectories(directory);
  return certificatesOf(hostModels).map(({ name, hosts }) => ({
    hosts,
    certificateFile: join(name === undefined ? certificateDirectory : join(hostCertificatesDirectory, name), 'tls.crt'),
  }));
}

/** The same certificates at every start: a browser asks once. */
function writeCertificates({ deployment, directory }: LocalProxySettings): void {
  for (const { hosts, certificateFile } of certificateFiles(deployment, directory)) {
    const path = dirname(certificateFile);
    const { certificate, privateKey } = selfSignedKeyPair(hosts, join(cacheDirectory(), 'certificates'));
    mkdirSync(path, { recursive: true });
    writeFileSync(certificateFile, certificate);
    writeFileSync(join(path, 'tls.key'), privateKey, { mode: 0o600 });
  }
}
