import type { Directive } from './parsed-conf';
import { everyDirective, type FrontDoor, type Way } from './front-door';
import { noConditions, type Request, requestUri, requestWith } from './request';
import { variablesIn } from './variables';

/** What is shown to people, and what tells it from anything else. */
export interface Said {
  readonly shown: string;
  readonly meaning: string;
}

/** A rule by which a request is answered. */
export interface Policy extends Said {
  /** What it is about: `longest body (client_max_body_size)`. */
  readonly subject: string;
  /** Whether it says who may ask. */
  readonly isAccess: boolean;
}

/** What becomes of a request: who answers it, and by which rules. */
export interface Answer {
  readonly by: Said;
  readonly policies: readonly Policy[];
}

const nobody: Said = { shown: 'nobody, as the host is not known', meaning: 'nobody' };

export function answerTo(door: FrontDoor, request: Request): Answer {
  const way = door.way(request);
  if (way === undefined) return { by: nobody, policies: [] };
  const reading = new Reading(door, way, request);
  return { by: reading.by(), policies: reading.policies() };
}

/** Directives that say where a request goes, which `by` has, or how a connection is kept, and no rule. */
const structural = new Set([
  'access_log',
  'add_header_inherit',
  'error_log',
  'grpc_pass',
  'http2',
  'internal',
  'js_content',
  'keepalive_time',
  'listen',
  'location',
  'proxy_pass',
  'recursive_error_pages',
  'return',
  'root',
  'server_name',
  'set',
  'ssl_certificate',
  'ssl_certificate_key',
  'try_files',
]);

/** What of the http block a request is answered by; the rest of it defines something, or is about connections and memory. */
const ofHttp =
  /^(?:add_header|auth_\w+|client_(?:body|header)_timeout|client_max_body_size|default_type|error_page|gzip(?:_types|_min_length|_proxied)?|limit_(?:conn|req)(?:_status)?|max_headers|mirror|send_timeout|(?:proxy|grpc)_(?:buffering|cache\w*|connect_timeout|hide_header|next_upstream\w*|no_cache|pass_header|read_timeout|send_timeout|set_header|ssl_\w+))$/;
const definesCache = new Set(['proxy_cache_path']);

/** Variables that locations set to find their way, and no rule. */
const ofTheWay = /^\$(?:route|backend|chosen|error_pages|called_upstream|piece_\d+)$/;

const words: Readonly<Record<string, string>> = {
  auth_basic: 'a password',
  auth_basic_user_file: 'the file of passwords',
  client_body_timeout: 'longest pause in a body',
  client_max_body_size: 'longest body',
  grpc_connect_timeout: 'longest wait for a connection',
  grpc_next_upstream: 'when another instance is tried',
  grpc_next_upstream_timeout: 'time for tries',
  grpc_next_upstream_tries: 'tries',
  grpc_read_timeout: 'longest silence of the backend',
  grpc_send_timeout: 'longest pause of sending to the backend',
  mirror: 'copies',
  proxy_buffering: 'whether answers wait until they are whole',
  proxy_cache: 'answers that are kept',
  proxy_cache_key: 'what tells kept answers apart',
  proxy_cache_valid: 'how long answers are kept',
  proxy_connect_timeout: 'longest wait for a connection',
  proxy_next_upstream: 'when another instance is tried',
  proxy_next_upstream_timeout: 'time for tries',
  proxy_next_upstream_tries: 'tries',
  proxy_read_timeout: 'longest silence of the backend',
  proxy_send_timeout: 'longest pause of sending to the backend',
  send_timeout: 'longest pause of reading an answer',
  ssl_client_certificate: 'the CA of clients',
};

/** What stands in nginx.conf on the way of one request. */
class Reading {
  private readonly location: readonly Directive[];
  private readonly server: readonly Directive[];

  constructor(
    private readonly door: FrontDoor,
    private readonly way: Way,
    private readonly request: Request,
  ) {
    this.location = way.location?.body ?? [];
    this.server = way.server.body;
  }

