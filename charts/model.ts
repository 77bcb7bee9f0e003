import type { k8s } from 'cdk8s-plus-27';
import { type Budget, budget } from '../model/budget';
import type { Timeline } from '../model/timeline';
import { failTimeout } from '../nginx/model';
import { nginxConf } from '../nginx/nginx-conf';
import { defaultMaxBodySize, type IpFamily } from '../nginx/proxy';
import { upstreamZone } from '../nginx/upstream-section';
import { bytes, integer, memoryBytes, wholeSeconds } from '../validation/amounts';
import { knownOptions, list, record } from '../validation/collections';
import { InvalidOption } from '../validation/invalid-option';
import { dnsLabelName, hostName } from '../validation/names';
import { type Certificate, certificate } from './certificate';
import { type ContainerModel, containerModel } from './container';
import { egressRule } from './egress-rule';
import { apiClusterIpName, userLabels } from './labels';
import type { LoadBalancedApiProps } from './load-balanced-api-props';
import {
  certificateCheckPort,
  certificateDirectory,
  certificateStore,
  connectionCount,
  httpPort,
  httpsPort,
  probePort,
} from './nginx-pod';
import { type ProxyPodsModel, proxyPodsModel } from './proxy-pods';
import { type ProxyServiceModel, proxyServiceModel } from './proxy-service';
import { greatest, type Replicas, replicas } from './replicas';

/** A deployment whose every value is known, valid, and fits the others. */
export interface Model {
  /** The id of the construct, which is the `instance` in labels. */
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly timeline: Timeline;
  readonly budget: Budget;
  /** In seconds. */
  readonly failTimeout: number;
  readonly container: ContainerModel;
  readonly replicas: Replicas;
  /** In seconds. */
  readonly scaleDownStabilizationWindow: number;
  readonly proxy: ProxyPodsModel;
  readonly service: ProxyServiceModel;
  readonly certificate: Certificate;
  readonly resolvers: readonly string[];
  readonly ipFamilies: readonly IpFamily[] | undefined;
  readonly revisionHistoryLimit: number;
  readonly apiEgress: readonly k8s.NetworkPolicyEgressRule[] | undefined;
  readonly nginxConf: string;
}

/** Validates everything before anything is made. */
export function deploymentModel(id: string, props: LoadBalancedApiProps): Model {
  knownOptions('', record('options', props, '{ container: { image: "ghcr.io/acme/orders:1.4.2" } }'), knownProps);
  const name = dnsLabelName('id', id);
  const namespace = ownNamespace(props.namespace ?? name);
  const { container, timeline } = containerModel(props.container, props);
  const count = replicas({
    fixed: { option: 'replicas', value: props.replicas },
    min: { option: 'minReplicas', value: props.minReplicas },
    max: { option: 'maxReplicas', value: props.maxReplicas },
    targetCpuUtilization: { option: 'targetCpuUtilization', value: props.targetCpuUtilization },
    least: 1,
    defaultMax: 10,
  });
  const proxy = proxyPodsModel(props);
  const service = proxyServiceModel(props);
  const clusterDomain = domainOfServices(props.clusterDomain ?? 'cluster.local', namespace);
  const resolvers = props.resolvers ?? [`${dnsService}.${clusterDomain}`];
  const proxyBudget = budget({
    ...props,
    memoryLimit: memoryBytes('proxyMemoryLimit', proxy.memory.limit),
    workers: proxy.workers,
    maxBodySize: bytes('clientMaxBodySize', props.clientMaxBodySize ?? defaultMaxBodySize),
    temporaryStorage: proxy.temporaryStorage,
    gzip: props.gzip ?? true,
    hasStreams: list('streamPaths', props.streamPaths ?? [], '["/events"]').length > 0,
    upstreamZone: upstreamZone(greatest(count)),
  });
  const conf = nginxConf({
    ...props,
    timeline,
    budget: proxyBudget,
    upstreamHost: `api.${namespace}.svc.${clusterDomain}`,
    ...discovery(props, container.port),
    upstreamFallback: { host: `${apiClusterIpName}.${namespace}.svc.${clusterDomain}`, port: container.port },
    maxUpstreams: greatest(count),
    healthCheckPath: container.healthCheckPath,
    resolvers,
    workers: proxy.workers,
    httpPort,
    httpsPort,
    probePort,
    externalHttpsPort: service.httpsPort,
    certificateDirectory,
    certificateStore,
    certificateCheckPort,
    connectionCount,
  });

  return {
    name,
    namespace,
    labels: userLabels(props.labels ?? {}),
    timeline,
    budget: proxyBudget,
    failTimeout: failTimeout(props),
    container,
    replicas: count,
    scaleDownStabilizationWindow: wholeSeconds(
      'scaleDownStabilizationWindow',
      props.scaleDownStabilizationWindow ?? '5m',
      { max: '1h' },
    ),
    proxy,
    service,
    certificate: certificate(props, [props.host ?? 'localhost', ...(props.additionalHosts ?? [])]),
    resolvers,
    ipFamilies: props.ipFamilies === undefined ? undefined : [...new Set(props.ipFamilies)],
    revisionHistoryLimit: integer('revisionHistoryLimit', props.revisionHistoryLimit ?? 10, 0, 1000),
    apiEgress:
      props.apiEgress === undefined
        ? undefined
        : list('apiEgress', props.apiEgress, '[{ cidr: "10.0.0.0/8" }]').map(egressRule),
    nginxConf: conf,
  };
}

