import { CertificateModel } from '../../model/proxy';

/** A certificate of hosts. */
interface NamedCertificate extends CertificateModel {
  readonly name: string;
}

/** Those of hosts. */
export function namedCertificates(certificates: readonly CertificateModel[]): NamedCertificate[] {
  return certificates.flatMap(({ name, hosts }) => (name === undefined ? [] : [{ name, hosts }]));
}

/**
 * The variable that has the directory of a certificate. Each has one of its own, as nginx tells the sessions of certificates apart by
 * how their paths are written. A DNS name has "-" and "." never side by side.
 */
export function certificateDirectory(name: string | undefined): string {
  return name === undefined
    ? '$certificate_directory'
    : `$certificate_directory_of_${name.replaceAll('-', '__').replaceAll('.', '_')}`;
}
