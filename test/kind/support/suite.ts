import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KindCluster } from '../../../cluster/kind-cluster';
import type { HostPorts } from '../../../cluster/kind-config';

/** The cluster of this suite; `npm run kind:up` has another. */
export const cluster = new KindCluster('fairlead-test');
export const { kubectl } = cluster;

/** What the setup found out, for the test files, which run in module registries of their own. */
export interface Suite {
  readonly ports: Required<Pick<HostPorts, 'httpPort' | 'httpsPort' | 'otherHttpsPort'>>;
  /** The directory that was applied. */
  readonly manifests: string;
  readonly namespace: string;
}

const file = join(cluster.directory, 'suite.json');

export function writeSuite(suite: Suite): void {
  writeFileSync(file, JSON.stringify(suite));
}

export function suite(): Suite {
  return JSON.parse(readFileSync(file, 'utf8')) as Suite;
}

export function httpsUrl(): string {
  return `https://localhost:${suite().ports.httpsPort}`;
}

/** The certificate in the cluster's TLS Secret, in PEM. */
export async function servedCertificate(): Promise<string> {
  const [secret] = await kubectl.list<TlsSecret>(['secret', 'nginx-tls', `--namespace=${suite().namespace}`]);
  return Buffer.from(secret?.data['tls.crt'] ?? '', 'base64').toString();
}

interface TlsSecret {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
}
