import { InvalidOption } from '../../validation/invalid-option';
import { headerName, variableName } from '../../validation/names';
import { isPrintable } from '../../validation/text';

/** Which paths a route is for. */
export class Path {
  private constructor(
    readonly kind: 'exact' | 'prefix',
    readonly path: string,
  ) {}

  /** This path alone. */
  static exact(path: string): Path {
    return new Path('exact', routePath(path));
  }

  /** This path and all below it, by whole segments: `/orders` is not `/orders-of-others`. Text for a path means the same. */
  static prefix(path: string): Path {
    const given = routePath(path);
    return new Path('prefix', given === '/' ? given : given.replace(/\/$/, ''));
  }

  static of(path: unknown): Path {
    return path instanceof Path ? path : Path.prefix(path as string);
  }
}

/** As nginx matches them, without an escape: what a path of a route may be made of, and no more. */
function routePath(path: unknown): string {
  const text = typeof path === 'string' ? path : '';
  if (text === '/' || (/^(?:\/[\w~-][\w.~-]*)+\/?$/.test(text) && text.length <= 200)) return text;
  throw new InvalidOption(
    'path',
    path,
    'is not a path that nginx can be given: give letters, digits, ".", "_", "~", "-" between slashes, such as "/events"',
  );
}

/** What one request has to have. */
export type ConditionModel =
  | { readonly kind: 'header' | 'cookie' | 'query'; readonly name: string; readonly value: string }
  | { readonly kind: 'method'; readonly methods: readonly string[] };

/** What a request has to have, beside its path, to go by a route. */
export class Match {
  private constructor(
    /** All of them have to hold. */
    readonly conditions: readonly ConditionModel[],
  ) {}

  /** A header with this value, letter for letter. */
  static header(name: string, value: string): Match {
    return new Match([
      { kind: 'header', name: headerName('Match.header', name), value: plainValue('Match.header', value) },
    ]);
  }

  /** A cookie with this value, letter for letter. */
  static cookie(name: string, value: string): Match {
    return new Match([
      { kind: 'cookie', name: variableName('Match.cookie', name), value: plainValue('Match.cookie', value, [';']) },
    ]);
  }

  /** An argument of the query string with this value, as it stands there, percent-encoded. */
  static query(name: string, value: string): Match {
    return new Match([
      {
        kind: 'query',
        name: variableName('Match.query', name),
        value: plainValue('Match.query', value, [' ', '&', '#']),
      },
    ]);
  }

  /** One of these methods. */
  static method(...methods: readonly string[]): Match {
    if (methods.length === 0) {
      throw new InvalidOption('Match.method', methods, 'is empty: give methods, such as Match.method("GET", "HEAD")');
    }
    for (const method of methods) {
      if (typeof method !== 'string' || !/^[A-Z]{1,20}$/.test(method)) {
        throw new InvalidOption('Match.method', method, 'is not a method: give one in capitals, such as "GET"');
      }
    }
    return new Match([{ kind: 'method', methods: [...new Set(methods)].sort() }]);
  }

  /** All of these. */
  static allOf(...matches: readonly Match[]): Match {
    if (matches.length === 0 || !matches.every((match) => match instanceof Match)) {
      throw new InvalidOption(
        'Match.allOf',
        matches,
        'is not a list of matches: give some, such as Match.header("X-Canary", "always")',
      );
    }
    return new Match(matches.flatMap(({ conditions }) => conditions));
  }
}

/** Printable ASCII, which every client can send and nginx compares byte by byte, without what would end it where it stands. */
function plainValue(option: string, value: unknown, ends: readonly string[] = []): string {
  if (!isPrintable(value, 255)) {
    throw new InvalidOption(
      option,
      value,
      'is not a value that can be matched: give 1 to 255 printable ASCII characters without white space around them',
    );
  }
  const end = ends.find((character) => value.includes(character));
  if (end === undefined) return value;
  throw new InvalidOption(
    option,
    value,
    `has ${JSON.stringify(end)}, where such a value ends, so that no request has it: give what clients send in its place, such as "${encodeURIComponent(end)}"`,
  );
}

/** What becomes of the path that a route is for, before its target sees it. The query string stays. */
export class Rewrite {
  private constructor(
    /** Stands for the route's path. */
    readonly prefix: string,
  ) {}

  /** `/v1/orders` of a route for `/v1` is `/orders`. */
  static stripPrefix(): Rewrite {
    return new Rewrite('');
  }

  /** `/v1/orders` of a route for `/v1` is `/api/orders` with `/api`. */
  static replacePrefix(prefix: string): Rewrite {
    const path = routePath(prefix);
    return new Rewrite(path === '/' ? '' : path.replace(/\/$/, ''));
  }
}
