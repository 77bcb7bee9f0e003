import { isAbsolute } from 'node:path';
import { dnsServers, ipAddress, ipFamilies, type IpFamily } from '../validation/addresses';
import { integer, port } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { oneLine } from '../validation/text';

/** Where a proxy runs: what follows from the machine or the pod that it is in. */
export interface Place {
  /** DNS servers: addresses, or names that the system resolves when nginx starts; each with an optional port. */
  readonly resolvers: readonly string[];
  /** @default ['IPv4'] */
  readonly ipFamilies?: readonly IpFamily[] | undefined;
  /** `worker_processes`: one for each CPU that nginx may use. */
  readonly workers: number;
  /** The address to listen on. @default - every address */
  readonly listenAddress?: string | undefined;
  /** The address on which clients are listened for. @default - listenAddress */
  readonly clientAddress?: string | undefined;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** The port of the probes' own TLS server, which clients never reach. */
  readonly probePort: number;
  /**
   * Ports of the loopback address for the servers that clients reach, who then come through a count of their connections. Needs
   * nginx's stream module. @default - connections are not counted
   */
  readonly connectionCount?: { readonly httpPort: number; readonly httpsPort: number } | undefined;
  /**
   * The port that metrics are served on, which clients never reach. Needs njs with QuickJS, and the scripts of metrics-section.ts beside
   * nginx.conf. @default - there are none
   */
  readonly metricsPort?: number | undefined;
  /**
   * Where requests are written until they are counted, a line each: best in memory. The workers empty its files.
   * @default - runtimeDirectory
   */
  readonly metricsDirectory?: string | undefined;
  /**
   * Where sampled requests are written to until their spans are sent, a line each: best in memory. The workers empty its files.
   * @default - runtimeDirectory
   */
  readonly spansDirectory?: string | undefined;
  /** The port of HTTPS as clients see it, which redirects name. */
  readonly externalHttpsPort: number;
  /** Holds `tls.crt` and `tls.key`, and may be written to while nginx runs. */
  readonly certificateDirectory: string;
  /** Holds a directory for each certificate of hosts, with the same files. */
  readonly hostCertificatesDirectory: string;
  /**
   * A writable directory, in memory as it holds keys: pairs that proved good are kept here, and the last one is served
   * while `certificateDirectory` holds a pair that is broken or expired. Needs njs, and the script of
   * last-good-certificate-section.ts beside nginx.conf. @default - none: what `certificateDirectory` holds is served
   */
  readonly certificateStore?: string | undefined;
  /** A port of the loopback address, on which a new pair is proved. Goes with `certificateStore`. */
  readonly certificateCheckPort?: number | undefined;
  /**
   * In seconds: how long a new proxy waits for a good certificate of each host, before it starts without. Goes with `certificateStore`.
   * @default 0
   */
  readonly certificatePatience?: number | undefined;
  /**
   * In seconds: how long a new proxy waits for an instance of each of several backends, before one backend is enough. Goes with
   * `certificateStore`, and needs the script of awaited-backends-section.ts beside nginx.conf. @default 0
   */
  readonly backendPatience?: number | undefined;
  /**
   * Weights of routes that backends share, as JSON, read every few seconds. Needs njs, and the script of live-weights-section.ts
   * beside nginx.conf. @default - none: weights stand in nginx.conf
   */
  readonly weightsFile?: string | undefined;
  /** The certificates of the CAs that the system trusts, as a file (PEM). @default '/etc/ssl/certs/ca-certificates.crt' */
  readonly systemAuthorities?: string | undefined;
  /** Holds a file `NAME/ca.crt` for each private CA of an external service. @default '/etc/nginx/certificate-authorities' */
  readonly authoritiesDirectory?: string | undefined;
  /** Holds the files that say who may use routes, each by its path. @default '/etc/nginx/auth' */
  readonly authDirectory?: string | undefined;
  /**
   * Where files are that nginx itself serves: a directory for each source of a route that is here; the routes of others are answered 503.
   * @default - none of them
   */
  readonly filesDirectories?: Readonly<Record<string, string>> | undefined;
  /** Writable: a directory for each cache is made in it. @default - runtimeDirectory */
  readonly cacheDirectory?: string | undefined;
  /** Where nginx's dynamic modules are. @default '/usr/lib/nginx/modules' */
  readonly modulesDirectory?: string | undefined;
  /** Writable: the pid file and temporary files. @default '/tmp' */
  readonly runtimeDirectory?: string | undefined;
  /** @default '/dev/stdout' */
  readonly accessLog?: string | undefined;
}

/** A place whose every value is known and can be rendered. */
export interface PlaceModel {
  readonly resolvers: readonly string[];
  readonly ipFamilies: readonly IpFamily[];
  readonly workers: number;
  readonly listenAddress: string | undefined;
  readonly clientAddress: string | undefined;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly probePort: number;
  readonly connectionCount: { readonly httpPort: number; readonly httpsPort: number } | undefined;
  readonly metrics: { readonly port: number; readonly directory: string } | undefined;
  readonly spansDirectory: string;
  readonly externalHttpsPort: number;
  readonly certificateDirectory: string;
  readonly hostCertificatesDirectory: string;
  readonly certificateStore:
    { readonly directory: string; readonly checkPort: number; readonly patience: number } | undefined;
  readonly backendPatience: number;
  readonly weightsFile: string | undefined;
  readonly systemAuthorities: string;
  readonly authoritiesDirectory: string;
  readonly authDirectory: string;
  readonly filesDirectories: ReadonlyMap<string, string>;
  readonly cacheDirectory: string;
  readonly modulesDirectory: string;
  readonly runtimeDirectory: string;
  readonly accessLog: string;
}

