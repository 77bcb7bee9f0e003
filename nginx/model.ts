import { isAbsolute } from 'node:path';
import { cidr, ipAddress, serverAddress, trustedNetworks } from '../validation/addresses';
import { bytes, Duration, integer, milliseconds, port, seconds, Size, whole } from '../validation/amounts';
import { list, record } from '../validation/collections';
import { InvalidOption } from '../validation/invalid-option';
import { dnsLabelName, hostName, oneOf, urlPath, wordOf } from '../validation/names';
import { asGiven, listOf, optional, Table, values, withDefault } from '../validation/options';
import { quote } from './directive';
import {
  defaultMaxBodySize,
  ipFamilies,
  IpFamily,
  LoadBalancing,
  loadBalancings,
  ProxyOptions,
  ProxyProps,
} from './proxy';
import { responseHeader } from './response-header';

/** Whoever comes from one of these may be many clients: load balancers, nodes, and what runs beside them. */
const privateNetworks = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
];

/** A path with all below it, and what becomes of its requests. */
export interface RouteModel {
  /** Its name in nginx.conf. */
  readonly name: string;
  readonly path: string;
  /** The name of an upstream. */
  readonly backend: string;
  /** In seconds: how long its answers, which are not buffered, may be silent. @default - they are buffered, and an ordinary request's */
  readonly streamTimeout?: number;
}

/** A proxy whose every value is known and can be rendered. */
export interface ProxyModel {
  readonly timeline: ProxyProps['timeline'];
  readonly budget: ProxyProps['budget'];
  readonly hosts: readonly string[];
  readonly loadBalancing: LoadBalancing;
  /** The nginx variable that a hash goes by. */
  readonly hashVariable: string | undefined;
  readonly maxFails: number;
  readonly failTimeout: number;
  readonly clientMaxBodySize: Size;
  readonly clientHeaderTimeout: Duration;
  readonly clientBodyTimeout: Duration;
  readonly sendTimeout: Duration;
  /** A request goes by the longest path that it has. */
  readonly routes: readonly RouteModel[];
  readonly gzip: boolean;
  /** In seconds; 0 sends no Strict-Transport-Security. */
  readonly hstsMaxAge: number;
  readonly hstsIncludeSubDomains: boolean;
  readonly contentSecurityPolicy: string;
  readonly responseHeaders: readonly (readonly [name: string, value: string])[];
  readonly trustedProxies: readonly string[];
  readonly unlimitedClients: readonly string[];
  readonly upstream:
    { readonly host: string; readonly port: number } | { readonly host: string; readonly service: string };
  /** Host and port, as nginx writes them. */
  readonly upstreamFallback: string | undefined;
  readonly maxUpstreams: number;
  readonly healthCheckPath: string;
  readonly resolvers: readonly string[];
  readonly ipFamilies: readonly IpFamily[];
  readonly workers: number;
  readonly listenAddress: string | undefined;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly probePort: number;
  readonly connectionCount: ProxyProps['connectionCount'];
  readonly externalHttpsPort: number;
  readonly certificateDirectory: string;
  readonly certificateStore: { readonly directory: string; readonly checkPort: number } | undefined;
  readonly modulesDirectory: string;
  readonly runtimeDirectory: string;
  readonly accessLog: string;
}

/** The options of a user. */
export const proxyOptions = {
  host: withDefault('localhost', hostName),
  additionalHosts: withDefault([], listOf(hostName, '["www.example.com"]')),
  loadBalancing: withDefault('least_conn', wordOf(loadBalancings)),
  hashKey: optional(asGiven),
  maxFails: withDefault(3, whole(1, 1000)),
  failTimeout: withDefault('5s', seconds({ min: '1s', max: '1h' })),
  clientMaxBodySize: withDefault(defaultMaxBodySize, size),
  clientHeaderTimeout: withDefault('10s', duration),
  clientBodyTimeout: withDefault('10s', duration),
  sendTimeout: withDefault('10s', duration),
  streamPaths: withDefault([], listOf(streamPath, '["/events"]')),
  streamTimeout: withDefault('1h', seconds({ min: '1s', max: '1d' })),
  gzip: withDefault(true, flag),
  hstsMaxAge: optional(seconds({ max: '3650d' })),
  hstsIncludeSubDomains: withDefault(false, flag),
  contentSecurityPolicy: withDefault("default-src 'none'; frame-ancestors 'none'", (option, value) =>
    responseHeader(option, 'Content-Security-Policy', value),
  ),
  responseHeaders: withDefault({}, (option, value) =>
    Object.entries(record(option, value, '{ "X-Team": "orders" }')).map(
      ([name, header]) => [name, responseHeader(option, name, header)] as const,
    ),
  ),
  trustedProxies: withDefault([], trustedNetworks),
  unlimitedClients: withDefault(privateNetworks, listOf(cidr, '["10.0.0.0/8"]')),
} satisfies Table<ProxyOptions>;