  by(): Said {
    const own = this.way.location === undefined ? this.server : this.location;
    const find = (...names: readonly string[]): Directive | undefined => own.find(({ name }) => names.includes(name));
    const passed = find('proxy_pass', 'grpc_pass');
    if (passed !== undefined) return this.forwarded(passed);
    const returned = find('return');
    if (returned !== undefined) return this.returned(returned);
    const files = find('try_files');
    if (files !== undefined) {
      const root = find('root')?.args[0] ?? '';
      return { shown: `files of ${root}`, meaning: `${root} ${this.meaningOf(files)}` };
    }
    if (this.way.location === undefined) return { shown: '404, as no path of the host fits', meaning: 'no path' };
    const rest = own.map((directive) => this.meaningOf(directive)).join('; ');
    return { shown: own.map(writtenAs).join('; ').slice(0, 80), meaning: rest };
  }

  policies(): readonly Policy[] {
    const names = new Set([
      ...[...this.location.map(({ name }) => name), ...this.way.server.kinds].filter((name) => !structural.has(name)),
      ...this.door.kinds.filter((name) => ofHttp.test(name) && !definesCache.has(name)),
    ]);
    names.delete('if');
    // A server that answers everything itself has no other rules.
    if (this.way.location === undefined) {
      return this.effective('add_header').flatMap((directive) => this.policy(directive));
    }
    const ifs = [...this.way.server.all('if'), ...this.location.filter(({ name }) => name === 'if')];
    return [
      ...[...names].sort().flatMap((name) => this.effective(name).flatMap((directive) => this.policy(directive))),
      ...ifs.flatMap((directive) => this.condition(directive)),
      ...this.location.flatMap((directive) => this.setting(directive)),
      ...this.upstreams(),
      ...this.furtherTries(),
      ...this.preflight(),
    ];
  }

  /** Directives of a name that hold here: those of the nearest level that has some. */
  private effective(name: string): readonly Directive[] {
    const at = (wanted: string): readonly (readonly Directive[])[] =>
      [
        this.location.filter((directive) => directive.name === wanted),
        this.way.server.all(wanted),
        this.door.all(wanted),
      ].filter(({ length }) => length > 0);
    const isMerged = name === 'add_header' && at('add_header_inherit')[0]?.[0]?.args[0] === 'merge';
    return isMerged ? [...at(name)].reverse().flat() : (at(name)[0] ?? []);
  }

  private policy(directive: Directive): readonly Policy[] {
    const { name, args } = directive;
    const [first = '', second = ''] = args;
    const meaning = this.meaningOf(directive);
    switch (name) {
      case 'add_header': {
        const value = this.meaning(second);
        if (value === '') return [];
        return [rule(`header of answers, ${first}`, this.evaluated(second), `${value} ${args.slice(2).join(' ')}`)];
      }
      case 'proxy_set_header':
      case 'grpc_set_header':
        return [rule(`header to the backend, ${first}`, this.evaluated(second) || 'taken away', this.meaning(second))];
      case 'proxy_hide_header':
      case 'grpc_hide_header':
        return [rule('headers of the backend that are not passed on', first, first.toLowerCase())];
      case 'limit_req':
        return [this.rateLimit(directive)];
      case 'limit_conn':
        return [
          rule(`${countedBy(first)} at once (limit_conn)`, second, `${second} ${this.zone('limit_conn_zone', first)}`),
        ];
      case 'error_page':
        return this.errorPage(directive, meaning);
      case 'auth_request':
        return [rule('who may ask (auth_request)', this.askedAt(first), this.asked(first), true)];
      case 'limit_req_status':
        return this.effective('limit_req').length === 0 ? [] : [rule('rate (limit_req_status)', first, meaning)];
      case 'mirror':
        return [rule('copies (mirror)', `to ${this.forwardsTo(first)}`, meaning)];
      default: {
        const word = words[name];
        const subject = word === undefined ? name : `${word} (${name})`;
        const shown = directive.body === undefined ? args.map((arg) => this.evaluated(arg)).join(' ') : '{ … }';
        return [rule(subject, shown, meaning, /^auth_|^ssl_(?:client|verify)/.test(name))];
      }
    }
  }

