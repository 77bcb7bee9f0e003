import { type Autoscaling, ScalingMetric } from '../../../charts/pods/autoscaling';
import { find, nginxConfOf, synthesize } from '../manifests';

const kinds = (manifests: ReturnType<typeof synthesize>): string[] =>
  manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);

test('an autoscaler has the API from 2 to 10 pods and the proxies from 2 to 6 unless told otherwise', () => {
  const manifests = synthesize();
  expect(find(manifests, 'HorizontalPodAutoscaler', 'orders')).toMatchObject({
    apiVersion: 'autoscaling/v2',
    spec: {
      minReplicas: 2,
      maxReplicas: 10,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'orders' },
    },
  });
  expect(find(manifests, 'HorizontalPodAutoscaler', 'nginx')).toMatchObject({
    spec: { minReplicas: 2, maxReplicas: 6, scaleTargetRef: { name: 'nginx' } },
  });
});

test('a Deployment that an autoscaler owns has no number of replicas', () => {
  for (const name of ['orders', 'nginx']) {
    expect(find(synthesize(), 'Deployment', name).spec).not.toHaveProperty('replicas');
  }
});

test('with a fixed number there is no autoscaler', () => {
  const manifests = synthesize({ replicas: 3, proxy: { replicas: 4 } });
  expect(find(manifests, 'Deployment', 'orders').spec).toMatchObject({ replicas: 3 });
  expect(find(manifests, 'Deployment', 'nginx').spec).toMatchObject({ replicas: 4 });
  expect(kinds(manifests).filter((name) => name.startsWith('HorizontalPodAutoscaler'))).toEqual([]);
});

test('an autoscaler is told its bounds and its aim', () => {
  const manifests = synthesize({
    replicas: { min: 3, max: 12, metrics: [ScalingMetric.cpu(55)] },
    proxy: { replicas: { min: 4, max: 8, metrics: [ScalingMetric.memory(65), ScalingMetric.cpu(80)] } },
  });
  const aim = (container: string, name: string, averageUtilization: number): object => ({
    type: 'ContainerResource',
    containerResource: { container, name, target: { type: 'Utilization', averageUtilization } },
  });
  expect(find(manifests, 'HorizontalPodAutoscaler', 'orders').spec).toMatchObject({
    minReplicas: 3,
    maxReplicas: 12,
    metrics: [aim('api', 'cpu', 55)],
  });
  expect(find(manifests, 'HorizontalPodAutoscaler', 'nginx').spec).toMatchObject({
    minReplicas: 4,
    maxReplicas: 8,
    metrics: [aim('nginx', 'memory', 65), aim('nginx', 'cpu', 80)],
  });
});

test('an autoscaler goes by CPU unless told otherwise', () => {
  expect(find(synthesize(), 'HorizontalPodAutoscaler', 'orders').spec?.metrics).toEqual([
    {
      type: 'ContainerResource',
      containerResource: { container: 'api', name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
    },
  ]);
});

test.each<[Autoscaling, number, number]>([
  [{}, 2, 10],
  [{ min: 20 }, 20, 20],
  [{ min: 3 }, 3, 10],
  [{ max: 1 }, 1, 1],
  [{ max: 12 }, 2, 12],
  [{ min: 1, max: 1000 }, 1, 1000],
])('a bound that is not given follows the one that is: %j', (replicas, minReplicas, maxReplicas) => {
  expect(find(synthesize({ replicas }), 'HorizontalPodAutoscaler', 'orders').spec).toMatchObject({
    minReplicas,
    maxReplicas,
  });
});

test.each<[Autoscaling, number, number]>([
  [{ min: 8 }, 8, 8],
  [{ max: 2 }, 2, 2],
  [{ max: 4 }, 2, 4],
])('a bound of the proxies that is not given follows the one that is: %j', (replicas, minReplicas, maxReplicas) => {
  expect(find(synthesize({ proxy: { replicas } }), 'HorizontalPodAutoscaler', 'nginx').spec).toMatchObject({
    minReplicas,
    maxReplicas,
  });
});

test('pods are added at once, and taken away slowly when fewer have been enough for a while', () => {
  const behavior = (replicas: Autoscaling): unknown =>
    find(synthesize({ replicas }), 'HorizontalPodAutoscaler', 'orders').spec?.behavior;
  expect(behavior({})).toEqual({
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Max',
      policies: [
        { type: 'Percent', value: 100, periodSeconds: 15 },
        { type: 'Pods', value: 4, periodSeconds: 15 },
      ],
    },
    scaleDown: {
      stabilizationWindowSeconds: 300,
      selectPolicy: 'Max',
      policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
    },
  });
  expect(behavior({ scaleDownAfter: '0s' })).toMatchObject({
    scaleDown: { stabilizationWindowSeconds: 0 },
  });
});

test.each([
  ['cpu', 0],
  ['cpu', 1001],
  ['cpu', 1.5],
  ['cpu', '70'],
  ['memory', 0],
  ['memory', 1001],
] as const)('a metric of %s refuses %j percent', (metric, percent) => {
  expect(() => ScalingMetric[metric](percent as never)).toThrow(
    new Error(
      `ScalingMetric.${metric}: ${JSON.stringify(percent)} is out of range: give a whole number from 1 to 1000`,
    ),
  );
});

test('nginx has room for as many pods as there can be', () => {
  expect(nginxConfOf(synthesize({ replicas: { max: 300 } }))).toContain('room for twice 300 instances');
  expect(nginxConfOf(synthesize({ replicas: 7 }))).toContain('room for twice 7 instances');
});