/** Validates what was given, and fills in what was not. */
export function placeModel(place: Place): PlaceModel {
  return {
    resolvers: dnsServers('resolvers', place.resolvers),
    ipFamilies: [...new Set(ipFamilies('ipFamilies', place.ipFamilies ?? ['IPv4']))],
    workers: integer('workers', place.workers, 1, 512),
    listenAddress: place.listenAddress === undefined ? undefined : ipAddress('listenAddress', place.listenAddress),
    clientAddress: addressOfClients(place),
    ...ports(place),
    externalHttpsPort: port('externalHttpsPort', place.externalHttpsPort),
    certificateDirectory: absolutePath('certificateDirectory', place.certificateDirectory),
    hostCertificatesDirectory: absolutePath('hostCertificatesDirectory', place.hostCertificatesDirectory),
    backendPatience: integer('backendPatience', place.backendPatience ?? 0, 0, 86_400),
    weightsFile: place.weightsFile === undefined ? undefined : absolutePath('weightsFile', place.weightsFile),
    systemAuthorities: absolutePath(
      'systemAuthorities',
      place.systemAuthorities ?? '/etc/ssl/certs/ca-certificates.crt',
    ),
    authoritiesDirectory: absolutePath(
      'authoritiesDirectory',
      place.authoritiesDirectory ?? '/etc/nginx/certificate-authorities',
    ),
    authDirectory: absolutePath('authDirectory', place.authDirectory ?? '/etc/nginx/auth'),
    filesDirectories: new Map(
      Object.entries(place.filesDirectories ?? {}).map(([source, path]) => [
        source,
        absolutePath(`filesDirectories[${JSON.stringify(source)}]`, path),
      ]),
    ),
    modulesDirectory: absolutePath('modulesDirectory', place.modulesDirectory ?? '/usr/lib/nginx/modules'),
    runtimeDirectory: absolutePath('runtimeDirectory', place.runtimeDirectory ?? '/tmp'),
    spansDirectory: absolutePath('spansDirectory', place.spansDirectory ?? place.runtimeDirectory ?? '/tmp'),
    cacheDirectory: absolutePath('cacheDirectory', place.cacheDirectory ?? place.runtimeDirectory ?? '/tmp'),
    accessLog: logFile('accessLog', place.accessLog ?? '/dev/stdout'),
  };
}

function addressOfClients({ listenAddress, clientAddress }: Place): string | undefined {
  if (clientAddress !== undefined) return ipAddress('clientAddress', clientAddress);
  return listenAddress === undefined ? undefined : ipAddress('listenAddress', listenAddress);
}

/** How clients write a host of ours, as nginx has it in variables: with the port, unless it is the one they leave out. */
export function authority({ externalHttpsPort }: PlaceModel): string {
  return externalHttpsPort === 443 ? '$host' : `$host:${externalHttpsPort}`;
}

function ports(
  place: Place,
): Pick<PlaceModel, 'httpPort' | 'httpsPort' | 'probePort' | 'metrics' | 'connectionCount' | 'certificateStore'> {
  const { httpPort, httpsPort, probePort, metricsPort, connectionCount } = place;
  const directory =
    place.certificateStore === undefined ? undefined : absolutePath('certificateStore', place.certificateStore);
  const given: readonly (readonly [name: string, value: unknown])[] = [
    ['httpPort', httpPort],
    ['httpsPort', httpsPort],
    ['probePort', probePort],
    ...(metricsPort === undefined ? [] : ([['metricsPort', metricsPort]] as const)),
    ...(connectionCount === undefined
      ? []
      : ([
          ['connectionCount.httpPort', connectionCount.httpPort],
          ['connectionCount.httpsPort', connectionCount.httpsPort],
        ] as const)),
    ...(directory === undefined ? [] : ([['certificateCheckPort', place.certificateCheckPort]] as const)),
  ];
  const taken = new Map<number, string>();
  for (const [name, value] of given) {
    const number = port(name, value);
    const other = taken.get(number);
    if (other !== undefined) throw new InvalidOption(name, number, `is ${other} as well: give a port of its own`);
    taken.set(number, name);
  }
  return {
    httpPort,
    httpsPort,
    probePort,
    metrics:
      metricsPort === undefined
        ? undefined
        : {
            port: metricsPort,
            directory: logFile('metricsDirectory', place.metricsDirectory ?? place.runtimeDirectory ?? '/tmp'),
          },
    connectionCount,
    certificateStore:
      directory === undefined
        ? undefined
        : {
            directory,
            checkPort: port('certificateCheckPort', place.certificateCheckPort),
            patience: integer('certificatePatience', place.certificatePatience ?? 0, 0, 86_400),
          },
  };
}

function absolutePath(option: string, value: string): string {
  oneLine(option, value);
  if (!isAbsolute(value)) throw new InvalidOption(option, value, 'is not an absolute path: begin it with "/"');
  return value;
}

/** Refuses a path whose name nginx would look up anew for each line. */
export function logFile(option: string, value: string): string {
  if (absolutePath(option, value).includes('$')) {
    throw new InvalidOption(option, value, 'has a "$", which nginx reads as a variable there: take it out');
  }
  return value;
}
