import { ApiObject, type App, Chart, type ChartProps, Lazy } from 'cdk8s';
import { TlsSecret } from 'cdk8s-plus-27';
import type { Construct, IConstruct } from 'constructs';
import { type KeyPair, readKeyPair } from '../../certificates/key-pair';
import { selfSignedKeyPair } from '../../certificates/self-signed';
import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { dnsSubdomainName } from '../../validation/names';
import { knownValues, optional, required, type Table } from '../../validation/options';
import { filePath } from '../../validation/text';
import { whenWritten } from '../patches';
import { aroundSynth, keepPrivateKeys, warn } from '../written-manifests';

/** The files of a certificate. */
export interface CertificateFiles {
  /** The server's certificate and its chain (PEM), valid for every host that it is for. */
  readonly certificate: string;
  /** Its private key (PEM, without a passphrase). It goes into a Secret, whose manifest is a file of its own. */
  readonly privateKey: string;
}

/** Who issues a certificate: exactly one of the two. */
export interface CertManagerIssuer {
  /**
   * The name of a ClusterIssuer of cert-manager.
   *
   * @default - none
   * @see https://cert-manager.io/docs/concepts/issuer/
   */
  readonly clusterIssuer?: string;

  /**
   * The name of an Issuer in the same namespace.
   *
   * @default - none
   */
  readonly issuer?: string;
}

export const certManagerOptions = {
  clusterIssuer: optional(dnsSubdomainName),
  issuer: optional(dnsSubdomainName),
} satisfies Table<CertManagerIssuer>;

export const certificateFilesOptions = {
  certificate: required(filePath('tls.crt')),
  privateKey: required(filePath('tls.key')),
} satisfies Table<CertificateFiles>;

type Source =
  | { readonly kind: 'selfSigned' }
  | { readonly kind: 'files'; readonly files: CertificateFiles }
  | { readonly kind: 'secret'; readonly name: string }
  | { readonly kind: 'certManager'; readonly issuerRef: { readonly kind: string; readonly name: string } };

/** The certificate that clients see. */
export class Certificate {
  private constructor(readonly source: Source) {}

  /**
   * One that nobody trusts unless told to, kept in `.fairlead/`: for a first try, and for clusters on one machine. A proxy has it without being given
   * any too, and `cdk8s synth` then warns of it.
   */
  static selfSigned(): Certificate {
    return new Certificate({ kind: 'selfSigned' });
  }

  /** What is in two files when `cdk8s synth` runs. */
  static fromFiles(files: CertificateFiles): Certificate {
    const name = 'Certificate.fromFiles';
    const example = '{ certificate: "tls.crt", privateKey: "tls.key" }';
    return new Certificate({
      kind: 'files',
      files: knownValues(record(name, files, example), certificateFilesOptions, `${name} `),
    });
  }

  /**
   * A Secret of the type `kubernetes.io/tls` in the same namespace that something else makes and renews. A renewed one is served
   * without a restart.
   * @see https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets
   */
  static fromSecret(name: string): Certificate {
    return new Certificate({ kind: 'secret', name: dnsSubdomainName('Certificate.fromSecret', name) });
  }

  /** One that cert-manager, which has to be in the cluster, gets and renews. @see https://cert-manager.io/docs/usage/certificate/ */
  static fromCertManager(issuer: CertManagerIssuer): Certificate {
    const name = 'Certificate.fromCertManager';
    const { clusterIssuer, issuer: own } = knownValues(
      record(name, issuer, '{ clusterIssuer: "letsencrypt" }'),
      certManagerOptions,
      `${name} `,
    );
    if (clusterIssuer !== undefined && own === undefined) {
      return new Certificate({ kind: 'certManager', issuerRef: { kind: 'ClusterIssuer', name: clusterIssuer } });
    }
    if (own !== undefined && clusterIssuer === undefined) {
      return new Certificate({ kind: 'certManager', issuerRef: { kind: 'Issuer', name: own } });
    }
    throw new InvalidOption(name, issuer, 'needs one issuer: give either clusterIssuer or issuer');
  }
}

/** The certificate of a proxy that is given none. */
export const defaultCertificate = Certificate.selfSigned();

/** Where generated certificates are kept, so that two synths give the same bytes. It writes its own .gitignore. */
const generatedDirectory = '.fairlead';

/** Whether both are in one Secret. */
export function isSameCertificate(one: Certificate, other: Certificate): boolean {
  if (one.source.kind === 'secret' && other.source.kind === 'secret') return one.source.name === other.source.name;
  return one === other;
}