  private errorPage({ args }: Directive, meaning: string): readonly Policy[] {
    // Where a request goes on that is no error, and connections that are for another host.
    if (args[0] === '418' || args.at(-1) === '@misdirected_request') return [];
    // Errors of nginx itself: who is not asked for anything, or not limited, does not meet them.
    if (args[0] === '401' && !this.location.some(({ name }) => name.startsWith('auth_'))) return [];
    if (args[0] === '429' && this.effective('limit_req').length === 0) return [];
    return [
      rule(`errors ${args.filter((arg) => /^\d+$/.test(arg)).join(' ')} (error_page)`, args.at(-1) ?? '', meaning),
    ];
  }

  private condition(directive: Directive): readonly Policy[] {
    const condition = directive.args.join(' ');
    const [variable = ''] = variablesIn(condition);
    const meaning = this.meaningOf(directive);
    // What is rewritten says it by what is asked for, what browsers ask first has a location of its own, and a file of passwords is named.
    if (/^(?:rewritten_|preflight_request$|certificate$)/.test(variable) || condition.startsWith('(!-f')) return [];
    if (variable.startsWith('stranger_to_')) {
      const networks = this.door.variables.definition(variable)?.body ?? [];
      const shown = networks.flatMap(({ name, args }) => (args[0] === '0' ? [name] : []));
      return [rule('who may ask, by address (allowFrom)', listedShort(shown), meaning, true)];
    }
    if (variable.startsWith('no_client_of_')) {
      return [rule('who may ask, by certificate', 'those whose certificate the route takes', meaning, true)];
    }
    if (variable.startsWith('spelt_otherwise_')) {
      return [rule('paths of other routes with rules, spelt otherwise', 'answered 404', meaning)];
    }
    if (variable === 'straight_uri') return [rule('paths that climb to other routes', 'answered 400', meaning)];
    const returned = directive.body?.find(({ name }) => name === 'return')?.args[0] ?? '…';
    return [rule('a condition (if)', `if ${condition}: ${returned}`, meaning)];
  }

  private setting({ name, args }: Directive): readonly Policy[] {
    const [variable = '', value = ''] = args;
    if (name !== 'set' || ofTheWay.test(variable)) return [];
    if (variable === '$allowed_origin') {
      const origins = (this.door.variables.definition(value.slice(1))?.body ?? []).map((entry) => entry.name);
      return [rule('CORS: origins', value === '*' ? '*' : listedShort(origins), this.meaning(value))];
    }
    if (variable === '$split_key')
      return [rule('what keeps a client with its version', this.evaluated(value), this.meaning(value))];
    return [rule(`set ${variable}`, this.evaluated(value), this.meaning(value))];
  }

  /** How an instance of who may answer is found and chosen. */
  private upstreams(): readonly Policy[] {
    const passed = this.location.find(({ name }) => name === 'proxy_pass' || name === 'grpc_pass');
    if (passed === undefined) return [];
    const names = this.backends(upstreamIn(passed)).map(({ name }) => name);
    return names.flatMap((name) => [
      ...this.upstream(name, `instances of ${name}`),
      ...this.upstream(`${name}_fallback`, `instances of ${name} beside DNS (fallback)`),
    ]);
  }

  private upstream(name: string, subject: string): readonly Policy[] {
    const lines = this.door
      .upstream(name)
      .filter((each) => !/^(?:zone|keepalive\w*)$/.test(each.name))
      .map(writtenAs);
    return lines.length === 0 ? [] : [rule(subject, lines.join('; '), lines.join('; '))];
  }

  /** Beyond those that nginx makes by itself. */
  private furtherTries(): readonly Policy[] {
    const route = this.way.locals.get('route');
    if (route === undefined) return [];
    const isThere = (name: string): boolean => this.way.server.locationNamed(`@${name}_${route}`) !== undefined;
    const tries = [...(isThere('again') ? ['once more'] : []), ...(isThere('fallback') ? ['the fallback'] : [])];
    return tries.length === 0 ? [] : [rule('further tries', tries.join(', then '), tries.join())];
  }

  private preflight(): readonly Policy[] {
    const page = this.location.find(
      ({ name, args }) => name === 'error_page' && args.at(-1)?.startsWith('@preflight_') === true,
    );
    const location = page === undefined ? undefined : this.way.server.locationNamed(page.args.at(-1) ?? '');
    const headers = (location?.body ?? []).filter(
      ({ name, args }) => name === 'add_header' && args[0]?.startsWith('Access-Control-') === true,
    );
    if (headers.length === 0) return [];
    const shown = headers.map(({ args }) => `${args[0] ?? ''}: ${args[1] ?? ''}`).join('; ');
    return [rule('CORS: what browsers ask first', shown, shown)];
  }

