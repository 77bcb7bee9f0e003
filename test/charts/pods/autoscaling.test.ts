import { ApiObject, JsonPatch } from 'cdk8s';
import type { Autoscaling } from '../../../charts/pods/autoscaling';
import { ScalingMetric } from '../../../charts/pods/scaling-metric';
import { schemaErrors } from '../custom-resources';
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

test('an autoscaler may go by a metric of the pods, beside what it has otherwise', () => {
  const metrics = [
    ScalingMetric.pods('http_requests_in_flight', 20),
    ScalingMetric.pods('event_loop:use', 0.7),
    ScalingMetric.cpu(70),
  ];
  const { spec } = find(synthesize({ replicas: { metrics } }), 'HorizontalPodAutoscaler', 'orders');
  expect(spec?.metrics).toEqual([
    {
      type: 'Pods',
      pods: { metric: { name: 'http_requests_in_flight' }, target: { type: 'AverageValue', averageValue: 20 } },
    },
    { type: 'Pods', pods: { metric: { name: 'event_loop:use' }, target: { type: 'AverageValue', averageValue: 0.7 } } },
    expect.objectContaining({ type: 'ContainerResource' }),
  ]);
});

describe('A trigger of KEDA', () => {
  const metadata = { serverAddress: 'http://prometheus.monitoring:9090', query: 'sum(rate(x[1m]))', threshold: '50' };

  test('makes a ScaledObject that takes over the autoscaler of before, which is not written', () => {
    const metrics = [
      ScalingMetric.keda('prometheus', metadata),
      ScalingMetric.keda('aws-sqs-queue', { queueURL: 'https://sqs/orders' }, { authentication: 'orders-queue' }),
      ScalingMetric.cpu(70),
      ScalingMetric.memory(80),
    ];
    const manifests = synthesize({ replicas: { min: 3, max: 12, metrics, scaleDownAfter: '10m' } });
    expect(kinds(manifests).filter((name) => /^(HorizontalPodAutoscaler|ScaledObject)/.test(name))).toEqual([
      'ScaledObject/orders',
      'HorizontalPodAutoscaler/nginx',
    ]);
    const scaled = find(manifests, 'ScaledObject', 'orders');
    const { metadata: of } = find(manifests, 'Deployment', 'orders');
    expect(scaled).toMatchObject({
      apiVersion: 'keda.sh/v1alpha1',
      metadata: {
        namespace: of.namespace,
        labels: { 'app.kubernetes.io/instance': 'orders', 'app.kubernetes.io/component': 'api' },
        annotations: { 'scaledobject.keda.sh/transfer-hpa-ownership': 'true' },
      },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'orders' },
        minReplicaCount: 3,
        maxReplicaCount: 12,
        triggers: [
          { type: 'prometheus', metadata },
          {
            type: 'aws-sqs-queue',
            metadata: { queueURL: 'https://sqs/orders' },
            authenticationRef: { name: 'orders-queue' },
          },
          { type: 'cpu', metricType: 'Utilization', metadata: { value: '70', containerName: 'api' } },
          { type: 'memory', metricType: 'Utilization', metadata: { value: '80', containerName: 'api' } },
        ],
      },
    });
    const own = find(synthesize({ replicas: { scaleDownAfter: '10m' } }), 'HorizontalPodAutoscaler', 'orders');
    expect((scaled.spec as { advanced: object }).advanced).toEqual({
      horizontalPodAutoscalerConfig: { name: own.metadata.name, behavior: own.spec?.behavior },
    });
    expect(find(manifests, 'Deployment', 'orders').spec).not.toHaveProperty('replicas');
  });

  test('makes a ScaledObject in the shape of the CRD of KEDA', () => {
    const metrics = [
      ScalingMetric.keda('aws-sqs-queue', { queueURL: 'https://sqs/orders' }, { authentication: 'orders-queue' }),
      ScalingMetric.cpu(70),
      ScalingMetric.memory(80),
    ];
    const manifests = synthesize({ replicas: { metrics }, proxy: { replicas: { metrics } } });
    for (const name of ['orders', 'nginx']) {
      const scaled = find(manifests, 'ScaledObject', name);
      expect(schemaErrors('ScaledObject', scaled)).toEqual([]);
      expect(schemaErrors('ScaledObject', { spec: { ...scaled.spec, maxReplicas: 3 } })).not.toEqual([]);
    }
  });

  test('scales proxies as well, and can be patched', () => {
    const manifests = synthesize(
      { proxy: { replicas: { metrics: [ScalingMetric.keda('prometheus', metadata)] } } },
      ({ proxy }) => {
        if (proxy.autoscaler === undefined) throw new Error('it has none');
        ApiObject.of(proxy.autoscaler).addJsonPatch(JsonPatch.add('/spec/pollingInterval', 10));
      },
    );
    expect(find(manifests, 'ScaledObject', 'nginx').spec).toMatchObject({ minReplicaCount: 2, pollingInterval: 10 });
  });

  test.each<[string, () => unknown, string]>([
    [
      'beside a metric of the pods',
      () => synthesize({ replicas: { metrics: [ScalingMetric.pods('a', 1), ScalingMetric.keda('cron', {})] } }),
      'orders replicas.metrics: "ScalingMetric.pods" does not go with ScalingMetric.keda, which is another autoscaler: give it as a trigger of KEDA too, or take one out',
    ],
    [
      'for what the pods use',
      () => ScalingMetric.keda('cpu', { value: '70' }),
      'ScalingMetric.keda type: "cpu" is not a source outside of the pods: give ScalingMetric.cpu(70)',
    ],
    [
      'by no name of a scaler',
      () => ScalingMetric.keda('AWS SQS', {}),
      'ScalingMetric.keda type: "AWS SQS" is not the name of a scaler of KEDA: give one such as "prometheus"',
    ],
    [
      'with a number in its metadata',
      () => ScalingMetric.keda('cron', { desiredReplicas: 8 } as never),
      'ScalingMetric.keda metadata["desiredReplicas"]: 8 is not text: put it in quotes',
    ],
    [
      'with an option that is not there',
      () => ScalingMetric.keda('cron', {}, { auth: 'a' } as never),
      'ScalingMetric.keda auth: "a" is an option that does not exist: take it out',
    ],
    [
      'with a name that Kubernetes does not take',
      () => ScalingMetric.keda('cron', {}, { authentication: 'A_b' }),
      'ScalingMetric.keda authentication: "A_b" is not',
    ],
  ])('is refused %s', (_when, make, message) => {
    expect(make).toThrow(message);
  });
});

test.each([
  ['', 1, 'metric: "" is not the name of a metric: give one such as "http_requests_in_flight"'],
  ['a/b', 1, 'metric: "a/b" is not the name of a metric: give one such as "http_requests_in_flight"'],
  ...[0, -1, 0.0001, 1e10, '5', Number.NaN].map(
    (average) =>
      [
        'a',
        average,
        `average: ${typeof average === 'string' ? '"5"' : String(average)} is out of range: give a number from 0.001 to 1000000000, in thousandths`,
      ] as const,
  ),
] as const)('a metric of the pods refuses %j with %j', (metric, average, message) => {
  expect(() => ScalingMetric.pods(metric, average as number)).toThrow(`ScalingMetric.pods ${message}`);
});

test('nginx has room for as many pods as there can be', () => {
  expect(nginxConfOf(synthesize({ replicas: { max: 300 } }))).toContain('room for twice 300 instances');
  expect(nginxConfOf(synthesize({ replicas: 7 }))).toContain('room for twice 7 instances');
});
