/** A request, as far as nginx goes by it. */
export interface Request {
  readonly scheme: 'https' | 'http';
  readonly host: string;
  readonly method: string;
  readonly path: string;
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly cookies: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
}

/** What a request has to have beside its path: values of which any will do, by nginx's variables, without "$". */
export type Conditions = ReadonlyMap<string, readonly string[]>;

export const noConditions: Conditions = new Map();

/** What meets both; undefined if nothing can. */
export function both(some: Conditions, others: Conditions): Conditions | undefined {
  const merged = new Map(some);
  for (const [variable, values] of others) {
    const known = merged.get(variable);
    const common = known === undefined ? values : known.filter((value) => values.includes(value));
    if (common.length === 0) return undefined;
    merged.set(variable, common);
  }
  return merged;
}

export function requestWith(
  conditions: Conditions,
  { scheme, host, path }: Pick<Request, 'scheme' | 'host' | 'path'>,
): Request {
  const named = (prefix: string): Map<string, string> =>
    new Map(
      [...conditions].flatMap(([variable, [value]]) =>
        variable.startsWith(prefix) && value !== undefined ? [[variable.slice(prefix.length), value] as const] : [],
      ),
    );
  const headers = [...named('http_')].map(([name, value]) => [name.replaceAll('_', '-'), value] as const);
  return {
    scheme,
    host,
    path,
    method: conditions.get('request_method')?.[0] ?? 'GET',
    headers: new Map(headers),
    cookies: named('cookie_'),
    query: named('arg_'),
  };
}

/** Path and query, as they stand in a request line. */
export function requestUri({ path, query }: Request): string {
  const pairs = [...query].map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}

/** What is sent beside the request line: `X-Canary: always`. */
export function sentHeaders({ headers, cookies }: Request): readonly string[] {
  const pairs = [...cookies].map(([name, value]) => `${name}=${value}`);
  return [
    ...[...headers].map(([name, value]) => `${capitalized(name)}: ${value}`),
    ...(pairs.length === 0 ? [] : [`Cookie: ${pairs.join('; ')}`]),
  ];
}

/** `GET https://shop.example.com/orders/1 with X-Canary: always`. */
export function written(request: Request): string {
  const { method, scheme, host } = request;
  return withParts(`${method} ${scheme}://${host}${requestUri(request)}`, sentHeaders(request));
}

export function withParts(text: string, parts: readonly string[]): string {
  return parts.length === 0 ? text : `${text} with ${parts.join(' and ')}`;
}

function capitalized(name: string): string {
  return name.replaceAll(/(?<=^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