/** With address records all pods have one name; a hash needs one for each, which SRV records have. */
function discovery(
  { loadBalancing }: LoadBalancedApiProps,
  port: number,
): { upstreamPort: number } | { upstreamService: string } {
  return loadBalancing === 'hash' || loadBalancing === 'client_address'
    ? { upstreamService: 'http' }
    : { upstreamPort: port };
}

/** Where the cluster's DNS server is, before the cluster's domain. */
const dnsService = 'kube-dns.kube-system.svc';

function domainOfServices(value: string, namespace: string): string {
  const domain = hostName('clusterDomain', value);
  const longest = Math.max(`${apiClusterIpName}.${namespace}.svc.`.length, `${dnsService}.`.length);
  const room = 253 - longest;
  if (domain.length > room) {
    throw new InvalidOption(
      'clusterDomain',
      domain,
      `leaves no room for the names in it: give at most ${room} letters`,
    );
  }
  return domain;
}

function ownNamespace(value: string): string {
  const namespace = dnsLabelName('namespace', value);
  if (namespace === 'default' || namespace.startsWith('kube-')) {
    throw new InvalidOption(
      'namespace',
      namespace,
      "is the cluster's own, and would be closed to all that is not restricted: give one for this API alone",
    );
  }
  return namespace;
}

// A record, so that TypeScript misses nothing when an option is added.
const known: Readonly<Record<keyof LoadBalancedApiProps, true>> = {
  container: true,
  namespace: true,
  labels: true,
  host: true,
  additionalHosts: true,
  replicas: true,
  minReplicas: true,
  maxReplicas: true,
  targetCpuUtilization: true,
  scaleDownStabilizationWindow: true,
  proxyReplicas: true,
  proxyMinReplicas: true,
  proxyMaxReplicas: true,
  proxyTargetCpuUtilization: true,
  proxyImage: true,
  proxyCpuRequest: true,
  proxyCpuLimit: true,
  proxyMemoryRequest: true,
  proxyMemoryLimit: true,
  proxyTemporaryStorage: true,
  serviceType: true,
  httpNodePort: true,
  httpsNodePort: true,
  serviceAnnotations: true,
  loadBalancerSourceRanges: true,
  loadBalancerClass: true,
  externalTrafficPolicy: true,
  externalHttpPort: true,
  externalHttpsPort: true,
  tlsCertificateFile: true,
  tlsPrivateKeyFile: true,
  tlsSecretName: true,
  clusterDomain: true,
  resolvers: true,
  ipFamilies: true,
  revisionHistoryLimit: true,
  apiEgress: true,
  loadBalancing: true,
  hashKey: true,
  maxFails: true,
  failTimeout: true,
  clientMaxBodySize: true,
  clientHeaderTimeout: true,
  clientBodyTimeout: true,
  sendTimeout: true,
  streamPaths: true,
  streamTimeout: true,
  gzip: true,
  hstsMaxAge: true,
  hstsIncludeSubDomains: true,
  contentSecurityPolicy: true,
  responseHeaders: true,
  trustedProxies: true,
  unlimitedClients: true,
  maxConnections: true,
  maxRequests: true,
  maxStreams: true,
  maxConnectionsPerClient: true,
  maxRequestsPerClient: true,
  requestTimeout: true,
  connectTimeout: true,
  nextUpstreamTimeout: true,
  resolverValid: true,
  dnsCache: true,
  proxyDeregistrationDelay: true,
  clientKeepAliveTimeout: true,
  certificateValid: true,
  unreachableToleration: true,
};

/** Every option of a LoadBalancedApi. */
export const knownProps: readonly string[] = Object.keys(known);
