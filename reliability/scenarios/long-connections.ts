import { setTimeout as delay } from 'node:timers/promises';
import { endingText } from '../../load/held-streams';
import { type StreamsResult, streamsSummary } from '../../load/streams';
import { standardReplicas } from '../deployed-app';
import type { Scenario, ScenarioContext } from '../scenario';
import { restoreSecret, servedEverywhere, writeSecret } from './certificates';

const all = { webSockets: 200, eventStreams: 50 };
const rollouts = 10;
const rolloutsOfUploads = 3;

export function noteEndings(context: ScenarioContext, result: StreamsResult): void {
  const { endings, ended, cameBack, cameBackElsewhere, longestGap, refused } = streamsSummary(result);
  for (const [how, count] of endings) context.note(how, String(count));
  context.note('clients that came back', `${cameBack} of ${ended}, ${cameBackElsewhere} of them to another pod`);
  context.note('the longest without a connection', `${(longestGap / 1000).toFixed(1)} s, ${refused} attempts in vain`);
}

/** Has it judged that connections ended with their pods alone, in time and as they should, and that every client came back. */
export function judgeEndings(context: ScenarioContext, result: StreamsResult, history = context.history): void {
  const { system } = context;
  const cut = result.sessions.filter(({ ending, hostname, endedAt }) => {
    if (ending.how === 'stopped') return false;
    const decided = history.get(hostname)?.ended;
    // Kubernetes notes the moment to the second.
    return decided === undefined || endedAt < decided - 1000;
  });
  const late = result.sessions.filter(({ ending, hostname, endedAt }) => {
    if (ending.how === 'stopped') return false;
    const decided = history.get(hostname)?.ended ?? 0;
    return endedAt > decided + (system.deployed.backend.timeline.apiTerminationGracePeriod + 1) * 1000;
  });
  const wrong = result.sessions.filter(
    ({ ending }) => !['stopped', 'ended'].includes(ending.how) && endingText(ending) !== 'closed with 1001',
  );
  const { away, cameBack, cameBackElsewhere } = streamsSummary(result);
  context.judge('no connection to a pod that stays is cut', cut.length === 0);
  context.judge('the others end within the grace period of their pod', late.length === 0);
  context.judge('each with a close frame 1001, the last chunk, or the status OK', wrong.length === 0);
  context.judge('every client comes back, to another pod', away === 0 && cameBack === cameBackElsewhere);
}

export const streams: readonly Scenario[] = [
  {
    name: 'streams-api-rollouts',
    title: '200 WebSockets and 50 event streams through ten rollouts of the API',
    group: 'long connections',
    description:
      'Each rollout begins when the one before it has replaced every pod. A connection lasts as long as its pod; then it ends with a close frame 1001 or the last chunk, and its client comes back.',
    reaches: 'nothing lost',
    needsExampleApi: true,
    act: async (context) => {
      const held = await context.holdStreams(all);
      for (let count = 1; count <= rollouts; count += 1) {
        context.event(`rollout ${count}`);
        await context.workloads.restart('api');
        await context.workloads.rolledOut('api');
      }
      await context.workloads.readyPods('api', standardReplicas.api);
      context.endOfCause('the last old pod is gone');
      await delay(3000, undefined, { signal: context.system.signal });
      const result = await held.stop();
      noteEndings(context, result);
      judgeEndings(context, result);
    },
  },
  {
    name: 'streams-nginx-rollout',
    title: '200 WebSockets and 50 event streams through a rollout of nginx',
    group: 'long connections',
    description:
      'A proxy that ends holds them until `worker_shutdown_timeout`; then it closes the TCP connections without a frame (1006), which nginx cannot do otherwise.',
    reaches: 'nothing lost',
    needsExampleApi: true,
    act: async (context) => {
      const held = await context.holdStreams(all);
      const { proxyPreStop, workerShutdownTimeout } = context.system.deployed.proxy.timeline;
      context.event('rollout of nginx');
      await context.workloads.restart('proxy');
      await context.workloads.rolledOut('proxy');
      await context.workloads.readyPods('proxy', standardReplicas.proxy);
      context.endOfCause('the last old proxy is gone');
      await delay(3000, undefined, { signal: context.system.signal });
      const result = await held.stop();
      noteEndings(context, result);
      const decided = Math.min(
        ...context.history.pods
          .filter(({ component }) => component === 'proxy')
          .map(({ ended }) => ended ?? Number.POSITIVE_INFINITY),
      );
      const heldFor = result.sessions
        .filter(({ ending }) => ending.how !== 'stopped')
        .map(({ endedAt }) => (endedAt - decided) / 1000);
      const promised = proxyPreStop + workerShutdownTimeout;
      context.note(
        'the first was closed after',
        `${Math.min(...heldFor).toFixed(1)} s (${proxyPreStop} + ${workerShutdownTimeout} s)`,
      );
      context.judge('each is held until worker_shutdown_timeout', Math.min(...heldFor) >= promised - 1);
      context.judge('every client comes back', streamsSummary(result).away === 0);
    },
  },
];

