import { X509Certificate } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { selfSignedKeyPair } from '../../certificates/self-signed';
import { eventually } from '../../cluster/progress';
import type { Component } from '../../cluster/workloads';
import { figure, loadFigure } from './support/figures';
import { settled, workloads } from './support/pods';
import { expectNoneLost, scenario } from './support/scenario';
import { cluster, kubectl, servedCertificate, suite } from './support/suite';
import { startLoad } from './support/traffic-load';
import { apply } from './support/variant';

/** So many handshakes in a row that each proxy has answered one: by a fair coin, two would miss one in 10^9 runs. */
const handshakesOfEveryProxy = 30;

beforeAll(() => settled());

// Pods that begin now have the Secret of now: the files that run next need not wait for the kubelet.
afterAll(async () => {
  await apply(suite().manifests);
  await workloads().restart('proxy');
  await workloads().rolledOut('proxy');
});

/** The fingerprint of the certificate that a new connection gets. */
function handshake(ca: readonly string[]): Promise<string> {
  const { httpsPort } = suite().ports;
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port: httpsPort, servername: 'localhost', ca: [...ca] });
    socket.once('error', reject).once('secureConnect', () => {
      const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? '';
      socket.destroy();
      resolve(fingerprint);
    });
  });
}

/** A reload starts new workers, a restart a new container: neither may happen. */
async function processes(component: Component): Promise<string[]> {
  const found: string[] = [];
  for (const { metadata, status } of await workloads().pods(component)) {
    const workers = await kubectl.run([
      'exec',
      metadata.name,
      `--namespace=${suite().namespace}`,
      '--',
      'cat',
      '/proc/1/task/1/children',
    ]);
    found.push(`${metadata.name} ${status.containerStatuses?.[0]?.containerID ?? ''} ${workers.trim()}`);
  }
  return found.sort();
}

scenario('a renewed Secret is served without a restart or a reload, and no handshake fails', async () => {
  const before = await processes('proxy');
  const renewed = selfSignedKeyPair(['localhost'], mkdtempSync(join(cluster.directory, 'renewed-')));
  const trusted = [await servedCertificate(), renewed.certificate];
  const fingerprint = new X509Certificate(renewed.certificate).fingerprint256;
  const load = await startLoad({ certificates: [renewed.certificate] });
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'nginx-tls', namespace: suite().namespace },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': renewed.certificate, 'tls.key': renewed.privateKey },
  };
  const begin = Date.now();
  await kubectl.run(['apply', '--filename=-'], { input: JSON.stringify(secret) });
  await eventually('a handshake with the renewed certificate', async () =>
    (await handshake(trusted)) === fingerprint ? true : undefined,
  );
  const first = Date.now();
  await eventually('the renewed certificate from every proxy', async () => {
    for (let count = 0; count < handshakesOfEveryProxy; count += 1) {
      if ((await handshake(trusted)) !== fingerprint) return undefined;
    }
    return true;
  });
  const everywhere = Date.now();
  const result = await load.stop();
  loadFigure('renewed Secret', result);
  figure('a renewed Secret, until its first handshake', `${((first - begin) / 1000).toFixed(1)} s`);
  figure('a renewed Secret, until every proxy served it', `${((everywhere - begin) / 1000).toFixed(1)} s`);

  await expectNoneLost(result);
  expect(await processes('proxy')).toEqual(before);
});
