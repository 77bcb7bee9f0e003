import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../cluster/command-line';
import { nodePorts } from '../../cluster/kind-config';
import { isReady } from '../../cluster/pods';
import { nodeOf } from '../../cluster/workloads';
import type { Scenario, ScenarioContext } from '../scenario';
import { lostAround } from './proxies';
import { waited } from './waited';

/** How long a node stays hung or lost, in milliseconds: longer than Kubernetes takes to notice, and to replace pods. */
const outage = 90_000;
/** What a kubelet's silence takes to become a node that is not ready, in seconds, and what surrounds it. */
const detection = 60;
/**
 * How long a node remembers, in seconds, to which proxy it gave a connection that was never answered
 * (nf_conntrack_tcp_timeout_syn_sent). Behind one address, as here, its port comes again before that.
 */
const reusedPorts = 120;
/** What a load balancer's health check takes here, in seconds: two failures in a row, one every 2 s, each after 1 s. */
const healthCheck = 8;

/** Leaves a worker with pods of the API and no proxy: both proxies are on the other one. */
async function withoutProxies(context: ScenarioContext): Promise<string> {
  const [victim = '', other = ''] = context.system.workerNames;
  const { workloads } = context;
  const { signal } = context.system;
  await workloads.kubectl.run(['cordon', victim], { signal });
  for (const pod of await workloads.pods('proxy')) {
    if (nodeOf(pod) !== other) await workloads.run('delete', 'pod', pod.metadata.name);
  }
  await workloads.readyPods('proxy', 2);
  await workloads.kubectl.run(['uncordon', victim], { signal });
  return victim;
}

/** Takes a node away for a while, and brings it back. */
async function outageOf(context: ScenarioContext, node: string, how: 'hung' | 'lost'): Promise<number> {
  const { take, bring } = how === 'hung' ? { take: 'pause', bring: 'unpause' } : { take: 'kill', bring: 'start' };
  let away = false;
  context.atEnd(async () => {
    if (away) await context.docker(bring, node);
    await context.system.nodesReady();
  });
  context.event(`docker ${take} ${node}`);
  const begin = Date.now();
  away = true;
  const address = await addressOf(context, node);
  await context.docker(take, node);
  await context.until('Kubernetes, to notice', async () => {
    const found = (await context.system.nodes()).find(({ metadata }) => metadata.name === node);
    const ready = found?.status.conditions.find(({ type }) => type === 'Ready');
    return ready?.status === 'True' ? undefined : true;
  });
  context.event('Kubernetes says that the node is not ready');
  context.measure('node-dies.not-ready', (Date.now() - begin) / 1000);
  await context.workloads.podsUntil('api', 'pods in their place', (pods) =>
    pods.filter((pod) => isReady(pod) && nodeOf(pod) !== node).length >= 4 ? true : undefined,
  );
  context.event('pods elsewhere have replaced those of the node');
  context.measure('node-dies.pods-replaced', (Date.now() - begin) / 1000);
  const left = outage - (Date.now() - begin);
  if (left > 0) await delay(left, undefined, { signal: context.system.signal });
  context.event(`docker ${bring}`);
  await context.docker(bring, node);
  away = false;
  const now = await addressOf(context, node);
  if (now !== address) {
    throw new Failure(
      `Docker gave ${node} the address ${now} instead of ${address}, as a lower one was free: run again without another kind cluster being removed meanwhile`,
    );
  }
  await context.system.nodesReady();
  await context.workloads.readyPods('api', 4);
  await context.workloads.readyPods('proxy', 2);
  context.endOfCause('the node is ready again, and every pod is where it should be');
  return begin;
}

/** The address of a node in Docker's network, by which the others know it. */
function addressOf(context: ScenarioContext, node: string): Promise<string> {
  return context.docker('inspect', '--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', node);
}

/** Until when requests had to wait because of a pod that was away; a proxy that is away makes others wait. */
function lastTry(context: ScenarioContext, begin: number): void {
  const slow = context.load.requests.filter(({ started, milliseconds }) => started >= begin && milliseconds >= 1000);
  const seconds = Math.max(0, ...slow.map(({ started }) => started - begin)) / 1000;
  if (slow.length > 0) context.measure('node-dies.last-try', seconds);
  context.note(
    'requests that took more than 1 s',
    `${slow.length}, the last one sent ${seconds.toFixed(1)} s after the fault`,
  );
}