  private forwarded(passed: Directive): Said {
    const [, scheme = '', uri = ''] = /^(\w+):\/\/(?:\$\{\w+\}|\$\w+|[^$/]+)([^]*)$/.exec(passed.args[0] ?? '') ?? [];
    const backends = this.backends(upstreamIn(passed));
    const asked = uri === '' ? requestUri(this.request) : this.evaluated(uri);
    const isAsked = asked === requestUri(this.request) ? '' : `, asked for ${asked}`;
    const [only] = backends;
    const who =
      backends.length === 1 && only !== undefined
        ? this.described(only.name)
        : `backends ${backends.map(({ name, share }) => `${name}${share === undefined ? '' : ` ${share}`}`).join(', ')}`;
    const protocol = passed.name === 'grpc_pass' ? ' by gRPC' : scheme === 'https' ? ' over TLS' : '';
    return {
      shown: `${who}${protocol}${isAsked}`,
      meaning: `${passed.name} ${scheme} ${JSON.stringify(backends)} ${this.meaning(uri)}`,
    };
  }

  private described(upstream: string): string {
    const servers = this.door.upstream(upstream);
    const isBackend = servers.some(({ name, args }) => name === 'zone' && args[0] === `backend_${upstream}`);
    if (isBackend) return `backend ${upstream}`;
    return `external service ${servers.find(({ name }) => name === 'server')?.args[0] ?? upstream}`;
  }

  /** Those that a request may go to, with their shares if there are several. */
  private backends(upstream: string): readonly { readonly name: string; readonly share?: string }[] {
    const [variable] = variablesIn(upstream);
    if (variable === undefined) return [{ name: upstream }];
    const chosen = this.way.locals.get(variable) ?? upstream;
    const [source] = variablesIn(chosen);
    if (source === undefined) return [{ name: chosen }];
    const split = this.door.variables.definition(source);
    if (split?.name === 'split_clients') {
      return (split.body ?? []).map(({ name, args }) => ({ name: args[0] ?? '', share: name }));
    }
    return this.weighted(this.way.locals.get('route') ?? '');
  }

