import { setTimeout as delay } from 'node:timers/promises';
import { standardReplicas } from '../reliability-cluster';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';
import type { StreamsResult } from '../../load/streams-result';
import { streamsSummary } from '../../load/streams-result';
import { endingText } from '../../load/stream-session';

const all = { webSockets: 200, eventStreams: 50 };
const rollouts = 10;

export function noteEndings(stage: Stage, result: StreamsResult): void {
  const { endings, ended, cameBack, cameBackElsewhere, longestGap, refused } = streamsSummary(result);
  for (const [how, count] of endings) stage.note(how, String(count));
  stage.note('clients that came back', `${cameBack} of ${ended}, ${cameBackElsewhere} of them to another pod`);
  stage.note('the longest without a connection', `${(longestGap / 1000).toFixed(1)} s, ${refused} attempts in vain`);
}

/** Has it judged that connections ended with their pods alone, in time and as they should, and that every client came back. */
export function judgeEndings(stage: Stage, result: StreamsResult): void {
  const { system, history } = stage;
  const cut = result.sessions.filter(({ ending, hostname, endedAt }) => {
    if (ending.how === 'stopped') return false;
    const decided = history.get(hostname)?.ended;
    // Kubernetes notes the moment to the second.
    return decided === undefined || endedAt < decided - 1000;
  });
  const late = result.sessions.filter(({ ending, hostname, endedAt }) => {
    if (ending.how === 'stopped') return false;
    const decided = history.get(hostname)?.ended ?? 0;
    return endedAt > decided + (system.timeline.apiTerminationGracePeriod + 1) * 1000;
  });
  const wrong = result.sessions.filter(
    ({ ending }) => !['stopped', 'ended'].includes(ending.how) && endingText(ending) !== 'closed with 1001',
  );
  const { away, cameBack, cameBackElsewhere } = streamsSummary(result);
  stage.judge('no connection to a pod that stays is cut', cut.length === 0);
  stage.judge('the others end within the grace period of their pod', late.length === 0);
  stage.judge('each with a close frame 1001, or the last chunk', wrong.length === 0);
  stage.judge('every client comes back, to another pod', away === 0 && cameBack === cameBackElsewhere);
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
    act: async (stage) => {
      const held = await stage.holdStreams(all);
      for (let count = 1; count <= rollouts; count += 1) {
        stage.event(`rollout ${count}`);
        await stage.workloads.restart('api');
        await stage.workloads.rolledOut('api');
      }
      await stage.workloads.readyPods('api', standardReplicas.api);
      stage.endOfCause('the last old pod is gone');
      await delay(3000, undefined, { signal: stage.system.signal });
      const result = await held.stop();
      noteEndings(stage, result);
      judgeEndings(stage, result);
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
    act: async (stage) => {
      const held = await stage.holdStreams(all);
      const { proxyPreStop, workerShutdownTimeout } = stage.system.timeline;
      stage.event('rollout of nginx');
      await stage.workloads.restart('proxy');
      await stage.workloads.rolledOut('proxy');
      await stage.workloads.readyPods('proxy', standardReplicas.proxy);
      stage.endOfCause('the last old proxy is gone');
      await delay(3000, undefined, { signal: stage.system.signal });
      const result = await held.stop();
      noteEndings(stage, result);
      const decided = Math.min(
        ...stage.history.pods
          .filter(({ component }) => component === 'proxy')
          .map(({ ended }) => ended ?? Number.POSITIVE_INFINITY),
      );
      const heldFor = result.sessions
        .filter(({ ending }) => ending.how !== 'stopped')
        .map(({ endedAt }) => (endedAt - decided) / 1000);
      const promised = proxyPreStop + workerShutdownTimeout;
      stage.note(
        'the first was closed after',
        `${Math.min(...heldFor).toFixed(1)} s (${proxyPreStop} + ${workerShutdownTimeout} s)`,
      );
      stage.judge('each is held until worker_shutdown_timeout', Math.min(...heldFor) >= promised - 1);
      stage.judge('every client comes back', streamsSummary(result).away === 0);
    },
  },
];
