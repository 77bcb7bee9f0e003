import type { Component } from '../../cluster/workloads';
import { standardReplicas } from '../reliability-cluster';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';

/** Waits until the pods of the newest revision are all there are, the old ones gone. */
export async function rolled(stage: Stage, ...components: readonly Component[]): Promise<void> {
  for (const component of components) await stage.workloads.rolledOut(component);
  for (const component of components) await stage.workloads.readyPods(component, standardReplicas[component]);
  stage.endOfCause('the last old pod is gone');
}

async function rollBack(stage: Stage, component: Component): Promise<void> {
  await stage.workloads.restart(component);
  await stage.workloads.rolledOut(component);
  stage.event('a new revision is there: rolled back');
  await stage.workloads.undo(component);
  await rolled(stage, component);
}

const anotherHeader = { responseHeaders: { 'X-Changed': 'yes' } };

const anotherVariable = { container: { environment: { CHANGED: 'yes' } } };

export const rollouts: readonly Scenario[] = [
  {
    name: 'rollout-api',
    title: 'rollout of the API',
    group: 'operations',
    description: '`kubectl rollout restart deployment/api`.',
    reaches: 'nothing lost',
    act: async (stage) => {
      stage.event('rollout of the API');
      await stage.workloads.restart('api');
      await rolled(stage, 'api');
    },
  },
  {
    name: 'rollout-nginx',
    title: 'rollout of nginx',
    group: 'operations',
    description: '`kubectl rollout restart deployment/nginx`.',
    reaches: 'nothing lost',
    act: async (stage) => {
      stage.event('rollout of nginx');
      await stage.workloads.restart('proxy');
      await rolled(stage, 'proxy');
    },
  },
  {
    name: 'rollout-both',
    title: 'rollout of the API and of nginx at once',
    group: 'operations',
    description: 'Both Deployments are restarted in the same second.',
    reaches: 'nothing lost',
    meetsGonePods: true,
    act: async (stage) => {
      stage.event('rollout of both');
      await Promise.all([stage.workloads.restart('api'), stage.workloads.restart('proxy')]);
      await rolled(stage, 'api', 'proxy');
    },
  },
  {
    name: 'rollback-api',
    title: 'rollback of the API',
    group: 'operations',
    description: '`kubectl rollout undo deployment/api` as soon as a new revision has been rolled out.',
    reaches: 'nothing lost',
    act: async (stage) => {
      stage.event('rollout of the API');
      await rollBack(stage, 'api');
    },
  },
  {
    name: 'rollback-nginx',
    title: 'rollback of nginx',
    group: 'operations',
    description: '`kubectl rollout undo deployment/nginx` as soon as a new revision has been rolled out.',
    reaches: 'nothing lost',
    act: async (stage) => {
      stage.event('rollout of nginx');
      await rollBack(stage, 'proxy');
    },
  },
  {
    name: 'nginx-option',
    title: 'changed nginx option',
    group: 'operations',
    description:
      'A response header is added in main.ts and all of it is applied: a new ConfigMap, and a rollout of nginx.',
    reaches: 'nothing lost',
    applies: [anotherHeader],
    act: async (stage) => {
      stage.event('applied');
      await stage.system.apply(anotherHeader);
      await rolled(stage, 'proxy');
    },
  },
  {
    name: 'api-environment',
    title: 'changed environment of the API',
    group: 'operations',
    description: 'An environment variable is added in main.ts and all of it is applied: a rollout of the API.',
    reaches: 'nothing lost',
    applies: [anotherVariable],
    act: async (stage) => {
      stage.event('applied');
      await stage.system.apply(anotherVariable);
      await rolled(stage, 'api');
    },
  },
];
