import { setTimeout as delay } from 'node:timers/promises';
import type { Component } from '../../cluster/workloads';
import { standardReplicas } from '../deployed-app';
import type { Scenario, ScenarioContext } from '../scenario';

/** Waits until the pods of the newest revision are all there are, the old ones gone. */
export async function rolled(context: ScenarioContext, ...components: readonly Component[]): Promise<void> {
  for (const component of components) await context.workloads.rolledOut(component);
  for (const component of components) await context.workloads.readyPods(component, standardReplicas[component]);
  context.endOfCause('the last old pod is gone');
}

async function rollBack(context: ScenarioContext, component: Component): Promise<void> {
  await context.workloads.restart(component);
  await context.workloads.rolledOut(component);
  context.event('a new revision is there: rolled back');
  await context.workloads.undo(component);
  await rolled(context, component);
}

const anotherHeader = { proxy: { defaultResponseHeaders: { 'X-Changed': 'yes' } } };

const anotherVariable = { environment: { CHANGED: 'yes' } };

export const rollouts: readonly Scenario[] = [
  {
    name: 'rollout-api',
    title: 'rollout of the API',
    group: 'operations',
    description: '`kubectl rollout restart deployment/api`.',
    reaches: 'nothing lost',
    act: async (context) => {
      context.event('rollout of the API');
      await context.workloads.restart('api');
      await rolled(context, 'api');
    },
  },
  {
    name: 'rollout-nginx',
    title: 'rollout of nginx',
    group: 'operations',
    description: '`kubectl rollout restart deployment/nginx`.',
    reaches: 'nothing lost',
    act: async (context) => {
      context.event('rollout of nginx');
      await context.workloads.restart('proxy');
      await rolled(context, 'proxy');
    },
  },
  {
    name: 'rollout-both',
    title: 'rollout of the API and of nginx at once',
    group: 'operations',
    description: 'Both Deployments are restarted in the same second.',
    reaches: 'nothing lost',
    meetsGonePods: true,
    act: async (context) => {
      context.event('rollout of both');
      await Promise.all([context.workloads.restart('api'), context.workloads.restart('proxy')]);
      await rolled(context, 'api', 'proxy');
    },
  },
  {
    name: 'rollback-api',
    title: 'rollback of the API',
    group: 'operations',
    description: '`kubectl rollout undo deployment/api` as soon as a new revision has been rolled out.',
    reaches: 'nothing lost',
    act: async (context) => {
      context.event('rollout of the API');
      await rollBack(context, 'api');
    },
  },
  {
    name: 'rollback-nginx',
    title: 'rollback of nginx',
    group: 'operations',
    description: '`kubectl rollout undo deployment/nginx` as soon as a new revision has been rolled out.',
    reaches: 'nothing lost',
    act: async (context) => {
      context.event('rollout of nginx');
      await rollBack(context, 'proxy');
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
    act: async (context) => {
      context.event('applied');
      await context.system.apply(anotherHeader);
      await rolled(context, 'proxy');
    },
  },
  {
    name: 'api-environment',
    title: 'changed environment of the API',
    group: 'operations',
    description: 'An environment variable is added in main.ts and all of it is applied: a rollout of the API.',
    reaches: 'nothing lost',
    applies: [anotherVariable],
    act: async (context) => {
      context.event('applied');
      await context.system.apply(anotherVariable);
      await rolled(context, 'api');
    },
  },
];

const seconds = 30;

export const baseline: Scenario = {
  name: 'baseline',
  title: 'nothing happens',
  group: 'operations',
  description:
    'The standard state under load: four pods of the API and two proxies on two nodes. What the others are held against.',
  reaches: 'nothing lost',
  act: async (context) => {
    context.endOfCause('nothing happens');
    await delay(seconds * 1000, undefined, { signal: context.system.signal });
  },
};
