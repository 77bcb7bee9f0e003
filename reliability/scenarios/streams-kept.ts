import { setTimeout as delay } from 'node:timers/promises';
import { endingText } from '../../load/stream-session';
import { standardReplicas } from '../reliability-cluster';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';
import { lookAtSecrets, restoreSecret, servedEverywhere, writeSecret } from './certificates';
import { noteEndings } from './streams';

/** For so long after a change connections have to be held, in milliseconds: what is served by then is the new state. */
const aftermath = 8000;
const moreReplicas = standardReplicas.api + 2;

/** What concerns no connection that is open. */
const changes: readonly { readonly text: string; readonly make: (stage: Stage, index: number) => Promise<unknown> }[] =
  [
    { text: 'the certificate renewed', make: renewed },
    {
      text: `the API scaled to ${moreReplicas}`,
      make: async ({ workloads }) => {
        await workloads.scale('api', moreReplicas);
        await workloads.readyPods('api', moreReplicas);
      },
    },
    {
      text: 'another ConfigMap and another Secret applied',
      make: async (stage) => {
        const { namespace } = stage.workloads;
        const metadata = { name: 'other', namespace };
        await applied(stage, [
          { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { key: 'value' } },
          { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { key: 'value' } },
        ]);
        stage.atEnd(() => stage.workloads.run('delete', 'configmap/other', 'secret/other'));
      },
    },
    {
      text: 'a label put on the Namespace, and annotations on both Deployments and every Service',
      make: async ({ workloads }) => {
        const changed = `fairlead-reliability/changed=${Date.now()}`;
        await workloads.run('label', '--overwrite', `namespace/${workloads.namespace}`, changed);
        await workloads.run('annotate', '--overwrite', 'deployments,services', '--all', changed);
      },
    },
    { text: 'the same manifests applied again', make: (stage) => stage.system.apply({ replicas: moreReplicas }) },
    { text: 'the certificate renewed once more', make: renewed },
  ];

async function renewed(stage: Stage, index: number): Promise<void> {
  const pair = stage.keyPair(index);
  await writeSecret(stage, pair);
  await lookAtSecrets(stage);
  await servedEverywhere(stage, pair);
}

async function applied(stage: Stage, objects: readonly object[]): Promise<void> {
  await stage.workloads.kubectl.run(['apply', '--filename=-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    signal: stage.system.signal,
  });
}

export const streamsKept: Scenario = {
  name: 'streams-kept',
  title: '200 WebSockets and 50 event streams through what does not concern their pods',
  group: 'long connections',
  description:
    'Half of the event streams are HTTP/2. Two renewed certificates, the API scaled up, other objects and other labels: each of these is one chance to cut each of 250 connections.',
  reaches: 'nothing lost',
  needsExampleApi: true,
  applies: [{ replicas: moreReplicas }],
  act: async (stage) => {
    stage.atEnd(() => restoreSecret(stage));
    const held = await stage.holdStreams({ webSockets: 200, eventStreams: 25, http2EventStreams: 25 });
    for (const [index, { text, make }] of changes.entries()) {
      stage.event(text);
      await make(stage, index);
      await delay(aftermath, undefined, { signal: stage.system.signal });
    }
    stage.endOfCause('every change is made');
    const result = await held.stop();
    noteEndings(stage, result);
    const cut = result.sessions.filter(({ ending }) => ending.how !== 'stopped');
    const chances = changes.length * held.clients;
    stage.note('connections that were cut', `${cut.length} of ${chances} (${held.clients}, ${changes.length} changes)`);
    for (const { kind, ending } of cut.slice(0, 5)) stage.note(kind, endingText(ending));
    stage.judge('no connection is cut', cut.length === 0);
  },
};
