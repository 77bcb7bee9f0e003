import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario } from '../scenario';
import { otherPods } from './other-pods';

const switchedOn = { minReplicas: 4, maxReplicas: 6 };

const bounds = { minReplicas: 2, maxReplicas: 4, scaleDownStabilizationWindow: '1s' };
const lowAim = { ...bounds, targetCpuUtilization: 10 };
const highAim = { ...bounds, targetCpuUtilization: 1000 };

export const scaling: readonly Scenario[] = [
  {
    name: 'scale',
    title: 'scale 2 → 10 → 2',
    group: 'operations',
    description: '`kubectl scale deployment/api` from two pods to ten, and back to two when every pod has answered.',
    reaches: 'nothing lost',
    act: async (stage) => {
      const { workloads } = stage;
      stage.event('to two');
      await workloads.scale('api', 2);
      await workloads.readyPods('api', 2);
      stage.event('to ten');
      await workloads.scale('api', 10);
      const ten = await workloads.readyPods('api', 10);
      await stage.answersOf(ten.map(({ metadata }) => metadata.name));
      stage.event('every pod has answered: to two');
      await workloads.scale('api', 2);
      await workloads.readyPods('api', 2);
      stage.endOfCause('two pods are left');
    },
  },
  otherPods,
  {
    name: 'autoscaler-switched-on',
    title: 'autoscaler switched on',
    group: 'operations',
    description: 'From `replicas` to `minReplicas` and `maxReplicas`, as docs/operations.md says.',
    reaches: 'nothing lost',
    applies: [switchedOn],
    act: async (stage) => {
      stage.event('replicas taken out of what kubectl remembers');
      await stage.forgetReplicas('api');
      stage.event('applied with an autoscaler');
      await stage.system.apply(switchedOn);
      await stage.until('the autoscaler, at work', async () => {
        const status = await stage.workloads.run('get', 'hpa/api', '--output=jsonpath={.status.desiredReplicas}');
        return status === '' || status === '0' ? undefined : true;
      });
      const pods = await stage.workloads.pods('api');
      stage.judge('the autoscaler takes over the pods that run', pods.length === 4);
      stage.endOfCause('the autoscaler has looked at the pods');
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
    applies: [lowAim, highAim],
    act: async (stage) => {
      const { workloads } = stage;
      stage.event('to two');
      await workloads.scale('api', 2);
      await workloads.readyPods('api', 2);
      await stage.forgetReplicas('api');
      stage.event('autoscaler that aims at 10 %');
      await stage.system.apply(lowAim);
      const begin = Date.now();
      await workloads.podsUntil('api', 'a third pod', (pods) => (pods.length > 2 ? true : undefined));
      stage.note('from the load to a third pod', `${((Date.now() - begin) / 1000).toFixed(0)} s`);
      stage.event('a third pod');
      await delay(15_000, undefined, { signal: stage.system.signal });
      stage.event('aims at 1000 %');
      await stage.system.apply(highAim);
      await workloads.readyPods('api', 2);
      stage.endOfCause('two pods are left');
    },
  },
];