/** Refuses the files of a certificate that is not valid for these hosts; of others nothing is known before they are served. */
export function refuseOtherHosts({ source }: Certificate, hosts: readonly string[]): void {
  if (source.kind === 'files') keyPair(source, hosts);
}

/** The pair that goes into a Secret of ours; refuses files that are not valid for every host. */
function keyPair(source: Source & { readonly kind: 'selfSigned' | 'files' }, hosts: readonly string[]): KeyPair {
  if (source.kind === 'selfSigned') return selfSignedKeyPair(hosts, generatedDirectory);
  const { certificate, privateKey } = source.files;
  return readKeyPair({ certificateFile: certificate, privateKeyFile: privateKey, hosts });
}

interface TlsProps {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Known when everything is made. */
  readonly hosts: () => readonly string[];
}

/** The Secret of a certificate, and what there is of ours to make it. */
export interface TlsObjects {
  readonly secretName: string;
  /** Undefined where something else makes it. */
  readonly secret: ProxyTlsSecret | undefined;
}

/** Makes what keeps a certificate in this scope, unless something else does; a private key is in a file of its own. */
export function tlsObjects(
  scope: Construct,
  certificate: Certificate,
  { namespace, ...props }: TlsProps & { readonly namespace: ChartProps },
): TlsObjects {
  const { source } = certificate;
  if (source.kind === 'secret') return { secretName: source.name, secret: undefined };
  if (source.kind === 'certManager') {
    new CertManagerCertificate(scope, 'Certificate', { ...props, issuerRef: source.issuerRef });
    return { secretName: props.name, secret: undefined };
  }
  const chart = new Chart(scope, 'tls', namespace);
  const pair = (): KeyPair => keyPair(source, props.hosts());
  if (certificate === defaultCertificate) warnOfDefault(scope, props.hosts);
  return { secretName: props.name, secret: new ProxyTlsSecret(chart, 'Secret', { ...props, pair }) };
}

/** Proxies that nobody has given a certificate. */
const proxiesByApp = new WeakMap<IConstruct, { readonly path: string; readonly hosts: TlsProps['hosts'] }[]>();

function warnOfDefault({ node: { root, path } }: Construct, hosts: TlsProps['hosts']): void {
  const proxies = proxiesByApp.get(root) ?? [];
  proxiesByApp.set(root, proxies);
  proxies.push({ path, hosts });
  aroundSynth(root, sayWhoHasTheDefault);
}

/** In one line, once: a first try needs nothing else, and nobody should go on with it unawares. Nobody else asks for localhost. */
function sayWhoHasTheDefault(write: () => void, app: App): void {
  write();
  const proxies = proxiesByApp.get(app)?.splice(0) ?? [];
  const paths = proxies.filter(({ hosts }) => hosts().some((host) => host !== 'localhost')).map(({ path }) => path);
  if (paths.length === 0) return;
  warn(
    `${paths.sort().join(', ')} certificate: is self-signed, as none was given: no client trusts it, each machine makes another, and its key is in ${app.outdir}: give Certificate.fromCertManager(…), Certificate.fromSecret(…) or Certificate.fromFiles(…), or Certificate.selfSigned() if it is meant`,
  );
}

/** What cert-manager is asked for: a Secret of this name. */
class CertManagerCertificate extends ApiObject {
  constructor(
    scope: Construct,
    id: string,
    {
      name,
      labels,
      hosts,
      issuerRef,
    }: TlsProps & { readonly issuerRef: { readonly kind: string; readonly name: string } },
  ) {
    super(scope, id, {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name, labels: { ...labels } },
      spec: { secretName: name, dnsNames: Lazy.any({ produce: () => [...hosts()] }) as unknown, issuerRef },
    });
  }
}

/** The certificate and its key as a Secret. */
export class ProxyTlsSecret extends TlsSecret {
  constructor(
    scope: Construct,
    id: string,
    { name, labels, pair }: Omit<TlsProps, 'hosts'> & { readonly pair: () => KeyPair },
  ) {
    super(scope, id, { metadata: { name, labels: { ...labels } }, tlsCert: '', tlsKey: '' });
    whenWritten(this, (manifest: { stringData: Record<string, string> }) => {
      const { certificate, privateKey } = pair();
      manifest.stringData = { 'tls.crt': certificate, 'tls.key': privateKey };
    });
    aroundSynth(this, keepPrivateKeys);
  }
}
