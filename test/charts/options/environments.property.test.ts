import { Certificate } from '../../../charts/proxy/certificate';
import { Exposure } from '../../../charts/proxy/exposure';
import { LoadBalancing, RequestKey } from '../../../model/load-balancing';
import { LoadBalancedApi, type LoadBalancedApiProps } from '../../../charts/load-balanced-api';
import { forEnvironment } from '../../../environments';
import { besideKeyPair, everyOption } from './every-option';
import { containerOf, find, nginxConfOf, podSpecOf, props, synthesize } from '../manifests';
import { saidWhenWritten } from '../said-when-written';

const variables = [
  'FAIRLEAD_ENVIRONMENT',
  'FAIRLEAD_API',
  'FAIRLEAD_OPTIONS',
  'FAIRLEAD_HTTP_PORT',
  'FAIRLEAD_HTTPS_PORT',
] as const;

type Environment = Partial<Record<(typeof variables)[number], string>>;

const options: LoadBalancedApiProps = {
  image: 'ghcr.io/acme/orders:1.4.2',
  port: 8000,
  host: 'orders.example.com',
  certificate: Certificate.fromSecret('orders-tls'),
  replicas: { min: 3, max: 12 },
};

function optionsIn(environment: Environment, main: LoadBalancedApiProps = options): LoadBalancedApiProps {
  Object.assign(process.env, environment);
  return forEnvironment(main);
}

/** The manifests of an environment; its certificate is made elsewhere, so that none is generated. */
function inEnvironment(environment: Environment, main?: LoadBalancedApiProps): ReturnType<typeof synthesize> {
  return synthesize({ ...optionsIn(environment, main), certificate: Certificate.fromSecret('orders-tls') });
}

beforeEach(() => {
  for (const variable of variables) Reflect.deleteProperty(process.env, variable);
});

afterAll(() => {
  for (const variable of variables) Reflect.deleteProperty(process.env, variable);
});

test('production is what main.ts says, behind a load balancer, without diagnostic endpoints', () => {
  expect(optionsIn({})).toEqual(options);
  const manifests = inEnvironment({});
  expect(manifests).toEqual(inEnvironment({ FAIRLEAD_ENVIRONMENT: 'production' }));
  expect(find(manifests, 'Service', 'nginx').spec).toMatchObject({
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
  });
  expect(containerOf(manifests, 'nginx').lifecycle.preStop.sleep.seconds).toBe(30);
  expect(find(manifests, 'HorizontalPodAutoscaler', 'orders').spec).toMatchObject({ minReplicas: 3, maxReplicas: 12 });
  expect(containerOf(manifests, 'orders').image).toBe('ghcr.io/acme/orders:1.4.2');
  expect(nginxConfOf(manifests)).toContain('server_name orders.example.com');
  expect(JSON.stringify(manifests)).not.toContain('DIAGNOSTIC_ENDPOINTS');
});

