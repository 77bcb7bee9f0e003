import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import type { KeyPair } from '../../certificates/key-pair';
import type { Scenario, ScenarioContext } from '../scenario';

const renewals = 10;
/** So many handshakes in a row that each of two proxies has answered one, but for one run in a million. */
const handshakesOfEveryProxy = 20;

/** The fingerprint of the certificate that a new connection gets. */
export function handshake({ system }: ScenarioContext): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      port: system.ports.controlPlane.httpsPort,
      servername: system.hosts[0],
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
export async function writeSecret(context: ScenarioContext, { certificate, privateKey }: KeyPair): Promise<void> {
  await context.workloads.run(
    'patch',
    'secret',
    context.system.tlsSecretName,
    `--patch=${JSON.stringify({ stringData: { 'tls.crt': certificate, 'tls.key': privateKey } })}`,
  );
}

/** Waits until every proxy serves this certificate. */
export async function servedEverywhere(context: ScenarioContext, pair: KeyPair): Promise<void> {
  const expected = fingerprint(pair);
  await context.until('the certificate, from every proxy', async () => {
    for (let count = 0; count < handshakesOfEveryProxy; count += 1) {
      if ((await handshake(context)) !== expected) return undefined;
    }
    return true;
  });
}

/** The Secret is as synthesized again, and every proxy serves it. */
export async function restoreSecret(context: ScenarioContext): Promise<void> {
  await context.system.apply();
  await context.workloads.lookAtVolumes();
}

export const certificates: readonly Scenario[] = [
  {
    name: 'certificate-renewed',
    title: 'certificate renewed in place, ten times',
    group: 'operations',
    description:
      'The Secret gets ten certificates, one after the other: the first is left to the kubelet, which looks at Secrets once a minute or so; it is made to look at the others at once.',
    reaches: 'nothing lost',
    act: async (context) => {
      context.atEnd(() => restoreSecret(context));
      for (let index = 0; index < renewals; index += 1) {
        const pair = context.keyPair(index);
        context.event(`certificate ${index + 1}`);
        const begin = Date.now();
        await writeSecret(context, pair);
        if (index > 0) await context.workloads.lookAtVolumes();
        else {
          await context.until('the first handshake', async () =>
            (await handshake(context)) === fingerprint(pair) ? true : undefined,
          );
          context.measure('certificate-changes.first-handshake', (Date.now() - begin) / 1000);
        }
        await servedEverywhere(context, pair);
        if (index === 0) context.measure('certificate-changes.every-proxy', (Date.now() - begin) / 1000);
      }
      context.endOfCause('every proxy serves the last one');
    },
  },
];
