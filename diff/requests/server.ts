import type { Directive } from './parsed-conf';
import { expressionOf } from './variables';

/** A server of nginx.conf, in which what it has is found without a look at all of it. */
export class Server {
  readonly names: readonly string[];
  readonly isTls: boolean;
  private readonly directives: ReadonlyMap<string, readonly Directive[]>;
  private readonly exact = new Map<string, Directive>();
  private readonly named = new Map<string, Directive>();
  /** By their lengths, the longest first. */
  private readonly prefixes: readonly (readonly [prefix: string, location: Directive])[];
  private readonly expressions: readonly (readonly [expression: RegExp, location: Directive])[];

  constructor(readonly body: readonly Directive[]) {
    this.directives = byName(body);
    this.names = this.all('server_name').flatMap(({ args }) => args);
    this.isTls = this.all('listen').some(({ args }) => args.includes('ssl'));
    const prefixes: (readonly [string, Directive])[] = [];
    const expressions: (readonly [RegExp, Directive])[] = [];
    for (const location of this.all('location')) {
      const [first = '', second = ''] = location.args;
      const expression = /^~\*?$/.test(first) ? expressionOf(`${first}${second}`) : undefined;
      if (first === '=') this.exact.set(second, location);
      else if (first.startsWith('@')) this.named.set(first, location);
      else if (expression !== undefined) expressions.push([expression, location]);
      else prefixes.push([first === '^~' ? second : first, location]);
    }
    this.prefixes = prefixes.sort(([a], [b]) => b.length - a.length);
    this.expressions = expressions;
  }

  /** The names of all directives in it. */
  get kinds(): readonly string[] {
    return [...this.directives.keys()];
  }

  all(name: string): readonly Directive[] {
    return this.directives.get(name) ?? [];
  }

  /** A location by its name or its path, as another one leads to it. */
  locationNamed(target: string): Directive | undefined {
    return this.named.get(target) ?? this.exact.get(target);
  }

  /** That of a path. @see https://nginx.org/en/docs/http/ngx_http_core_module.html#location */
  entered(path: string): Directive | undefined {
    const exact = this.exact.get(path);
    if (exact !== undefined) return exact;
    const [, prefix] = this.prefixes.find(([text]) => path.startsWith(text)) ?? [];
    if (prefix?.args[0] === '^~') return prefix;
    const [, found] = this.expressions.find(([expression]) => expression.test(path)) ?? [];
    return found ?? prefix;
  }
}

export function byName(directives: readonly Directive[]): ReadonlyMap<string, readonly Directive[]> {
  const found = new Map<string, Directive[]>();
  for (const directive of directives) {
    const known = found.get(directive.name);
    if (known === undefined) found.set(directive.name, [directive]);
    else known.push(directive);
  }
  return found;
}
