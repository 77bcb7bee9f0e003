import type { Scenario } from '../scenario';

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
