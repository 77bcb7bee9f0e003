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

/** A private CA, which issues certificates for hosts, and for clients. */
export interface PrivateAuthority {
  readonly certificate: string;
  readonly issue: (host: string) => Promise<KeyPair>;
  /** A name of up to 127 bytes, whatever they are, with its organization before it. */
  readonly issueToClient: (name: string, notAfter?: Date) => Promise<KeyPair>;
}

/** All have one name, as who names itself like another is not that other. */
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
    issueToClient: async (name, notAfter = new Date(Date.now() + day)) => {
      const subject = [
        { name: 'organizationName', value: 'Acme' },
        { name: 'commonName', value: `#${utf8String(name)}` },
      ];
      const issued = await generate(subject, {
        ...common,
        ca: { key, cert },
        notBeforeDate: new Date(Date.now() - day),
        notAfterDate: notAfter,
        extensions: [{ name: 'extKeyUsage', clientAuth: true }],
      });
      return { certificate: issued.cert, privateKey: issued.private };
    },
  };
}

/** As DER has it, in hexadecimal digits: no text of a name is read as more than that. */
function utf8String(text: string): string {
  const bytes = Buffer.from(text);
  return Buffer.from([0x0c, bytes.length, ...bytes]).toString('hex');
}
