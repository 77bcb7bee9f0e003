import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Chart } from 'cdk8s';
import { ConfigMap, Env, EnvValue, Volume } from 'cdk8s-plus-27';
import { selfSignedKeyPair } from '../../certificates/self-signed';
import type { ContainerProps } from '../../charts/container';
import type { LoadBalancedApiProps } from '../../charts/load-balanced-api-props';
import type { TestProps } from './manifests';

/** Values of one option, each of which works when it is given alone. */
type Values<Props> = { readonly [Option in keyof Required<Props>]: readonly Exclude<Props[Option], undefined>[] };

const scope = new Chart(new App(), 'elsewhere');

/** A mapped type, so that TypeScript misses no option that is added. */
export const containerValues: Values<ContainerProps> = {
  image: ['registry.example.com:5000/orders:2'],
  port: [1, 65_535],
  command: [['node', 'server.js']],
  args: [['--verbose']],
  environment: [{ ZONE: 'west', APP_URL: EnvValue.fromValue('http://localhost') }],
  envFrom: [[Env.fromConfigMap(ConfigMap.fromConfigMapName(scope, 'ConfigMap', 'settings'))]],
  imagePullSecrets: [['registry']],
  imagePullPolicy: ['Always', 'Never'],
  cpuRequest: ['1m', '8'],
  cpuLimit: ['1m', '8'],
  memoryRequest: ['1Mi', '8Gi'],
  memoryLimit: ['16Mi', '8Gi'],
  healthCheckPath: ['/up'],
  livenessPath: ['/livez'],
  readinessPath: ['/readyz'],
  keepAliveTimeout: ['2s', '1h'],
  volumes: [[{ path: '/tmp', volume: Volume.fromEmptyDir(scope, 'Volume', 'scratch') }]],
  user: [1000],
};

export const values: Omit<Values<LoadBalancedApiProps>, 'container'> = {
  namespace: ['shop'],
  labels: [{ team: 'orders' }],
  host: ['orders.example.com'],
  additionalHosts: [['www.example.com']],
  replicas: [1, 1000],
  minReplicas: [1, 1000],
  maxReplicas: [1, 1000],
  targetCpuUtilization: [1, 1000],
  scaleDownStabilizationWindow: ['0s', '1h'],
  proxyReplicas: [2, 1000],
  proxyMinReplicas: [2, 1000],
  proxyMaxReplicas: [2, 1000],
  proxyTargetCpuUtilization: [1, 1000],
  proxyImage: ['registry.example.com/nginx:1.30.6'],
  proxyCpuRequest: ['1m', '8'],
  proxyCpuLimit: ['50m', '8'],
  proxyMemoryRequest: ['16Mi', '8Gi'],
  proxyMemoryLimit: ['512Mi', '8Gi'],
  proxyTemporaryStorage: ['2Gi'],
  serviceType: ['ClusterIP', 'NodePort', 'LoadBalancer'],
  httpNodePort: [30_000, 32_767],
  httpsNodePort: [30_000, 32_767],
  serviceAnnotations: [{ 'example.com/internal': 'true' }],
  loadBalancerSourceRanges: [['192.0.2.0/24']],
  loadBalancerClass: ['service.k8s.aws/nlb'],
  externalTrafficPolicy: ['Cluster', 'Local'],
  externalHttpPort: [1, 8443, 65_535],
  externalHttpsPort: [1, 8080, 65_535],
  tlsCertificateFile: ['tls.crt'],
  tlsPrivateKeyFile: ['tls.key'],
  tlsSecretName: ['shop-tls'],
  clusterDomain: ['corp.example.com'],
  resolvers: [['10.0.0.10']],
  ipFamilies: [['IPv6', 'IPv4']],
  revisionHistoryLimit: [0, 1000],
  apiEgress: [[], [{ cidr: '10.0.0.0/8', port: 5432 }, { namespace: 'queues' }]],
  loadBalancing: ['least_conn', 'round_robin', 'random_two_least_conn', 'client_address'],
  hashKey: ['uri', 'header:X-Tenant', 'cookie:session'],
  maxFails: [1, 1000],
  failTimeout: ['1s', '1h'],
  clientMaxBodySize: ['1k', '8m'],
  clientHeaderTimeout: ['1s', '1m'],
  clientBodyTimeout: ['1s', '1m'],
  sendTimeout: ['1s', '1m'],
  streamPaths: [[], ['/events', '/ws']],
  streamTimeout: ['1s', '1d'],
  gzip: [true, false],
  hstsMaxAge: ['0s', '3650d'],
  hstsIncludeSubDomains: [true, false],
  contentSecurityPolicy: ["default-src 'self'"],
  responseHeaders: [{ 'X-Team': 'orders' }],
  trustedProxies: [['10.0.0.0/8']],
  unlimitedClients: [[], ['192.0.2.0/24']],
  requestTimeout: ['2s', '1h'],
  connectTimeout: ['1s', '60s'],
  nextUpstreamTimeout: ['3s', '2h'],
  resolverValid: ['1s', '5m'],
  dnsCache: ['0s', '5m'],
  proxyDeregistrationDelay: ['1s', '10m'],
  clientKeepAliveTimeout: ['2s', '1h'],
  certificateValid: ['1s', '1d'],
  unreachableToleration: ['0s', '1d'],
  maxConnections: [64, 2000],
  maxRequests: [16, 1000],
  maxStreams: [16, 500],
  maxConnectionsPerClient: [1, 500],
  maxRequestsPerClient: [1, 300],
};

/** What an option means nothing without. */
export const needed: Readonly<Partial<Record<keyof LoadBalancedApiProps, TestProps>>> = {
  hashKey: { loadBalancing: 'hash' },
  hstsIncludeSubDomains: { host: 'orders.example.com' },
  maxStreams: { streamPaths: ['/events'] },
  streamTimeout: { streamPaths: ['/events'] },
  tlsCertificateFile: { tlsPrivateKeyFile: 'tls.key' },
  tlsPrivateKeyFile: { tlsCertificateFile: 'tls.crt' },
};

/** Each option alone, with each of its values, and what it needs. */
export const everyOption: readonly (readonly [option: string, given: TestProps])[] = [
  ...Object.entries(values).flatMap(([option, each]) =>
    each.map((value) => [option, { ...needed[option as keyof LoadBalancedApiProps], [option]: value }] as const),
  ),
  ...Object.entries(containerValues).flatMap(([option, each]) =>
    each.map((value) => [`container.${option}`, { container: { [option]: value } }] as const),
  ),
];

/** Lets tests run in a directory of their own, with the files that tlsCertificateFile and tlsPrivateKeyFile name. */
export function besideKeyPair(): void {
  const before = process.cwd();
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'fairlead-every-option-'));
    const { certificate, privateKey } = selfSignedKeyPair(['localhost'], directory);
    writeFileSync(join(directory, 'tls.crt'), certificate);
    writeFileSync(join(directory, 'tls.key'), privateKey);
    process.chdir(directory);
  });

  afterAll(() => {
    process.chdir(before);
    rmSync(directory, { recursive: true });
  });
}
