import { connect } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import type { KeyPair } from '../../certificates/key-pair';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';

export const renewals = 10;
/** So many handshakes in a row that each of two proxies has answered one, but for one run in a million. */
const handshakesOfEveryProxy = 20;

/** The fingerprint of the certificate that a new connection gets. */
export function handshake({ system }: Stage): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      port: system.ports.controlPlane.httpsPort,
      servername: 'localhost',
      rejectUnauthorized: false,
      timeout: 10_000,
    });
    socket
      .once('error', reject)
      .once('timeout', () => socket.destroy(new Error('no handshake within 10 seconds')))
      .once('secureConnect', () => {
        const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? '';
        socket.destroy();
        resolve(fingerprint);
      });
  });
}

export function fingerprint({ certificate }: KeyPair): string {
  return new X509Certificate(certificate).fingerprint256;
}

/** Writes the Secret, as cert-manager does. */
export async function writeSecret(stage: Stage, { certificate, privateKey }: KeyPair): Promise<void> {
  await stage.workloads.run(
    'patch',
    'secret',
    'nginx-tls',
    `--patch=${JSON.stringify({ stringData: { 'tls.crt': certificate, 'tls.key': privateKey } })}`,
  );
}

/** A change of a pod makes the kubelet look at its Secrets at once; else that takes it a minute or more. */
export async function lookAtSecrets(stage: Stage): Promise<void> {
  const { workloads } = stage;
  for (const { metadata } of await workloads.pods('proxy')) {
    await workloads.run('annotate', 'pod', metadata.name, '--overwrite', `fairlead/looked-at=${Date.now()}`);
  }
}

/** Waits until every proxy serves this certificate. */
export async function servedEverywhere(stage: Stage, pair: KeyPair): Promise<void> {
  const expected = fingerprint(pair);
  await stage.until('the certificate, from every proxy', async () => {
    for (let count = 0; count < handshakesOfEveryProxy; count += 1) {
      if ((await handshake(stage)) !== expected) return undefined;
    }
    return true;
  });
}

/** The Secret is as synthesized again, and every proxy serves it. */
export async function restoreSecret(stage: Stage): Promise<void> {
  await stage.system.apply();
  await lookAtSecrets(stage);
}

export const certificates: readonly Scenario[] = [
  {
    name: 'certificate-renewed',
    title: 'certificate renewed in place, ten times',
    group: 'operations',
    description:
      'The Secret gets ten certificates, one after the other: the first is left to the kubelet, which looks at Secrets once a minute or so; it is made to look at the others at once.',
    reaches: 'nothing lost',
    act: async (stage) => {
      stage.atEnd(() => restoreSecret(stage));
      for (let index = 0; index < renewals; index += 1) {
        const pair = stage.keyPair(index);
        stage.event(`certificate ${index + 1}`);
        const begin = Date.now();
        await writeSecret(stage, pair);
        if (index > 0) await lookAtSecrets(stage);
        else {
          await stage.until('the first handshake', async () =>
            (await handshake(stage)) === fingerprint(pair) ? true : undefined,
          );
          stage.measure('certificate-changes.first-handshake', (Date.now() - begin) / 1000);
        }
        await servedEverywhere(stage, pair);
        if (index === 0) stage.measure('certificate-changes.every-proxy', (Date.now() - begin) / 1000);
      }
      stage.endOfCause('every proxy serves the last one');
    },
  },
];
