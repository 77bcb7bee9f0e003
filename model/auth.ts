import { record } from '../validation/collections';
import { InvalidOption } from '../validation/invalid-option';
import { dnsSubdomainName, objectKey } from '../validation/names';
import {
  flag,
  group,
  knownValues,
  optional,
  type Reader,
  required,
  type Table,
  withDefault,
} from '../validation/options';
import { authFile, type AuthFile, type AuthLocalOptions, authLocalOptions } from './auth-file';
import type { RouteModel } from './route';

/** Who may use a route, and how that is proved. */
export interface AuthModel {
  readonly kind: 'basic';
  /** What a client is told that it asks the password for. */
  readonly realm: string;
  /** Names and hashed passwords. */
  readonly file: AuthFile;
  /** Headers of requests that are set or taken away, below those of the route. */
  readonly requestHeaders: RouteModel['requestHeaders'];
}

/** User names and passwords. */
export interface BasicAuthOptions {
  /**
   * The name of a Secret of the proxy's namespace, which is mounted and never read by cdk8s: no password is in `dist/`. A changed one holds
   * within a minute or two, without a restart. While it is not there, or has no such entry, every request of the route is answered 500;
   * other routes are served, and new proxies start.
   *
   * @see https://kubernetes.io/docs/concepts/configuration/secret/
   */
  readonly secret: string;

  /**
   * The entry of the Secret that holds names and hashed passwords, a line each, as `htpasswd` and `openssl passwd -apr1` write them. nginx
   * hashes at each request, and all requests of a worker wait for that: `-apr1` takes a third of a millisecond, bcrypt of the cost 10
   * a twentieth of a second.
   *
   * @default 'auth'
   * @see https://nginx.org/en/docs/http/ngx_http_auth_basic_module.html#auth_basic_user_file
   */
  readonly key?: string;

  /**
   * What a browser says that the password is for: printable ASCII, 100 characters at most.
   *
   * @default 'Restricted'
   * @see https://www.rfc-editor.org/rfc/rfc7617#section-2
   */
  readonly realm?: string;

  /**
   * Whether the backend gets the header `Authorization`, and so the password.
   *
   * @default false
   */
  readonly passAuthorization?: boolean;

  /**
   * What stands for the Secret where there is no cluster.
   *
   * @default - nothing: its routes answer 500 there
   */
  readonly local?: AuthLocalOptions;
}

const local = optional(group(authLocalOptions, '{ file: "htpasswd" }'));

export const basicAuthOptions = {
  secret: required(dnsSubdomainName),
  key: withDefault('auth', objectKey),
  realm: withDefault('Restricted', realm),
  passAuthorization: withDefault(false, flag),
  local,
} satisfies Table<BasicAuthOptions>;

/** Who may use a route. */
export class Auth {
  private constructor(
    /** Undefined if everyone may. */
    readonly model: AuthModel | undefined,
  ) {}

  /**
   * Whoever knows a name and its password (RFC 7617), which a Secret holds as hashes.
   *
   * @example
   * edge.addRoute('/admin', orders, { auth: Auth.basic({ secret: 'admins' }) });
   */
  static basic(options: BasicAuthOptions): Auth {
    const name = 'Auth.basic';
    const given = knownValues(record(name, options, '{ secret: "admins" }'), basicAuthOptions, `${name} `);
    return new Auth({
      kind: 'basic',
      realm: given.realm,
      file: authFile('secret', given.secret, given.key, given.local?.file),
      requestHeaders: given.passAuthorization ? [] : [['Authorization', false]],
    });
  }

  /** Everyone, whatever `routeDefaults` say. */
  static none(): Auth {
    return new Auth(undefined);
  }
}

/** Files that these routes go by, each once; in an order that does not follow from theirs. */
export function authFilesOf(routes: readonly Pick<RouteModel, 'auth'>[]): AuthFile[] {
  const all = routes.flatMap(({ auth }) => (auth === undefined ? [] : [auth.file]));
  const once = new Map<string, AuthFile>();
  for (const file of all) if (once.get(file.path)?.local === undefined) once.set(file.path, file);
  return [...once.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What stands in quotation marks in a header; nginx itself reads the word `off` as no authentication at all. */
function realm(...[option, given]: Parameters<Reader<string>>): string {
  if (typeof given !== 'string' || !/^[\x21-\x7e](?:[\x20-\x7e]{0,98}[\x21-\x7e])?$/.test(given)) {
    throw new InvalidOption(
      option,
      given,
      'is not a realm: give 1 to 100 printable ASCII characters without white space around them, such as "Orders"',
    );
  }
  if (given === 'off') throw new InvalidOption(option, given, 'would switch nginx to no authentication: give another');
  return given;
}
