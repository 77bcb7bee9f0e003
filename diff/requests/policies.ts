import type { Directive } from './parsed-conf';
import { type Reading, type Said, writtenAs } from './reading';
import { variablesIn } from './variables';

/** A rule by which a request is answered. */
export interface Policy extends Said {
  /** What it is about: `longest body (client_max_body_size)`. */
  readonly subject: string;
  /** Whether it says who may ask. */
  readonly isAccess: boolean;
}

/** Directives that say where a request goes, which `answeredBy` has, or how a connection is kept, and no rule. */
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

/** Every rule on the way of a request. */
export function policiesOf(reading: Reading): readonly Policy[] {
  const { door, way, location } = reading;
  // A server that answers everything itself has no other rules.
  if (way.location === undefined) return policiesBy('add_header', reading);
  const names = new Set([
    ...[...location.map(({ name }) => name), ...way.server.kinds].filter((name) => !structural.has(name)),
    ...door.kinds.filter((name) => ofHttp.test(name) && !definesCache.has(name)),
  ]);
  names.delete('if');
  const ifs = [...way.server.all('if'), ...location.filter(({ name }) => name === 'if')];
  return [
    ...[...names].sort().flatMap((name) => policiesBy(name, reading)),
    ...ifs.flatMap((directive) => condition(directive, reading)),
    ...location.flatMap((directive) => setting(directive, reading)),
    ...upstreams(reading),
    ...furtherTries(reading),
    ...preflight(reading),
  ];
}

function policiesBy(name: string, reading: Reading): readonly Policy[] {
  return reading.effective(name).flatMap((directive) => policy(directive, reading));
}

function policy(directive: Directive, reading: Reading): readonly Policy[] {
  const { name, args } = directive;
  const [first = '', second = ''] = args;
  const meaning = reading.meaningOf(directive);
  switch (name) {
    case 'add_header': {
      const value = reading.meaning(second);
      if (value === '') return [];
      return [rule(`header of answers, ${first}`, reading.evaluated(second), `${value} ${args.slice(2).join(' ')}`)];
    }
    case 'proxy_set_header':
    case 'grpc_set_header':
      return [
        rule(`header to the backend, ${first}`, reading.evaluated(second) || 'taken away', reading.meaning(second)),
      ];
    case 'proxy_hide_header':
    case 'grpc_hide_header':
      return [rule('headers of the backend that are not passed on', first, first.toLowerCase())];
    case 'limit_req':
      return [rateLimit(directive, reading)];
    case 'limit_conn':
      return [rule(`${countedBy(first)} at once (limit_conn)`, second, `${second} ${keyOf(first, reading)}`)];
    case 'error_page':
      return errorPage(directive, reading);
    case 'auth_request':
      return [rule('who may ask (auth_request)', askedAt(first, reading), asked(first, reading), true)];
    case 'limit_req_status':
      return reading.effective('limit_req').length === 0 ? [] : [rule('rate (limit_req_status)', first, meaning)];
    case 'mirror':
      return [rule('copies (mirror)', `to ${forwardsTo(first, reading)}`, meaning)];
    default: {
      const word = words[name];
      const subject = word === undefined ? name : `${word} (${name})`;
      const shown = directive.body === undefined ? args.map((arg) => reading.evaluated(arg)).join(' ') : '{ … }';
      return [rule(subject, shown, meaning, /^auth_|^ssl_(?:client|verify)/.test(name))];
    }
  }
}

function errorPage(directive: Directive, reading: Reading): readonly Policy[] {
  const { args } = directive;
  // Where a request goes on that is no error, and connections that are for another host.
  if (args[0] === '418' || args.at(-1) === '@misdirected_request') return [];
  // Errors of nginx itself: who is not asked for anything, or not limited, does not meet them.
  if (args[0] === '401' && !reading.location.some(({ name }) => name.startsWith('auth_'))) return [];
  if (args[0] === '429' && reading.effective('limit_req').length === 0) return [];
  const statuses = args.filter((arg) => /^\d+$/.test(arg)).join(' ');
  return [rule(`errors ${statuses} (error_page)`, args.at(-1) ?? '', reading.meaningOf(directive))];
}