describe('kind', () => {
  test('says nothing of its self-signed certificate', () => {
    const main = optionsIn({ FAIRLEAD_ENVIRONMENT: 'kind' }, { image: 'orders:1', host: 'orders.example.com' });
    const said = saidWhenWritten((app) => {
      const api = new LoadBalancedApi(app, 'api', main);
      api.proxy.addHost('shop.example.com').addRoute('/', api.backend);
    });
    expect(said).toBe('');
  });

  test('is the example API on ports of this machine, with diagnostic endpoints', () => {
    const manifests = inEnvironment({ FAIRLEAD_ENVIRONMENT: 'kind' });
    expect(find(manifests, 'Service', 'nginx').spec).toMatchObject({
      type: 'NodePort',
      ports: [
        { port: 8080, nodePort: 30_080 },
        { port: 8443, nodePort: 30_443 },
      ],
    });
    const container = containerOf(manifests, 'orders');
    expect(container).toMatchObject({
      image: 'fairlead-api:dev',
      ports: [{ containerPort: 3000 }],
      livenessProbe: { httpGet: { path: '/livez' } },
      readinessProbe: { httpGet: { path: '/readyz' } },
      resources: { requests: { cpu: '250m' } },
    });
    expect(container.env).toContainEqual({ name: 'DIAGNOSTIC_ENDPOINTS', value: 'true' });
    expect(container.env).toContainEqual({ name: 'KEEP_ALIVE_TIMEOUT_SECONDS', value: '65' });
    // CoreDNS keeps nothing: 0 + 5 + 1 s of discovery, and 2 s more.
    expect(container.lifecycle.preStop.sleep.seconds).toBe(8);
    expect(containerOf(manifests, 'nginx').lifecycle.preStop.sleep.seconds).toBe(5);
    expect(find(manifests, 'HorizontalPodAutoscaler', 'orders').spec).toMatchObject({
      minReplicas: 2,
      maxReplicas: 6,
      behavior: { scaleDown: { stabilizationWindowSeconds: 30 } },
    });
    expect(find(manifests, 'HorizontalPodAutoscaler', 'nginx').spec).toMatchObject({
      minReplicas: 2,
      maxReplicas: 4,
      behavior: { scaleDown: { stabilizationWindowSeconds: 30 } },
    });
    const conf = nginxConfOf(manifests);
    expect(conf).toContain('server_name localhost');
    expect(conf).toContain(':8443$request_uri');
    expect(conf).not.toContain('Strict-Transport-Security');
  });

  test('has a certificate of its own making, whatever that of main.ts is', () => {
    const { certificate } = optionsIn({ FAIRLEAD_ENVIRONMENT: 'kind' });
    expect(certificate?.source).toEqual({ kind: 'selfSigned' });
  });

  test('is the API of main.ts on ports of this machine, when it is asked for', () => {
    const manifests = inEnvironment(
      { FAIRLEAD_ENVIRONMENT: 'kind', FAIRLEAD_API: 'own' },
      {
        ...options,
        command: ['./orders'],
        healthCheck: '/up',
      },
    );
    expect(containerOf(manifests, 'orders')).toMatchObject({
      image: 'ghcr.io/acme/orders:1.4.2',
      command: ['./orders'],
      ports: [{ containerPort: 8000 }],
      livenessProbe: { httpGet: { path: '/up' } },
    });
    expect(JSON.stringify(manifests)).not.toContain('DIAGNOSTIC_ENDPOINTS');
    expect(find(manifests, 'Service', 'nginx').spec?.type).toBe('NodePort');
    expect(find(manifests, 'HorizontalPodAutoscaler', 'orders').spec).toMatchObject({ minReplicas: 2, maxReplicas: 6 });
  });

  test('works with whatever main.ts says of the cloud', () => {
    const manifests = inEnvironment(
      { FAIRLEAD_ENVIRONMENT: 'kind' },
      {
        image: 'ghcr.io/acme/orders:1.4.2',
        command: ['./orders'],
        pods: { imagePullSecrets: ['registry'] },
        resources: { memory: { request: '64Gi' } },
        replicas: 3,
        exposure: Exposure.loadBalancer({
          loadBalancerClass: 'service.k8s.aws/nlb',
          sourceRanges: ['192.0.2.0/24'],
          externalTrafficPolicy: 'Local',
        }),
        loadBalancing: LoadBalancing.hash(RequestKey.cookie('session')),
        proxy: {
          replicas: 2,
          image: 'registry.example.com/nginx:1.30.6',
          additionalHosts: ['www.example.com'],
          resources: { memory: { request: '8Gi' } },
          strictTransportSecurity: { maxAge: '365d', includeSubDomains: true },
          gzip: false,
        },
        namespace: {
          resolvers: ['10.0.0.10'],
          clusterDomain: 'corp.example.com',
          ipFamilies: ['IPv6'],
          labels: { team: 'orders' },
        },
      },
    );
    expect(find(manifests, 'HorizontalPodAutoscaler', 'orders').spec).toMatchObject({ minReplicas: 2, maxReplicas: 6 });
    expect(containerOf(manifests, 'orders')).not.toHaveProperty('command');
    expect(containerOf(manifests, 'orders').resources.requests).toMatchObject({ cpu: '250m', memory: '256Mi' });
    expect(podSpecOf(manifests, 'orders')).not.toHaveProperty('imagePullSecrets');
    expect(containerOf(manifests, 'nginx').resources.requests).toMatchObject({ cpu: '100m', memory: '64Mi' });
    expect(containerOf(manifests, 'nginx').image).toBe('nginx:1.30');
    expect(find(manifests, 'Namespace', 'orders').metadata.labels).toMatchObject({ team: 'orders' });
    expect(find(manifests, 'Service', 'orders').spec).not.toHaveProperty('ipFamilies');
    const conf = nginxConfOf(manifests);
    expect(conf).not.toContain('www.example.com');
    expect(conf).not.toContain('corp.example.com');
    expect(conf).toContain('resolver kube-dns.kube-system.svc.cluster.local');
    expect(conf).toContain('hash $cookie_session consistent');
    expect(conf).not.toContain('gzip on');
    // HSTS for localhost would hold for every other project of the machine.
    expect(conf).not.toContain('Strict-Transport-Security');
  });

  test('redirects to the port that was published', () => {
    const manifests = inEnvironment({
      FAIRLEAD_ENVIRONMENT: 'kind',
      FAIRLEAD_HTTP_PORT: '9080',
      FAIRLEAD_HTTPS_PORT: '9443',
    });
    expect(nginxConfOf(manifests)).toContain(':9443$request_uri');
    expect(find(manifests, 'Service', 'nginx').spec).toMatchObject({ ports: [{ port: 9080 }, { port: 9443 }] });
  });

  test.each(['0', '65536', 'https', '', '1e3', '123456'])('refuses a published port of %j', (value) => {
    expect(() => optionsIn({ FAIRLEAD_ENVIRONMENT: 'kind', FAIRLEAD_HTTP_PORT: value })).toThrow(
      new Error(`FAIRLEAD_HTTP_PORT: ${JSON.stringify(value)} is not a port: give a whole number from 1 to 65535`),
    );
  });

  test.each(['1', '65535'])('takes a published port of %j', (value) => {
    const { exposure } = optionsIn({ FAIRLEAD_ENVIRONMENT: 'kind', FAIRLEAD_HTTPS_PORT: value });
    expect(exposure?.model).toMatchObject({ httpPort: 8080, httpsPort: Number(value) });
  });
});

