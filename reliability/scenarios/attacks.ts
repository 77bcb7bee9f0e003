import { httpsPort } from '../../charts/proxy/nginx-pod';
import type { Pod } from '../../cluster/pods';
import { memoryBytes } from '../../validation/amounts';
import { type AttackCommand, Attacker, type AttackTally } from '../attacker';
import { podResources } from '../pod-resources';
import { count } from '../report/format';
import type { Scenario, ScenarioContext } from '../scenario';

/** How long an attack lasts, in seconds. */
const usualSeconds = 40;
/** Longer than liveness takes to restart a proxy that answers no probe. */
const longSeconds = 75;

/** Of a pod's memory, what nobody may make it take. */
const memoryShare = 0.8;

/** For all attacks, so that one rollout serves them all: addresses of pods are private, and would not be limited. */
const changes = { proxy: { clients: { unlimited: [] } } };

interface Attack {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly options: AttackCommand['options'] & { readonly connections: number; readonly opening: number };
  /** @default 40 */
  readonly seconds?: number;
  /** What it has to have sent at least, of what its part of a proxy lets through, beside having tried its connections. */
  readonly least?: Partial<Pick<AttackTally, 'requests' | 'frames'>>;
}

const attacks: readonly Attack[] = [
  {
    name: 'held-event-streams',
    title: '5,000 event streams held',
    description: 'Each on a connection of its own; one that is refused or ended is opened again.',
    options: { connections: 5000, opening: 300 },
    seconds: longSeconds,
    least: { requests: 400 },
  },
  {
    name: 'slow-bodies',
    title: '9,000 bodies of which a byte comes each 8 s',
    description: 'POSTs that promise 1 MB, and keep just below the time between two reads that nginx allows.',
    options: { connections: 9000, opening: 450, size: 1_000_000 },
    seconds: longSeconds,
    least: { requests: 400 },
  },
  {
    name: 'held-bodies',
    title: '1,125 bodies of 1 MiB held',
    description: 'POSTs that come whole but for their last 16 bytes, which drip.',
    options: { connections: 1125, opening: 100, size: 2 ** 20 },
    least: { requests: 1000 },
  },
  {
    name: 'slow-heads',
    title: '5,000 request heads that never end',
    description: 'A byte of each comes every second.',
    options: { connections: 5000, opening: 600 },
    least: { requests: 1000 },
  },
  {
    name: 'slow-reads',
    title: '2,000 answers of 1 MB that are hardly read',
    description: 'A piece of each is read every 8 s.',
    // More than all buffers on its way hold, and no faster than two cores have time for others beside what is sent.
    options: { connections: 2000, opening: 60, size: 1_000_000 },
    least: { requests: 600 },
  },
  {
    name: 'unread-http2-streams',
    title: '24 HTTP/2 connections with 120 streams each that do not read',
    description: 'Each stream asks for 1 MB, and opens its window by a byte each 8 s.',
    options: { connections: 24, opening: 24, streams: 120, size: 1_000_000 },
    least: { requests: 24 * 120 },
  },
  {
    name: 'idle-tls',
    title: '5,000 TLS connections without a request',
    description: 'Each is opened again when nginx closes it.',
    options: { connections: 5000, opening: 600 },
  },
  {
    name: 'idle-http2',
    title: '5,000 HTTP/2 connections without a request',
    description: 'Each says hello, and nothing more.',
    options: { connections: 5000, opening: 400 },
  },
  {
    name: 'connections',
    title: '10,000 connections',
    description: 'Not even TLS is begun on them.',
    options: { connections: 10_000, opening: 1500 },
    seconds: longSeconds,
  },
  {
    name: 'rapid-reset',
    title: 'HTTP/2 rapid reset',
    // Five times as many take both cores of a small machine, the load's own among them.
    description: '1,000 streams a second on 24 connections, each reset as soon as it is opened (CVE-2023-44487).',
    options: { connections: 24, opening: 24, rate: 1000 },
    least: { requests: 5000 },
  },
  {
    name: 'continuation-flood',
    title: 'HTTP/2 CONTINUATION flood',
    description: '20,000 CONTINUATION frames a second on 24 connections, of heads that never end.',
    options: { connections: 24, opening: 24, rate: 20_000 },
    least: { frames: 20_000 },
  },
  {
    name: 'ping-flood',
    title: 'HTTP/2 PING flood',
    description: '50,000 PING frames a second on 24 connections that read no answer (CVE-2019-9512).',
    options: { connections: 24, opening: 24, rate: 50_000 },
    least: { frames: 50_000 },
  },
  {
    name: 'settings-flood',
    title: 'HTTP/2 SETTINGS flood',
    description: '50,000 SETTINGS frames a second on 24 connections that read no answer (CVE-2019-9515).',
    options: { connections: 24, opening: 24, rate: 50_000 },
    least: { frames: 50_000 },
  },
  {
    name: 'gzip-bombs',
    title: 'gzip bombs',
    description: '50 bodies a second of 64 KiB that unpack to 64 MiB.',
    options: { connections: 24, opening: 24, rate: 50, size: 64 * 2 ** 20 },
    least: { requests: 500 },
  },
];

