import { basename, join } from 'node:path';
import type { Directive } from '../requests/parsed-conf';

/** Where nginx runs, in the place of a pod. */
export interface StandIn {
  /** Its own, which it may write to. */
  readonly directory: string;
  readonly modulesDirectory: string;
  readonly listenAddress: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Files of a certificate and its key, which stand for all others. */
  readonly certificate: string;
  readonly privateKey: string;
  /** A file that names nobody, in the place of those with passwords. */
  readonly nobody: string;
  /** Where something answers in the place of each upstream, as `address:port`. */
  readonly instances: ReadonlyMap<string, string>;
}

/**
 * nginx.conf of a cluster, so that it runs on one machine: the same servers, locations and maps, with one instance by address in the
 * place of each upstream, without probes, logs and DNS, and without TLS to others.
 */
export function standInConf(main: readonly Directive[], place: StandIn): string {
  return rendered(main.flatMap((directive) => ofMain(directive, place)));
}

/** The names of all upstreams, and whether they are asked by gRPC: the server of the probes names each, whatever routes share it. */
export function upstreamsOf(main: readonly Directive[]): ReadonlyMap<string, 'http' | 'grpc'> {
  const http = main.find(({ name }) => name === 'http')?.body ?? [];
  const names = http.flatMap(({ name, args }) => (name === 'upstream' ? (args[0] ?? []) : []));
  const text = rendered(http);
  return new Map(names.map((name) => [name, text.includes(`"grpc://${name}"`) ? 'grpc' : 'http']));
}

function ofMain(directive: Directive, place: StandIn): readonly Directive[] {
  const { name, args, body = [] } = directive;
  switch (name) {
    case 'daemon':
    case 'pid':
    case 'error_log':
    case 'stream':
    case 'worker_processes':
    case 'worker_rlimit_nofile':
      return name === 'pid' ? whole('pid', join(place.directory, 'nginx.pid')).concat(whole('daemon', 'off')) : [];
    case 'load_module':
      return whole('load_module', join(place.modulesDirectory, basename(args[0] ?? '')));
    case 'events':
      return [{ name, args, body: whole('worker_connections', '256') }];
    case 'http':
      // Without one of its own, nginx opens the log that was compiled in.
      return [{ name, args, body: [...whole('access_log', 'off'), ...body.flatMap((each) => ofHttp(each, place))] }];
    default:
      return [directive];
  }
}

function ofHttp(directive: Directive, place: StandIn): readonly Directive[] {
  const { name, args, body = [] } = directive;
  if (/^(?:access_log|error_log|resolver|resolver_timeout)$/.test(name)) return [];
  if (name.endsWith('_temp_path')) return whole(name, join(place.directory, name));
  if (name === 'proxy_cache_path') {
    return [{ name, args: [join(place.directory, basename(args[0] ?? '')), ...args.slice(1)] }];
  }
  if (name === 'js_shared_dict_zone') return [{ name, args: args.filter((arg) => !arg.startsWith('state=')) }];
  if (name === 'upstream') return [{ name, args, body: ofUpstream(args[0] ?? '', body, place) }];
  if (name === 'server') return ofServer(directive, place);
  return [directive];
}

function ofUpstream(upstream: string, body: readonly Directive[], { instances }: StandIn): readonly Directive[] {
  const others = body.filter(({ name, args }) => name !== 'server' || args.includes('down'));
  const instance = instances.get(upstream);
  return instance === undefined ? others : [...others, ...whole('server', instance)];
}

/** Those alone that clients reach by a name. */
function ofServer({ name, args, body = [] }: Directive, place: StandIn): readonly Directive[] {
  if (!body.some((each) => each.name === 'server_name')) return [];
  const { listenAddress, httpPort, httpsPort } = place;
  const isTls = body.some((each) => each.name === 'listen' && each.args.includes('ssl'));
  const listen: Directive = {
    name: 'listen',
    args: isTls ? [`${listenAddress}:${httpsPort}`, 'ssl'] : [`${listenAddress}:${httpPort}`],
  };
  const others = body.filter((each) => each.name !== 'listen' && each.name !== 'error_log');
  return [{ name, args, body: [listen, ...others.flatMap((each) => inside(each, place))] }];
}

function inside(directive: Directive, place: StandIn): readonly Directive[] {
  const { name, args, body } = directive;
  switch (name) {
    case 'ssl_certificate':
    case 'ssl_client_certificate':
      return whole(name, place.certificate);
    case 'ssl_certificate_key':
      return whole(name, place.privateKey);
    case 'auth_basic_user_file':
      return whole(name, place.nobody);
    case 'if':
      // Whether such a file is there.
      return args[0] === '(!-f' ? [] : [directive];
    case 'proxy_pass':
      return [{ name, args: args.map((arg) => arg.replace(/^https:/, 'http:')) }];
    default:
      if (name.startsWith('proxy_ssl_')) return [];
      return [body === undefined ? directive : { name, args, body: body.flatMap((each) => inside(each, place)) }];
  }
}

function whole(name: string, ...args: readonly string[]): readonly Directive[] {
  return [{ name, args }];
}

/** In quotes throughout, which nginx does not mind. */
function rendered(directives: readonly Directive[]): string {
  return directives
    .map(({ name, args, body }) => {
      const line = [name, ...args].map(quoted).join(' ');
      return body === undefined ? `${line};\n` : `${line} {\n${rendered(body)}}\n`;
    })
    .join('');
}

const escapes: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function quoted(word: string): string {
  return `"${word.replaceAll(/[\\"\t\n\r]/g, (character) => escapes[character] ?? `\\${character}`)}"`;
}
