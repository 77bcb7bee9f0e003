import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InvalidOption } from '../validation/invalid-option';

/** A certificate (with its chain) and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface KeyPairFiles {
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  /** Every name that the certificate must be valid for. */
  readonly hosts: readonly string[];
  /** @default - the present */
  readonly now?: Date;
}

/** Reads a certificate and its key from files and refuses what clients would refuse, or nginx could not load. */
export function readKeyPair({ certificateFile, privateKeyFile, hosts, now = new Date() }: KeyPairFiles): KeyPair {
  const certificate = readText('Certificate.fromFiles certificate', certificateFile);
  const privateKey = readText('Certificate.fromFiles privateKey', privateKeyFile);
  const leaf = parse(
    'Certificate.fromFiles certificate',
    certificateFile,
    "is not a PEM certificate: give a file that begins with the server's own",
    () => new X509Certificate(certificate),
  );
  const key = parse(
    'Certificate.fromFiles privateKey',
    privateKeyFile,
    'is not an unencrypted PEM private key: give one without a passphrase',
    () => createPrivateKey(privateKey),
  );

  if (!leaf.checkPrivateKey(key)) {
    throw new InvalidOption(
      'Certificate.fromFiles privateKey',
      privateKeyFile,
      `does not match the certificate in ${JSON.stringify(certificateFile)}: give the key that the certificate was made for`,
    );
  }
  if (new Date(leaf.validTo) <= now) {
    throw new InvalidOption(
      'Certificate.fromFiles certificate',
      certificateFile,
      `expired on ${leaf.validTo}: give a renewed one`,
    );
  }
  if (new Date(leaf.validFrom) > now) {
    throw new InvalidOption(
      'Certificate.fromFiles certificate',
      certificateFile,
      `is not valid before ${leaf.validFrom}: give one that is valid now`,
    );
  }
  for (const host of hosts) {
    if (!isValidFor(leaf, host)) {
      throw new InvalidOption(
        'Certificate.fromFiles certificate',
        certificateFile,
        `is not valid for the host ${JSON.stringify(host)} (its names: ${leaf.subjectAltName ?? 'none'}): give one that names it`,
      );
    }
  }
  return { certificate, privateKey };
}

/** Clients go by subjectAltName alone. @see https://www.rfc-editor.org/rfc/rfc9110#section-4.3.4 */
export function isValidFor(certificate: X509Certificate, host: string): boolean {
  return certificate.checkHost(host, { subject: 'never' }) !== undefined;
}

function readText(option: string, file: unknown): string {
  if (typeof file !== 'string') throw new InvalidOption(option, file, 'is not the path of a file: give that of one');
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new InvalidOption(option, file, `cannot be read (${reason}): give the path of a PEM file`);
  }
}

function parse<T>(option: string, file: string, remedy: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new InvalidOption(option, file, remedy);
  }
}
