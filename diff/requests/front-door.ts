import { type Directive, parsedConf } from './parsed-conf';
import { both, type Conditions, noConditions, type Request } from './request';
import { byName, Server } from './server';
import { Variables, variablesIn } from './variables';

/** How much of the requests of a route each backend has, by the names of both. */
export type Weights = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Where a request ends up: the server and the location that answer it, and what is set by then. */
export interface Way {
  readonly server: Server;
  /** Undefined where the server itself answers. */
  readonly location: Directive | undefined;
  readonly locals: ReadonlyMap<string, string>;
}

/** A path by which requests enter a host: itself, or all that begins with it. */
export interface EntryPath {
  readonly kind: 'exact' | 'prefix';
  readonly path: string;
}

/** More locations than any request is led through. */
const mostLocations = 10;

/** One nginx.conf as requests meet it. It takes what fairlead renders; snippets of a user as far as they are of that kind. */
export class FrontDoor {
  readonly main: readonly Directive[];
  readonly http: readonly Directive[];
  readonly variables: Variables;
  private readonly directives: ReadonlyMap<string, readonly Directive[]>;
  private readonly upstreams: ReadonlyMap<string, readonly Directive[]>;
  private readonly servers: readonly Server[];

  constructor(
    conf: string,
    readonly weights: Weights = {},
  ) {
    this.main = parsedConf(conf);
    this.http = this.main.find(({ name }) => name === 'http')?.body ?? [];
    this.directives = byName(this.http);
    this.upstreams = new Map(this.all('upstream').map(({ args, body = [] }) => [args[0] ?? '', body]));
    this.servers = this.all('server')
      .map(({ body = [] }) => new Server(body))
      .filter((server) => server.all('ssl_reject_handshake').length === 0);
    const set = everyDirective(this.all('server')).filter(({ name }) => name === 'set');
    this.variables = new Variables(this.http, new Set(set.map(({ args }) => (args[0] ?? '').slice(1))));
  }

  /** The names by which clients ask over TLS. */
  get hosts(): readonly string[] {
    return this.servers.filter(({ isTls }) => isTls).flatMap(({ names }) => names);
  }

  /** The names of all directives in the http block. */
  get kinds(): readonly string[] {
    return [...this.directives.keys()];
  }

  /** Directives of the http block. */
  all(name: string): readonly Directive[] {
    return this.directives.get(name) ?? [];
  }

  /** What stands in one. */
  upstream(name: string): readonly Directive[] {
    return this.upstreams.get(name) ?? [];
  }

  /** By which clients may enter. */
  entryPaths(host: string): readonly EntryPath[] {
    const server = this.serverOf({ scheme: 'https', host });
    return (server?.all('location') ?? []).flatMap((location): readonly EntryPath[] => {
      if (location.body?.some(({ name }) => name === 'internal') === true) return [];
      const [first = '', second] = location.args;
      if (first === '=') return [{ kind: 'exact', path: second ?? '' }];
      const path = first === '^~' ? (second ?? '') : first;
      return path.startsWith('/') ? [{ kind: 'prefix', path }] : [];
    });
  }

  /** All that routes of a path may ask of a request beside it; nothing is among it. */
  conditionsAt(request: Pick<Request, 'scheme' | 'host' | 'path'>): readonly Conditions[] {
    const server = this.serverOf(request);
    const location = server?.entered(request.path);
    const chosen = location?.body?.filter(({ name, args }) => name === 'set' && args[0] === '$chosen').at(-1);
    const [variable] = variablesIn(chosen?.args[1] ?? '');
    return variable === undefined ? [noConditions] : [noConditions, ...this.choices(variable)];
  }

  /** Undefined where the host is not known. */
  way(request: Request): Way | undefined {
    const server = this.serverOf(request);
    if (server === undefined) return undefined;
    const locals = new Map<string, string>();
    let location = server.all('return').length > 0 ? undefined : server.entered(request.path);
    for (let count = 0; location !== undefined && count < mostLocations; count += 1) {
      const next = this.passedOn({ server, location, locals }, request);
      if (next === undefined) break;
      location = next;
    }
    return { server, location, locals };
  }

