import { generate } from 'selfsigned';

/**
 * A certificate for localhost that was never seen before. Its subject is another one: of two self-signed certificates
 * with one subject, OpenSSL finds the first that it was told to trust and refuses the second.
 */
export async function renewedKeyPair(): Promise<{ readonly certificate: string; readonly privateKey: string }> {
  const { cert, private: privateKey } = await generate([{ name: 'commonName', value: 'renewed' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
    ],
  });
  return { certificate: cert, privateKey };
}
