import { createHash } from 'node:crypto';
import type { Directive } from './parsed-conf';
import { type Request, requestUri } from './request';

/** What variables of a request go by. */
export interface Scope {
  readonly request: Request;
  /** The first name of the server. */
  readonly serverName: string;
  /** What its locations have `set`. */
  readonly locals: ReadonlyMap<string, string>;
}

const interpolated = /\$(?:\{(\w+)\}|(\w+))/g;

/** nginx follows no more than 100 variables that lead to one another. */
const mostFollowed = 100;

/** The variables of one nginx.conf: what they are for a request, and what they mean for any. */
export class Variables {
  private readonly definitions: ReadonlyMap<string, Directive>;
  private readonly meanings = new Map<string, string>();

  /** `settable`: names of variables that locations set, which are empty in all others. */
  constructor(
    http: readonly Directive[],
    private readonly settable: ReadonlySet<string>,
  ) {
    this.definitions = new Map(
      http.flatMap((directive) => {
        const name = nameGiven(directive);
        return name === undefined ? [] : [[name, directive] as const];
      }),
    );
  }

  /** What gives a variable its value: a map and the like. */
  definition(name: string): Directive | undefined {
    return this.definitions.get(name);
  }

  /** A text with what its variables are for a request; those that only a running nginx knows stay as they are. */
  evaluated(text: string, scope: Scope): string {
    const captures = new Map<string, string>();
    return text.replaceAll(
      interpolated,
      (whole, braced?: string, bare?: string) => this.valueOf(braced ?? bare ?? '', scope, captures, 0) ?? whole,
    );
  }

  /** A text in which variables are replaced by what they mean, whatever they are called: two that are the same do the same. */
  meaning(text: string, locals: ReadonlyMap<string, string> = new Map()): string {
    return text.replaceAll(interpolated, (_whole, braced?: string, bare?: string) =>
      this.meaningOf(braced ?? bare ?? '', locals),
    );
  }

  private meaningOf(name: string, locals: ReadonlyMap<string, string>): string {
    // Routes may be renamed, and `route` is what a route is called.
    const local = name === 'route' ? undefined : locals.get(name);
    if (local !== undefined && local !== `$${name}`) return this.meaning(local);
    const definition = this.definitions.get(name);
    if (definition === undefined) return this.settable.has(name) && name !== 'route' ? '' : `$${name}`;
    const route = locals.get('route');
    if (route !== undefined && definition.name === 'map' && definition.args[0] === '$route') {
      return this.meaning(entryOf(definition, route, new Map()) ?? '');
    }
    const known = this.meanings.get(name);
    if (known !== undefined) return known;
    // As long as it is looked at: it may lead to itself.
    this.meanings.set(name, '{itself}');
    const hash = createHash('sha256').update(this.contentOf(name, definition)).digest('hex').slice(0, 16);
    this.meanings.set(name, `{${hash}}`);
    return `{${hash}}`;
  }

  private contentOf(name: string, definition: Directive): string {
    const args = definition.args.filter((arg) => arg !== `$${name}`).map((arg) => this.meaning(arg));
    const entries = (definition.body ?? []).map((entry) =>
      [entry.name, ...entry.args.map((arg) => this.meaning(arg))].join(' '),
    );
    // An address is looked up in a tree, in whatever order networks stand.
    return [definition.name, ...args, ...(definition.name === 'geo' ? entries.sort() : entries)].join('\n');
  }

  private valueOf(name: string, scope: Scope, captures: Map<string, string>, depth: number): string | undefined {
    const local = scope.locals.get(name) ?? captures.get(name);
    if (local !== undefined) return local;
    const definition = this.definitions.get(name);
    if (definition !== undefined) return this.valueDefined(definition, scope, captures, depth);
    return this.settable.has(name) ? '' : partOfRequest(name, scope);
  }

