import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'cdk8s';
import { TlsSecret } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { type KeyPair, readKeyPair } from '../certificates/key-pair';
import { selfSignedKeyPair } from '../certificates/self-signed';
import { InvalidOption } from '../validation/invalid-option';
import { dnsSubdomainName } from '../validation/names';
import { asGiven, optional, type Reader, type Table, values } from '../validation/options';
import { recommendedLabels } from './labels';

/** The certificate that clients see: self-signed unless one of these is given. */
export interface CertificateProps {
  /**
   * A file with the server's certificate and its chain (PEM). It must be valid for `host` and `additionalHosts`, and
   * match `tlsPrivateKeyFile`.
   *
   * @default - a self-signed certificate, kept in `.fairlead/`
   */
  readonly tlsCertificateFile?: string;

  /**
   * A file with the private key (PEM, without a passphrase). It goes into a Secret, whose manifest is a file of its own.
   *
   * @default - none; needed with tlsCertificateFile
   */
  readonly tlsPrivateKeyFile?: string;

  /**
   * A Secret of the type `kubernetes.io/tls` in the same namespace that something else makes, cert-manager for one.
   *
   * @default - none
   * @see https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets
   */
  readonly tlsSecretName?: string;
}

/** Where generated certificates are kept, so that two synths give the same bytes. It writes its own .gitignore. */
const generatedDirectory = '.fairlead';

/** The name of a Secret of ours. */
export const tlsSecretName = 'nginx-tls';

/** Files are read with the hosts that they have to be valid for. */
export const certificateOptions = {
  tlsCertificateFile: optional(asGiven as Reader<string>),
  tlsPrivateKeyFile: optional(asGiven as Reader<string>),
  tlsSecretName: optional(dnsSubdomainName),
} satisfies Table<CertificateProps>;

/** An existing Secret, or what goes into one of ours. */
export type Certificate = { readonly secretName: string } | { readonly keyPair: KeyPair };

export function certificate(props: CertificateProps, hosts: readonly string[]): Certificate {
  const { tlsCertificateFile, tlsPrivateKeyFile, tlsSecretName: existing } = values(props, certificateOptions);
  if (existing !== undefined) {
    if (tlsCertificateFile !== undefined || tlsPrivateKeyFile !== undefined) {
      throw new InvalidOption(
        'tlsSecretName',
        existing,
        'is a certificate of its own: give it, or tlsCertificateFile and tlsPrivateKeyFile',
      );
    }
    return { secretName: existing };
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

/** Lets the files that `app.synth()` writes be read by their owner alone if they hold a private key; cdk8s has no modes. */
function keepPrivateKeys(app: App): void {
  const write = app.synth.bind(app);
  app.synth = () => {
    mkdirSync(app.outdir, { recursive: true });
    const mode = statSync(app.outdir).mode & 0o7777;
    // Until the files are closed, their directory is.
    setMode(app.outdir, 0o700);
    try {
      write();
      for (const file of manifestsBelow(app)) {
        if (/-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/.test(readFileSync(file, 'utf8'))) setMode(file, 0o600);
      }
    } finally {
      setMode(app.outdir, mode);
    }
  };
}

/** What cdk8s writes stands in the output directory, or in one of a chart in it. */
function manifestsBelow({ outdir, outputFileExtension }: App): string[] {
  const directories = readdirSync(outdir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [outdir, ...directories.map(({ name }) => join(outdir, name))].flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => name.endsWith(outputFileExtension))
      .map((name) => join(directory, name)),
  );
}

function setMode(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch (error) {
    // Someone else's directory, or a file system without modes.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}