/** Validates what was given, and fills in what was not. */
export function proxyModel(props: ProxyProps): ProxyModel {
  const { host, additionalHosts, hashKey, streamPaths, streamTimeout, ...options } = values(props, proxyOptions);
  const { loadBalancing } = options;
  const hosts = [...new Set([host, ...additionalHosts])];
  const hstsMaxAge = options.hstsMaxAge ?? (host === 'localhost' ? 0 : year);
  refuseWithoutEffect(props, streamPaths, hstsMaxAge);

  return {
    ...options,
    timeline: props.timeline,
    budget: props.budget,
    hosts,
    hashVariable: hashKeyVariable(loadBalancing, hashKey),
    routes: routes([...new Set(streamPaths)], streamTimeout),
    hstsMaxAge,
    upstream: upstream(props, loadBalancing),
    upstreamFallback: upstreamFallback(props.upstreamFallback),
    maxUpstreams: integer('maxUpstreams', props.maxUpstreams, 1, 5000),
    healthCheckPath: urlPath('healthCheckPath', props.healthCheckPath ?? '/healthcheck'),
    resolvers: notEmpty('resolvers', props.resolvers, 'a DNS server', '["10.96.0.10"]').map((value) =>
      serverAddress('resolvers', value),
    ),
    ipFamilies: [
      ...new Set(
        notEmpty('ipFamilies', props.ipFamilies ?? ['IPv4'], 'IPv4, IPv6 or both', '["IPv4"]').map((value) =>
          oneOf('ipFamilies', value, ipFamilies),
        ),
      ),
    ],
    workers: integer('workers', props.workers, 1, 512),
    listenAddress: props.listenAddress === undefined ? undefined : ipAddress('listenAddress', props.listenAddress),
    ...ports(props),
    externalHttpsPort: port('externalHttpsPort', props.externalHttpsPort),
    certificateDirectory: absolutePath('certificateDirectory', props.certificateDirectory),
    modulesDirectory: absolutePath('modulesDirectory', props.modulesDirectory ?? '/usr/lib/nginx/modules'),
    runtimeDirectory: absolutePath('runtimeDirectory', props.runtimeDirectory ?? '/tmp'),
    accessLog: logFile(props.accessLog ?? '/dev/stdout'),
  };
}

/** All requests go to the API, some of them as streams. */
function routes(streamPaths: readonly string[], streamTimeout: number): RouteModel[] {
  const names = new Set<string>();
  const nameOf = (path: string): string => {
    const words = path === '/' ? 'all' : path.slice(1).replaceAll(/\W/g, '_');
    let name = words;
    for (let index = 2; names.has(name); index += 1) name = `${words}_${index}`;
    names.add(name);
    return name;
  };
  const all = { name: nameOf('/'), path: '/', backend: api };
  return [all, ...streamPaths.map((path) => ({ name: nameOf(path), path, backend: api, streamTimeout }))];
}

/** The name of the upstream. */
const api = 'api';

/** In seconds: for how long browsers use nothing but HTTPS. A localhost belongs to every project of a machine. */
const year = 365 * 24 * 60 * 60;

/** What was asked for, and another option takes away. */
function refuseWithoutEffect(
  { streamTimeout, hstsIncludeSubDomains }: ProxyOptions,
  streamPaths: readonly string[],
  hstsMaxAge: number,
): void {
  if (streamTimeout !== undefined && streamPaths.length === 0) {
    throw new InvalidOption(
      'streamTimeout',
      streamTimeout,
      'does nothing without streamPaths: take it out, or give streamPaths',
    );
  }
  if (hstsIncludeSubDomains === true && hstsMaxAge === 0) {
    throw new InvalidOption(
      'hstsIncludeSubDomains',
      hstsIncludeSubDomains,
      'does nothing while hstsMaxAge is 0s, as it is for localhost: take it out, or give hstsMaxAge',
    );
  }
}

function upstream(props: ProxyProps, loadBalancing: LoadBalancing): ProxyModel['upstream'] {
  const host = hostName('upstreamHost', props.upstreamHost);
  if (props.upstreamService !== undefined && props.upstreamPort === undefined) {
    return { host, service: dnsLabelName('upstreamService', props.upstreamService) };
  }
  if (props.upstreamPort === undefined || props.upstreamService !== undefined) {
    throw new InvalidOption(
      'upstreamPort',
      props.upstreamPort,
      'and upstreamService exclude each other: give exactly one',
    );
  }
  if (loadBalancing === 'hash' || loadBalancing === 'client_address') {
    throw new InvalidOption(
      'loadBalancing',
      loadBalancing,
      'needs a name for each instance, which address records do not have: give upstreamService instead of upstreamPort',
    );
  }
  return { host, port: port('upstreamPort', props.upstreamPort) };
}