  /** A text as it is for a request on its way. */
  evaluated(text: string, { server, locals }: Way, request: Request): string {
    return this.variables.evaluated(text, { request, serverName: server.names[0] ?? '', locals });
  }

  /** Sets what the location sets; the one that it leads to, if it does so by a status that is no error. */
  private passedOn(way: Way & { readonly locals: Map<string, string> }, request: Request): Directive | undefined {
    const { server, location, locals } = way;
    for (const { name, args } of location?.body ?? []) {
      const [first = '', second = ''] = args;
      if (name === 'set') locals.set(first.slice(1), this.evaluated(second, way, request));
      if (name !== 'return') continue;
      if (first !== noError) return undefined;
      const page = [...(location?.body ?? []), ...server.all('error_page')].find(
        (each) => each.name === 'error_page' && each.args[0] === noError,
      );
      return server.locationNamed(this.evaluated(page?.args.at(-1) ?? '', way, request));
    }
    return undefined;
  }

  /** What leads to each route that the maps of a variable choose from. */
  private choices(variable: string, depth = 0): readonly Conditions[] {
    const map = this.variables.definition(variable);
    if (map === undefined || depth > 1000) return [];
    const sources = variablesIn(map.args[0] ?? '');
    const own = (map.body ?? []).flatMap((entry) => {
      if (entry.name === 'default') return [];
      const conditions = sources.every((source) => this.variables.definition(source) === undefined)
        ? conditionOn(sources[0], entry.name)
        : this.allOf(sources[(/^~\^(0*)1$/.exec(entry.name)?.[1] ?? '').length]);
      return conditions === undefined ? [] : [conditions];
    });
    const [otherwise] = variablesIn(map.body?.find(({ name }) => name === 'default')?.args[0] ?? '');
    return otherwise === undefined ? own : [...own, ...this.choices(otherwise, depth + 1)];
  }

  /** What makes a variable 1 that says whether several conditions hold. */
  private allOf(variable: string | undefined): Conditions | undefined {
    const map = variable === undefined ? undefined : this.variables.definition(variable);
    const [source] = variablesIn(map?.args[0] ?? '');
    const holds = map?.body?.find(({ name }) => name !== 'default');
    const own = holds === undefined ? undefined : conditionOn(source, holds.name);
    const [next] = variablesIn(holds?.args[0] ?? '');
    if (own === undefined || next === undefined) return own;
    const others = this.allOf(next);
    return others === undefined ? undefined : both(own, others);
  }

  private serverOf({ scheme, host }: Pick<Request, 'scheme' | 'host'>): Server | undefined {
    return this.servers.find(({ isTls, names }) => isTls === (scheme === 'https') && names.includes(host));
  }
}

/** What leads on to another location. */
const noError = '418';

export function everyDirective(directives: readonly Directive[]): readonly Directive[] {
  return directives.flatMap((each) => [each, ...everyDirective(each.body ?? [])]);
}

/** An entry of a map that takes one value, or one of several words; undefined for any other expression, and for a value that no request has. */
function conditionOn(variable: string | undefined, expression: string): Conditions | undefined {
  const [, whole] = /^~\^([^]*)\$$/.exec(expression) ?? [];
  if (variable === undefined || whole === undefined) return undefined;
  const [, words] = /^\(\?:([A-Z|]+)\)$/.exec(whole) ?? [];
  if (words !== undefined) return new Map([[variable, words.split('|')]]);
  const isLiteral = !/[\\^$.|?*+()[\]{}]/.test(whole.replaceAll(/\\[\\^$.|?*+()[\]{}]/g, ''));
  const value = whole.replaceAll(/\\([\\^$.|?*+()[\]{}])/g, '$1');
  return isLiteral && isSendable(variable, value) ? new Map([[variable, [value]]]) : undefined;
}

/** An argument ends at "&", and a request line at a space or "#"; a cookie ends at ";". */
function isSendable(variable: string, value: string): boolean {
  const ends = variable.startsWith('arg_') ? /[ &#]/ : variable.startsWith('cookie_') ? /;/ : undefined;
  return ends?.test(value) !== true;
}
