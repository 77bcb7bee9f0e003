import { Jwks } from '../../../model/auth/jwks';
import { keySet, signingKey } from '../../nginx/support/issuer';

const rsa = signingKey('RS256');
const ec = signingKey('ES384');

/** The names of keys that are used. */
function used(text: string): unknown[] {
  const { source } = Jwks.fromText(text);
  return source.kind === 'given' ? source.keys.map(({ kid }) => kid) : [];
}

describe('A JWK Set', () => {
  test('keeps what of its keys verifies signatures, and nothing else of it', () => {
    const [key] = [{ ...rsa.jwk, alg: 'RS256', x5c: ['MII…'], key_ops: ['verify'], note: '\n' }];
    const { source } = Jwks.fromText(JSON.stringify({ keys: [key], note: 1 }));
    const { kid, n, e } = rsa.jwk;
    expect(source).toEqual({ kind: 'given', keys: [{ kty: 'RSA', kid, alg: 'RS256', n, e }] });
  });

  test('may have keys for something else beside', () => {
    const others = [
      { ...rsa.jwk, kid: 'encryption', use: 'enc' },
      { ...rsa.jwk, kid: 'wrapping', key_ops: ['wrapKey'] },
      { ...ec.jwk, kid: 'another curve', crv: 'secp256k1' },
      { ...ec.jwk, kid: 'no point', y: undefined },
      { ...ec.jwk, kid: 'no letters', y: 'a"b' },
      signingKey('EdDSA', 'edwards').jwk,
      signingKey('RS256', 'short', 1024).jwk,
    ];
    expect(used(JSON.stringify({ keys: [...others, ec.jwk, rsa.jwk] }))).toEqual(['ES384', 'RS256']);
  });

  test.each<[string, unknown, string]>([
    ['no text', undefined, '"(undefined)" is not a JWK Set'],
    ['no JSON', '{', '"{" is not a JWK Set'],
    ['null', 'null', '"null" is not a JWK Set'],
    ['a list', '[]', '"[]" is not a JWK Set'],
    ['one key', JSON.stringify(rsa.jwk), 'is not a JWK Set'],
    ['an object', { keys: [rsa.jwk] }, '"(object)" is not a JWK Set'],
    ['keys that are none', '{"keys":["a"]}', 'is not a JWK Set'],
    ['no key', '{"keys":[]}', '"(0 keys)" has 0 keys that signatures can be verified with'],
    ['no key that is long enough', keySet(signingKey('RS256', 'short', 1024)), 'has 0 keys that signatures can be'],
    [
      'a private key',
      JSON.stringify({ keys: [{ ...rsa.privateKey.export({ format: 'jwk' }), kid: 'mine' }] }),
      '"kid \\"mine\\"" has a private or shared key in it',
    ],
    ['a shared key', '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}', '"kid null" has a private or shared key in it'],
    ['too many keys', JSON.stringify({ keys: Array(33).fill(ec.jwk) }), '"(33 keys)" has 33 keys'],
  ])('is refused if it is %s', (_what, text, message) => {
    expect(() => Jwks.fromText(text as string)).toThrow(`Jwks.fromText: `);
    expect(() => Jwks.fromText(text as string)).toThrow(message);
  });

  test('of the cluster has a name and an entry', () => {
    expect(() => Jwks.fromConfigMap('Keys')).toThrow('Jwks.fromConfigMap: "Keys" is not the name of a Kubernetes');
    expect(() => Jwks.fromSecret('keys', { key: 'a/b' })).toThrow('Jwks.fromSecret key: "a/b" is not the name of an');
    expect(() => Jwks.fromSecret('keys', null as never)).toThrow('Jwks.fromSecret: null is not an object');
  });
});
