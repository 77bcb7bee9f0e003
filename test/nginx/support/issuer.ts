import { constants, generateKeyPairSync, KeyObject, sign } from 'node:crypto';

/** Who issues tokens: a private key, and what of it is public. */
export interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const;

export function signingKey(alg: string, kid: string = alg, bits = 2048): SigningKey {
  const { publicKey, privateKey } =
    alg in curves
      ? generateKeyPairSync('ec', { namedCurve: curves[alg as keyof typeof curves] })
      : alg === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: bits });
  return { alg, kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' } };
}

export function keySet(...keys: readonly SigningKey[]): string {
  return JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
}

export function part(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** A signed token; what is in its header may be something else. */
export function token(
  { alg, kid, privateKey }: SigningKey,
  claims: unknown,
  header: Readonly<Record<string, unknown>> = {},
): string {
  const signed = `${part({ typ: 'JWT', alg, kid, ...header })}.${part(claims)}`;
  return `${signed}.${signature(alg, privateKey, signed).toString('base64url')}`;
}

function signature(alg: string, key: KeyObject, text: string): Buffer {
  const data = Buffer.from(text);
  if (alg === 'EdDSA') return sign(null, data, key);
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('ES')) return sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  if (alg.startsWith('RS')) return sign(hash, data, key);
  return sign(hash, data, {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  });
}

export function bearer(text: string): { readonly authorization: string } {
  return { authorization: `Bearer ${text}` };
}
