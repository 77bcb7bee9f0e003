import { seconds, type TimeText } from '../../validation/amounts';
import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { dnsSubdomainName, objectKey, urlPath, wordOf } from '../../validation/names';
import {
  flag,
  group,
  instanceOf,
  knownValues,
  listOf,
  optional,
  type Reader,
  required,
  type Table,
  withDefault,
} from '../../validation/options';
import { authFile, type AuthFile, type AuthLocalOptions, authLocalOptions } from './auth-file';
import {
  CertificateAuthority,
  type ClientCertificateAuthModel,
  type ClientCertificateAuthOptions,
  clientCertificateAuthOptions,
} from './client-certificate';
import type { ExternalServiceModel } from '../routes/external-service';
import { type RequestHeader, requestHeader } from '../routes/headers';
import { Jwks } from './jwks';

/** Who may use a route, and how that is proved. */
export type AuthModel = BasicAuthModel | JwtAuthModel | ExternalAuthModel | ClientCertificateAuthModel;

interface BasicAuthModel {
  readonly kind: 'basic';
  /** What a client is told that it asks the password for. */
  readonly realm: string;
  /** Names and hashed passwords. */
  readonly file: AuthFile;
  /** Headers of requests that are set or taken away, below those of the route. */
  readonly requestHeaders: readonly RequestHeader[];
}

export interface JwtAuthModel {
  readonly kind: 'jwt';
  readonly realm: string;
  readonly issuer: string;
  /** One of them is enough. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly JwtAlgorithm[];
  /** In seconds. */
  readonly clockSkew: number;
  /** All have to be there. */
  readonly scopes: readonly string[];
  readonly requiredClaims: readonly (readonly [claim: string, value: string | boolean])[];
  /** What headers of requests are set to. */
  readonly claims: readonly (readonly [header: string, claim: string])[];
  readonly keys: Jwks['source'];
  readonly requestHeaders: readonly RequestHeader[];
}

export interface ExternalAuthModel {
  readonly kind: 'external';
  /** Who is asked. */
  readonly target: AuthTarget;
  readonly path: string;
  /** In seconds. */
  readonly timeout: number;
  /** Headers of the client that it gets. */
  readonly forwardHeaders: readonly string[];
  /** Headers of its answer that backends get. */
  readonly responseHeaders: readonly string[];
  /** Where a browser is led that it does not know. @default - nowhere: it is answered 401 as all others */
  readonly signIn?: SignInModel;
  readonly requestHeaders: readonly RequestHeader[];
}

/** A page where people sign in. */
export interface SignInModel {
  /** A path of the same host, or a URL. */
  readonly url: string;
  /** The argument of its query that is the address to come back to. */
  readonly returnTo: string;
}

/** A service that decides who may go on. */
export type AuthTarget =
  | { readonly kind: 'backend'; readonly backend: string }
  | {
      readonly kind: 'external';
      readonly service: ExternalServiceModel;
      readonly pathPrefix: string;
      readonly requestHeaders: readonly RequestHeader[];
    }
  /** It is not where the proxy runs. */
  | { readonly kind: 'nowhere' };

/** What can be asked who may go on: a Backend, or an ExternalService. */
export interface IAuthTarget {
  /** Called for each route that asks it: lets the proxy connect. */
  bindAuth(route: object): AuthTarget;
}

/** Bytes: of all claims that become headers of one request. */
export const longestClaims = 1024;

const jwtAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const;

/** How a token is signed: by a private key, whose public one everybody may know. @see https://www.rfc-editor.org/rfc/rfc7518#section-3.1 */
export type JwtAlgorithm = (typeof jwtAlgorithms)[number];

/** Tokens that an issuer has signed. */
export interface JwtAuthOptions {
  /**
   * Who issues the tokens: their claim `iss`, letter for letter.
   *
   * @see https://www.rfc-editor.org/rfc/rfc7519#section-4.1.1
   */
  readonly issuer: string;

  /**
   * Whom the tokens are for: their claim `aud` has to name it, or one of these. A token for another service does not open this one.
   *
   * @see https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3
   */
  readonly audience: string | readonly string[];

  /**
   * The public keys of the issuer.
   *
   * @see https://www.rfc-editor.org/rfc/rfc7517
   */
  readonly jwks: Jwks;