test('an unknown environment is refused', () => {
  expect(() => optionsIn({ FAIRLEAD_ENVIRONMENT: 'staging' })).toThrow(
    new Error('FAIRLEAD_ENVIRONMENT: "staging" is unknown: give one of production, kind'),
  );
});

describe('FAIRLEAD_OPTIONS', () => {
  const withOptions = (changes: object, main?: LoadBalancedApiProps): LoadBalancedApiProps =>
    optionsIn({ FAIRLEAD_OPTIONS: JSON.stringify(changes) }, main);

  test('changes some options, and in a group only those that it has', () => {
    expect(
      withOptions(
        { requestTimeout: '5s', proxy: { gzip: false, clients: { maxRequests: 50 } }, namespace: { name: 'shop' } },
        { ...options, proxy: { replicas: 2, clients: { maxConnections: 500, maxRequests: 100 } } },
      ),
    ).toEqual({
      ...options,
      requestTimeout: '5s',
      proxy: { replicas: 2, gzip: false, clients: { maxConnections: 500, maxRequests: 50 } },
      namespace: { name: 'shop' },
    });
  });

  test('puts a number in place of bounds, bounds in place of a number, and a list in place of another', () => {
    expect(withOptions({ replicas: 2 }).replicas).toBe(2);
    expect(withOptions({ replicas: { max: 3 } }).replicas).toEqual({ min: 3, max: 3 });
    expect(withOptions({ replicas: { max: 3 } }, { ...options, replicas: 5 }).replicas).toEqual({ max: 3 });
    expect(withOptions({ args: ['b'] }, { ...options, args: ['a', 'c'] }).args).toEqual(['b']);
  });

  test('puts what it has in place of what a factory made', () => {
    expect(withOptions({ certificate: { kind: 'secret' } }).certificate).toEqual({ kind: 'secret' });
  });

  test('changes those of every environment', () => {
    const changed = optionsIn({
      FAIRLEAD_ENVIRONMENT: 'kind',
      FAIRLEAD_OPTIONS: '{"replicas":{"max":3},"requestTimeout":"5s"}',
    });
    expect(changed).toMatchObject({
      image: 'fairlead-api:dev',
      replicas: { min: 2, max: 3, scaleDownAfter: '30s' },
      requestTimeout: '5s',
    });
  });

  test('is looked at as every other option', () => {
    expect(() => synthesize(withOptions({ proxy: { gzip: 'no' } }))).toThrow(
      new Error('orders proxy.gzip: "no" is neither true nor false: give one of them'),
    );
  });

  test.each(['{', '', 'requestTimeout=5s', "{'requestTimeout':'5s'}"])('is refused if it is not JSON: %s', (text) => {
    expect(() => optionsIn({ FAIRLEAD_OPTIONS: text })).toThrow(
      new Error(
        `FAIRLEAD_OPTIONS: ${JSON.stringify(text)} is not JSON: give an object of options, such as {"requestTimeout":"5s"}`,
      ),
    );
  });

  test.each(['5', 'null', '["a"]', '"a"'])('is refused if it is no object: %s', (text) => {
    expect(() => optionsIn({ FAIRLEAD_OPTIONS: text })).toThrow(
      new Error(
        `FAIRLEAD_OPTIONS: ${text} is not an object with names and values: give one, such as {"requestTimeout":"5s"}`,
      ),
    );
  });
});

describe('Whatever one option main.ts has, it can be synthesized', () => {
  besideKeyPair();

  test.each([
    { FAIRLEAD_ENVIRONMENT: 'production' },
    { FAIRLEAD_ENVIRONMENT: 'kind' },
    { FAIRLEAD_ENVIRONMENT: 'kind', FAIRLEAD_API: 'own' },
  ])('with %j', (environment) => {
    const refused = everyOption.flatMap(({ name, values, given }) =>
      values.flatMap((value) => {
        try {
          synthesize(optionsIn(environment, props(given(value))));
          return [];
        } catch (error) {
          return [`${name} ${JSON.stringify(value)}: ${String(error)}`];
        }
      }),
    );
    expect(refused).toEqual([]);
  });
});
