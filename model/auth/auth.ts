import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { instanceOf, knownValues } from '../../validation/options';
import { authFile, type AuthFile } from './auth-file';
import { type BasicAuthModel, type BasicAuthOptions, basicAuthOptions } from './basic';
import {
  CertificateAuthority,
  type ClientCertificateAuthModel,
  type ClientCertificateAuthOptions,
  clientCertificateAuthOptions,
} from './client-certificate';
import { type ExternalAuthModel, type ExternalAuthOptions, externalAuthOptions, type IAuthTarget } from './external';
import { type JwtAuthModel, type JwtAuthOptions, jwtAuthOptions } from './jwt';

/** Who may use a route, and how that is proved. */
export type AuthModel = BasicAuthModel | JwtAuthModel | ExternalAuthModel | ClientCertificateAuthModel;

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
