import { App, Chart } from 'cdk8s';
import { ConfigMap, Env, EnvValue, Secret, ServiceAccount, Volume } from 'cdk8s-plus-27';
import type { BackendResources } from '../../../charts/backend-props';
import { LoadBalancedApi } from '../../../charts/load-balanced-api';
import type { PodOptions } from '../../../charts/pods/pod-options';
import { timeline } from '../../../model/timeline';
import { containerOf, find, podSpecOf, props, synthesize } from '../manifests';

const chart = (): Chart => new Chart(new App(), 'elsewhere');

describe('The container of the API', () => {
  test('is what was asked for', () => {
    const manifests = synthesize({
      image: 'registry.example.com:5000/orders@sha256:' + 'a'.repeat(64),
      port: 8000,
      command: ['node', 'server.js'],
      args: ['--verbose', '$(PORT)'],
      pods: { imagePullSecrets: ['registry', 'mirror.example.com'], imagePullPolicy: 'Always', user: 1000 },
    });
    expect(containerOf(manifests, 'orders')).toMatchObject({
      image: 'registry.example.com:5000/orders@sha256:' + 'a'.repeat(64),
      command: ['node', 'server.js'],
      args: ['--verbose', '$(PORT)'],
      imagePullPolicy: 'Always',
      ports: [{ name: 'http', containerPort: 8000 }],
      securityContext: { runAsUser: 1000, runAsNonRoot: true },
    });
    expect(podSpecOf(manifests, 'orders').imagePullSecrets).toEqual([
      { name: 'registry' },
      { name: 'mirror.example.com' },
    ]);
    expect(find(manifests, 'Service', 'orders').spec).toMatchObject({
      ports: [{ name: 'http', port: 8000, targetPort: 8000 }],
    });
  });

  test('has only what was asked for: the entry point, user and secrets are else those of the image', () => {
    const manifests = synthesize();
    const container = containerOf(manifests, 'orders');
    expect(container).not.toHaveProperty('command');
    expect(container).not.toHaveProperty('args');
    expect(container).not.toHaveProperty('envFrom');
    expect(container.securityContext).not.toHaveProperty('runAsUser');
    expect(podSpecOf(manifests, 'orders')).not.toHaveProperty('imagePullSecrets');
    expect(container.imagePullPolicy).toBe('IfNotPresent');
  });

  test('is told what nginx was told', () => {
    const { env } = containerOf(synthesize({ requestTimeout: '30s', port: 8000, keepAliveTimeout: '65s' }), 'orders');
    expect(env).toEqual([
      { name: 'PORT', value: '8000' },
      { name: 'KEEP_ALIVE_TIMEOUT_SECONDS', value: '65' },
      { name: 'REQUEST_TIMEOUT_SECONDS', value: '30' },
      {
        name: 'SHUTDOWN_TIMEOUT_SECONDS',
        value: String(timeline({ requestTimeout: '30s', keepAliveTimeout: '65s' }).apiShutdownTimeout),
      },
    ]);
  });

  test('gets environment variables, from text, Secrets and ConfigMaps, in the order given', () => {
    const scope = chart();
    const secret = Secret.fromSecretName(scope, 'Secret', 'database');
    const configMap = ConfigMap.fromConfigMapName(scope, 'ConfigMap', 'settings');
    const { env, envFrom } = containerOf(
      synthesize({
        environment: {
          ZONE: 'eu "west"\n$HOME',
          DATABASE_PASSWORD: EnvValue.fromSecretValue({ secret, key: 'password' }),
          APP_URL: 'http://$(ZONE)',
        },
        envFrom: [Env.fromConfigMap(configMap, 'APP_'), Env.fromSecret(secret)],
      }),
      'orders',
    );
    expect(env?.slice(4)).toEqual([
      { name: 'ZONE', value: 'eu "west"\n$HOME' },
      { name: 'DATABASE_PASSWORD', valueFrom: { secretKeyRef: { name: 'database', key: 'password' } } },
      { name: 'APP_URL', value: 'http://$(ZONE)' },
    ]);
    expect(envFrom).toEqual([
      { configMapRef: { name: 'settings' }, prefix: 'APP_' },
      { secretRef: { name: 'database' } },
    ]);
  });

  test('has probes on its port, each on the path that was given for it', () => {
    const container = containerOf(
      synthesize({ port: 8000, healthCheck: { path: '/up', liveness: '/livez', readiness: '/readyz' } }),
      'orders',
    );
    const probe = (path: string, periodSeconds: number, timeoutSeconds: number, failureThreshold: number): object => ({
      httpGet: { path, port: 8000, scheme: 'HTTP' },
      periodSeconds,
      timeoutSeconds,
      failureThreshold,
    });
    expect(container).toMatchObject({
      startupProbe: probe('/livez', 1, 2, 300),
      // A process that hung for a minute has nothing left to finish in its whole grace period.
      livenessProbe: { ...probe('/livez', 10, 5, 6), terminationGracePeriodSeconds: 5 },
      readinessProbe: probe('/readyz', 5, 2, 2),
    });
  });

  test.each([
    [{}, '/healthcheck'],
    [{ healthCheck: '/up' }, '/up'],
    [{ healthCheck: { path: '/up' } }, '/up'],
  ])('has one path for all probes when only one is given: %j', (given, path) => {
    const api = new LoadBalancedApi(new App(), 'orders', props(given));
    expect(api.backend.model.healthCheckPath).toBe(path);
    const container = containerOf(synthesize(given), 'orders');
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      expect(container[probe]).toMatchObject({ httpGet: { path } });
    }
  });

  test('can write to /tmp and to nothing else, unless volumes are mounted', () => {
    const scope = chart();
    const cache = Volume.fromEmptyDir(scope, 'Cache', 'cache');
    expect(containerOf(synthesize(), 'orders').volumeMounts).toEqual([{ name: 'tmp', mountPath: '/tmp' }]);

    const manifests = synthesize({ volumes: [{ path: '/var/cache/app', volume: cache }] });
    expect(containerOf(manifests, 'orders').volumeMounts).toEqual([
      { name: 'cache', mountPath: '/var/cache/app' },
      { name: 'tmp', mountPath: '/tmp' },
    ]);
    expect(podSpecOf(manifests, 'orders').volumes).toEqual([
      { name: 'cache', emptyDir: {} },
      { name: 'tmp', emptyDir: { sizeLimit: '1024Mi' } },
    ]);
  });

  test('has what was given at /tmp instead of our own', () => {
    const volume = Volume.fromEmptyDir(chart(), 'Scratch', 'scratch');
    const manifests = synthesize({ volumes: [{ path: '/tmp', volume }] });
    expect(containerOf(manifests, 'orders').volumeMounts).toEqual([{ name: 'scratch', mountPath: '/tmp' }]);
  });

  test.each(['/tmp/', '//tmp', '/tmp//x/..', '/./tmp'])(
    'has at /tmp what was given for %s, which is the same',
    (path) => {
      const volume = Volume.fromEmptyDir(chart(), 'Scratch', 'scratch');
      const manifests = synthesize({ volumes: [{ path, volume, readOnly: true }] });
      expect(containerOf(manifests, 'orders').volumeMounts).toEqual([
        { name: 'scratch', mountPath: '/tmp', readOnly: true },
      ]);
    },
  );
});

