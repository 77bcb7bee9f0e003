import { eventually } from '../../cluster/progress';
import { readySince } from '../../cluster/workloads';
import { figure, loadFigure } from './support/figures';
import { settled, workloads } from './support/pods';
import { expectNoneLost, scenario } from './support/scenario';
import { startLoad } from './support/traffic-load';

beforeAll(() => settled());

scenario('scale 2 → 6 → 2: every new pod gets requests, and none is lost', async () => {
  const load = await startLoad();
  const begin = Date.now();
  await workloads().pinAutoscaler('api', 6);
  const six = await workloads().readyPods('api', 6);
  const names = six.map(({ metadata }) => metadata.name);
  await eventually('an answer of every pod', () => {
    const answered = new Set(load.requests.map(({ hostname }) => hostname));
    return names.every((name) => answered.has(name)) ? true : undefined;
  });
  const scaledUp = Date.now();
  await workloads().pinAutoscaler('api', 2);
  await workloads().readyPods('api', 2);
  const scaledDown = Date.now();
  const result = await load.stop();
  loadFigure('scale 2 → 6 → 2', result);

  const seconds = six
    .map((pod) => ({ pod, first: result.firstRequest.get(pod.metadata.name) ?? Number.NaN }))
    .filter(({ pod }) => readySince(pod) > begin)
    .map(({ pod, first }) => (first - readySince(pod)) / 1000);
  figure(
    "a pod's first request after it was Ready (noted to the second)",
    seconds.map((s) => `${s.toFixed(1)} s`).join(', '),
  );
  figure('scale 2 → 6, until every pod answered', `${((scaledUp - begin) / 1000).toFixed(1)} s`);
  figure('scale 6 → 2, until the last pod was gone', `${((scaledDown - scaledUp) / 1000).toFixed(1)} s`);
  await expectNoneLost(result);
});
