import { find, nginxConfOf, synthesize } from './manifests';

const kinds = (manifests: ReturnType<typeof synthesize>): string[] =>
  manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);

test('an autoscaler has the API from 2 to 10 pods and the proxies from 2 to 6 unless told otherwise', () => {
  const manifests = synthesize();
  expect(find(manifests, 'HorizontalPodAutoscaler', 'api')).toMatchObject({
    apiVersion: 'autoscaling/v2',
    spec: {
      minReplicas: 2,
      maxReplicas: 10,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' },
    },
  });
  expect(find(manifests, 'HorizontalPodAutoscaler', 'nginx')).toMatchObject({
    spec: { minReplicas: 2, maxReplicas: 6, scaleTargetRef: { name: 'nginx' } },
  });
});

test('a Deployment that an autoscaler owns has no number of replicas', () => {
  for (const name of ['api', 'nginx']) {
    expect(find(synthesize(), 'Deployment', name).spec).not.toHaveProperty('replicas');
  }
});

test('with a fixed number there is no autoscaler', () => {
  const manifests = synthesize({ replicas: 3, proxyReplicas: 4 });
  expect(find(manifests, 'Deployment', 'api').spec).toMatchObject({ replicas: 3 });
  expect(find(manifests, 'Deployment', 'nginx').spec).toMatchObject({ replicas: 4 });
  expect(kinds(manifests).filter((name) => name.startsWith('HorizontalPodAutoscaler'))).toEqual([]);
});

test('an autoscaler is told its bounds and its aim', () => {
  const manifests = synthesize({
    minReplicas: 3,
    maxReplicas: 12,
    targetCpuUtilization: 55,
    proxyMinReplicas: 4,
    proxyMaxReplicas: 8,
    proxyTargetCpuUtilization: 65,
  });
  const aim = (container: string, averageUtilization: number): object => ({
    type: 'ContainerResource',
    containerResource: { container, name: 'cpu', target: { type: 'Utilization', averageUtilization } },
  });
  expect(find(manifests, 'HorizontalPodAutoscaler', 'api').spec).toMatchObject({
    minReplicas: 3,
    maxReplicas: 12,
    metrics: [aim('api', 55)],
  });
  expect(find(manifests, 'HorizontalPodAutoscaler', 'nginx').spec).toMatchObject({
    minReplicas: 4,
    maxReplicas: 8,
    metrics: [aim('nginx', 65)],
  });
});

test('a bound that is not given follows the one that is', () => {
  const bounds = (given: object): unknown => find(synthesize(given), 'HorizontalPodAutoscaler', 'api').spec;
  expect(bounds({ minReplicas: 20 })).toMatchObject({ minReplicas: 20, maxReplicas: 20 });
  expect(bounds({ maxReplicas: 1 })).toMatchObject({ minReplicas: 1, maxReplicas: 1 });
});

test('pods are added at once, and taken away slowly when fewer have been enough for a while', () => {
  const behavior = (given: object): unknown => find(synthesize(given), 'HorizontalPodAutoscaler', 'api').spec?.behavior;
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
  expect(behavior({ scaleDownStabilizationWindow: '0s' })).toMatchObject({
    scaleDown: { stabilizationWindowSeconds: 0 },
  });
});

test('nginx has room for as many pods as there can be', () => {
  expect(nginxConfOf(synthesize({ maxReplicas: 300 }))).toContain('room for twice 300 instances');
  expect(nginxConfOf(synthesize({ replicas: 7 }))).toContain('room for twice 7 instances');
});