/** For so long after a change connections have to be held, in milliseconds: what is served by then is the new state. */
const aftermath = 8000;
const moreReplicas = standardReplicas.api + 2;

/** What concerns no connection that is open. */
const changes: readonly {
  readonly text: string;
  readonly make: (context: ScenarioContext, index: number) => Promise<unknown>;
}[] = [
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
    make: async (context) => {
      const { namespace } = context.workloads;
      const metadata = { name: 'other', namespace };
      await applied(context, [
        { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { key: 'value' } },
        { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { key: 'value' } },
      ]);
      context.atEnd(() => context.workloads.run('delete', 'configmap/other', 'secret/other'));
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
  { text: 'the same manifests applied again', make: (context) => context.system.apply({ replicas: moreReplicas }) },
  { text: 'the certificate renewed once more', make: renewed },
];

async function renewed(context: ScenarioContext, index: number): Promise<void> {
  const pair = context.keyPair(index);
  await writeSecret(context, pair);
  await context.workloads.lookAtVolumes();
  await servedEverywhere(context, pair);
}

async function applied(context: ScenarioContext, objects: readonly object[]): Promise<void> {
  await context.workloads.kubectl.run(['apply', '--filename=-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    signal: context.system.signal,
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
  act: async (context) => {
    context.atEnd(() => restoreSecret(context));
    const held = await context.holdStreams({ webSockets: 200, eventStreams: 25, http2EventStreams: 25 });
    for (const [index, { text, make }] of changes.entries()) {
      context.event(text);
      await make(context, index);
      await delay(aftermath, undefined, { signal: context.system.signal });
    }
    context.endOfCause('every change is made');
    const result = await held.stop();
    noteEndings(context, result);
    const cut = result.sessions.filter(({ ending }) => ending.how !== 'stopped');
    const chances = changes.length * held.clients;
    context.note(
      'connections that were cut',
      `${cut.length} of ${chances} (${held.clients}, ${changes.length} changes)`,
    );
    for (const { kind, ending } of cut.slice(0, 5)) context.note(kind, endingText(ending));
    context.judge('no connection is cut', cut.length === 0);
  },
};

/** What an upload needs, and nothing else of the standard state. */
const largeBodies = { route: { maxBodySize: '128m' }, proxy: { resources: { temporaryStorage: '200Gi' } } };

export const uploads: Scenario = {
  name: 'http2-streams-api-rollouts',
  title: 'uploads of 100 MB and 50 event streams over HTTP/2 through three rollouts of the API',
  group: 'long connections',
  description:
    'Two clients upload 100 MB again and again, 10 MB a second each: nginx takes a body whole before an instance gets it. Event streams, ten on a connection, last as long as their pod.',
  reaches: 'nothing lost',
  needsExampleApi: true,
  applies: [largeBodies],
  act: async (context) => {
    const { workloads } = context;
    context.event('bodies of 128 MB allowed: a rollout of nginx');
    await context.system.apply(largeBodies);
    await workloads.rolledOut('proxy');
    await workloads.readyPods('proxy', standardReplicas.proxy);
    const held = await context.holdStreams({ http2EventStreams: 50 });
    const uploading = context.upload();
    for (let count = 1; count <= rolloutsOfUploads; count += 1) {
      context.event(`rollout ${count}`);
      await workloads.restart('api');
      await workloads.rolledOut('api');
    }
    await workloads.readyPods('api', standardReplicas.api);
    context.event('the last old pod is gone');
    const done = await uploading.stop();
    context.endOfCause('the last upload is answered');
    await delay(3000, undefined, { signal: context.system.signal });
    const result = await held.stop();
    noteEndings(context, result);
    judgeEndings(context, result);
    const failed = done.filter(({ error }) => error !== undefined);
    const repeated = done.filter(({ repeats = 0 }) => repeats > 0);
    const longest = Math.max(0, ...done.map(({ milliseconds }) => milliseconds));
    context.note('uploads', `${done.length}, ${failed.length} not complete, ${repeated.length} repeated after GOAWAY`);
    context.note('the longest upload', `${(longest / 1000).toFixed(1)} s`);
    for (const { id, error = '' } of failed.slice(0, 5)) context.note(`upload ${id}`, error);
    context.judge('every upload is answered with the number of its bytes', done.length > 0 && failed.length === 0);
  },
};
