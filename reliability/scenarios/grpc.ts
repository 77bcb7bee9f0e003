import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Workloads } from '../../cluster/workloads';
import { type OtherMain, standardReplicas } from '../deployed-app';
import type { GrpcCall } from '../grpc/grpc-load';
import { PodHistory } from '../pod-history';
import type { ReliabilityCluster } from '../reliability-cluster';
import type { Scenario, ScenarioContext } from '../scenario';
import { judgeEndings, noteEndings } from './long-connections';

export const deployed: OtherMain = { main: 'reliability/grpc/main.ts', variables: {} };

/** What its objects are called, and how many pods it has. */
const name = 'grpc-orders';
const pods = 3;

/** The program of its pods in one file, as no image has the library. */
export async function serverProgram(): Promise<string> {
  const { buildSync } = await import('esbuild');
  const { outputFiles } = buildSync({
    entryPoints: [join(__dirname, '../grpc/server.mjs')],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    // Loaded by what nobody uses here.
    external: ['@grpc/proto-loader'],
    write: false,
  });
  return outputFiles.map(({ text }) => text).join('');
}

/** Says how the calls fared, and has it judged. */
export function judgeCalls(context: Pick<ScenarioContext, 'note' | 'judge'>, calls: readonly GrpcCall[]): void {
  const lost = calls.filter(({ error }) => error !== undefined);
  const longest = Math.max(0, ...calls.map(({ milliseconds }) => milliseconds));
  context.note('calls', `${calls.length}, ${lost.length} lost`);
  context.note('the longest call', `${Math.round(longest)} ms`);
  for (const { error = '' } of lost.slice(0, 5)) context.note('lost call', error);
  context.judge('no call lost', calls.length > 0 && lost.length === 0);
}

function ordersOf({ workloads, signal }: ReliabilityCluster): Workloads {
  return new Workloads(workloads.kubectl, workloads.namespace, { ...workloads.names, api: name }, signal);
}

export const grpcRollout: Scenario = {
  name: 'grpc-rollout',
  title: 'calls and streams of gRPC through a rollout of their service',
  group: 'long connections',
  description:
    "Ten clients of Node's library send 40 calls a second to a service with three pods, and each holds a stream of the server. A stream lasts as long as its pod, which ends it with the status OK; then its client opens another.",
  reaches: 'nothing lost',
  needsExampleApi: true,
  prepare: async (system) => {
    const { workloads, signal } = system;
    const metadata = { name, namespace: workloads.namespace };
    const data = { 'server.cjs': await serverProgram() };
    // By the server, as it is larger than the annotation in which kubectl keeps what it has applied.
    await workloads.kubectl.run(['apply', '--server-side', '--filename=-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }),
      signal,
    });
    await system.apply({}, deployed);
    await ordersOf(system).rolledOut('api');
    await workloads.rolledOut('proxy');
    await workloads.readyPods('proxy', standardReplicas.proxy);
  },
  act: async (context) => {
    const { system } = context;
    const orders = ordersOf(system);
    const history = new PodHistory(orders);
    context.atEnd(() => history.stop());
    // Only now: fairlead-reliability, which does not offer this scenario, has no gRPC.
    const { GrpcLoad } = createRequire(__filename)('../grpc/grpc-load') as typeof import('../grpc/grpc-load');
    const load = new GrpcLoad({ url: system.url, certificates: system.certificates, clients: 10, rate: 40 });
    context.atEnd(() => load.stop());
    await context.until('a stream of every client', () => (load.hostnames.length === 10 ? true : undefined));
    context.event('rollout of the service');
    await orders.restart('api');
    await orders.rolledOut('api');
    const ready = await orders.readyPods('api', pods);
    context.endOfCause('its last old pod is gone');
    await delay(3000, undefined, { signal: system.signal });
    const { calls, streams } = await load.stop();
    judgeCalls(context, calls);
    const answered = new Set(calls.map(({ hostname }) => hostname));
    context.judge(
      'every new pod answers calls',
      ready.every(({ metadata }) => answered.has(metadata.name)),
    );
    noteEndings(context, streams);
    judgeEndings(context, streams, history);
  },
};
