import { seconds, type TimeText } from '../../validation/amounts';
import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { wordOf } from '../../validation/names';
import { flag, instanceOf, listOf, type Reader, required, type Table, withDefault } from '../../validation/options';
import { isPrintable } from '../../validation/text';
import { type RequestHeader, requestHeader } from '../routes/headers';
import { Jwks } from './jwks';
import { realm } from './realm';

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

/** Printable ASCII, as it stands in tokens. */
function plainText(option: string, given: unknown): string {
  if (isPrintable(given, 255)) return given;
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