  private valueDefined(
    definition: Directive,
    scope: Scope,
    captures: Map<string, string>,
    depth: number,
  ): string | undefined {
    if (depth > mostFollowed) return undefined;
    const [source = '', value] = definition.args;
    const only = definition.body?.length === 1 ? definition.body[0] : undefined;
    switch (definition.name) {
      case 'map': {
        const known = this.known(source, scope, captures, depth + 1);
        if (known === undefined) return undefined;
        return this.known(entryOf(definition, known, captures) ?? '', scope, captures, depth + 1);
      }
      case 'geo':
        // By address, which no request of ours has; unless all are one.
        return only?.name === 'default' ? only.args[0] : undefined;
      case 'js_var':
        return value;
      default:
        return undefined;
    }
  }

  /** What a text is for a request; undefined if only a running nginx knows. */
  private known(text: string, scope: Scope, captures: Map<string, string>, depth: number): string | undefined {
    const unknown: string[] = [];
    const value = text.replaceAll(interpolated, (whole, braced?: string, bare?: string) => {
      const found = this.valueOf(braced ?? bare ?? '', scope, captures, depth);
      if (found === undefined) unknown.push(whole);
      return found ?? '';
    });
    return unknown.length === 0 ? value : undefined;
  }
}

/** The variables in a text, without "$". */
export function variablesIn(text: string): readonly string[] {
  return [...text.matchAll(interpolated)].map(([, braced, bare]) => braced ?? bare ?? '');
}

/** The variable that a directive of the http block defines, without "$". */
function nameGiven({ name, args }: Directive): string | undefined {
  const given = ['map', 'geo', 'split_clients'].includes(name)
    ? args.at(-1)
    : ['js_set', 'js_var'].includes(name)
      ? args[0]
      : undefined;
  return given?.startsWith('$') === true ? given.slice(1) : undefined;
}

/** What a map gives: a value that is the same, letters of either case, before expressions in their order, and the default after them. */
function entryOf({ body = [] }: Directive, value: string, captures: Map<string, string>): string | undefined {
  const lower = value.toLowerCase();
  const same = body.find(({ name }) => !name.startsWith('~') && name !== 'default' && name.toLowerCase() === lower);
  if (same !== undefined) return same.args[0];
  for (const { name, args } of body) {
    if (!name.startsWith('~')) continue;
    const match = expressionOf(name)?.exec(value);
    if (match === null || match === undefined) continue;
    const groups: Readonly<Record<string, string | undefined>> = match.groups ?? {};
    for (const [group, text = ''] of Object.entries(groups)) captures.set(group, text);
    return args[0];
  }
  return body.find(({ name }) => name === 'default')?.args[0];
}

/** An expression of nginx (PCRE) as one of JavaScript; undefined if it is none of both. */
export function expressionOf(written: string): RegExp | undefined {
  const [, insensitive = '', dotAll, source = ''] = /^~(\*?)(\(\?s\))?([^]*)$/.exec(written) ?? [];
  const flags = `${insensitive === '' ? '' : 'i'}${dotAll === undefined ? '' : 's'}`;
  try {
    return new RegExp(source.replaceAll('\\z', '$'), flags);
  } catch {
    return undefined;
  }
}

/** What nginx knows of a request by itself, and of an answer that is JSON and has no headers of its own; undefined of all else. */
function partOfRequest(name: string, { request, serverName }: Scope): string | undefined {
  const { headers, cookies, query } = request;
  if (name.startsWith('upstream_http_')) return '';
  if (name.startsWith('http_')) return headers.get(name.slice('http_'.length).replaceAll('_', '-')) ?? '';
  if (name.startsWith('cookie_')) return cookies.get(name.slice('cookie_'.length)) ?? '';
  if (name.startsWith('arg_')) return query.get(name.slice('arg_'.length)) ?? '';
  const parts: Readonly<Record<string, string>> = {
    content_length: '',
    host: request.host,
    https: request.scheme === 'https' ? 'on' : '',
    request_method: request.method,
    request_uri: requestUri(request),
    scheme: request.scheme,
    sent_http_content_type: 'application/json',
    server_name: serverName,
    server_protocol: 'HTTP/2.0',
    uri: request.path,
  };
  return parts[name];
}
