import { setTimeout as delay } from 'node:timers/promises';
import { extra, extraSelector } from '../reliability-cluster';
import type { Scenario } from '../scenario';

/** The pods of a Deployment, given as JSON, in another one that no Service knows. */
function otherDeployment(json: string, replicas: number): object {
  const { apiVersion, kind, metadata, spec } = JSON.parse(json) as {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly namespace: string };
    readonly spec: { readonly template: { readonly spec: object } };
  };
  return {
    apiVersion,
    kind,
    metadata: { name: 'other', namespace: metadata.namespace, labels: extra },
    spec: {
      replicas,
      selector: { matchLabels: extra },
      template: { metadata: { labels: extra }, spec: spec.template.spec },
    },
  };
}

/** The control of scaling. */
const otherPods: Scenario = {
  name: 'other-pods',
  title: 'eight pods of another Deployment',
  group: 'operations',
  description:
    'What eight pods cost this machine: the same container without a Service is started eight times, then deleted. No figure is asked of it.',
  reaches: 'own',
  act: async (context) => {
    const { workloads } = context;
    const other = otherDeployment(await workloads.run('get', workloads.deployment('api'), '--output=json'), 8);
    context.atEnd(() => workloads.run('delete', 'deployments', `--selector=${extraSelector}`));
    context.event('eight pods start');
    await workloads.kubectl.run(['apply', '--filename=-'], {
      input: JSON.stringify(other),
      signal: context.system.signal,
    });
    await workloads.run('rollout', 'status', 'deployment/other', '--timeout=5m');
    context.event('all are ready: deleted');
    await workloads.run('delete', 'deployment/other');
    await workloads.run('wait', 'pods', `--selector=${extraSelector}`, '--for=delete', '--timeout=5m');
    context.endOfCause('they are gone');
  },
};

const switchedOn = { replicas: { min: 4, max: 6 } };

/** An aim is patched in: JSON has no ScalingMetric. */
const bounds = { replicas: { min: 2, max: 4, scaleDownAfter: '1s' } };

export const scaling: readonly Scenario[] = [
  {
    name: 'scale',
    title: 'scale 2 → 10 → 2',
    group: 'operations',
    description: '`kubectl scale deployment/api` from two pods to ten, and back to two when every pod has answered.',
    reaches: 'nothing lost',
    act: async (context) => {
      const { workloads } = context;
      context.event('to two');
      await workloads.scale('api', 2);
      await workloads.readyPods('api', 2);
      context.event('to ten');
      await workloads.scale('api', 10);
      const ten = await workloads.readyPods('api', 10);
      await context.answersOf(ten.map(({ metadata }) => metadata.name));
      context.event('every pod has answered: to two');
      await workloads.scale('api', 2);
      await workloads.readyPods('api', 2);
      context.endOfCause('two pods are left');
    },
  },
  otherPods,
  {
    name: 'autoscaler-switched-on',
    title: 'autoscaler switched on',
    group: 'operations',
    description: 'From a number of `replicas` to `{ min, max }`, as docs/operations.md says.',
    reaches: 'nothing lost',
    applies: [switchedOn],
    act: async (context) => {
      const { workloads } = context;
      context.event('replicas taken out of what kubectl remembers');
      await context.forgetReplicas('api');
      context.event('applied with an autoscaler');
      await context.system.apply(switchedOn);
      await context.until('the autoscaler, at work', async () => {
        const status = await workloads.run(
          'get',
          `hpa/${workloads.names.api}`,
          '--output=jsonpath={.status.desiredReplicas}',
        );
        return status === '' || status === '0' ? undefined : true;
      });
      const pods = await workloads.pods('api');
      context.judge('the autoscaler takes over the pods that run', pods.length === 4);
      context.endOfCause('the autoscaler has looked at the pods');
    },
  },
  {
    name: 'autoscaler',
    title: 'autoscaler adds pods and takes them away',
    group: 'operations',
    description:
      'Three times the load against an autoscaler that aims low, until new pods answer; then it is made to aim high, until two are left.',
    reaches: 'nothing lost',
    rate: 300,
    applies: [bounds],
    act: async (context) => {
      const { workloads } = context;
      context.event('to two');
      await workloads.scale('api', 2);
      await workloads.readyPods('api', 2);
      await context.forgetReplicas('api');
      context.event('autoscaler that aims at 10 %');
      await context.system.apply(bounds);
      await workloads.setAim('api', 10);
      const begin = Date.now();
      await workloads.podsUntil('api', 'a third pod', (pods) => (pods.length > 2 ? true : undefined));
      context.note('from the load to a third pod', `${((Date.now() - begin) / 1000).toFixed(0)} s`);
      context.event('a third pod');
      await delay(15_000, undefined, { signal: context.system.signal });
      context.event('aims at 1000 %');
      await workloads.setAim('api', 1000);
      await workloads.readyPods('api', 2);
      context.endOfCause('two pods are left');
    },
  },
];
