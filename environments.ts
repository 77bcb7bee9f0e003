import type { LoadBalancedApiProps } from './charts/load-balanced-api-props';
import { cpus, type Duration, milliseconds } from './validation/amounts';
import { InvalidOption } from './validation/invalid-option';
import { oneOf } from './validation/names';

/** What each environment makes of the options in main.ts. */
const environments = {
  /** The options as they are, behind the cloud's load balancer. */
  production: (props: LoadBalancedApiProps): LoadBalancedApiProps => ({ serviceType: 'LoadBalancer', ...props }),

  /** A cluster on this machine: the example API, on ports of localhost, small enough for a laptop. */
  kind: (props: LoadBalancedApiProps): LoadBalancedApiProps => ({
    ...without(props, ofTheCloud),
    container: {
      image: 'fairlead-api:dev',
      cpuRequest: '250m',
      keepAliveTimeout: '65s',
      livenessPath: '/livez',
      readinessPath: '/readyz',
      environment: { DIAGNOSTIC_ENDPOINTS: 'true' },
    },
    host: 'localhost',
    // Its diagnostic endpoints that say nothing for long.
    streamPaths: ['/sse', '/ws'],
    minReplicas: 2,
    maxReplicas: 6,
    proxyMinReplicas: 2,
    proxyMaxReplicas: 4,
    proxyCpuRequest: atMostLimit('100m', props.proxyCpuLimit),
    scaleDownStabilizationWindow: '30s',
    serviceType: 'NodePort',
    httpNodePort: 30_080,
    httpsNodePort: 30_443,
    externalHttpPort: publishedPort('FAIRLEAD_HTTP_PORT', 8080),
    externalHttpsPort: publishedPort('FAIRLEAD_HTTPS_PORT', 8443),
    // CoreDNS as kubeadm sets it up since Kubernetes 1.32 keeps nothing, and no cloud has to drop a target.
    dnsCache: '0s',
    proxyDeregistrationDelay: '5s',
  }),

  /**
   * What `npm run reliability` deploys: as on kind, with fixed numbers, so that nothing but its scenarios changes them. The
   * container is that of the options if FAIRLEAD_API is "own"; a scenario's own changes come as JSON in FAIRLEAD_CHANGES.
   */
  reliability: (props: LoadBalancedApiProps): LoadBalancedApiProps => {
    const kind = environments.kind(props);
    const container = process.env.FAIRLEAD_API === 'own' ? props.container : kind.container;
    const changes = JSON.parse(process.env.FAIRLEAD_CHANGES ?? '{}') as Partial<LoadBalancedApiProps>;
    const fixed = {
      ...without(kind, autoscaling),
      replicas: 4,
      proxyReplicas: 2,
      proxyCpuRequest: atMostLimit('250m', props.proxyCpuLimit),
      requestTimeout: atLeastConnectTimeout('20s', props.connectTimeout),
    };
    return {
      ...(changes.minReplicas === undefined ? fixed : without(fixed, ['replicas'])),
      ...changes,
      container: {
        ...container,
        ...changes.container,
        environment: { ...container.environment, ...changes.container?.environment },
      },
    };
  },
};

const autoscaling: readonly (keyof LoadBalancedApiProps)[] = [
  'maxReplicas',
  'minReplicas',
  'proxyMaxReplicas',
  'proxyMinReplicas',
  'proxyTargetCpuUtilization',
  'scaleDownStabilizationWindow',
  'targetCpuUtilization',
];

/** Options that mean something only where production runs. */
const ofTheCloud: readonly (keyof LoadBalancedApiProps)[] = [
  'additionalHosts',
  'apiEgress',
  'clusterDomain',
  'externalTrafficPolicy',
  'hstsIncludeSubDomains',
  'hstsMaxAge',
  'ipFamilies',
  'loadBalancerClass',
  'loadBalancerSourceRanges',
  'proxyImage',
  'proxyMemoryRequest',
  'proxyReplicas',
  'replicas',
  'resolvers',
  'serviceAnnotations',
  'tlsCertificateFile',
  'tlsPrivateKeyFile',
  'tlsSecretName',
];

/** The options of main.ts for the environment that FAIRLEAD_ENVIRONMENT names: production unless it is set. */
export function forEnvironment(props: LoadBalancedApiProps): LoadBalancedApiProps {
  const names = Object.keys(environments) as (keyof typeof environments)[];
  const name = oneOf('FAIRLEAD_ENVIRONMENT', process.env.FAIRLEAD_ENVIRONMENT ?? 'production', names);
  return environments[name](props);
}

function without(props: LoadBalancedApiProps, options: readonly string[]): LoadBalancedApiProps {
  return Object.fromEntries(
    Object.entries(props).filter(([option]) => !options.includes(option)),
  ) as unknown as LoadBalancedApiProps;
}

/** A number of CPUs that no limit of main.ts forbids. */
function atMostLimit(request: string, limit: string | undefined): string {
  return limit !== undefined && cpus('proxyCpuLimit', limit) < cpus('proxyCpuRequest', request) ? limit : request;
}

/** A requestTimeout that no connectTimeout of main.ts forbids. */
function atLeastConnectTimeout(requestTimeout: Duration, connectTimeout: Duration = requestTimeout): Duration {
  const isLonger = milliseconds('connectTimeout', connectTimeout) > milliseconds('requestTimeout', requestTimeout);
  return isLonger ? connectTimeout : requestTimeout;
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
