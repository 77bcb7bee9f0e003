import type { LoadBalancedApiProps } from '../../charts/load-balanced-api-props';
import { forEnvironment } from '../../environments';
import { besideKeyPair, everyOption } from './every-option';
import { containerOf, find, nginxConfOf, props, synthesize } from './manifests';

const variables = ['FAIRLEAD_ENVIRONMENT', 'FAIRLEAD_API', 'FAIRLEAD_HTTP_PORT', 'FAIRLEAD_HTTPS_PORT'] as const;

const options: LoadBalancedApiProps = {
  container: { image: 'ghcr.io/acme/orders:1.4.2', port: 8000 },
  host: 'orders.example.com',
  minReplicas: 3,
  maxReplicas: 12,
};

function inEnvironment(
  environment: Partial<Record<(typeof variables)[number], string>>,
  main: LoadBalancedApiProps = options,
): ReturnType<typeof synthesize> {
  Object.assign(process.env, environment);
  return synthesize(forEnvironment(main));
}

beforeEach(() => {
  for (const variable of variables) Reflect.deleteProperty(process.env, variable);
});

test('production is what main.ts says, behind a load balancer, without diagnostic endpoints', () => {
  const manifests = inEnvironment({});
  expect(manifests).toEqual(inEnvironment({ FAIRLEAD_ENVIRONMENT: 'production' }));
  expect(find(manifests, 'Service', 'nginx').spec).toMatchObject({
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
  });
  expect(containerOf(manifests, 'nginx').lifecycle.preStop.sleep.seconds).toBe(30);
  expect(find(manifests, 'HorizontalPodAutoscaler', 'api').spec).toMatchObject({ minReplicas: 3, maxReplicas: 12 });
  expect(containerOf(manifests, 'api').image).toBe('ghcr.io/acme/orders:1.4.2');
  expect(nginxConfOf(manifests)).toContain('server_name orders.example.com');
  expect(JSON.stringify(manifests)).not.toContain('DIAGNOSTIC_ENDPOINTS');
});

test('kind is the example API on ports of this machine, with diagnostic endpoints', () => {
  const manifests = inEnvironment({ FAIRLEAD_ENVIRONMENT: 'kind' });
  expect(find(manifests, 'Service', 'nginx').spec).toMatchObject({
    type: 'NodePort',
    ports: [
      { port: 8080, nodePort: 30_080 },
      { port: 8443, nodePort: 30_443 },
    ],
  });
  const container = containerOf(manifests, 'api');
  expect(container).toMatchObject({ image: 'fairlead-api:dev', ports: [{ containerPort: 3000 }] });
  expect(container.env).toContainEqual({ name: 'DIAGNOSTIC_ENDPOINTS', value: 'true' });
  const conf = nginxConfOf(manifests);
  expect(conf).toContain('server_name localhost');
  expect(conf).toContain(':8443$request_uri');
  expect(conf).not.toContain('Strict-Transport-Security');
});

test('kind works with whatever main.ts says of the cloud', () => {
  const manifests = inEnvironment(
    { FAIRLEAD_ENVIRONMENT: 'kind' },
    {
      container: { image: 'ghcr.io/acme/orders:1.4.2', command: ['./orders'], imagePullSecrets: ['registry'] },
      replicas: 3,
      proxyReplicas: 2,
      loadBalancerClass: 'service.k8s.aws/nlb',
      loadBalancerSourceRanges: ['192.0.2.0/24'],
      externalTrafficPolicy: 'Local',
      resolvers: ['10.0.0.10'],
      hstsMaxAge: '365d',
      proxyMemoryRequest: '8Gi',
      labels: { team: 'orders' },
    },
  );
  expect(find(manifests, 'HorizontalPodAutoscaler', 'api').spec).toMatchObject({ minReplicas: 2, maxReplicas: 6 });
  expect(containerOf(manifests, 'api')).not.toHaveProperty('command');
  expect(containerOf(manifests, 'nginx').resources.requests).toMatchObject({ memory: '64Mi' });
  expect(find(manifests, 'Namespace', 'orders').metadata.labels).toMatchObject({ team: 'orders' });
  // HSTS for localhost would hold for every other project of the machine.
  expect(nginxConfOf(manifests)).not.toContain('Strict-Transport-Security');
});

test('kind redirects to the port that was published', () => {
  const manifests = inEnvironment({
    FAIRLEAD_ENVIRONMENT: 'kind',
    FAIRLEAD_HTTP_PORT: '9080',
    FAIRLEAD_HTTPS_PORT: '9443',
  });
  expect(nginxConfOf(manifests)).toContain(':9443$request_uri');
  expect(find(manifests, 'Service', 'nginx').spec).toMatchObject({ ports: [{ port: 9080 }, { port: 9443 }] });
});

test('an unknown environment is refused', () => {
  expect(() => inEnvironment({ FAIRLEAD_ENVIRONMENT: 'staging' })).toThrow(
    'FAIRLEAD_ENVIRONMENT: "staging" is unknown: give one of production, kind',
  );
});

test.each(['0', '65536', 'https', ''])('a published port of %j is refused', (value) => {
  expect(() => inEnvironment({ FAIRLEAD_ENVIRONMENT: 'kind', FAIRLEAD_HTTP_PORT: value })).toThrow(
    `FAIRLEAD_HTTP_PORT: ${JSON.stringify(value)} is not a port: give a whole number from 1 to 65535`,
  );
});

describe('Whatever one option main.ts has, it can be synthesized', () => {
  besideKeyPair();

  test.each([
    { FAIRLEAD_ENVIRONMENT: 'production' },
    { FAIRLEAD_ENVIRONMENT: 'kind' },
    { FAIRLEAD_ENVIRONMENT: 'reliability' },
    { FAIRLEAD_ENVIRONMENT: 'reliability', FAIRLEAD_API: 'own' },
  ])('with %j', (environment) => {
    const refused = everyOption.flatMap(([option, given]) => {
      try {
        inEnvironment(environment, props(given));
        return [];
      } catch (error) {
        return [`${option} ${JSON.stringify(given)}: ${String(error)}`];
      }
    });
    expect(refused).toEqual([]);
  });
});
