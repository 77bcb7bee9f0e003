import { isIPv4, isIPv6 } from 'node:net';
import { seconds, type TimeText } from '../../validation/amounts';
import { list, record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { hostName } from '../../validation/names';
import { flag, knownValues, type Reader, type Table, withDefault } from '../../validation/options';
import { oneLine } from '../../validation/text';

/** What pages of other origins may do beside asking. */
export interface CorsOptions {
  /**
   * Methods that pages may use; browsers let them use GET, HEAD and POST in any case.
   *
   * @default - GET, HEAD, POST, PUT, PATCH and DELETE
   * @see https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Access-Control-Allow-Methods
   */
  readonly methods?: readonly string[];

  /**
   * Headers that pages may send beside those that browsers let them send in any case.
   *
   * @default - Authorization and Content-Type
   * @see https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Access-Control-Allow-Headers
   */
  readonly headers?: readonly string[];

  /**
   * Headers of answers that pages may read beside those that browsers let them read in any case.
   *
   * @default - Retry-After and X-Request-Id
   * @see https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Access-Control-Expose-Headers
   */
  readonly exposeHeaders?: readonly string[];

  /**
   * Whether pages may send cookies, and read what is answered to them. Any page of these origins then acts as the user who has it open; it
   * does not go with `*`.
   *
   * @default false
   * @see https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Access-Control-Allow-Credentials
   */
  readonly credentials?: boolean;

  /**
   * How long a browser may remember what a page may do, in whole seconds: it asks again (a preflight) after it. Chromium remembers for two
   * hours at most, Firefox for a day. What is taken away here goes on for so long.
   *
   * @default '10m'
   * @see https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Access-Control-Max-Age
   */
  readonly maxAge?: TimeText;
}

export const corsOptions = {
  methods: withDefault(
    ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    names(/^[A-Z]{1,20}$/, 'is not a method: give one in capitals, such as "PUT"', '["GET", "PUT"]'),
  ),
  headers: withDefault(['Authorization', 'Content-Type'], headerNames()),
  exposeHeaders: withDefault(['Retry-After', 'X-Request-Id'], headerNames()),
  credentials: withDefault(false, flag),
  maxAge: withDefault('10m', seconds({ min: '0s', max: '1d' })),
} satisfies Table<CorsOptions>;

/** Headers of answers that CORS is said in, which are nginx's alone on a route that has it. */
export const corsHeaders = [
  'Access-Control-Allow-Origin',
  'Access-Control-Allow-Credentials',
  'Access-Control-Expose-Headers',
  'Access-Control-Allow-Methods',
  'Access-Control-Allow-Headers',
  'Access-Control-Max-Age',
] as const;

/** What pages of other origins may do. */
export class Cors {
  private constructor(
    /** `https://app.example.com`, `https://*.example.com`, or `*` alone; empty for none. */
    readonly origins: readonly string[],
    readonly methods: readonly string[] = [],
    readonly headers: readonly string[] = [],
    readonly exposeHeaders: readonly string[] = [],
    readonly credentials = false,
    /** In seconds. */
    readonly maxAge = 0,
  ) {}

  /**
   * Pages of these origins may ask: scheme, host and port as a browser sends them; `https://*.example.com` for all names below one, which
   * trusts whoever may have such a name; `*` alone for any page.
   *
   * @example
   * edge.addRoute('/orders', orders, { cors: Cors.allow(['https://shop.example.com'], { credentials: true }) });
   */
  static allow(origins: readonly string[], options: CorsOptions = {}): Cors {
    const name = 'Cors.allow';
    const given = record(name, options, '{ credentials: true }');
    const { methods, headers, exposeHeaders, credentials, maxAge } = knownValues(given, corsOptions, `${name} `);
    const all = allowedOrigins(`${name} origins`, origins);
    if (credentials && all.includes('*')) {
      throw new InvalidOption(
        `${name} credentials`,
        true,
        'does not go with "*", as any page could act as its visitor: name the origins',
      );
    }
    return new Cors(all, methods, headers, exposeHeaders, credentials, maxAge);
  }

  /** No others than those that the API itself allows, whatever `routeDefaults` say. */
  static none(): Cors {
    return new Cors([]);
  }
}

const mostOrigins = 1000;
const example = '"https://app.example.com"';

function allowedOrigins(option: string, value: unknown): readonly string[] {
  const given = list(option, value, `[${example}]`);
  if (given.length === 0) throw new InvalidOption(option, value, `is empty: give origins, such as ${example}`);
  if (given.length > mostOrigins) {
    throw new InvalidOption(option, `${given.length} origins`, `are too many: give ${mostOrigins} at most`);
  }
  const all = [...new Set(given.map((origin) => allowedOrigin(option, origin)))];
  if (all.length > 1 && all.includes('*')) {
    throw new InvalidOption(option, all, 'has "*", which is every origin: give it alone, or leave it out');
  }
  return all;
}

const usualPorts = new Map([
  ['http', '80'],
  ['https', '443'],
]);

/** To the letter what a browser sends in `Origin`, as both are compared. */
function allowedOrigin(option: string, value: unknown): string {
  if (value === '*') return value;
  const text = typeof value === 'string' ? value : '';
  const [, scheme = '', wildcard, host = '', port] =
    /^([a-z][a-z0-9+.-]{0,30}):\/\/(\*\.)?(\[[0-9a-f:]+\]|[^:/?#@*[\]\s]+)(?::([1-9]\d{0,4}))?$/.exec(text) ?? [];
  if (host === '') {
    throw new InvalidOption(
      option,
      value,
      `is not an origin: give scheme, host and perhaps a port, in lower case and without a path, such as ${example} or "https://*.example.com"`,
    );
  }
  if (Number(port ?? 1) > 65_535) throw new InvalidOption(option, value, 'has no such port: give one up to 65535');
  if (port !== undefined && usualPorts.get(scheme) === port) {
    throw new InvalidOption(option, value, `has a port that browsers leave out: take ":${port}" out`);
  }
  const isAddress = isIPv4(host) || host.startsWith('[');
  if (host.startsWith('[') && (!isIPv6(host.slice(1, -1)) || new URL(`http://${host}`).host !== host)) {
    throw new InvalidOption(option, value, 'is not how a browser writes an IPv6 address: give it shortened');
  }
  if (!isAddress) refuseOtherHost(option, value, host);
  if (wildcard !== undefined && (isAddress || !host.includes('.'))) {
    throw new InvalidOption(
      option,
      value,
      'is too wide: give a name of two labels or more behind the "*.", such as "https://*.example.com"',
    );
  }
  return text;
}

/** Says it of the whole origin. */
function refuseOtherHost(option: string, value: unknown, host: string): void {
  try {
    hostName(option, host);
  } catch (error) {
    throw error instanceof InvalidOption ? new InvalidOption(option, value, error.remedy) : error;
  }
}

function headerNames(): Reader<readonly string[]> {
  return names(
    /^[A-Za-z0-9-]{1,64}$/,
    'is not a header name: give letters, digits and hyphens',
    '["Content-Type", "X-Team"]',
  );
}

/** A list of words that goes into one header. */
function names(expression: RegExp, remedy: string, listExample: string): Reader<readonly string[]> {
  return (option, given) => {
    const all = list(option, given, listExample).map((name) => {
      if (typeof name === 'string' && expression.test(name)) return name;
      throw new InvalidOption(option, name, remedy);
    });
    const once = [...new Map(all.map((name) => [name.toLowerCase(), name])).values()];
    oneLine(option, once.join(', '));
    return once;
  };
}
