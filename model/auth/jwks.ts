import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { dnsSubdomainName, objectKey } from '../../validation/names';
import { group, knownValues, optional, type Table, withDefault } from '../../validation/options';
import { authFile, type AuthFile, type AuthLocalOptions, authLocalOptions } from './auth-file';

/** What of a public key it takes to verify signatures: RSA (`n`, `e`), or elliptic curves (`crv`, `x`, `y`). @see https://www.rfc-editor.org/rfc/rfc7517 */
export type PublicJwk = Readonly<Record<string, string>>;

/** An object of the cluster that holds a JWK Set. */
export interface JwksOptions {
  /**
   * The entry of the object that holds the JWK Set.
   *
   * @default 'jwks.json'
   */
  readonly key?: string;

  /**
   * What stands for the object where there is no cluster.
   *
   * @default - nothing: its routes answer 500 there
   */
  readonly local?: AuthLocalOptions;
}

export const jwksOptions = {
  key: withDefault('jwks.json', objectKey),
  local: optional(group(authLocalOptions, '{ file: "jwks.json" }')),
} satisfies Table<JwksOptions>;

/** The public keys that an issuer signs tokens with (a JWK Set, RFC 7517), which it publishes at its `jwks_uri`. */
export class Jwks {
  private constructor(
    readonly source:
      | { readonly kind: 'given'; readonly keys: readonly PublicJwk[] }
      | { readonly kind: 'file'; readonly file: AuthFile },
  ) {}

  /**
   * The text of one, known when `cdk8s synth` runs: another key is a rollout of the proxies.
   *
   * @example
   * Jwks.fromText(readFileSync('jwks.json', 'utf8'))
   */
  static fromText(text: string): Jwks {
    return new Jwks({ kind: 'given', keys: publicKeys('Jwks.fromText', text) });
  }

  /**
   * A ConfigMap of the proxy's namespace, looked at every few seconds: another key needs no restart. While it is broken or gone, the last good
   * keys are used; before there were any, its routes answer 500, and others are served.
   */
  static fromConfigMap(configMap: string, options: JwksOptions = {}): Jwks {
    return Jwks.of('Jwks.fromConfigMap', 'configMap', configMap, options);
  }

  /** The same in a Secret. */
  static fromSecret(secret: string, options: JwksOptions = {}): Jwks {
    return Jwks.of('Jwks.fromSecret', 'secret', secret, options);
  }

  private static of(name: string, kind: AuthFile['kind'], object: unknown, options: unknown): Jwks {
    const { key, local } = knownValues(record(name, options, '{ key: "keys.json" }'), jwksOptions, `${name} `);
    return new Jwks({ kind: 'file', file: authFile(kind, dnsSubdomainName(name, object), key, local?.file) });
  }
}

const curves = ['P-256', 'P-384', 'P-521'];
/** A key of this many takes what nginx reads of a parameter. */
const mostKeys = 32;
/** Bytes: 2048 and 8192 bits. */
const [leastModulus, mostModulus] = [256, 1024];

function publicKeys(option: string, text: unknown): PublicJwk[] {
  const keys = keysOf(option, text);
  const secret = keys.find((key) => ['d', 'k', 'p', 'q'].some((member) => member in key));
  if (secret !== undefined) {
    const { kid = null } = secret;
    throw new InvalidOption(
      option,
      `kid ${JSON.stringify(kid)}`,
      'has a private or shared key in it, whoever reads the configuration could sign with: give public keys alone',
    );
  }
  const usable = keys.map(publicKey).filter((key) => key !== undefined);
  if (usable.length > 0 && usable.length <= mostKeys) return usable;
  throw new InvalidOption(
    option,
    `(${usable.length} keys)`,
    `has ${usable.length} keys that signatures can be verified with: give 1 to ${mostKeys} of RSA (2048 bits and more) or of the curves ${curves.join(', ')}`,
  );
}

function keysOf(option: string, text: unknown): Readonly<Record<string, unknown>>[] {
  try {
    const { keys } = JSON.parse(String(text)) as { readonly keys?: unknown };
    const isObject = (key: unknown): boolean => typeof key === 'object' && key !== null && !Array.isArray(key);
    if (typeof text === 'string' && Array.isArray(keys) && keys.every(isObject)) {
      return keys as Readonly<Record<string, unknown>>[];
    }
  } catch {
    // Said below.
  }
  throw new InvalidOption(
    option,
    shown(text),
    'is not a JWK Set: give JSON such as {"keys":[{"kty":"RSA","kid":…,"n":…,"e":…}]}',
  );
}

function shown(text: unknown): unknown {
  return typeof text === 'string' ? text : `(${typeof text})`;
}

/** Of a key that may be there for something else nothing. */
function publicKey(key: Readonly<Record<string, unknown>>): PublicJwk | undefined {
  const { kty, use = 'sig', key_ops: uses } = key;
  if (use !== 'sig' || (Array.isArray(uses) && !uses.includes('verify'))) return undefined;
  const text = (name: string, isRight = /^[\w-]+$/): Record<string, string> | undefined => {
    const value = key[name];
    return typeof value === 'string' && isRight.test(value) && value.length <= 2048 ? { [name]: value } : undefined;
  };
  const known = [...['kid', 'alg'].map((name) => (name in key ? text(name, /^[\x20-\x7e]{1,256}$/) : {}))];
  const bytes = (name: string): number => Buffer.from(String(key[name]), 'base64url').length;
  if (kty === 'RSA' && (bytes('n') < leastModulus || bytes('n') > mostModulus)) return undefined;
  if (kty === 'EC' && !curves.includes(String(key.crv))) return undefined;
  if (kty !== 'RSA' && kty !== 'EC') return undefined;
  const parts = [{ kty }, ...known, ...(kty === 'RSA' ? ['n', 'e'] : ['crv', 'x', 'y']).map((name) => text(name))];
  return parts.some((part) => part === undefined) ? undefined : (Object.assign({}, ...parts) as PublicJwk);
}
