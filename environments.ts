import type { BackendProps } from './charts/backend-props';
import { Certificate } from './charts/proxy/certificate';
import { Exposure } from './charts/proxy/exposure';
import type { LoadBalancedApiProps } from './charts/load-balanced-api';
import type { ProxyResources } from './charts/proxy/nginx-proxy-props';
import { cpus } from './validation/amounts';
import { record } from './validation/collections';
import { InvalidOption } from './validation/invalid-option';
import { oneOf } from './validation/names';

/** What each environment makes of the options in main.ts. */
const environments = {
  /** The options as they are, behind the cloud's load balancer. */
  production: (props: LoadBalancedApiProps): LoadBalancedApiProps => props,

  /** A cluster on this machine: the example API, on ports of localhost, small enough for a laptop. */
  kind: (props: LoadBalancedApiProps): LoadBalancedApiProps => ({
    ...(process.env.FAIRLEAD_API === 'own' ? props : exampleApi(props)),
    host: 'localhost',
    certificate: Certificate.selfSigned(),
    exposure: Exposure.nodePort({
      httpNodePort: 30_080,
      httpsNodePort: 30_443,
      httpPort: publishedPort('FAIRLEAD_HTTP_PORT', 8080),
      httpsPort: publishedPort('FAIRLEAD_HTTPS_PORT', 8443),
    }),
    replicas: { min: 2, max: 6, scaleDownAfter: '30s' },
    proxy: {
      ...without(props.proxy, ['additionalHosts', 'image', 'strictTransportSecurity']),
      replicas: { min: 2, max: 4, scaleDownAfter: '30s' },
      resources: smallRequests(props.proxy?.resources),
    },
    namespace: {
      ...without(props.namespace, ['clusterDomain', 'ipFamilies', 'resolvers']),
      // CoreDNS as kubeadm sets it up since Kubernetes 1.32 keeps nothing.
      dnsCacheTtl: '0s',
    },
  }),
};

/** With the limits of main.ts, as what clients may take was chosen for them. */
function smallRequests(resources: ProxyResources = {}): ProxyResources {
  const { cpu } = resources;
  return {
    ...resources,
    cpu: { ...cpu, request: atMost('100m', cpu?.limit) },
    memory: without(resources.memory, ['request']),
  };
}

/** A number of CPUs that no limit forbids. */
export function atMost(request: string, limit: string | undefined): string {
  return limit !== undefined && cpus('proxy.resources.cpu.limit', limit) < cpus('request', request) ? limit : request;
}

/** fairlead's own API, with its diagnostic endpoints. */
export const exampleBackend: BackendProps = {
  image: 'fairlead-api:dev',
  environment: { DIAGNOSTIC_ENDPOINTS: 'true' },
  keepAliveTimeout: '65s',
  healthCheck: { liveness: '/livez', readiness: '/readyz' },
  resources: { cpu: { request: '250m' } },
};

/** It in place of that of main.ts, which this machine may have no image of. */
function exampleApi(props: LoadBalancedApiProps): LoadBalancedApiProps {
  return { ...without(props, ['args', 'command', 'envFrom', 'pods', 'port', 'volumes']), ...exampleBackend };
}

/**
 * The options of main.ts for the environment that FAIRLEAD_ENVIRONMENT names: production unless it is set. FAIRLEAD_OPTIONS, as JSON,
 * changes some of them for one run: `FAIRLEAD_OPTIONS='{"requestTimeout":"5s"}' npm run kind:up`.
 */
export function forEnvironment(props: LoadBalancedApiProps): LoadBalancedApiProps {
  const names = Object.keys(environments) as (keyof typeof environments)[];
  const name = oneOf('FAIRLEAD_ENVIRONMENT', process.env.FAIRLEAD_ENVIRONMENT ?? 'production', names);
  return merged(environments[name](props), changes());
}

function changes(): Readonly<Record<string, unknown>> {
  const text = process.env.FAIRLEAD_OPTIONS ?? '{}';
  const example = '{"requestTimeout":"5s"}';
  try {
    return record('FAIRLEAD_OPTIONS', JSON.parse(text), example);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InvalidOption('FAIRLEAD_OPTIONS', text, `is not JSON: give an object of options, such as ${example}`);
  }
}

/** The options with others over them; groups are merged option by option. */
export function merged<Options extends object>(options: Options, over: Readonly<Record<string, unknown>>): Options {
  const given = options as Readonly<Record<string, unknown>>;
  const each = Object.entries(over).map(([option, value]) => {
    const before = given[option];
    return [option, isGroup(before) && isGroup(value) ? merged(before, value) : value];
  });
  return { ...options, ...(Object.fromEntries(each) as object) };
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function without<Options extends object>(options: Options | undefined, names: readonly (keyof Options)[]): Options {
  const entries = Object.entries(options ?? {}).filter(([option]) => !(names as readonly string[]).includes(option));
  return Object.fromEntries(entries) as Options;
}

/** `npm run kind:up` may publish other ports, which the redirect to HTTPS has to name. */
function publishedPort(variable: string, otherwise: number): number {
  const value = process.env[variable];
  if (value === undefined) return otherwise;
  const port = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (port < 1 || port > 65_535) {
    throw new InvalidOption(variable, value, 'is not a port: give a whole number from 1 to 65535');
  }
  return port;
}
