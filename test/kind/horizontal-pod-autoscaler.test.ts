import { ScalingMetric } from '../../charts/pods/scaling-metric';
import { eventually } from '../../cluster/progress';
import { figure, loadFigure } from './support/figures';
import { settled, workloads } from './support/pods';
import { expectNoneLost, scenario } from './support/scenario';
import { startLoad } from './support/traffic-load';
import { apply, synthesizeVariant } from './support/variant';

beforeAll(() => settled());

scenario('the HorizontalPodAutoscaler adds pods under load and takes them away again', async () => {
  // A low aim, so that what this machine has to spare is a load; and no five minutes of waiting.
  await apply(
    synthesizeVariant({ replicas: { min: 2, max: 6, metrics: [ScalingMetric.cpu(15)], scaleDownAfter: '1s' } }),
  );
  await workloads().pinAutoscaler('proxy', 2);
  await workloads().readyPods('api', 2);
  const begin = Date.now();
  const load = await startLoad({ rate: 300 });
  await eventually('a third pod that answers', () => {
    const answered = new Set(load.requests.map(({ hostname }) => hostname));
    return answered.size > 2 ? true : undefined;
  });
  const added = Date.now();
  const result = await load.stop();
  loadFigure('HPA adds pods (300 requests a second)', result);
  await expectNoneLost(result);

  const ended = Date.now();
  const light = await startLoad({ rate: 10 });
  await workloads().readyPods('api', 2);
  const takenAway = Date.now();
  const lightResult = await light.stop();
  loadFigure('HPA takes pods away (10 requests a second)', lightResult);
  figure('HPA, from the beginning of the load to an answer of a new pod', `${Math.round((added - begin) / 1000)} s`);
  figure('HPA, from the end of the load to two pods', `${Math.round((takenAway - ended) / 1000)} s`);
  await expectNoneLost(lightResult);
  expect(await workloads().pods('api')).toHaveLength(2);
});
