import type { k8s } from 'cdk8s-plus-27';
import { type Budget, budget, budgetOptions } from '../model/budget';
import { deploymentTimes, type Timeline } from '../model/timeline';
import { proxyOptions } from '../nginx/model';
import { nginxConf } from '../nginx/nginx-conf';
import { ipFamilies, type IpFamily } from '../nginx/proxy';
import { upstreamZone } from '../nginx/upstream-section';
import { serverAddress } from '../validation/addresses';
import { bytes, memoryBytes, whole } from '../validation/amounts';
import { knownOptions, record } from '../validation/collections';
import { allErrors, InvalidOption } from '../validation/invalid-option';
import { dnsLabelName, hostName, wordOf } from '../validation/names';
import { listOf, optional, type Table, values, withDefault } from '../validation/options';
import { type Certificate, certificate, certificateOptions } from './certificate';
import { type ContainerModel, containerModel, containerOptionsOf } from './container';
import { egressRule } from './egress-rule';
import { apiClusterIpName, userLabels } from './labels';
import type { ClusterProps, LoadBalancedApiProps } from './load-balanced-api-props';
import {
  certificateCheckPort,
  certificateDirectory,
  certificateStore,
  connectionCount,
  httpPort,
  httpsPort,
  probePort,
} from './nginx-pod';
import { type ProxyPodsModel, proxyPodsModel, proxyPodsOptions } from './proxy-pods';
import { type ProxyServiceModel, proxyServiceModel, proxyServiceOptions } from './proxy-service';
import { greatest, type Replicas, replicas, replicasOptions } from './replicas';

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

export const clusterOptions = {
  namespace: optional(ownNamespace),
  clusterDomain: withDefault('cluster.local', hostName),
  resolvers: optional(listOf(serverAddress, '["10.96.0.10"]')),
  ipFamilies: optional(listOf(wordOf(ipFamilies), '["IPv4"]')),
  revisionHistoryLimit: withDefault(10, whole(0, 1000)),
  apiEgress: optional(listOf(egressRule, '[{ cidr: "10.0.0.0/8" }]')),
  labels: withDefault({}, userLabels),
} satisfies Table<ClusterProps>;

const options = {
  ...proxyOptions,
  ...deploymentTimes,
  ...budgetOptions,
  ...replicasOptions,
  ...proxyPodsOptions,
  ...proxyServiceOptions,
  ...certificateOptions,
  ...clusterOptions,
} satisfies Table<Omit<LoadBalancedApiProps, 'container'>>;

/** Every option of a LoadBalancedApi. */
export const knownProps: readonly string[] = ['container', ...Object.keys(options)];

/** Validates everything before anything is made. */
export function deploymentModel(id: string, props: LoadBalancedApiProps): Model {
  const given = record('options', props, '{ container: { image: "ghcr.io/acme/orders:1.4.2" } }');
  allErrors(
    () => {
      knownOptions('', given, knownProps);
    },
    () => values(given, options),
    () => containerOptionsOf(props.container),
  );
  const name = dnsLabelName('id', id);
  const cluster = values(props, clusterOptions);
  const namespace = ownNamespace('namespace', cluster.namespace ?? name);
  const { container, timeline } = containerModel(props.container, props);
  const pods = values(props, replicasOptions);
  const count = replicas({
    fixed: { option: 'replicas', value: pods.replicas },
    min: { option: 'minReplicas', value: pods.minReplicas },
    max: { option: 'maxReplicas', value: pods.maxReplicas },
    targetCpuUtilization: { option: 'targetCpuUtilization', value: pods.targetCpuUtilization },
    least: 1,
    defaultMax: 10,
  });
  const proxy = proxyPodsModel(props);
  const service = proxyServiceModel(props);
  const clusterDomain = domainOfServices(cluster.clusterDomain, namespace);
  const resolvers = cluster.resolvers ?? [`${dnsService}.${clusterDomain}`];
  const { host, additionalHosts, failTimeout, clientMaxBodySize, streamPaths, gzip } = values(props, proxyOptions);
  const proxyBudget = budget({
    ...props,
    memoryLimit: memoryBytes('proxyMemoryLimit', proxy.memory.limit),
    workers: proxy.workers,
    maxBodySize: bytes('clientMaxBodySize', clientMaxBodySize),
    temporaryStorage: proxy.temporaryStorage,
    gzip,
    hasStreams: streamPaths.length > 0,
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
    labels: cluster.labels,
    timeline,
    budget: proxyBudget,
    failTimeout,
    container,
    replicas: count,
    scaleDownStabilizationWindow: pods.scaleDownStabilizationWindow,
    proxy,
    service,
    certificate: certificate(props, [host, ...additionalHosts]),
    resolvers,
    ipFamilies: cluster.ipFamilies === undefined ? undefined : [...new Set(cluster.ipFamilies)],
    revisionHistoryLimit: cluster.revisionHistoryLimit,
    apiEgress: cluster.apiEgress,
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

function domainOfServices(domain: string, namespace: string): string {
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

function ownNamespace(option: string, value: unknown): string {
  const namespace = dnsLabelName(option, value);
  if (namespace === 'default' || namespace.startsWith('kube-')) {
    throw new InvalidOption(
      option,
      namespace,
      "is the cluster's own, and would be closed to all that is not restricted: give one for this API alone",
    );
  }
  return namespace;
}