  /**
   * How tokens may be signed. A key is used for what it is made for alone: `kty`, `crv` and, if it says so, `alg`. There is no `none`, and nothing with a
   * shared secret (`HS256`); `EdDSA` njs does not know.
   *
   * @default - all of JwtAlgorithm: RS256, PS256, ES256 and the same with 384 and 512 bits
   * @see https://www.rfc-editor.org/rfc/rfc7518#section-3.1
   */
  readonly algorithms?: readonly JwtAlgorithm[];

  /**
   * How far the clocks of the issuer and the proxies may differ, in whole seconds: a token is taken for so long after `exp`, and before `nbf`.
   *
   * @default '30s'
   */
  readonly clockSkew?: TimeText;

  /**
   * Scopes that a token has to have, all of them (its claims `scope` and `scp`); else the answer is 403.
   *
   * @default - none
   * @see https://www.rfc-editor.org/rfc/rfc6750#section-3.1
   */
  readonly scopes?: readonly string[];

  /**
   * Claims that a token has to have, each with its value; of a list in a claim one member is enough. Else the answer is 403.
   *
   * @default - none
   */
  readonly requiredClaims?: Readonly<Record<string, string | boolean>>;

  /**
   * Headers that the backend gets, each with the name of a claim: `{ 'X-User': 'sub' }`. No client can send them, on any route of the proxy.
   * Text, numbers, true and false are sent as they are, a list with commas between its members; a claim that is not there is no
   * header. What a header cannot carry unmistakably (an object, a line break, a comma in a member), or more than 1024 bytes together, is answered 403.
   *
   * @default - none
   */
  readonly claims?: Readonly<Record<string, string>>;

  /**
   * What `WWW-Authenticate` says that the token is for: printable ASCII, 100 characters at most.
   *
   * @default 'Restricted'
   */
  readonly realm?: string;

  /**
   * Whether the backend gets the header `Authorization`, and so the token.
   *
   * @default true
   */
  readonly passAuthorization?: boolean;
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
   * hashes at each request, and all requests of a worker wait for that: `-apr1` is a thousand rounds of MD5; bcrypt is slow on purpose, and
   * twice as slow with each step of its cost.
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

/** A service that is asked before each request. */
export interface ExternalAuthOptions {
  /**
   * The path that it is asked by, with GET and without a body. It is told whom it is about by `X-Forwarded-Method`, `X-Forwarded-Uri`, `X-Forwarded-Host`,
   * `X-Forwarded-Proto` and `X-Forwarded-For`. Its 2xx lets the request go on, 401 (with its `WWW-Authenticate`) and 403 are the
   * answer; anything else is answered 500.
   *
   * @default '/'
   * @see https://nginx.org/en/docs/http/ngx_http_auth_request_module.html
   */
  readonly path?: string;

  /**
   * How long it may take to answer, in whole seconds; every request of the route waits for it. What takes longer is answered 500.
   *
   * @default '5s'
   */
  readonly timeout?: TimeText;

  /**
   * Headers of the client that it gets, and no others.
   *
   * @default ['Authorization', 'Cookie']
   */
  readonly forwardHeaders?: readonly string[];

  /**
   * Headers of its answer that the backend gets with the request, such as `['X-Auth-Request-User']`. No client can send them, on any route of the
   * proxy.
   *
   * @default []
   */
  readonly responseHeaders?: readonly string[];

  /**
   * Where people sign in: where it answers 401, a browser that asks for a page (GET or HEAD, with `text/html` in `Accept`) is led there (302), with
   * the address that it asked for. All others are answered 401.
   *
   * @default - nowhere: browsers are answered 401 too
   */
  readonly signIn?: SignInOptions;
}

/** A page where people sign in. */
export interface SignInOptions {
  /**
   * A URL (`https://…`), or a path of the same host, whose route then has to be open to everyone (`Auth.none()`). It may have a query, whose arguments stay.
   */
  readonly url: string;

