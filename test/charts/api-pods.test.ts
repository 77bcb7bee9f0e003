import { App, Chart } from 'cdk8s';
import { ConfigMap, Env, EnvValue, Secret, Volume } from 'cdk8s-plus-27';
import { timeline } from '../../model/timeline';
import { containerOf, find, podSpecOf, synthesize } from './manifests';

const chart = (): Chart => new Chart(new App(), 'elsewhere');

describe('The container of the API', () => {
  test('is what was asked for', () => {
    const manifests = synthesize({
      container: {
        image: 'registry.example.com:5000/orders@sha256:' + 'a'.repeat(64),
        port: 8000,
        command: ['node', 'server.js'],
        args: ['--verbose', '$(PORT)'],
        imagePullSecrets: ['registry', 'mirror.example.com'],
        imagePullPolicy: 'Always',
        user: 1000,
      },
    });
    expect(containerOf(manifests, 'api')).toMatchObject({
      image: 'registry.example.com:5000/orders@sha256:' + 'a'.repeat(64),
      command: ['node', 'server.js'],
      args: ['--verbose', '$(PORT)'],
      imagePullPolicy: 'Always',
      ports: [{ name: 'http', containerPort: 8000 }],
      securityContext: { runAsUser: 1000, runAsNonRoot: true },
    });
    expect(podSpecOf(manifests, 'api').imagePullSecrets).toEqual([
      { name: 'registry' },
      { name: 'mirror.example.com' },
    ]);
    expect(find(manifests, 'Service', 'api').spec).toMatchObject({
      ports: [{ name: 'http', port: 8000, targetPort: 8000 }],
    });
  });

  test('has only what was asked for: the entry point, user and secrets are else those of the image', () => {
    const manifests = synthesize();
    const container = containerOf(manifests, 'api');
    expect(container).not.toHaveProperty('command');
    expect(container).not.toHaveProperty('args');
    expect(container).not.toHaveProperty('envFrom');
    expect(container.securityContext).not.toHaveProperty('runAsUser');
    expect(podSpecOf(manifests, 'api')).not.toHaveProperty('imagePullSecrets');
    expect(container.imagePullPolicy).toBe('IfNotPresent');
  });

  test('is told what nginx was told', () => {
    const { env } = containerOf(
      synthesize({ requestTimeout: '30s', container: { port: 8000, keepAliveTimeout: '65s' } }),
      'api',
    );
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
        container: {
          environment: {
            ZONE: 'eu "west"\n$HOME',
            DATABASE_PASSWORD: EnvValue.fromSecretValue({ secret, key: 'password' }),
            APP_URL: 'http://$(ZONE)',
          },
          envFrom: [Env.fromConfigMap(configMap, 'APP_'), Env.fromSecret(secret)],
        },
      }),
      'api',
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
      synthesize({
        container: { port: 8000, healthCheckPath: '/up', livenessPath: '/livez', readinessPath: '/readyz' },
      }),
      'api',
    );
    expect(container).toMatchObject({
      startupProbe: {
        httpGet: { path: '/livez', port: 8000, scheme: 'HTTP' },
        periodSeconds: 1,
        failureThreshold: 300,
      },
      // A process that hung for a minute has nothing left to finish in its whole grace period.
      livenessProbe: { httpGet: { path: '/livez', port: 8000, scheme: 'HTTP' }, terminationGracePeriodSeconds: 5 },
      readinessProbe: { httpGet: { path: '/readyz', port: 8000, scheme: 'HTTP' } },
    });
  });

  test('has one path for all probes when only healthCheckPath is given', () => {
    for (const path of ['/healthcheck', '/up']) {
      const container = containerOf(synthesize(path === '/up' ? { container: { healthCheckPath: path } } : {}), 'api');
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
        expect(container[probe]).toMatchObject({ httpGet: { path } });
      }
    }
  });

  test('can write to /tmp and to nothing else, unless volumes are mounted', () => {
    const scope = chart();
    const cache = Volume.fromEmptyDir(scope, 'Cache', 'cache');
    expect(containerOf(synthesize(), 'api').volumeMounts).toEqual([{ name: 'tmp', mountPath: '/tmp' }]);

    const manifests = synthesize({ container: { volumes: [{ path: '/var/cache/app', volume: cache }] } });
    expect(containerOf(manifests, 'api').volumeMounts).toEqual([
      { name: 'cache', mountPath: '/var/cache/app' },
      { name: 'tmp', mountPath: '/tmp' },
    ]);
    expect(podSpecOf(manifests, 'api').volumes).toEqual([
      { name: 'cache', emptyDir: {} },
      { name: 'tmp', emptyDir: { sizeLimit: '1024Mi' } },
    ]);
  });

  test('has what was given at /tmp instead of our own', () => {
    const volume = Volume.fromEmptyDir(chart(), 'Scratch', 'scratch');
    const manifests = synthesize({ container: { volumes: [{ path: '/tmp', volume }] } });
    expect(containerOf(manifests, 'api').volumeMounts).toEqual([{ name: 'scratch', mountPath: '/tmp' }]);
  });

  test.each(['/tmp/', '//tmp', '/tmp//x/..', '/./tmp'])(
    'has at /tmp what was given for %s, which is the same',
    (path) => {
      const volume = Volume.fromEmptyDir(chart(), 'Scratch', 'scratch');
      const manifests = synthesize({ container: { volumes: [{ path, volume, readOnly: true }] } });
      expect(containerOf(manifests, 'api').volumeMounts).toEqual([
        { name: 'scratch', mountPath: '/tmp', readOnly: true },
      ]);
    },
  );
});

describe('Requests and limits', () => {
  const resourcesOf = (container: object): unknown => containerOf(synthesize({ container }), 'api').resources;

  test('are there when none are given', () => {
    expect(resourcesOf({})).toEqual({
      requests: { cpu: '500m', memory: '256Mi', 'ephemeral-storage': '64Mi' },
      limits: { cpu: '2', memory: '512Mi' },
    });
  });

  test('are what was given, to the letter', () => {
    expect(
      resourcesOf({ cpuRequest: '0.75', cpuLimit: '1500m', memoryRequest: '500M', memoryLimit: '1.5Gi' }),
    ).toMatchObject({
      requests: { cpu: '0.75', memory: '500M' },
      limits: { cpu: '1500m', memory: '1.5Gi' },
    });
  });

  test('follow each other when only one is given', () => {
    expect(resourcesOf({ cpuRequest: '3', memoryRequest: '2Gi' })).toMatchObject({
      requests: { cpu: '3', memory: '2Gi' },
      limits: { cpu: '3', memory: '2Gi' },
    });
    expect(resourcesOf({ cpuLimit: '250m', memoryLimit: '128Mi' })).toMatchObject({
      requests: { cpu: '250m', memory: '128Mi' },
      limits: { cpu: '250m', memory: '128Mi' },
    });
  });
});