function condition(directive: Directive, reading: Reading): readonly Policy[] {
  const text = directive.args.join(' ');
  const [variable = ''] = variablesIn(text);
  const meaning = reading.meaningOf(directive);
  // What is rewritten says it by what is asked for, what browsers ask first has a location of its own, and a file of passwords is named.
  if (/^(?:rewritten_|preflight_request$|certificate$)/.test(variable) || text.startsWith('(!-f')) return [];
  if (variable.startsWith('stranger_to_')) {
    const networks = reading.door.variables.definition(variable)?.body ?? [];
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
  return [rule('a condition (if)', `if ${text}: ${returned}`, meaning)];
}

function setting({ name, args }: Directive, reading: Reading): readonly Policy[] {
  const [variable = '', value = ''] = args;
  if (name !== 'set' || ofTheWay.test(variable)) return [];
  const [shown, meaning] = [reading.evaluated(value), reading.meaning(value)];
  if (variable === '$allowed_origin') {
    const origins = (reading.door.variables.definition(value.slice(1))?.body ?? []).map((entry) => entry.name);
    return [rule('CORS: origins', value === '*' ? '*' : listedShort(origins), meaning)];
  }
  if (variable === '$split_key') return [rule('what keeps a client with its version', shown, meaning)];
  return [rule(`set ${variable}`, shown, meaning)];
}

/** How an instance of who may answer is found and chosen. */
function upstreams(reading: Reading): readonly Policy[] {
  const { door, passed } = reading;
  if (passed === undefined) return [];
  const instances = (upstream: string, subject: string): readonly Policy[] => {
    const lines = door
      .upstream(upstream)
      .filter((each) => !/^(?:zone|keepalive\w*)$/.test(each.name))
      .map(writtenAs);
    return lines.length === 0 ? [] : [rule(subject, lines.join('; '), lines.join('; '))];
  };
  return reading
    .backends(passed)
    .flatMap(({ name }) => [
      ...instances(name, `instances of ${name}`),
      ...instances(`${name}_fallback`, `instances of ${name} beside DNS (fallback)`),
    ]);
}

/** Beyond those that nginx makes by itself. */
function furtherTries({ way }: Reading): readonly Policy[] {
  const route = way.locals.get('route');
  if (route === undefined) return [];
  const isThere = (name: string): boolean => way.server.locationNamed(`@${name}_${route}`) !== undefined;
  const tries = [...(isThere('again') ? ['once more'] : []), ...(isThere('fallback') ? ['the fallback'] : [])];
  return tries.length === 0 ? [] : [rule('further tries', tries.join(', then '), tries.join())];
}

function preflight({ way, location }: Reading): readonly Policy[] {
  const page = location.find(
    ({ name, args }) => name === 'error_page' && args.at(-1)?.startsWith('@preflight_') === true,
  );
  const answer = page === undefined ? undefined : way.server.locationNamed(page.args.at(-1) ?? '');
  const headers = (answer?.body ?? []).filter(
    ({ name, args }) => name === 'add_header' && args[0]?.startsWith('Access-Control-') === true,
  );
  if (headers.length === 0) return [];
  const shown = headers.map(({ args }) => `${args[0] ?? ''}: ${args[1] ?? ''}`).join('; ');
  return [rule('CORS: what browsers ask first', shown, shown)];
}

function rateLimit({ args }: Directive, reading: Reading): Policy {
  const zone = args.find((arg) => arg.startsWith('zone='))?.slice('zone='.length) ?? '';
  const rest = args.filter((arg) => !arg.startsWith('zone='));
  const [key = '', , rate = ''] = definedZone('limit_req_zone', zone, reading)?.args ?? [];
  const by = key === '$limited_client' ? 'by address' : `by ${key}`;
  const shown = [rate.replace('rate=', '').replace('r/', ' requests/'), by, ...rest].join(' ');
  return rule('rate (limit_req)', shown, [reading.meaning(key), rate, ...rest].join(' '));
}

/** What is counted in a zone. */
function keyOf(zone: string, reading: Reading): string {
  return reading.meaning(definedZone('limit_conn_zone', zone, reading)?.args[0] ?? '');
}

function definedZone(name: string, zone: string, { door }: Reading): Directive | undefined {
  return door.all(name).find(({ args }) => args[1]?.startsWith(`zone=${zone}:`) === true);
}

function askedAt(location: string, reading: Reading): string {
  return location.startsWith('/.tokens-') ? 'those with a token' : `those whom ${forwardsTo(location, reading)} lets`;
}

/** Rules of tokens stand in variables that are called after the location that asks. */
function asked(location: string, reading: Reading): string {
  const name = location.replace('/.tokens-', '');
  const rules = reading.door
    .all('js_var')
    .filter(
      ({ args: [variable = ''] }) =>
        variable === `$token_rules_of_${name}` || /^\$token_key_\d+_of_(.*)$/.exec(variable)?.[1] === name,
    );
  return [reading.inlined(location), ...rules.map(({ args }) => args[1] ?? '')].join(' ');
}

function forwardsTo(location: string, { way }: Reading): string {
  const passed = way.server.locationNamed(location)?.body?.find(({ name }) => name === 'proxy_pass');
  return passed?.args[0]?.replace(/\$.*$/, '') ?? 'nobody';
}

function rule(subject: string, shown: string, meaning: string, isAccess = false): Policy {
  return { subject, shown, meaning, isAccess };
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
