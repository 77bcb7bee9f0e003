import { App, Chart } from 'cdk8s';
import { Volume } from 'cdk8s-plus-27';
import { LoadBalancedApi } from '../../charts/load-balanced-api';
import { InvalidOption, InvalidOptions } from '../../validation/invalid-option';
import { props } from './manifests';

/** What is said of options that may be of any type, as from JavaScript. */
function refusal(given: object, id = 'orders'): string {
  const app = new App();
  try {
    new LoadBalancedApi(app, id, props(given));
  } catch (error) {
    expect([InvalidOption, InvalidOptions]).toContain((error as Error).constructor);
    expect(app.node.findAll()).toHaveLength(1);
    return (error as InvalidOption).message;
  }
  throw new Error('nothing was refused');
}

const volume = Volume.fromEmptyDir(new App(), 'Volume', 'volume');
const refusedTogether = (option: string, value: unknown): string =>
  `${option}: ${JSON.stringify(value)} does not go with serviceType `;

const cases: [what: string, given: object, message: string][] = [
  // Options that do not exist
  ['a misspelt option', { replica: 3 }, 'replica: 3 is an option that does not exist: replicas does'],
  [
    'an option in the wrong case',
    { Host: 'a.example.com' },
    'Host: "a.example.com" is an option that does not exist: host does',
  ],
  ['an unknown option', { sidecars: [] }, 'sidecars: "(object)" is an option that does not exist: take it out'],
  [
    'an unknown option of the container',
    { container: { imagee: 'x' } },
    'container.imagee: "x" is an option that does not exist: image does',
  ],
  [
    'an unknown option of an egress rule',
    { apiEgress: [{ cidr: '10.0.0.0/8', ports: 1 }] },
    'apiEgress.ports: 1 is an option that does not exist: port does',
  ],

  [
    'an option that is nearer to another than the first that is near',
    { maxreplicas: 3 },
    'maxreplicas: 3 is an option that does not exist: maxReplicas does',
  ],
  [
    'an option that is as near to one as to another',
    { mixReplicas: 3 },
    'mixReplicas: 3 is an option that does not exist: minReplicas does',
  ],
  ['an option that is null', { host: null }, 'host: null is not a value: give one, or leave the option out'],
  [
    'an option of the container that is null',
    { container: { port: null } },
    'container.port: null is not a value: give one, or leave the option out',
  ],

  // Lists and objects
  ...Object.entries({
    additionalHosts: '["www.example.com"]',
    apiEgress: '[{ cidr: "10.0.0.0/8" }]',
    ipFamilies: '["IPv4"]',
    loadBalancerSourceRanges: '["192.0.2.0/24"]',
    resolvers: '["10.96.0.10"]',
    trustedProxies: '["10.0.0.0/8"]',
  }).map(([option, example]): [string, object, string] => [
    `${option} that is one text`,
    { [option]: 'text' },
    `${option}: "text" is not a list: give one, such as ${example}`,
  ]),
  ...Object.entries({
    labels: '{ team: "orders" }',
    responseHeaders: '{ "X-Team": "orders" }',
    serviceAnnotations: '{ "example.com/internal": "true" }',
  }).map(([option, example]): [string, object, string] => [
    `${option} that is a list`,
    { [option]: ['text'] },
    `${option}: ["text"] is not an object with names and values: give one, such as ${example}`,
  ]),

  // Names
  [
    'a namespace that is not a DNS label',
    { namespace: 'Orders' },
    'namespace: "Orders" is not a DNS label: give at most 63 letters, digits and hyphens in lower case, such as "orders"',
  ],
  [
    "a namespace of the cluster's own",
    { namespace: 'kube-system' },
    'namespace: "kube-system" is the cluster\'s own, and would be closed to all that is not restricted: give one for this API alone',
  ],
  [
    'the namespace that belongs to everyone',
    { namespace: 'default' },
    'namespace: "default" is the cluster\'s own, and would be closed to all that is not restricted: give one for this API alone',
  ],
  [
    'a host that is not a DNS name',
    { host: 'https://api.example.com' },
    'host: "https://api.example.com" is not a DNS name: give letters, digits and hyphens in lower case, separated by dots, such as "api.example.com"',
  ],
  [
    'a cluster domain that is not a DNS name',
    { clusterDomain: 'cluster_local' },
    'clusterDomain: "cluster_local" is not a DNS name: give letters, digits and hyphens in lower case, separated by dots, such as "api.example.com"',
  ],
  [
    'a cluster domain that no Service fits in',
    { clusterDomain: `${'a'.repeat(60)}.`.repeat(3) + 'a'.repeat(50) },
    `clusterDomain: "${`${'a'.repeat(60)}.`.repeat(3).slice(0, 199)}`,
  ],
  [
    'a label that is not one',
    { labels: { team: 'The Orders Team' } },
    'labels["team"]: "The Orders Team" is not the value of a label: give at most 63 letters, digits, ".", "_" and "-", beginning and ending with a letter or digit',
  ],
  [
    'a label whose key is not one',
    { labels: { 'the team': 'orders' } },
    'labels["the team"]: "the team" is not a key of Kubernetes: give a name such as "team", or "example.com/team"',
  ],
  ...[
    'a..b/x',
    '.a/x',
    'a./x',
    '-a/x',
    'A/x',
    '/x',
    'a/b/x',
    `${'a'.repeat(64)}/x`,
    `${'a.'.repeat(127)}a/x`,
    'a/',
    'x'.repeat(64),
    '-x',
    'x.',
  ].map((key): [string, object, string] => [
    `a label whose key is ${key}`,
    { labels: { [key]: 'orders' } },
    `labels["${key}"]: "${key}" is not a key of Kubernetes: `.slice(0, 200),
  ]),
  [
    'an annotation whose key is not one',
    { serviceAnnotations: { 'a..b/x': 'orders' } },
    'serviceAnnotations["a..b/x"]: "a..b/x" is not a key of Kubernetes: ',
  ],
  [
    'a class of load balancers that is none',
    { loadBalancerClass: 'a..b/x' },
    'loadBalancerClass: "a..b/x" is not the name of a class: give one such as "example.com/internal"',
  ],
  [
    'a key that cdk8s takes for something else',
    { labels: { constructor: 'x' } },
    'labels["constructor"]: "constructor" is a key that cdk8s cannot write: choose another',
  ],
  [
    'a label that fairlead sets',
    { labels: { 'app.kubernetes.io/name': 'other' } },
    'labels["app.kubernetes.io/name"]: "other" is set by fairlead: choose another key',
  ],
  [
    'a label that decides what pods may do',
    { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
    'labels["pod-security.kubernetes.io/enforce"]: "privileged" is set by fairlead: choose another key',
  ],
  ['a label that is a number', { labels: { team: 5 } }, 'labels["team"]: 5 is not the value of a label'],
  [
    'an annotation that is not text',
    { serviceAnnotations: { 'example.com/on': true } },
    'serviceAnnotations["example.com/on"]: true is not text: put it in quotes',
  ],

  // The container
  [
    'an image with a space',
    { container: { image: 'orders: 1.4.2' } },
    'container.image: "orders: 1.4.2" is not the name of an image: give one, such as "ghcr.io/acme/orders:1.4.2"',
  ],
  [
    'an image with a newline',
    { container: { image: 'orders\nprivileged: true' } },
    'container.image: "orders\\nprivileged: true" is not the name of an image: give one, such as "ghcr.io/acme/orders:1.4.2"',
  ],
  [
    'a proxy image in capitals',
    { proxyImage: 'NGINX' },
    'proxyImage: "NGINX" is not the name of an image: give one, such as "ghcr.io/acme/orders:1.4.2"',
  ],
  [
    'a port out of range',
    { container: { port: 70_000 } },
    'container.port: 70000 is out of range: give a whole number from 1 to 65535',
  ],
  [
    'a command line in place of words',
    { container: { command: 'node server.js' } },
    'container.command: "node server.js" is not a list of words: give one, such as ["node", "server.js"]',
  ],
  [
    'an empty list of arguments',
    { container: { args: [] } },
    'container.args: [] is not a list of words: give one, such as ["node", "server.js"]',
  ],
  [
    'a word that is a number',
    { container: { args: ['--port', 3000] } },
    'container.args: ["--port",3000] is not a list of words: give one, such as ["node", "server.js"]',
  ],
  [
    'a health check path that is not one',
    { container: { healthCheckPath: 'health' } },
    'container.healthCheckPath: "health" is not a URL path',
  ],
  [
    'a liveness path that is not one',
    { container: { livenessPath: 'livez' } },
    'container.livenessPath: "livez" is not a URL path',
  ],
  [
    'a path that is not one',
    { container: { readinessPath: 'readyz?full' } },
    'container.readinessPath: "readyz?full" is not a URL path: start it with "/" and percent-encode what RFC 3986 does not allow in a path, such as "/healthcheck"',
  ],
  [
    'an unknown pull policy',
    { container: { imagePullPolicy: 'Sometimes' } },
    'container.imagePullPolicy: "Sometimes" is unknown: give one of IfNotPresent, Always, Never',
  ],
  [
    'a pull secret that no Secret can be called',
    { container: { imagePullSecrets: ['My_Registry'] } },
    'container.imagePullSecrets: "My_Registry" is not the name of a Kubernetes object: give letters, digits, hyphens and dots in lower case, such as "orders-tls"',
  ],
  ['root', { container: { user: 0 } }, 'container.user: 0 is out of range: give a whole number from 1 to 2147483647'],
  [
    'two volumes at one path',
    {
      container: {
        volumes: [
          { path: '/data', volume },
          { path: '/data', volume },
        ],
      },
    },
    'container.volumes: "/data" is given twice: mount one volume at a path',
  ],
  [
    'two volumes at one path that is written in two ways',
    {
      container: {
        volumes: [
          { path: '/data', volume },
          { path: '/var/../data/', volume },
        ],
      },
    },
    'container.volumes: "/data" is given twice: mount one volume at a path',
  ],
  [
    'two volumes with one name',
    {
      container: {
        volumes: [
          { path: '/data', volume },
          { path: '/cache', volume: Volume.fromEmptyDir(new App(), 'Volume', 'volume') },
        ],
      },
    },
    'container.volumes: "volume" is the name of two volumes: give each its own',
  ],
  [
    "a volume with the name of fairlead's own",
    { container: { volumes: [{ path: '/data', volume: Volume.fromEmptyDir(new App(), 'Volume', 'tmp') }] } },
    'container.volumes: "tmp" is the name of the volume that fairlead mounts at /tmp: give another, or mount one there',
  ],
  [
    'a volume in place of the whole image',
    { container: { volumes: [{ path: '/data/..', volume }] } },
    'container.volumes: "/data/.." would hide the whole image: mount the volume below it',
  ],
  [
    'a path without a volume',
    { container: { volumes: [{ path: '/data' }] } },
    'container.volumes: "/data" has no volume: give one, such as Volume.fromEmptyDir(…)',
  ],
  [
    'an unknown option of a volume',
    { container: { volumes: [{ path: '/data', volume, readonly: true }] } },
    'container.volumes.readonly: true is an option that does not exist: readOnly does',
  ],
  [
    'a volume that is a path alone',
    { container: { volumes: ['/data'] } },
    'container.volumes: "/data" is not an object with names and values: give one, such as { path: "/data", volume }',
  ],
  [
    'whole environments that are names',
    { container: { envFrom: ['settings'] } },
    'container.envFrom: "settings" is not an EnvFrom: give one, such as Env.fromSecret(secret)',
  ],
  [
    'an environment that is a list',
    { container: { environment: ['LOG_LEVEL=info'] } },
    'container.environment: ["LOG_LEVEL=info"] is not an object with names and values: give one, such as { LOG_LEVEL: "info" }',
  ],
  [
    'a volume at a relative path',
    { container: { volumes: [{ path: 'var/data', volume }] } },
    'container.volumes: "var/data" is not an absolute path without ":": begin it with "/"',
  ],
  [
    'a volume path with an option, as Docker takes it',
    { container: { volumes: [{ path: '/data:ro', volume }] } },
    'container.volumes: "/data:ro" is not an absolute path without ":": begin it with "/"',
  ],
  [
    'a variable that no environment can have',
    { container: { environment: { '1ST': 'x' } } },
    'container.environment["1ST"]: "1ST" is not the name of an environment variable: give letters, digits, "_", "." and "-", not beginning with a digit',
  ],
  [
    'a variable that is not text',
    { container: { environment: { LIMIT: 5 } } },
    'container.environment["LIMIT"]: 5 is neither text nor an EnvValue: put it in quotes',
  ],
  [
    'a variable whose name goes on after what is allowed',
    { container: { environment: { 'LIMIT=5;': 'x' } } },
    'container.environment["LIMIT=5;"]: "LIMIT=5;" is not the name of an environment variable',
  ],
  [
    'a variable that is an object, which is not shown, as it may hold what is secret',
    { container: { environment: { PASSWORD: { value: 'secret' } } } },
    'container.environment["PASSWORD"]: "(object)" is neither text nor an EnvValue',
  ],
  [
    'a variable that is a function',
    { container: { environment: { PASSWORD: () => 'secret' } } },
    'container.environment["PASSWORD"]: "(function)" is neither text nor an EnvValue',
  ],
  [
    'a variable with a null character',
    { container: { environment: { NOTE: 'a\0b' } } },
    'container.environment["NOTE"]: "a\\u0000b" has a null character, which no environment can carry: take it out',
  ],
  [
    'PORT by hand',
    { container: { environment: { PORT: '8080' } } },
    'container.environment["PORT"]: "8080" follows from another option, so that nginx knows it too: give container.port',
  ],
  [
    'KEEP_ALIVE_TIMEOUT_SECONDS by hand',
    { container: { environment: { KEEP_ALIVE_TIMEOUT_SECONDS: '65' } } },
    'container.environment["KEEP_ALIVE_TIMEOUT_SECONDS"]: "65" follows from another option, so that nginx knows it too: give container.keepAliveTimeout',
  ],
  [
    'SHUTDOWN_TIMEOUT_SECONDS by hand',
    { container: { environment: { SHUTDOWN_TIMEOUT_SECONDS: '5' } } },
    'container.environment["SHUTDOWN_TIMEOUT_SECONDS"]: "5" follows from another option, so that nginx knows it too: give requestTimeout',
  ],

  // Times
  [
    'a duration without a unit',
    { requestTimeout: '30' },
    'requestTimeout: "30" is not a duration: give a whole number with a unit, such as "30s" or "500ms"',
  ],
  [
    'a keep-alive that leaves nginx no margin',
    { container: { keepAliveTimeout: '1s' } },
    'container.keepAliveTimeout: "1s" is too short: give 2s or more',
  ],
  [
    'keepAliveTimeout outside of the container',
    { keepAliveTimeout: '65s' },
    'keepAliveTimeout: "65s" is an option that does not exist: take it out',
  ],
  [
    'a stabilization window that Kubernetes refuses',
    { scaleDownStabilizationWindow: '2h' },
    'scaleDownStabilizationWindow: "2h" is too long: give 1h or less',
  ],

  // Resources
  [
    'CPUs that are not a number',
    { container: { cpuRequest: 'half' } },
    'container.cpuRequest: "half" is not a number of CPUs: give one such as "500m" or "2"',
  ],
  ['no CPU', { proxyCpuLimit: '0' }, 'proxyCpuLimit: "0" is not a number of CPUs: give one such as "500m" or "2"'],
  ['no CPU to ask for', { proxyCpuRequest: '0' }, 'proxyCpuRequest: "0" is not a number of CPUs'],
  [
    'memory to ask for without a unit',
    { container: { memoryRequest: '256' } },
    'container.memoryRequest: "256" is not an amount of memory',
  ],
  [
    'parts of a thousandth of a CPU',
    { container: { cpuRequest: '0.5m' } },
    'container.cpuRequest: "0.5m" is not a number of CPUs: give one such as "500m" or "2"',
  ],
  [
    'memory without a unit',
    { container: { memoryLimit: '512' } },
    'container.memoryLimit: "512" is not an amount of memory: give 1Mi or more, such as "256Mi" or "1Gi"',
  ],
  [
    'memory in a unit that Kubernetes does not have',
    { proxyMemoryRequest: '64MB' },
    'proxyMemoryRequest: "64MB" is not an amount of memory: give 1Mi or more, such as "256Mi" or "1Gi"',
  ],
  [
    'a CPU request above its limit',
    { container: { cpuRequest: '2', cpuLimit: '1500m' } },
    'container.cpuRequest: "2" is more than container.cpuLimit ("1500m"): give no more than that',
  ],
  [
    'a memory request above its limit',
    { proxyMemoryRequest: '1Gi', proxyMemoryLimit: '900M' },
    'proxyMemoryRequest: "1Gi" is more than proxyMemoryLimit ("900M"): give no more than that',
  ],

  // Numbers of pods
  [
    'a fixed number beside an autoscaler',
    { replicas: 3, minReplicas: 2 },
    'minReplicas: 2 is for an autoscaler, and replicas (3) for a fixed number of pods: give one of the two',
  ],
  [
    'a fixed number beside the aim of an autoscaler',
    { proxyReplicas: 3, proxyTargetCpuUtilization: 50 },
    'proxyTargetCpuUtilization: 50 is for an autoscaler, and proxyReplicas (3) for a fixed number of pods: give one of the two',
  ],
  [
    'a minimum above the maximum',
    { minReplicas: 5, maxReplicas: 3 },
    'minReplicas: 5 is more than maxReplicas (3): give no more than that',
  ],
  ['no pods', { replicas: 0 }, 'replicas: 0 is out of range: give a whole number from 1 to 1000'],
  ['half a pod', { maxReplicas: 2.5 }, 'maxReplicas: 2.5 is out of range: give a whole number from 1 to 1000'],
  ['one proxy', { proxyReplicas: 1 }, 'proxyReplicas: 1 is out of range: give a whole number from 2 to 1000'],
  [
    'at least one proxy',
    { proxyMinReplicas: 1 },
    'proxyMinReplicas: 1 is out of range: give a whole number from 2 to 1000',
  ],
  [
    'at most one proxy',
    { proxyMaxReplicas: 1 },
    'proxyMaxReplicas: 1 is out of range: give a whole number from 2 to 1000',
  ],
  [
    'an aim of nothing',
    { targetCpuUtilization: 0 },
    'targetCpuUtilization: 0 is out of range: give a whole number from 1 to 1000',
  ],
  [
    'a history of less than nothing',
    { revisionHistoryLimit: -1 },
    'revisionHistoryLimit: -1 is out of range: give a whole number from 0 to 1000',
  ],

  // The Service
  [
    'an unknown type of Service',
    { serviceType: 'Ingress' },
    'serviceType: "Ingress" is unknown: give one of ClusterIP, NodePort, LoadBalancer',
  ],
  [
    'a port of nodes with ClusterIP',
    { serviceType: 'ClusterIP', httpsNodePort: 30_443 },
    `${refusedTogether('httpsNodePort', 30_443)}"ClusterIP": take it out, or give serviceType "NodePort" or "LoadBalancer"`,
  ],
  [
    'a traffic policy with ClusterIP',
    { serviceType: 'ClusterIP', externalTrafficPolicy: 'Local' },
    `${refusedTogether('externalTrafficPolicy', 'Local')}"ClusterIP": take it out, or give serviceType "NodePort" or "LoadBalancer"`,
  ],
  [
    'source ranges without a load balancer',
    { serviceType: 'NodePort', loadBalancerSourceRanges: ['10.0.0.0/8'] },
    `${refusedTogether('loadBalancerSourceRanges', ['10.0.0.0/8'])}"NodePort": take it out, or give serviceType "LoadBalancer"`,
  ],
  [
    'a class of load balancers without a load balancer',
    { serviceType: 'NodePort', loadBalancerClass: 'example.com/internal' },
    `${refusedTogether('loadBalancerClass', 'example.com/internal')}"NodePort": take it out, or give serviceType "LoadBalancer"`,
  ],
  [
    'a class that is not a name',
    { loadBalancerClass: 'an internal one' },
    'loadBalancerClass: "an internal one" is not the name of a class: give one such as "example.com/internal"',
  ],
  [
    'a port of nodes out of range',
    { serviceType: 'NodePort', httpNodePort: 8080 },
    'httpNodePort: 8080 is out of range: give a whole number from 30000 to 32767',
  ],
  [
    'a port of nodes for HTTPS out of range',
    { serviceType: 'NodePort', httpsNodePort: 8443 },
    'httpsNodePort: 8443 is out of range: give a whole number from 30000 to 32767',
  ],
  [
    'a port of nodes for HTTP with ClusterIP',
    { serviceType: 'ClusterIP', httpNodePort: 30_080 },
    `${refusedTogether('httpNodePort', 30_080)}"ClusterIP"`,
  ],
  ['an external port out of range', { externalHttpPort: 0 }, 'externalHttpPort: 0 is out of range'],
  [
    'an external port for HTTPS out of range',
    { externalHttpsPort: 65_536 },
    'externalHttpsPort: 65536 is out of range',
  ],
  [
    'one port of nodes for both',
    { httpNodePort: 30_080, httpsNodePort: 30_080 },
    'httpsNodePort: 30080 is httpNodePort as well: give a port of its own',
  ],
  [
    'one external port for both',
    { externalHttpPort: 8443, externalHttpsPort: 8443 },
    'externalHttpsPort: 8443 is externalHttpPort as well: give a port of its own',
  ],
  [
    'a source range without a prefix length',
    { loadBalancerSourceRanges: ['192.0.2.1'] },
    'loadBalancerSourceRanges: "192.0.2.1" is not a CIDR: give an address and a prefix length, such as "10.0.0.0/8"',
  ],
  [
    'an unknown traffic policy',
    { externalTrafficPolicy: 'local' },
    'externalTrafficPolicy: "local" is unknown: give one of Cluster, Local',
  ],

  // Egress
  [
    'an egress rule to nowhere',
    { apiEgress: [{ port: 5432 }] },
    'apiEgress: {} needs a cidr or a namespace: give exactly one',
  ],
  [
    'an egress rule to two places',
    { apiEgress: [{ cidr: '10.0.0.0/8', namespace: 'queues' }] },
    'apiEgress: {"cidr":"10.0.0.0/8","namespace":"queues"} needs a cidr or a namespace: give exactly one',
  ],
  [
    'an egress rule to an address without a prefix length',
    { apiEgress: [{ cidr: '10.0.0.1' }] },
    'apiEgress.cidr: "10.0.0.1" is not a CIDR',
  ],
  [
    'an egress rule to a namespace that is none',
    { apiEgress: [{ namespace: 'Queues' }] },
    'apiEgress.namespace: "Queues" is not a DNS label',
  ],
  [
    'an egress rule to a port out of range',
    { apiEgress: [{ namespace: 'queues', port: 0 }] },
    'apiEgress.port: 0 is out of range',
  ],

  // Whose word is taken
  ...[
    [4, ['0.0.0.0/0'], '"0.0.0.0/0"'],
    [4, ['10.0.0.0/8', '203.0.113.7/0'], '"203.0.113.7/0"'],
    [4, ['0.0.0.0/1', '128.0.0.0/1'], '["0.0.0.0/1","128.0.0.0/1"]'],
    [4, ['64.0.0.0/2', '128.0.0.0/1', '0.0.0.0/2'], '["64.0.0.0/2","128.0.0.0/1","0.0.0.0/2"]'],
    [4, ['::/0', '0.0.0.0/0'], '"0.0.0.0/0"'],
    [6, ['10.0.0.0/8', '::/0'], '"::/0"'],
    [6, ['2000::/3'], '["2000::/3"]'],
    [6, ['2000::/4', '3000:0::1.2.3.4/4'], '["2000::/4","3000:0::1.2.3.4/4"]'],
  ].map(([version, trustedProxies, shown]): [string, object, string] => [
    `trust in everyone: ${JSON.stringify(trustedProxies)}`,
    { trustedProxies },
    `trustedProxies: ${String(shown)} is every public IPv${String(version)} address: give the networks of your load balancers, such as "10.0.0.0/8"`,
  ]),

  // What nginx/ refuses
  ['a hash by nothing', { loadBalancing: 'hash' }, 'hashKey: undefined '],
  [
    'a DNS server that is none',
    { resolvers: ['10.96.0'] },
    'resolvers: "10.96.0" is not a server: give an address or a DNS name, with an optional port',
  ],
  ['an unknown IP family', { ipFamilies: ['IPv5'] }, 'ipFamilies: "IPv5" is unknown: give one of IPv4, IPv6'],
];

describe('Refused before anything is made, in one line', () => {
  test.each(cases)('is %s', (_, given, message) => {
    const said = refusal(given);
    expect(said.startsWith(`orders ${message}`)).toBe(true);
    expect(said).not.toContain('\n');
  });

  test.each([
    { trustedProxies: ['0.0.0.0/1', '192.0.0.0/2', 'fd00::/8', '::ffff:0.0.0.0/96'] },
    { loadBalancerSourceRanges: ['0.0.0.0/0', '::/0'] },
  ])('is not %j', (given) => {
    expect(() => refusal(given)).toThrow('nothing was refused');
  });

  test('is an id that is not a DNS label', () => {
    expect(refusal({}, 'Orders API')).toBe(
      'Orders API id: "Orders API" is not a DNS label: give at most 63 letters, digits and hyphens in lower case, such as "orders"',
    );
  });

  test.each([
    [undefined, 'undefined'],
    ['orders:1.4.2', '"orders:1.4.2"'],
    [['orders:1.4.2'], '["orders:1.4.2"]'],
  ])('is %j as the container', (container, shown) => {
    expect(() => new LoadBalancedApi(new App(), 'orders', { container } as never)).toThrow(
      `container: ${shown} is not a container: give at least { image: "ghcr.io/acme/orders:1.4.2" }`,
    );
  });

  test.each([
    [undefined, 'undefined'],
    [null, 'null'],
    ['orders', '"orders"'],
  ])('is %j as all options', (options, shown) => {
    expect(() => new LoadBalancedApi(new App(), 'orders', options as never)).toThrow(
      `options: ${shown} is not an object with names and values: give one, such as { container: { image: "ghcr.io/acme/orders:1.4.2" } }`,
    );
  });

  test('is a container without an image', () => {
    expect(() => new LoadBalancedApi(new App(), 'orders', { container: {} } as never)).toThrow(
      'container.image: undefined is not the name of an image: give one, such as "ghcr.io/acme/orders:1.4.2"',
    );
  });

  test('is everything that is wrong, at once', () => {
    expect(refusal({ maxFails: 0, hots: 'a', gzip: 'no', container: { port: 0, imgae: 'a:1' } }).split('\n')).toEqual([
      'orders hots: "a" is an option that does not exist: host does',
      'orders maxFails: 0 is out of range: give a whole number from 1 to 1000',
      'orders gzip: "no" is neither true nor false: give one of them',
      'orders container.imgae: "a:1" is an option that does not exist: image does',
      'orders container.port: 0 is out of range: give a whole number from 1 to 65535',
    ]);
  });

  test('is named after its construct', () => {
    const shop = new Chart(new App(), 'shop');
    expect(() => new LoadBalancedApi(shop, 'orders', props({ maxFails: 0 }))).toThrow(
      new Error('shop/orders maxFails: 0 is out of range: give a whole number from 1 to 1000'),
    );
  });
});