export const attackScenarios: readonly Scenario[] = attacks.map((attack) => ({
  name: `attack-${attack.name}`,
  title: attack.title,
  group: 'attacks',
  description: attack.description,
  reaches: 'nothing lost',
  needsExampleApi: true,
  changes,
  prepare: async ({ cluster, signal }) => {
    await new Attacker(cluster.kubectl, signal).ready();
  },
  act: (context) => act(context, attack),
}));

/** All of it aims at one proxy, where an attacker's connections gather who keeps trying. */
async function act(
  context: ScenarioContext,
  { name, options, seconds = usualSeconds, least = {} }: Attack,
): Promise<void> {
  const { workloads, system } = context;
  const before = await podsOf(context);
  const proxies = before.filter(isProxy);
  const [attacked] = proxies;
  const attacker = new Attacker(workloads.kubectl, system.signal);
  const watching = Promise.all(proxies.map((pod) => podResources(workloads, pod, seconds + 2, system.signal)));
  context.event('the attack begins');
  const command = { name, options: { ...options, seconds } };
  const tally = await attacker.run(command, `${attacked?.status.podIP ?? ''}:${httpsPort}`, 'localhost');
  context.endOfCause('the attack has ended');
  const resources = await watching;
  const most = (of: (one: (typeof resources)[number]) => number): number => Math.max(...resources.map(of));
  const after = await podsOf(context);
  const restarts = restartsOf(after) - restartsOf(before);
  const figures = {
    achieved: achieved(tally),
    memory: most(({ memory }) => memory),
    memoryLimit: most(({ memoryLimit }) => memoryLimit),
    disk: most(({ disk }) => disk),
    diskLimit: diskLimitOf(attacked),
    restarts,
    killed: most(({ killed }) => killed),
  };
  context.attack = figures;
  if (figures.killed > 0) {
    // What a killed worker held stays counted, and other scenarios judge shares.
    context.atEnd(async () => {
      await workloads.restart('proxy');
      await workloads.rolledOut('proxy');
    });
  }
  const { connections } = options;
  const { requests = 0, frames = 0 } = least;
  const wanted = [
    `${count(connections)} connections`,
    ...(requests === 0 ? [] : [`${count(requests)} requests`]),
    ...(frames === 0 ? [] : [`${count(frames)} frames`]),
  ];
  context.judge(
    `the attacker tried ${wanted.join(' and ')} or more`,
    tally.attempted >= connections && tally.requests >= requests && tally.frames >= frames,
  );
  context.judge(
    `every proxy held less than ${memoryShare * 100} % of its memory`,
    figures.memory < memoryShare * figures.memoryLimit,
  );
  context.judge("every proxy's temporary files held less than their volume may", figures.disk < figures.diskLimit);
  context.judge('no worker of nginx was ended for want of memory', figures.killed === 0);
  context.judge('no container restarted', restarts === 0 && after.length === before.length);
  context.judge('every proxy was ready all the time', readinessOf(after) === readinessOf(before));
}

async function podsOf({ workloads }: ScenarioContext): Promise<readonly Pod[]> {
  return [...(await workloads.pods('proxy')), ...(await workloads.pods('api'))];
}

function isProxy({ metadata }: Pod): boolean {
  return metadata.labels?.['app.kubernetes.io/component'] === 'proxy';
}

function restartsOf(pods: readonly Pod[]): number {
  return pods.reduce((sum, { status }) => sum + (status.containerStatuses?.[0]?.restartCount ?? 0), 0);
}

/** Since when each proxy is ready, or not: readiness that was lost and came back has another time. */
function readinessOf(pods: readonly Pod[]): string {
  return pods
    .filter(isProxy)
    .map(({ metadata, status }) => {
      const ready = status.conditions?.find(({ type }) => type === 'Ready');
      return [metadata.name, ready?.status, ready?.lastTransitionTime].join(' ');
    })
    .sort()
    .join();
}

function diskLimitOf(pod: Pod | undefined): number {
  const limit = pod?.spec.volumes?.find(({ name }) => name === 'tmp')?.emptyDir?.sizeLimit;
  return limit === undefined ? Number.POSITIVE_INFINITY : memoryBytes('sizeLimit of /tmp', limit);
}

/** `9,120 connections tried, 4,084 open at most; 4,100 requests, answered 200 × 4,083, 503 × 17` */
function achieved(tally: AttackTally): string {
  const answers = Object.entries(tally.answers).map(([status, times]) => `${status} × ${count(times)}`);
  return [
    `${count(tally.attempted)} connections tried, ${count(tally.mostOpen)} open at most`,
    ...(tally.requests === 0 ? [] : [`${count(tally.requests)} requests`]),
    ...(answers.length === 0 ? [] : [`answered ${answers.join(', ')}`]),
    ...(tally.frames === 0 ? [] : [`${count(tally.frames)} frames`]),
    ...(tally.resets === 0 ? [] : [`${count(tally.resets)} streams reset by nginx`]),
    ...(tally.goAways === 0 ? [] : [`${count(tally.goAways)} GOAWAY`]),
  ].join('; ');
}