describe('Requests and limits', () => {
  const resourcesOf = (resources: BackendResources): unknown =>
    containerOf(synthesize({ resources }), 'orders').resources;

  test('are there when none are given', () => {
    expect(resourcesOf({})).toEqual({
      requests: { cpu: '500m', memory: '256Mi', 'ephemeral-storage': '64Mi' },
      limits: { cpu: '2', memory: '512Mi' },
    });
    expect(containerOf(synthesize(), 'orders').resources).toEqual(resourcesOf({}));
  });

  test('are what was given, to the letter', () => {
    expect(
      resourcesOf({ cpu: { request: '0.75', limit: '1500m' }, memory: { request: '500M', limit: '1.5Gi' } }),
    ).toMatchObject({
      requests: { cpu: '0.75', memory: '500M' },
      limits: { cpu: '1500m', memory: '1.5Gi' },
    });
  });

  test('follow each other when only one is given', () => {
    expect(resourcesOf({ cpu: { request: '3' }, memory: { request: '2Gi' } })).toMatchObject({
      requests: { cpu: '3', memory: '2Gi' },
      limits: { cpu: '3', memory: '2Gi' },
    });
    expect(resourcesOf({ cpu: { limit: '250m' }, memory: { limit: '128Mi' } })).toMatchObject({
      requests: { cpu: '250m', memory: '128Mi' },
      limits: { cpu: '250m', memory: '128Mi' },
    });
  });

  test('stay as they are when one is given that the other allows', () => {
    expect(resourcesOf({ cpu: { request: '1' }, memory: { limit: '1Gi' } })).toMatchObject({
      requests: { cpu: '1', memory: '256Mi' },
      limits: { cpu: '2', memory: '1Gi' },
    });
    expect(resourcesOf({ cpu: { request: '2' } })).toMatchObject({ requests: { cpu: '2' }, limits: { cpu: '2' } });
  });
});