  /** Those of a route whose weights stand in a ConfigMap. */
  private weighted(route: string): readonly { readonly name: string; readonly share?: string }[] {
    const weights = this.door.weights[route];
    if (weights !== undefined) {
      return Object.entries(weights)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, weight]) => ({ name, share: `${weight}%` }));
    }
    const names = this.door.variables.definition(`backends_of_${route.replaceAll('-', '_dash_')}`)?.args[1] ?? '';
    return names.split(' ').map((name) => ({ name }));
  }

  private returned(returned: Directive): Said {
    const [status = '', text] =
      returned.args.length === 1 && !/^\d+$/.test(returned.args[0] ?? '') ? ['302', ...returned.args] : returned.args;
    const meaning = this.meaningOf(returned);
    if (/^30[12378]$/.test(status)) return { shown: `a redirect, ${status} to ${this.evaluated(text ?? '')}`, meaning };
    const type = this.effective('default_type')[0]?.args[0] ?? '';
    const pieces = this.location.filter(({ name, args }) => name === 'set' && args[0]?.startsWith('$piece_') === true);
    const isNoRoute = status === '404' && text === undefined;
    return {
      shown: isNoRoute ? '404, as no route fits' : `nginx itself, ${status}${text === undefined ? '' : `, ${type}`}`,
      meaning: [meaning, type, ...pieces.map((piece) => this.meaningOf(piece))].join(' '),
    };
  }

  private rateLimit({ args }: Directive): Policy {
    const zone = args.find((arg) => arg.startsWith('zone='))?.slice('zone='.length) ?? '';
    const rest = args.filter((arg) => !arg.startsWith('zone='));
    const defined = this.door
      .all('limit_req_zone')
      .find(({ args: given }) => given[1]?.startsWith(`zone=${zone}:`) === true);
    const [key = '', , rate = ''] = defined?.args ?? [];
    const by = key === '$limited_client' ? 'by address' : `by ${key}`;
    const shown = [rate.replace('rate=', '').replace('r/', ' requests/'), by, ...rest].join(' ');
    return rule('rate (limit_req)', shown, [this.meaning(key), rate, ...rest].join(' '));
  }

  /** What is counted in a zone. */
  private zone(defined: string, zone: string): string {
    const found = this.door.all(defined).find(({ args }) => args[1]?.startsWith(`zone=${zone}:`) === true);
    return this.meaning(found?.args[0] ?? '');
  }

  private askedAt(location: string): string {
    return location.startsWith('/.tokens-') ? 'those with a token' : `those whom ${this.forwardsTo(location)} lets`;
  }

  /** Rules of tokens stand in variables that are called after the location that asks. */
  private asked(location: string): string {
    const name = location.replace('/.tokens-', '');
    const rules = this.door
      .all('js_var')
      .filter(
        ({ args: [variable = ''] }) =>
          variable === `$token_rules_of_${name}` || /^\$token_key_\d+_of_(.*)$/.exec(variable)?.[1] === name,
      );
    return [this.inlined(location, new Set()), ...rules.map(({ args }) => args[1] ?? '')].join(' ');
  }

  private forwardsTo(location: string): string {
    const passed = this.way.server.locationNamed(location)?.body?.find(({ name }) => name === 'proxy_pass');
    return passed?.args[0]?.replace(/\$.*$/, '') ?? 'nobody';
  }

  private evaluated(text: string): string {
    return this.door.evaluated(text, this.way, this.request);
  }

  private meaning(text: string): string {
    return this.door.variables.meaning(text, this.way.locals);
  }

  /** A directive with what its variables mean, and with the locations that it leads to in place of their names. */
  private meaningOf({ name, args, body }: Directive, seen: ReadonlySet<string> = new Set()): string {
    const given = args.map((arg) => (leadsAway(arg) ? this.inlined(arg, seen) : this.meaning(arg)));
    const inside = body === undefined ? [] : [`{${body.map((each) => this.meaningOf(each, seen)).join('; ')}}`];
    return [name, ...given, ...inside].join(' ');
  }

  private inlined(target: string, seen: ReadonlySet<string>): string {
    const location = seen.has(target) ? undefined : this.way.server.locationNamed(target);
    if (location === undefined) return '@';
    const further = new Set([...seen, target]);
    return `{${(location.body ?? []).map((each) => this.meaningOf(each, further)).join('; ')}}`;
  }
}

function rule(subject: string, shown: string, meaning: string, isAccess = false): Policy {
  return { subject, shown, meaning, isAccess };
}

/** Whether it names a location that no client enters by. */
function leadsAway(arg: string): boolean {
  return /^(?:@|\/\.)[^$]*$/.test(arg);
}

function upstreamIn({ args }: Directive): string {
  return /^\w+:\/\/(\$\{\w+\}|\$\w+|[^$/]+)/.exec(args[0] ?? '')?.[1] ?? '';
}

function writtenAs({ name, args }: Directive): string {
  return [name, ...args].join(' ');
}

const counted: Readonly<Record<string, string>> = {
  requests: 'requests in all',
  requests_of_client: 'requests of one client',
  streams: 'streams in all',
};

function countedBy(zone: string): string {
  return counted[zone] ?? (zone.startsWith('client_on_') ? 'requests of one client on the route' : zone);
}

function listedShort(values: readonly string[]): string {
  return values.length > 5 ? `${values.slice(0, 5).join(', ')} and ${values.length - 5} more` : values.join(', ');
}

/** Paths of routes that may be silent for long, by host; of those alone that lead to a backend, if one is named. */
export function streamingPaths(door: FrontDoor, backend?: string): readonly string[] {
  return door.hosts.flatMap((host) =>
    door.entryPaths(host).flatMap(({ kind, path }) => {
      const request = requestWith(noConditions, { scheme: 'https', host, path });
      const location = door.way(request)?.location;
      const isStream = everyDirective(location?.body ?? []).some(
        ({ name, args }) => name === 'limit_conn' && args[0] === 'streams',
      );
      const goesThere = backend === undefined || answerTo(door, request).by.meaning.includes(`{"name":"${backend}"`);
      return isStream && goesThere && (kind === 'exact' || path === '/') ? [`${host}${path}`] : [];
    }),
  );
}
