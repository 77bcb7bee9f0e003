import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { dnsSubdomainName, objectKey, oneOf } from '../../validation/names';
import { group, knownValues, listOf, optional, type Table, withDefault } from '../../validation/options';
import { type CertificatePart, certificateParts, type RequestHeader, requestHeader } from '../routes/headers';
import { authFile, type AuthFile, type AuthLocalOptions, authLocalOptions } from './auth-file';

/** Clients that prove themselves by a certificate in the handshake of TLS. */
export interface ClientCertificateAuthModel {
  readonly kind: 'clientCertificate';
  /** Whose certificates count. Undefined where it is not there, and nobody can be told from anybody else. */
  readonly authority: AuthFile | undefined;
  /** One of them is enough; none: every certificate of the CA. */
  readonly subjects: readonly string[];
  readonly requestHeaders: readonly RequestHeader[];
}

/** An object of the cluster that holds the certificate of a CA. */
export interface CertificateAuthorityOptions {
  /**
   * The entry of the object that holds the certificate of the CA (PEM), or of several, one after another: a new one beside the old one while
   * clients change over.
   *
   * @default 'ca.crt'
   */
  readonly key?: string;

  /**
   * What stands for the object where there is no cluster.
   *
   * @default - nothing: its routes answer 500 there
   */
  readonly local?: AuthLocalOptions;
}

export const certificateAuthorityOptions = {
  key: withDefault('ca.crt', objectKey),
  local: optional(group(authLocalOptions, '{ file: "ca.crt" }')),
} satisfies Table<CertificateAuthorityOptions>;

/** Who signs the certificates of clients. nginx reads it when it starts: another CA holds after `kubectl rollout restart`. */
export class CertificateAuthority {
  private constructor(readonly file: AuthFile) {}

  /**
   * A Secret of the proxy's namespace, of which nothing but this entry is mounted: a key that may be beside it stays where it is. While it is not there,
   * no new proxy starts, and those that run go on.
   *
   * @example
   * CertificateAuthority.fromSecret('partners-ca')
   */
  static fromSecret(secret: string, options: CertificateAuthorityOptions = {}): CertificateAuthority {
    return CertificateAuthority.of('CertificateAuthority.fromSecret', 'secret', secret, options);
  }

  /** The same in a ConfigMap: what a CA signs with is a secret, its certificate is none. */
  static fromConfigMap(configMap: string, options: CertificateAuthorityOptions = {}): CertificateAuthority {
    return CertificateAuthority.of('CertificateAuthority.fromConfigMap', 'configMap', configMap, options);
  }

  private static of(name: string, kind: AuthFile['kind'], object: unknown, options: unknown): CertificateAuthority {
    const given = knownValues(record(name, options, '{ key: "ca.pem" }'), certificateAuthorityOptions, `${name} `);
    const file = authFile(kind, dnsSubdomainName(name, object), given.key, given.local?.file);
    return new CertificateAuthority({ ...file, isNeededAtStart: true });
  }
}

/** What a certificate is asked for beside who signed it, and what of it the backend is told. */
export interface ClientCertificateAuthOptions {
  /**
   * Whose certificates are taken, letter for letter, as `openssl x509 -noout -subject -nameopt RFC2253 -in client.crt` prints them behind
   * `subject=`: `['CN=billing,O=Acme']`. Whoever has another one is answered 403.
   *
   * @default [], every certificate of the CA
   * @see https://www.rfc-editor.org/rfc/rfc2253
   */
  readonly subjects?: readonly string[];

  /**
   * Headers that the backend gets, each with what it is of the certificate: `'subject'` and `'issuer'` (as RFC 2253 writes them), `'serial'` (hexadecimal),
   * `'fingerprint'` (SHA-1) or `'certificate'` (PEM, percent-encoded). No client can send them, on any route of the proxy.
   *
   * @default - none
   */
  readonly headers?: Readonly<Record<string, CertificatePart>>;
}

export const clientCertificateAuthOptions = {
  subjects: withDefault([], subjects),
  headers: withDefault({}, headersOfParts),
} satisfies Table<ClientCertificateAuthOptions>;

const attribute = '(?:[A-Za-z][A-Za-z0-9-]*|\\d+(?:\\.\\d+)*)';
const plainOrEscaped = '[^\\x00-\\x1f\\x7f-\\uffff,+"\\\\<>;]|\\\\[,+"\\\\<>;# ]|\\\\[0-9A-F]{2}';
const attributeAndValue = `${attribute}=(?:#[0-9A-F]+|(?![ #])(?:${plainOrEscaped})*)`;
const distinguishedName = new RegExp(`^${attributeAndValue}(?:[,+]${attributeAndValue})*$`);

/** As nginx writes them, who compares nothing else. */
function subjects(option: string, given: unknown): readonly string[] {
  const all = listOf((name, subject) => {
    if (typeof subject === 'string' && subject.length <= 1024 && distinguishedName.test(subject)) return subject;
    throw new InvalidOption(
      name,
      typeof subject === 'object' ? '(object)' : subject,
      'is not a subject as RFC 2253 writes it: give what `openssl x509 -noout -subject -nameopt RFC2253` prints, such as "CN=billing,O=Acme"',
    );
  }, '["CN=billing,O=Acme"]')(option, given);
  return [...new Set(all)].sort();
}

function headersOfParts(option: string, given: unknown): readonly RequestHeader[] {
  const all = Object.entries(record(option, given, '{ "X-Client": "subject" }')).map(([header, part]) => {
    const named = `${option}[${JSON.stringify(header)}]`;
    requestHeader(named, header, 'x');
    return [header, { proved: 'certificate', part: oneOf(named, part, certificateParts) }] as const;
  });
  const names = all.map(([header]) => header.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return all;
  throw new InvalidOption(option, twice, 'is given twice, in other letters: give each header once');
}