function upstreamFallback(given: ProxyProps['upstreamFallback']): ProxyModel['upstreamFallback'] {
  if (given === undefined) return undefined;
  return serverAddress('upstreamFallback', `${given.host}:${port('upstreamFallback.port', given.port)}`);
}

/** As nginx matches them, without an escape: what a path of a route may be made of, and no more. */
function streamPath(option: string, path: unknown): string {
  if (typeof path === 'string' && /^(?:\/[\w~-][\w.~-]*)+$/.test(path) && path.length <= 200) return path;
  throw new InvalidOption(
    option,
    path,
    'is not a path that nginx can be given: give letters, digits, ".", "_", "~", "-" between slashes, such as "/events"',
  );
}

function ports(
  props: ProxyProps,
): Pick<ProxyModel, 'httpPort' | 'httpsPort' | 'probePort' | 'connectionCount' | 'certificateStore'> {
  const { httpPort, httpsPort, probePort, connectionCount } = props;
  const directory =
    props.certificateStore === undefined ? undefined : absolutePath('certificateStore', props.certificateStore);
  const given: readonly (readonly [name: string, value: unknown])[] = [
    ['httpPort', httpPort],
    ['httpsPort', httpsPort],
    ['probePort', probePort],
    ...(connectionCount === undefined
      ? []
      : ([
          ['connectionCount.httpPort', connectionCount.httpPort],
          ['connectionCount.httpsPort', connectionCount.httpsPort],
        ] as const)),
    ...(directory === undefined ? [] : ([['certificateCheckPort', props.certificateCheckPort]] as const)),
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
    connectionCount,
    certificateStore:
      directory === undefined
        ? undefined
        : { directory, checkPort: port('certificateCheckPort', props.certificateCheckPort) },
  };
}

function notEmpty(option: string, values: unknown, remedy: string, example: string): readonly unknown[] {
  const members = list(option, values, example);
  if (members.length === 0) throw new InvalidOption(option, values, `is empty: give ${remedy}`);
  return members;
}

function flag(option: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new InvalidOption(option, value, 'is neither true nor false: give one of them');
  return value;
}

/** nginx reads a zero timeout as none at all. */
function duration(option: string, value: unknown): Duration {
  milliseconds(option, value, { min: '1ms', max: '1d' });
  return value as Duration;
}

function size(option: string, value: unknown): Size {
  bytes(option, value, { max: '1023g' });
  return value as Size;
}

function absolutePath(option: string, value: string): string {
  quote(option, value);
  if (!isAbsolute(value)) throw new InvalidOption(option, value, 'is not an absolute path: begin it with "/"');
  return value;
}

function logFile(value: string): string {
  // A path with variables would be opened anew for every line.
  if (absolutePath('accessLog', value).includes('$')) {
    throw new InvalidOption('accessLog', value, 'has a "$", which nginx reads as a variable there: take it out');
  }
  return value;
}

/** The nginx variable that a consistent hash goes by, if the load balancing is one. */
function hashKeyVariable(loadBalancing: LoadBalancing, hashKey: unknown): string | undefined {
  if (loadBalancing !== 'hash') {
    if (hashKey !== undefined) {
      throw new InvalidOption(
        'hashKey',
        hashKey,
        `does nothing with loadBalancing "${loadBalancing}": take it out, or give "hash"`,
      );
    }
    return loadBalancing === 'client_address' ? '$binary_remote_addr' : undefined;
  }
  if (hashKey === 'uri') return '$request_uri';
  const [, kind, name = ''] = /^(header|cookie):(.*)$/s.exec(typeof hashKey === 'string' ? hashKey : '') ?? [];
  // nginx has header names in variables with underscores for hyphens, and cookie names as they are.
  if (kind === 'header' && /^[A-Za-z0-9-]{1,64}$/.test(name)) return `$http_${name.toLowerCase().replaceAll('-', '_')}`;
  if (kind === 'cookie' && /^[A-Za-z0-9_]{1,64}$/.test(name)) return `$cookie_${name}`;
  throw new InvalidOption(
    'hashKey',
    hashKey,
    'is not a key that nginx can hash: give "uri", "header:NAME" (letters, digits, hyphens) or "cookie:NAME" (letters, digits, underscores)',
  );
}
