import { setTimeout as delay } from 'node:timers/promises';
import type { LoadRequest } from '../../load/load-request';
import { type OtherMain, standardReplicas } from '../deployed-app';
import type { Scenario, ScenarioContext } from '../scenario';
import type { Judgement } from '../scenario-result';

/** A prime: each client comes by every method, protocol and connection in turn. */
export const clients = { header: 'x-client', count: 1009 } as const;
/** How long each step is looked at, in milliseconds: at 100 requests a second every client is heard twice. */
const step = 25_000;

const first = 'orders';
const second = 'orders-v2';

/** Of the second version, in percent. */
export const weights = [0, 5, 50, 100] as const;

function split(weight: number): OtherMain {
  return deployed({ [first]: 100 - weight, [second]: weight });
}

function deployed(shares: Readonly<Record<string, number>>): OtherMain {
  return { main: 'reliability/front-door.ts', variables: { FAIRLEAD_WEIGHTS: JSON.stringify(shares) } };
}

const before = deployed({ [first]: 100 });
const afterwards = deployed({ [second]: 100 });

/** The Deployment of a pod: its name less that of the ReplicaSet and its own. */
export function versionOf(hostname: string): string {
  return hostname.replace(/-[^-]+-[^-]+$/, '');
}

/**
 * How many of so many clients a version may have whose part is this, in percent: five standard deviations of a binomial distribution
 * around the mean. Where every client's choice is by chance, one in a million runs lies outside.
 */
export function shareBound(count: number, percent: number): { readonly from: number; readonly to: number } {
  const part = percent / 100;
  const mean = count * part;
  const spread = 5 * Math.sqrt(count * part * (1 - part));
  return { from: Math.max(0, Math.ceil(mean - spread)), to: Math.min(count, Math.floor(mean + spread)) };
}

/** The versions that each client had, by the key of the client. */
function versionsOf(requests: readonly LoadRequest[]): ReadonlyMap<string, ReadonlySet<string>> {
  const versions = new Map<string, Set<string>>();
  for (const { key, hostname } of requests) {
    if (key === undefined || hostname === undefined) continue;
    versions.set(key, (versions.get(key) ?? new Set()).add(versionOf(hostname)));
  }
  return versions;
}

/** Of these requests, the clients that had the second version. */
export function clientsOfSecond(requests: readonly LoadRequest[]): ReadonlySet<string> {
  return new Set([...versionsOf(requests)].flatMap(([key, versions]) => (versions.has(second) ? [key] : [])));
}

/**
 * What is asked of the requests of one step: of each version as many clients as its weight lets expect, one version a client, and no
 * way back for those that had the second one before.
 */
export function shareJudgements(
  requests: readonly LoadRequest[],
  percent: number,
  before: ReadonlySet<string> = new Set(),
): Judgement[] {
  const versions = versionsOf(requests);
  const has = (version: string): number => [...versions.values()].filter((of) => of.has(version)).length;
  const { from, to } = shareBound(versions.size, percent);
  const seconds = has(second);
  return [
    {
      text: `with ${percent} % ${from} to ${to} of ${versions.size} clients have the second version (${seconds})`,
      reached: versions.size > 0 && seconds >= from && seconds <= to && has(first) + seconds === versions.size,
    },
    {
      text: `with ${percent} % every client has one version, the second if it had that before`,
      reached: [...versions].every(([key, of]) => of.size === 1 && (!before.has(key) || of.has(second))),
    },
  ];
}

/** What each proxy logs once it goes by weights. */
export function weightsLine(weight: number): RegExp {
  return new RegExp(`\\bweights: ${first} has ${first} ${100 - weight}, ${second} ${weight}\\b`);
}

/** Applies what is a rollout of nginx, and waits until the second version is there and the last proxy of before is gone. */
async function rolledOut({ system, workloads }: ScenarioContext, next: OtherMain): Promise<void> {
  await system.apply({}, next);
  await workloads.run('rollout', 'status', `deployment/${second}`, '--timeout=5m');
  await workloads.rolledOut('proxy');
  await workloads.readyPods('proxy', standardReplicas.proxy);
}

