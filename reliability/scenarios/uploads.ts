import { setTimeout as delay } from 'node:timers/promises';
import { standardReplicas } from '../environment';
import type { Scenario } from '../scenario';
import { judgeEndings, noteEndings } from './long-connections';

const rollouts = 3;

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
    for (let count = 1; count <= rollouts; count += 1) {
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
