import { isAbsolute } from 'node:path';
import { ipAddress, serverAddress, trustedNetworks } from '../values/addresses';
import { list, record } from '../values/collections';
import { Duration, milliseconds, wholeSeconds } from '../values/duration';
import { integer, port } from '../values/integer';
import { InvalidOption } from '../values/invalid-option';
import { dnsLabelName, hostName, oneOf, urlPath } from '../values/names';
import { bytes, Size } from '../values/size';
import { hashKeyVariable } from './hash-key';
import { IpFamily, ipFamilies, LoadBalancing, loadBalancings, ProxyOptions, ProxyProps } from './proxy';
import { quote } from './quote';
import { responseHeader } from './response-header';

/** A proxy whose every value is known and can be rendered. */
export interface ProxyModel {
  readonly timeline: ProxyProps['timeline'];
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
  readonly streamTimeout: number;
  readonly gzip: boolean;
  /** In seconds; 0 sends no Strict-Transport-Security. */
  readonly hstsMaxAge: number;
  readonly hstsIncludeSubDomains: boolean;
  readonly contentSecurityPolicy: string;
  readonly responseHeaders: readonly (readonly [name: string, value: string])[];
  readonly trustedProxies: readonly string[];
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
  readonly externalHttpsPort: number;
  readonly certificateDirectory: string;
  readonly certificateStore: { readonly directory: string; readonly checkPort: number } | undefined;
  readonly modulesDirectory: string;
  readonly runtimeDirectory: string;
  readonly accessLog: string;
}

/** Validates what was given, and fills in what was not. */
export function proxyModel(props: ProxyProps): ProxyModel {
  const hosts = [...new Set([hostName('host', props.host ?? 'localhost'), ...additionalHosts(props)])];
  const loadBalancing = oneOf('loadBalancing', props.loadBalancing ?? 'least_conn', loadBalancings);
  const hstsDefault = hosts[0] === 'localhost' ? '0s' : '365d';

  return {
    timeline: props.timeline,
    hosts,
    loadBalancing,
    hashVariable: hashKeyVariable(loadBalancing, props.hashKey),
    maxFails: integer('maxFails', props.maxFails ?? 3, 1, 1000),
    failTimeout: failTimeout(props),
    clientMaxBodySize: size('clientMaxBodySize', props.clientMaxBodySize ?? '1m'),
    clientHeaderTimeout: duration('clientHeaderTimeout', props.clientHeaderTimeout ?? '10s'),
    clientBodyTimeout: duration('clientBodyTimeout', props.clientBodyTimeout ?? '10s'),
    sendTimeout: duration('sendTimeout', props.sendTimeout ?? '10s'),
    streamTimeout: wholeSeconds('streamTimeout', props.streamTimeout ?? '1h', { min: '1s', max: '1d' }),
    gzip: flag('gzip', props.gzip ?? true),
    hstsMaxAge: wholeSeconds('hstsMaxAge', props.hstsMaxAge ?? hstsDefault, { max: '3650d' }),
    hstsIncludeSubDomains: flag('hstsIncludeSubDomains', props.hstsIncludeSubDomains ?? false),
    contentSecurityPolicy: responseHeader(
      'contentSecurityPolicy',
      'Content-Security-Policy',
      props.contentSecurityPolicy ?? "default-src 'none'; frame-ancestors 'none'",
    ),
    responseHeaders: Object.entries(
      record('responseHeaders', props.responseHeaders ?? {}, '{ "X-Team": "orders" }'),
    ).map(([name, value]) => [name, responseHeader('responseHeaders', name, value)]),
    trustedProxies: trustedNetworks('trustedProxies', props.trustedProxies ?? []),
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
    certificateStore: certificateStore(props),
    modulesDirectory: absolutePath('modulesDirectory', props.modulesDirectory ?? '/usr/lib/nginx/modules'),
    runtimeDirectory: absolutePath('runtimeDirectory', props.runtimeDirectory ?? '/tmp'),
    accessLog: logFile(props.accessLog ?? '/dev/stdout'),
  };
}

/** In seconds: how long an instance is left out that failed. */
export function failTimeout(props: ProxyOptions): number {
  return wholeSeconds('failTimeout', props.failTimeout ?? '5s', { min: '1s', max: '1h' });
}

function additionalHosts(props: ProxyProps): string[] {
  return list('additionalHosts', props.additionalHosts ?? [], '["www.example.com"]').map((value) =>
    hostName('additionalHosts', value),
  );
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

function ports(props: ProxyProps): Pick<ProxyModel, 'httpPort' | 'httpsPort' | 'probePort'> {
  const taken = new Map<number, string>();
  for (const name of ['httpPort', 'httpsPort', 'probePort'] as const) {
    const value = port(name, props[name]);
    const other = taken.get(value);
    if (other !== undefined) throw new InvalidOption(name, value, `is ${other} as well: give a port of its own`);
    taken.set(value, name);
  }
  return { httpPort: props.httpPort, httpsPort: props.httpsPort, probePort: props.probePort };
}

function certificateStore(props: ProxyProps): ProxyModel['certificateStore'] {
  if (props.certificateStore === undefined) return undefined;
  const directory = absolutePath('certificateStore', props.certificateStore);
  const checkPort = port('certificateCheckPort', props.certificateCheckPort);
  if ([props.httpPort, props.httpsPort, props.probePort].includes(checkPort)) {
    throw new InvalidOption('certificateCheckPort', checkPort, 'is taken by another server: give a port of its own');
  }
  return { directory, checkPort };
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
function duration(option: string, value: Duration): Duration {
  milliseconds(option, value, { min: '1ms', max: '1d' });
  return value;
}

function size(option: string, value: Size): Size {
  bytes(option, value, { max: '1023g' });
  return value;
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
