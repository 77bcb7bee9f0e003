import { createPrivateKey } from 'node:crypto';
import { generate } from 'selfsigned';
import { KeyPair } from '../../../certificates/key-pair';

const day = 86_400_000;

interface PairOptions {
  readonly keyType?: 'ec' | 'rsa';
  /** In days from now. */
  readonly notBefore?: number;
  readonly notAfter?: number;
}

/** A self-signed pair for localhost, as no `selfSignedKeyPair` would make it. */
export async function keyPair({ keyType = 'ec', notBefore = -1, notAfter = 30 }: PairOptions = {}): Promise<KeyPair> {
  const { cert, private: privateKey } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType,
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() + notBefore * day),
    notAfterDate: new Date(Date.now() + notAfter * day),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  return { certificate: cert, privateKey };
}

/** The same key, written in another way. */
export function keyAs(type: 'pkcs1' | 'sec1' | 'pkcs8', { certificate, privateKey }: KeyPair): KeyPair {
  return { certificate, privateKey: createPrivateKey(privateKey).export({ type, format: 'pem' }).toString() };
}

/** A private CA, which issues certificates for hosts. */
export interface PrivateAuthority {
  readonly certificate: string;
  readonly issue: (host: string) => Promise<KeyPair>;
}

export async function privateAuthority(): Promise<PrivateAuthority> {
  const common = { keyType: 'ec', algorithm: 'sha256' } as const;
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'Test CA' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return {
    certificate: cert,
    issue: async (host) => {
      const issued = await generate([{ name: 'commonName', value: host }], {
        ...common,
        ca: { key, cert },
        extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }],
      });
      return { certificate: issued.cert, privateKey: issued.private };
    },
  };
}
