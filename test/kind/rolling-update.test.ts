import { eventually } from '../../cluster/progress';
import type { Component } from '../../cluster/workloads';
import { loadFigure } from './support/figures';
import { settled, workloads } from './support/pods';
import { expectNoneLost, scenario } from './support/scenario';
import { startLoad } from './support/traffic-load';

/** 60 seconds at 100 requests a second. */
const leastRequests = 6000;

beforeEach(() => settled());

async function rollingUpdate(component: Component, title: string): Promise<void> {
  const before = new Set((await workloads().pods(component)).map(({ metadata }) => metadata.name));
  const load = await startLoad();
  await eventually('the first answers', () => (load.requests.length > 100 ? true : undefined));
  await workloads().restart(component);
  await workloads().rolledOut(component);
  // Until the last of the old pods has ended, whatever it still holds.
  const after = await workloads().readyPods(component, 2);
  await eventually('the last of 6,000 requests', () => (load.requests.length >= leastRequests ? true : undefined));
  const result = await load.stop();
  loadFigure(title, result);

  expect(after.filter(({ metadata }) => before.has(metadata.name))).toEqual([]);
  expect(result.sent).toBeGreaterThanOrEqual(leastRequests);
  await expectNoneLost(result);
  if (component === 'api') {
    for (const name of [...before, ...after.map(({ metadata }) => metadata.name)]) {
      expect(result.byHostname.get(name)).toBeGreaterThan(0);
    }
  }
}

scenario('a rolling update of the API answers 200 to each of 6,000 requests', () =>
  rollingUpdate('api', 'rolling update of the API'),
);

scenario('a rolling update of nginx answers 200 to each of 6,000 requests', () =>
  rollingUpdate('proxy', 'rolling update of nginx'),
);