  /**
   * The argument that is added to its query, with the whole address that was asked for, percent-encoded. It is always one of a host of the proxy; whoever
   * leads back there has to look at it all the same, as anybody can make up such a link.
   *
   * @default 'rd'
   */
  readonly returnTo?: string;
}

export const signInOptions = {
  url: required(signInUrl),
  returnTo: withDefault('rd', argumentName),
} satisfies Table<SignInOptions>;

export const externalAuthOptions = {
  path: withDefault('/', urlPath),
  timeout: withDefault('5s', seconds({ min: '1s', max: '60s' })),
  forwardHeaders: withDefault(['Authorization', 'Cookie'], headerNames),
  responseHeaders: withDefault([], headerNames),
  signIn: optional(group(signInOptions, '{ url: "/login" }')),
} satisfies Table<ExternalAuthOptions>;

export const basicAuthOptions = {
  secret: required(dnsSubdomainName),
  key: withDefault('auth', objectKey),
  realm: withDefault('Restricted', realm),
  passAuthorization: withDefault(false, flag),
  local: optional(group(authLocalOptions, '{ file: "htpasswd" }')),
} satisfies Table<BasicAuthOptions>;

export const jwtAuthOptions = {
  issuer: required(plainText),
  audience: required(oneOrMore),
  jwks: required(instanceOf(Jwks, 'Jwks.fromConfigMap("issuer-keys")')),
  algorithms: withDefault(jwtAlgorithms, notEmpty(wordOf(jwtAlgorithms), '["RS256"]')),
  clockSkew: withDefault('30s', seconds({ min: '0s', max: '5m' })),
  scopes: withDefault([], listOf(scope, '["orders:read"]')),
  requiredClaims: withDefault({}, requiredClaims),
  claims: withDefault({}, claimHeaders),
  realm: withDefault('Restricted', realm),
  passAuthorization: withDefault(true, flag),
} satisfies Table<JwtAuthOptions>;

/** Who may use a route. */
export class Auth {
  private constructor(
    /** Undefined if everyone may, or if `asked` decides. */
    readonly model: AuthModel | undefined,
    /** Who decides, and how it is asked. */
    readonly asked?: { readonly target: IAuthTarget } & Omit<ExternalAuthModel, 'target'>,
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

  /**
   * Whoever brings a token of an issuer (`Authorization: Bearer …`, a signed JWT): for these audiences, not expired, signed by one of its keys. nginx verifies it once a
   * request, however often that is tried.
   *
   * @example
   * Auth.jwt({
   *   issuer: 'https://id.example.com',
   *   audience: 'orders',
   *   jwks: Jwks.fromConfigMap('issuer-keys'),
   *   scopes: ['orders:write'],
   *   claims: { 'X-User': 'sub' },
   * })
   */
  static jwt(options: JwtAuthOptions): Auth {
    const name = 'Auth.jwt';
    const example = '{ issuer: "https://id.example.com", audience: "orders", jwks: Jwks.fromConfigMap("issuer-keys") }';
    const given = knownValues(record(name, options, example), jwtAuthOptions, `${name} `);
    const { jwks, audience: audiences, passAuthorization, ...rules } = given;
    return new Auth({
      kind: 'jwt',
      ...rules,
      audiences,
      keys: jwks.source,
      requestHeaders: [
        ...given.claims.map(([header]) => [header, { proved: 'claim' }] as const),
        ...(passAuthorization ? [] : [['Authorization', false] as const]),
      ],
    });
  }

  /**
   * Whoever another service lets in: a Backend, or an ExternalService, which is asked before each request (`auth_request`). While it is away, nobody is let in.
   *
   * @example
   * edge.addRoute('/', orders, { auth: Auth.external(sessions, { path: '/verify', responseHeaders: ['X-User'] }) });
   */
  static external(target: IAuthTarget, options: ExternalAuthOptions = {}): Auth {
    const name = 'Auth.external';
    const read = knownValues(record(name, options, '{ path: "/verify" }'), externalAuthOptions, `${name} `);
    const { signIn, ...given } = read;
    if (typeof (target as Partial<IAuthTarget> | null | undefined)?.bindAuth !== 'function') {
      throw new InvalidOption(
        `${name} target`,
        typeof target === 'object' ? '(object)' : target,
        'cannot be asked: give a Backend or an ExternalService',
      );
    }
    return new Auth(undefined, {
      kind: 'external',
      target,
      ...given,
      ...(signIn === undefined ? {} : { signIn }),
      requestHeaders: given.responseHeaders.map((header) => [header, { proved: 'answer' }]),
    });
  }

  /**
   * Whoever shows a certificate of a CA in the handshake of TLS (mTLS), which is valid at each request, however long a connection lasts. Others are answered 403. It
   * goes for redirects and fixed answers too. All routes of a host that ask for one go by the same CA: nginx verifies before it knows the path.
   *
   * @example
   * Auth.clientCertificate(CertificateAuthority.fromSecret('partners-ca'), {
   *   subjects: ['CN=billing,O=Acme'],
   *   headers: { 'X-Client': 'subject' },
   * })
   */
  static clientCertificate(authority: CertificateAuthority, options: ClientCertificateAuthOptions = {}): Auth {
    const name = 'Auth.clientCertificate';
    const { file } = instanceOf(CertificateAuthority, 'CertificateAuthority.fromSecret("partners-ca")')(
      `${name} authority`,
      authority,
    );
    const example = '{ subjects: ["CN=billing,O=Acme"] }';
    const given = knownValues(record(name, options, example), clientCertificateAuthOptions, `${name} `);
    return new Auth({
      kind: 'clientCertificate',
      authority: file,
      subjects: given.subjects,
      requestHeaders: given.headers,
    });
  }

  /** Everyone, whatever `routeDefaults` say. */
  static none(): Auth {
    return new Auth(undefined);
  }
}

/** Files that these routes go by, each once; in an order that does not follow from theirs. */
export function authFilesOf(routes: readonly { readonly auth?: AuthModel }[]): AuthFile[] {
  const all = routes.flatMap(({ auth }) => filesOf(auth));
  const once = new Map<string, AuthFile>();
  for (const file of all) if (once.get(file.path)?.local === undefined) once.set(file.path, file);
  return [...once.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function filesOf(auth: AuthModel | undefined): AuthFile[] {
  if (auth?.kind === 'basic') return [auth.file];
  if (auth?.kind === 'clientCertificate') return auth.authority === undefined ? [] : [auth.authority];
  return auth?.kind === 'jwt' && auth.keys.kind === 'file' ? [auth.keys.file] : [];
}

function headerNames(option: string, given: unknown): readonly string[] {
  const all = listOf((name, header) => {
    requestHeader(name, String(header), 'x');
    return String(header);
  }, '["X-User"]')(option, given);
  return [...new Map(all.map((header) => [header.toLowerCase(), header])).values()];
}

/** As a Location header can have it, without a fragment, which would swallow what is added. */
function signInUrl(option: string, given: unknown): string {
  const isUrl =
    /^(?:https:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?)?\/(?!\/)[\w\-.~!&'()*+,;=:@%$/]*(?:\?[\w\-.~!&'()*+,;=:@%$/?]*)?$/;
  if (typeof given === 'string' && given.length <= 1024 && isUrl.test(given)) return given;
  throw new InvalidOption(
    option,
    typeof given === 'object' ? '(object)' : given,
    'is neither a path nor an https URL with one: give a page where people sign in, such as "https://id.example.com/login"',
  );
}

function argumentName(option: string, given: unknown): string {
  if (typeof given === 'string' && /^[\w.-]{1,50}$/.test(given)) return given;
  throw new InvalidOption(
    option,
    typeof given === 'object' ? '(object)' : given,
    'is not the name of an argument: give letters, digits, "-", "_" and ".", such as "rd"',
  );
}

/** Printable ASCII, as it stands in tokens. */
function plainText(option: string, given: unknown): string {
  if (typeof given === 'string' && /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(given)) return given;
  throw new InvalidOption(
    option,
    typeof given === 'object' ? '(object)' : given,
    'is not what a token is compared with: give 1 to 255 printable ASCII characters without white space around them',
  );
}

function notEmpty<Member>(read: Reader<Member>, example: string): Reader<readonly Member[]> {
  return (option, given) => {
    const all = [...new Set(listOf(read, example)(option, given))];
    if (all.length > 0) return all;
    throw new InvalidOption(option, given, `is empty, and would refuse everyone: give one, such as ${example}`);
  };
}

function oneOrMore(option: string, given: unknown): readonly string[] {
  return Array.isArray(given) ? notEmpty(plainText, '["orders"]')(option, given) : [plainText(option, given)];
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-3.3 */
function scope(option: string, given: unknown): string {
  if (typeof given === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(given)) return given;
  throw new InvalidOption(option, given, 'is not a scope: give printable ASCII without spaces, quotes and backslashes');
}

function requiredClaims(option: string, given: unknown): JwtAuthModel['requiredClaims'] {
  return Object.entries(record(option, given, '{ email_verified: true }')).map(([claim, value]) => {
    const named = `${option}[${JSON.stringify(claim)}]`;
    return [plainText(named, claim), typeof value === 'boolean' ? value : plainText(named, value)];
  });
}

function claimHeaders(option: string, given: unknown): JwtAuthModel['claims'] {
  const all = Object.entries(record(option, given, '{ "X-User": "sub" }')).map(([header, claim]) => {
    const named = `${option}[${JSON.stringify(header)}]`;
    requestHeader(named, header, 'x');
    return [header, plainText(named, claim)] as const;
  });
  const names = all.map(([header]) => header.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return all;
  throw new InvalidOption(option, twice, 'is given twice, in other letters: give each header once');
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