/** Applies other weights, which roll nothing out, and waits until every proxy goes by them. */
async function weighted(context: ScenarioContext, weight: number): Promise<void> {
  const proxies = await namesOfProxies(context);
  const since = new Date();
  await context.system.apply({}, split(weight));
  await context.workloads.lookAtVolumes();
  await context.until(`the weight of ${weight} in every proxy`, async () => {
    const lines = await context.workloads.proxyLogs(since);
    return lines.filter((line) => weightsLine(weight).test(line)).length >= standardReplicas.proxy ? true : undefined;
  });
  context.note(`until every proxy went by ${weight} %`, `${((Date.now() - since.getTime()) / 1000).toFixed(1)} s`);
  const same = (await namesOfProxies(context)).join() === proxies.join();
  context.judge(`a weight of ${weight} % is no rollout`, same);
}

async function namesOfProxies({ workloads }: ScenarioContext): Promise<string[]> {
  return (await workloads.pods('proxy')).map(({ metadata }) => metadata.name).sort();
}

/** The requests that are sent from now on, for as long as a step is looked at. */
async function observed({ system, load }: ScenarioContext): Promise<readonly LoadRequest[]> {
  const from = Date.now();
  await delay(step, undefined, { signal: system.signal });
  return load.requests.filter(({ started }) => started >= from);
}

/** `kubectl apply` deletes nothing: what is not made any more is deleted by its label. */
async function removed({ workloads }: ScenarioContext, version: string): Promise<void> {
  const selector = `--selector=app.kubernetes.io/instance=${version}`;
  await workloads.run('delete', 'deployments,services,poddisruptionbudgets,networkpolicies', selector);
  await workloads.run('wait', 'pods', selector, '--for=delete', '--timeout=5m');
}

export const canary: Scenario = {
  name: 'canary',
  title: 'canary from 0 to 100 %',
  group: 'operations',
  description:
    'A second version of one of two services is added, gets 0, 5, 50 and 100 % of 1,009 clients (`TrafficSplit.weighted`), and the first one is removed. That a version comes or goes is a rollout of nginx, another weight is none: the proxies follow their ConfigMap.',
  reaches: 'nothing lost',
  needsExampleApi: true,
  asks: {
    getPath: '/orders/healthcheck',
    postPath: '/orders/echo',
    keys: clients,
  },
  prepare: async (system) => {
    for (const state of [before, ...weights.map(split), afterwards]) await system.synthesize({}, state);
    await system.apply({}, before);
    await system.workloads.rolledOut('proxy');
    await system.workloads.readyPods('proxy', standardReplicas.proxy);
    await system.workloads.run('rollout', 'status', `deployment/${first}`, '--timeout=5m');
  },
  act: async (context) => {
    const beside = context.askBackend();
    let had: ReadonlySet<string> = new Set();
    for (const [index, weight] of weights.entries()) {
      context.event(index === 0 ? `the second version is added, with ${weight} %` : `${weight} %`);
      if (index === 0) await rolledOut(context, split(weight));
      else await weighted(context, weight);
      const requests = await observed(context);
      for (const { text, reached } of shareJudgements(requests, weight, had)) context.judge(text, reached);
      had = clientsOfSecond(requests);
    }
    context.event('the first version is taken out of main.ts');
    await rolledOut(context, afterwards);
    const requests = await observed(context);
    context.judge(
      'the first version is asked no more',
      requests.every(({ hostname = second }) => versionOf(hostname) !== first),
    );
    context.event('the first version is removed');
    await removed(context, first);
    context.endOfCause('its last pod is gone');
    const { sent, ok, byHostname } = await beside.stop();
    context.note('requests to the other service', `${sent}, ${sent - ok} lost`);
    context.judge('the other service loses nothing', sent > 0 && ok === sent);
    context.judge(
      'and answers for itself',
      [...byHostname.keys()].every((hostname) => versionOf(hostname) === context.workloads.names.api),
    );
  },
};
