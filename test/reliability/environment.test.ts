import { App } from 'cdk8s';
import { LoadBalancedApi, type LoadBalancedApiProps } from '../../charts/load-balanced-api';
import { forEnvironment } from '../../environments';
import { Retries } from '../../model/routes/route-options';
import { fixedOptions } from '../../reliability/environment';
import { props } from '../charts/manifests';
import { besideKeyPair, everyOption } from '../charts/options/every-option';

const variables = ['FAIRLEAD_ENVIRONMENT', 'FAIRLEAD_API', 'FAIRLEAD_OPTIONS'] as const;

afterEach(() => {
  for (const name of variables) Reflect.deleteProperty(process.env, name);
});

function deployed(props: LoadBalancedApiProps, options: object): LoadBalancedApi {
  Object.assign(process.env, {
    FAIRLEAD_ENVIRONMENT: 'kind',
    FAIRLEAD_API: 'own',
    FAIRLEAD_OPTIONS: JSON.stringify(options),
  });
  return new LoadBalancedApi(new App(), 'api', forEnvironment(props));
}

/** What a run makes of a main.ts. */
function standard(props: Omit<LoadBalancedApiProps, 'image'>): LoadBalancedApi {
  const main = { image: 'ghcr.io/acme/orders:1.4.2', ...props };
  return deployed(main, fixedOptions(deployed(main, {})));
}

test('a run has fixed numbers of pods, and times that it has the patience for', () => {
  const { backend, proxy, route } = standard({ replicas: { min: 3, max: 12 }, requestTimeout: '60s' });
  expect(backend.settings.replicas).toEqual({ fixed: 4 });
  expect(proxy.settings.replicas).toEqual({ fixed: 2 });
  expect(backend.timeline.requestTimeout).toBe(20);
  expect(route.timeline.longestWaitOnHungPods).toBeLessThan(70);
  expect(proxy.settings.cpu).toEqual({ request: '250m', limit: '2' });
});

describe('What main.ts says beside them is not refused', () => {
  const connectTimeout = (props: Omit<LoadBalancedApiProps, 'image'>) => standard(props).route.timeline.connectTimeout;

  test('a longer connectTimeout', () => {
    expect(connectTimeout({ route: { connectTimeout: '30s' } })).toBe(30);
    expect(standard({ route: { connectTimeout: '30s' } }).backend.timeline.requestTimeout).toBe(30);
  });

  test('a requestTimeout of the route, and a time for retries', () => {
    const route = { requestTimeout: '45s', retries: Retries.safe({ timeout: '10s' }) } as const;
    const made = standard({ route });
    expect(made.backend.timeline.requestTimeout).toBe(45);
    expect(made.route.timeline).toMatchObject({ requestTimeout: 45, nextUpstreamTimeout: 10 });
  });

  test('limits of the proxy that are less than what it would request', () => {
    const { proxy } = standard({ proxy: { resources: { cpu: { limit: '80m' }, memory: { limit: '400Mi' } } } });
    expect(proxy.settings.cpu).toEqual({ request: '80m', limit: '80m' });
    expect(proxy.settings.memory).toEqual({ request: '64Mi', limit: '400Mi' });
  });

  test('what clients may take of a proxy with more memory', () => {
    const resources = { memory: { request: '2Gi', limit: '4Gi' }, temporaryStorage: '16Gi' };
    const { proxy } = standard({ proxy: { clients: { maxConnections: 20_000, maxRequests: 3000 }, resources } });
    expect(proxy.settings.memory).toEqual({ request: '64Mi', limit: '4Gi' });
    expect(proxy.budget).toMatchObject({ connections: 20_000, requests: 3000 });
  });
});

describe('Whatever one option main.ts has, a run can deploy it', () => {
  besideKeyPair();

  test('with its fixed numbers', () => {
    const refused = everyOption.flatMap(({ name, values, given }) =>
      values.flatMap((value) => {
        try {
          const { backend, proxy } = standard(props(given(value)));
          expect([backend.settings.replicas, proxy.settings.replicas]).toEqual([{ fixed: 4 }, { fixed: 2 }]);
          return proxy.model.hosts.length > 0 ? [] : [`${name}: no host`];
        } catch (error) {
          return [`${name} ${JSON.stringify(value)}: ${String(error)}`];
        }
      }),
    );
    expect(refused).toEqual([]);
  });
});

test('a change of a scenario is merged with them, group by group', () => {
  const { proxy, backend } = deployed(
    { image: 'ghcr.io/acme/orders:1.4.2' },
    { replicas: { min: 4, max: 6 }, proxy: { clients: { unlimited: [] } } },
  );
  expect(backend.settings.replicas).toMatchObject({ min: 4, max: 6 });
  expect(proxy.settings.clients).toMatchObject({ unlimited: [], maxConnections: undefined });
  expect(proxy.settings.cpu).toMatchObject({ request: '100m' });
});
