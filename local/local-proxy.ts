import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { selfSignedKeyPair } from '../certificates/self-signed';
import { budget } from '../model/budget';
import { Timeline } from '../model/timeline';
import { nginxConf } from '../nginx/nginx-conf';
import { defaultMaxBodySize } from '../nginx/proxy';
import { upstreamZone } from '../nginx/upstream-section';
import { bytes } from '../validation/amounts';
import { cacheDirectory } from './find-nginx/cache-directory';
import { findNginx } from './find-nginx/find-nginx';
import { Nginx } from './find-nginx/nginx';
import { giveToWorkers, workerUser } from './find-nginx/worker-user';
import { maxScale, StartOptions } from './start-options';

/** The name whose SRV records are the instances. `internal` is for such names. https://www.icann.org/en/board-activities-and-meetings/materials/approved-resolutions-special-meeting-of-the-icann-board-29-07-2024-en */
export const zone = 'api.internal';

const mostWorkers = 4;
/** Bytes that nginx may take here, if its clients do their worst. */
const memoryLimit = 2 * 2 ** 30;

export interface LocalProxySettings {
  readonly options: StartOptions;
  readonly timeline: Timeline;
  readonly dnsPort: number;
  readonly probePort: number;
  /** Everything that nginx reads and writes is in it. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

export interface LocalProxy {
  readonly nginx: Nginx;
  readonly confPath: string;
}

/** Writes a certificate and a configuration, and finds the nginx that can run it. */
export async function prepareLocalProxy(settings: LocalProxySettings): Promise<LocalProxy> {
  const certificateDirectory = join(settings.directory, 'certificate');
  writeCertificate(settings.options.host, certificateDirectory);
  const confPath = join(settings.directory, 'nginx.conf');
  const workers = await workerUser(settings.signal);
  const nginx = await findNginx({
    signal: settings.signal,
    workers,
    suits: async (candidate) => {
      writeFileSync(confPath, configuration(settings, candidate, certificateDirectory));
      giveToWorkers(settings.directory, workers);
      await candidate.test(confPath);
    },
  });
  return { nginx, confPath };
}

function configuration(settings: LocalProxySettings, nginx: Nginx, certificateDirectory: string): string {
  const { options, timeline, dnsPort, probePort, directory } = settings;
  const workers = Math.min(mostWorkers, availableParallelism());
  return nginxConf({
    timeline,
    budget: budget({
      memoryLimit,
      workers,
      maxBodySize: bytes('clientMaxBodySize', defaultMaxBodySize),
      gzip: true,
      hasStreams: false,
      upstreamZone: upstreamZone(maxScale),
    }),
    host: options.host,
    upstreamHost: zone,
    upstreamService: 'http',
    maxUpstreams: maxScale,
    healthCheckPath: options.healthCheckPath,
    resolvers: [`${nginx.machineAddress}:${dnsPort}`],
    workers,
    listenAddress: nginx.listenAddress,
    httpPort: options.httpPort,
    httpsPort: options.httpsPort,
    probePort,
    externalHttpsPort: options.httpsPort,
    certificateDirectory,
    runtimeDirectory: directory,
    // A browser would remember it for the real host of this name.
    hstsMaxAge: '0s',
  });
}

/** The same certificate at every start: a browser asks once. */
function writeCertificate(host: string, directory: string): void {
  const { certificate, privateKey } = selfSignedKeyPair([host], join(cacheDirectory(), 'certificates'));
  mkdirSync(directory);
  writeFileSync(join(directory, 'tls.crt'), certificate);
  writeFileSync(join(directory, 'tls.key'), privateKey, { mode: 0o600 });
}