/** In seconds: its health check takes 4 to 6 s here. */
const deregistrationDelay = 10;

/** What `Exposure.loadBalancer` makes, and the port of its health check, which is else Kubernetes' choice. */
async function becomeLoadBalancer(context: ScenarioContext): Promise<void> {
  const { workloads } = context;
  const service = {
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    healthCheckNodePort: nodePorts.healthCheck,
  };
  await workloads.run('patch', 'service', workloads.names.proxy, `--patch=${JSON.stringify({ spec: service })}`);
  const { proxyPreStop, proxyTerminationGracePeriod } = context.system.deployed.proxy.timeline;
  const pods = {
    terminationGracePeriodSeconds: proxyTerminationGracePeriod - proxyPreStop + deregistrationDelay,
    containers: [{ name: 'nginx', lifecycle: { preStop: { sleep: { seconds: deregistrationDelay } } } }],
  };
  const patch = JSON.stringify({ spec: { template: { spec: pods } } });
  await workloads.run('patch', workloads.deployment('proxy'), `--patch=${patch}`);
  await workloads.rolledOut('proxy');
  await workloads.readyPods('proxy', 2);
}

function withApi(how: 'hung' | 'lost'): Scenario {
  return {
    name: `node-${how}-with-api`,
    title: `worker node ${how}, with API pods on it`,
    group: 'faults',
    description:
      how === 'hung'
        ? '`docker pause`: its kernel goes on accepting connections for its pods, and nothing is ever answered. Both proxies are on the other worker.'
        : '`docker kill`: its pods refuse nothing, they are silent. Both proxies are on the other worker.',
    reaches: 'no GET lost',
    act: async (context) => {
      const node = await withoutProxies(context);
      const begin = await outageOf(context, node, how);
      lastTry(context, begin);
      waited(context, begin);
    },
  };
}

function withProxy(how: 'hung' | 'lost', entry: 'control plane' | 'workers'): Scenario {
  const checked = entry === 'workers';
  return {
    name: `node-${how}-with-proxy${checked ? '-health-check' : ''}`,
    title: `worker node ${how}, with a proxy and API pods on it${checked ? ', behind a health check' : ''}`,
    group: 'faults',
    description: checked
      ? '`externalTrafficPolicy: Local` behind a load balancer that asks kube-proxy of each worker every 2 s whether it has a ready proxy, and takes it out after two failures, as that of a cloud does.'
      : '`externalTrafficPolicy: Cluster`, behind nothing: kube-proxy goes on sending new connections to the proxy until Kubernetes says that its node is not ready.',
    reaches: 'own',
    entry,
    act: async (context) => {
      if (checked) {
        await becomeLoadBalancer(context);
        await delay(5000, undefined, { signal: context.system.signal });
      }
      const [node = ''] = context.system.workerNames;
      const begin = await outageOf(context, node, how);
      lostAround(
        context,
        checked ? { from: begin, seconds: healthCheck } : { from: begin, seconds: detection, reusedPorts },
        'what the proxy held, and what was sent to it until it was known',
      );
    },
  };
}

export const nodes: readonly Scenario[] = [
  withApi('hung'),
  withApi('lost'),
  withProxy('hung', 'control plane'),
  withProxy('lost', 'control plane'),
  withProxy('hung', 'workers'),
  withProxy('lost', 'workers'),
];

function drain(index: 0 | 1, which: string): Scenario {
  return {
    name: `drain-${which}-worker`,
    title: `drain of the ${which} worker`,
    group: 'operations',
    description: `\`kubectl drain\` of the ${which} of two workers, and \`kubectl uncordon\`. Its pods move to the other one, as many at a time as the PodDisruptionBudgets allow.`,
    reaches: 'nothing lost',
    act: async (context) => {
      const node = context.system.workerNames[index] ?? '';
      const { kubectl } = context.workloads;
      const { signal } = context.system;
      context.atEnd(() => kubectl.run(['uncordon', node]));
      context.event('drain');
      await kubectl.run(['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=300s'], { signal });
      await context.workloads.readyPods('api', 4);
      await context.workloads.readyPods('proxy', 2);
      context.endOfCause('the node is empty');
      await kubectl.run(['uncordon', node], { signal });
    },
  };
}

export const drains: readonly Scenario[] = [drain(0, 'first'), drain(1, 'second')];