describe.each(['orders', 'nginx'])('The pods of %s', (name) => {
  const podsOf = (pods: PodOptions): ReturnType<typeof synthesize> =>
    synthesize(name === 'orders' ? { pods } : { proxy: { pods } });
  const templateOf = (pods: PodOptions): unknown => find(podsOf(pods), 'Deployment', name).spec?.template;

  test('have nothing that was not asked for', () => {
    const spec = podSpecOf(synthesize(), name);
    for (const field of ['imagePullSecrets', 'serviceAccountName', 'priorityClassName']) {
      expect(spec).not.toHaveProperty(field);
    }
    expect(templateOf({})).not.toHaveProperty('metadata.annotations');
    expect(containerOf(synthesize(), name).imagePullPolicy).toBe('IfNotPresent');
  });

  test('run under an account, with a priority, secrets and annotations that were given', () => {
    const serviceAccount = ServiceAccount.fromServiceAccountName(chart(), 'Account', 'shop');
    const given = {
      user: 1000,
      serviceAccount,
      priorityClass: 'important',
      imagePullSecrets: ['registry'],
      imagePullPolicy: 'Never',
      annotations: { 'example.com/scrape': 'true' },
    } as const;
    expect(templateOf(given)).toMatchObject({
      metadata: { annotations: { 'example.com/scrape': 'true' } },
      spec: {
        serviceAccountName: 'shop',
        automountServiceAccountToken: false,
        priorityClassName: 'important',
        imagePullSecrets: [{ name: 'registry' }],
        containers: [{ imagePullPolicy: 'Never', securityContext: { runAsUser: 1000 } }],
      },
    });
  });

  test('leave those of the other Deployment as they are', () => {
    const other = name === 'orders' ? 'nginx' : 'orders';
    const given = podsOf({ user: 1000, imagePullSecrets: ['registry'], annotations: { a: 'b' } });
    expect(find(given, 'Deployment', other)).toEqual(find(synthesize(), 'Deployment', other));
  });

  test.each([
    [{}, 'DoNotSchedule', 'ScheduleAnyway'],
    [{ nodes: 'preferred' }, 'ScheduleAnyway', 'ScheduleAnyway'],
    [{ zones: 'required' }, 'DoNotSchedule', 'DoNotSchedule'],
    [{ nodes: 'required', zones: 'preferred' }, 'DoNotSchedule', 'ScheduleAnyway'],
  ] as const)('are spread as %j says', (spread, nodes, zones) => {
    expect(podSpecOf(podsOf({ spread }), name).topologySpreadConstraints).toMatchObject([
      { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: nodes },
      { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: zones },
    ]);
  });
});

test('the proxies run as the user that was given, with its group', () => {
  const manifests = synthesize({ proxy: { pods: { user: 1000 } } });
  expect(podSpecOf(manifests, 'nginx').securityContext).toMatchObject({
    runAsUser: 1000,
    runAsGroup: 1000,
    fsGroup: 1000,
  });
  expect(containerOf(manifests, 'nginx').securityContext).toMatchObject({ runAsUser: 1000, runAsGroup: 1000 });
});
