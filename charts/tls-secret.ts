import { App } from 'cdk8s';
import { TlsSecret } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { readKeyPair, type KeyPair } from '../certificates/key-pair';
import { selfSignedKeyPair } from '../certificates/self-signed';
import { InvalidOption } from '../values/invalid-option';
import { dnsSubdomainName } from '../values/names';
import { recommendedLabels } from './labels';
import type { CertificateProps } from './certificate-props';
import { keepPrivateKeys } from './private-key-files';

/** Where generated certificates are kept, so that two synths give the same bytes. It writes its own .gitignore. */
const generatedDirectory = '.fairlead';

/** The name of a Secret of ours. */
export const tlsSecretName = 'nginx-tls';

/** An existing Secret, or what goes into one of ours. */
export type Certificate = { readonly secretName: string } | { readonly keyPair: KeyPair };

export function certificate(props: CertificateProps, hosts: readonly string[]): Certificate {
  const { tlsCertificateFile, tlsPrivateKeyFile, tlsSecretName: existing } = props;
  if (existing !== undefined) {
    if (tlsCertificateFile !== undefined || tlsPrivateKeyFile !== undefined) {
      throw new InvalidOption(
        'tlsSecretName',
        existing,
        'is a certificate of its own: give it, or tlsCertificateFile and tlsPrivateKeyFile',
      );
    }
    return { secretName: dnsSubdomainName('tlsSecretName', existing) };
  }
  if (tlsCertificateFile === undefined && tlsPrivateKeyFile === undefined) {
    return { keyPair: selfSignedKeyPair(hosts, generatedDirectory) };
  }
  if (tlsPrivateKeyFile === undefined) {
    throw new InvalidOption('tlsCertificateFile', tlsCertificateFile, 'has no key: give tlsPrivateKeyFile too');
  }
  if (tlsCertificateFile === undefined) {
    throw new InvalidOption('tlsPrivateKeyFile', tlsPrivateKeyFile, 'has no certificate: give tlsCertificateFile too');
  }
  return {
    keyPair: readKeyPair({ certificateFile: tlsCertificateFile, privateKeyFile: tlsPrivateKeyFile, hosts }),
  };
}

/** The certificate and its key as a Secret. */
export class NginxTlsSecret extends TlsSecret {
  constructor(scope: Construct, id: string, props: { readonly instance: string; readonly keyPair: KeyPair }) {
    super(scope, id, {
      metadata: { name: tlsSecretName, labels: recommendedLabels(props.instance, 'tls') },
      tlsCert: props.keyPair.certificate,
      tlsKey: props.keyPair.privateKey,
    });
    const { root } = this.node;
    if (root instanceof App) keepPrivateKeys(root);
  }
}
