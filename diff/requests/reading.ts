import type { FrontDoor, Way } from './front-door';
import type { Directive } from './parsed-conf';
import type { Request } from './request';
import { variablesIn } from './variables';

/** What is shown to people, and what tells it from anything else. */
export interface Said {
  readonly shown: string;
  readonly meaning: string;
}

/** A backend that a request may go to, with its part of the requests if there are several. */
export interface Share {
  readonly name: string;
  readonly share?: string;
}

/** What stands in nginx.conf on the way of one request. */
export class Reading {
  readonly location: readonly Directive[];

  constructor(
    readonly door: FrontDoor,
    readonly way: Way,
    readonly request: Request,
  ) {
    this.location = way.location?.body ?? [];
  }

  /** Directives of a name that hold here: those of the nearest level that has some. */
  effective(name: string): readonly Directive[] {
    const at = (wanted: string): readonly (readonly Directive[])[] =>
      [
        this.location.filter((directive) => directive.name === wanted),
        this.way.server.all(wanted),
        this.door.all(wanted),
      ].filter(({ length }) => length > 0);
    const isMerged = name === 'add_header' && at('add_header_inherit')[0]?.[0]?.args[0] === 'merge';
    return isMerged ? [...at(name)].reverse().flat() : (at(name)[0] ?? []);
  }

  /** What forwards it; undefined if nginx itself answers. */
  get passed(): Directive | undefined {
    return this.location.find(({ name }) => name === 'proxy_pass' || name === 'grpc_pass');
  }

  /** Those that a request may go to which is forwarded so. */
  backends(passed: Directive): readonly Share[] {
    const upstream = /^\w+:\/\/(\$\{\w+\}|\$\w+|[^$/]+)/.exec(passed.args[0] ?? '')?.[1] ?? '';
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
  private weighted(route: string): readonly Share[] {
    const weights = this.door.weights[route];
    if (weights !== undefined) {
      return Object.entries(weights)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, weight]) => ({ name, share: `${weight}%` }));
    }
    const names = this.door.variables.definition(`backends_of_${route.replaceAll('-', '_dash_')}`)?.args[1] ?? '';
    return names.split(' ').map((name) => ({ name }));
  }

  /** A text as it is for the request. */
  evaluated(text: string): string {
    return this.door.evaluated(text, this.way, this.request);
  }

  /** A text as it is for any. */
  meaning(text: string): string {
    return this.door.variables.meaning(text, this.way.locals);
  }

  /** A directive with what its variables mean, and with the locations that it leads to in place of their names. */
  meaningOf({ name, args, body }: Directive, seen: ReadonlySet<string> = new Set()): string {
    const given = args.map((arg) => (leadsAway(arg) ? this.inlined(arg, seen) : this.meaning(arg)));
    const inside = body === undefined ? [] : [`{${body.map((each) => this.meaningOf(each, seen)).join('; ')}}`];
    return [name, ...given, ...inside].join(' ');
  }

  /** What stands in a location, in the same way. */
  inlined(target: string, seen: ReadonlySet<string> = new Set()): string {
    const location = seen.has(target) ? undefined : this.way.server.locationNamed(target);
    if (location === undefined) return '@';
    const further = new Set([...seen, target]);
    return `{${(location.body ?? []).map((each) => this.meaningOf(each, further)).join('; ')}}`;
  }
}

/** Whether it names a location that no client enters by. */
function leadsAway(arg: string): boolean {
  return /^(?:@|\/\.)[^$]*$/.test(arg);
}

export function writtenAs({ name, args }: Directive): string {
  return [name, ...args].join(' ');
}
