import { App, Chart } from 'cdk8s';
import { Volume } from 'cdk8s-plus-27';
import { ScalingMetric } from '../../../charts/pods/scaling-metric';
import { Exposure } from '../../../charts/proxy/exposure';
import { LoadBalancedApi } from '../../../charts/load-balanced-api';
import { InvalidOption, InvalidOptions } from '../../../validation/invalid-option';
import { props } from '../manifests';

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
    'an unknown option of a group',
    { proxy: { imagee: 'x' } },
    'proxy.imagee: "x" is an option that does not exist: image does',
  ],
  [
    'an unknown option of a group in a group',
    { proxy: { clients: { maxRequest: 5 } } },
    'proxy.clients.maxRequest: 5 is an option that does not exist: maxRequests does',
  ],
  [
    'an unknown option of the route',
    { route: { rewrit: '/' } },
    'route.rewrit: "/" is an option that does not exist: rewrite does',
  ],

  [
    'an option that is nearer to another than the first that is near',
    { replicas: { mx: 3 } },
    'replicas.mx: 3 is an option that does not exist: max does',
  ],
  [
    'an option two of whose letters have changed places',
    { hots: 'a' },
    'hots: "a" is an option that does not exist: host does',
  ],
  [
    'an option that lacks a letter',
    { replicas: { mi: 3 } },
    'replicas.mi: 3 is an option that does not exist: min does',
  ],
  ['an option that is null', { host: null }, 'host: null is not a value: give one, or leave the option out'],
  [
    'an option of a group that is null',
    { namespace: { name: null } },
    'namespace.name: null is not a value: give one, or leave the option out',
  ],

  // Lists and objects
  ...[
    ['proxy', 'additionalHosts', '["www.example.com"]'],
    ['namespace', 'ipFamilies', '["IPv4"]'],
    ['namespace', 'resolvers', '["10.96.0.10"]'],
  ].map(([group, option, example]): [string, object, string] => [
    `${String(option)} that is one text`,
    { [String(group)]: { [String(option)]: 'text' } },
    `${String(group)}.${String(option)}: "text" is not a list: give one, such as ${String(example)}`,
  ]),
  [
    'trusted proxies that are one text',
    { proxy: { clients: { trustedProxies: '10.0.0.0/8' } } },
    'proxy.clients.trustedProxies: "10.0.0.0/8" is not a list: give one, such as ["10.0.0.0/8"]',
  ],
  [
    'labels that are a list',
    { namespace: { labels: ['text'] } },
    'namespace.labels: ["text"] is not an object with names and values: give one, such as { team: "orders" }',
  ],
  [
    'headers that are a list',
    { route: { responseHeaders: ['text'] } },
    'route.responseHeaders: ["text"] is not an object with names and values: give one, such as { "X-Team": "orders" }',
  ],
  [
    'annotations that are a list',
    { pods: { annotations: ['text'] } },
    'pods.annotations: ["text"] is not an object with names and values: give one, such as { "example.com/internal": "true" }',
  ],
  ...[
    ['namespace', '{ name: "shop" }'],
    ['proxy', '{ replicas: 3 }'],
    ['route', '{ maxBodySize: "8m" }'],
    ['pods', '{ imagePullSecrets: ["registry"] }'],
    ['resources', '{ cpu: { request: "500m" }, memory: { limit: "1Gi" } }'],
  ].flatMap(([option, example]): [string, object, string][] =>
    [5, 'text', ['text']].map((given) => [
      `${String(option)} that is ${JSON.stringify(given)}`,
      { [String(option)]: given },
      `${String(option)}: ${JSON.stringify(given)} is not an object with names and values: give one, such as ${String(example)}`,
    ]),
  ),
  [
    'a certificate that is a path',
    { certificate: 'tls.crt' },
    'certificate: "tls.crt" is not what stands here: give it as Certificate.fromSecret("shop-tls") does',
  ],
  [
    'an exposure that is a type of Service',
    { exposure: { serviceType: 'NodePort' } },
    'exposure: "(object)" is not what stands here: give it as Exposure.loadBalancer() does',
  ],
  [
    'a way to balance that is a word',
    { loadBalancing: 'hash' },
    'loadBalancing: "hash" is not what stands here: give it as LoadBalancing.leastConnections() does',
  ],

  // Names
  [
    'a namespace that is not a DNS label',
    { namespace: { name: 'Orders' } },
    'namespace.name: "Orders" is not a DNS label: give at most 63 letters, digits and hyphens in lower case, such as "orders"',
  ],
  [
    "a namespace of the cluster's own",
    { namespace: { name: 'kube-system' } },
    'namespace.name: "kube-system" is the cluster\'s own, and would be closed to all that is not restricted: give one of its own',
  ],
  [
    'the namespace that belongs to everyone',
    { namespace: { name: 'default' } },
    'namespace.name: "default" is the cluster\'s own, and would be closed to all that is not restricted: give one of its own',
  ],
  [
    'a host that is not a DNS name',
    { host: 'https://api.example.com' },
    'host: "https://api.example.com" is not a DNS name: give letters, digits and hyphens in lower case, separated by dots, such as "api.example.com"',
  ],
  [
    'a cluster domain that is not a DNS name',
    { namespace: { clusterDomain: 'cluster_local' } },
    'namespace.clusterDomain: "cluster_local" is not a DNS name: give letters, digits and hyphens in lower case, separated by dots, such as "api.example.com"',
  ],
  [
    'a cluster domain that no Service fits in',
    { namespace: { clusterDomain: `${'a'.repeat(60)}.`.repeat(3) + 'a'.repeat(50) } },
    `namespace.clusterDomain: "${`${'a'.repeat(60)}.`.repeat(3).slice(0, 199)}`,
  ],
  [
    'a label that is not one',
    { namespace: { labels: { team: 'The Orders Team' } } },
    'namespace.labels["team"]: "The Orders Team" is not the value of a label: give at most 63 letters, digits, ".", "_" and "-", beginning and ending with a letter or digit',
  ],
  [
    'a label whose key is not one',
    { namespace: { labels: { 'the team': 'orders' } } },
    'namespace.labels["the team"]: "the team" is not a key of Kubernetes: give a name such as "team", or "example.com/team"',
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
    { namespace: { labels: { [key]: 'orders' } } },
    `namespace.labels["${key}"]: "${key}" is not a key of Kubernetes: `.slice(0, 200),
  ]),
  [
    'an annotation whose key is not one',
    { proxy: { pods: { annotations: { 'a..b/x': 'orders' } } } },
    'proxy.pods.annotations["a..b/x"]: "a..b/x" is not a key of Kubernetes: ',
  ],
  [
    'a key that cdk8s takes for something else',
    { namespace: { labels: { constructor: 'x' } } },
    'namespace.labels["constructor"]: "constructor" is a key that cdk8s cannot write: choose another',
  ],
  [
    'a label that fairlead sets',
    { namespace: { labels: { 'app.kubernetes.io/name': 'other' } } },
    'namespace.labels["app.kubernetes.io/name"]: "other" is set by fairlead: choose another key',
  ],
  [
    'a label that decides what pods may do',
    { namespace: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } } },
    'namespace.labels["pod-security.kubernetes.io/enforce"]: "privileged" is set by fairlead: choose another key',
  ],
  [
    'a label that is a number',
    { namespace: { labels: { team: 5 } } },
    'namespace.labels["team"]: 5 is not the value of a label',
  ],
  [
    'an annotation that is not text',
    { proxy: { pods: { annotations: { 'example.com/on': true } } } },
    'proxy.pods.annotations["example.com/on"]: true is not text: put it in quotes',
  ],

  // The container
  [
    'an image with a space',
    { image: 'orders: 1.4.2' },
    'image: "orders: 1.4.2" is not the name of an image: give one, such as "ghcr.io/acme/orders:1.4.2"',
  ],
  [
    'an image with a newline',
    { image: 'orders\nprivileged: true' },
    'image: "orders\\nprivileged: true" is not the name of an image: give one, such as "ghcr.io/acme/orders:1.4.2"',
  ],
  [
    'a proxy image in capitals',
    { proxy: { image: 'NGINX' } },
    'proxy.image: "NGINX" is not the name of an image: give one, such as "ghcr.io/acme/orders:1.4.2"',
  ],
  ['a port out of range', { port: 70_000 }, 'port: 70000 is out of range: give a whole number from 1 to 65535'],
  [
    'a command line in place of words',
    { command: 'node server.js' },
    'command: "node server.js" is not a list of words: give one, such as ["node", "server.js"]',
  ],
  [
    'an empty list of arguments',
    { args: [] },
    'args: [] is not a list of words: give one, such as ["node", "server.js"]',
  ],
  [
    'a word that is a number',
    { args: ['--port', 3000] },
    'args: ["--port",3000] is not a list of words: give one, such as ["node", "server.js"]',
  ],
  ['a health check path that is not one', { healthCheck: 'health' }, 'healthCheck: "health" is not a URL path'],
  [
    'a liveness path that is not one',
    { healthCheck: { liveness: 'livez' } },
    'healthCheck.liveness: "livez" is not a URL path',
  ],
  [
    'a path that is not one',
    { healthCheck: { readiness: 'readyz?full' } },
    'healthCheck.readiness: "readyz?full" is not a URL path: start it with "/" and percent-encode what RFC 3986 does not allow in a path, such as "/healthcheck"',
  ],
  [
    'an unknown pull policy',
    { pods: { imagePullPolicy: 'Sometimes' } },
    'pods.imagePullPolicy: "Sometimes" is unknown: give one of IfNotPresent, Always, Never',
  ],
  [
    'a pull secret that no Secret can be called',
    { pods: { imagePullSecrets: ['My_Registry'] } },
    'pods.imagePullSecrets: "My_Registry" is not the name of a Kubernetes object: give letters, digits, hyphens and dots in lower case, such as "orders-tls"',
  ],
  ['root', { pods: { user: 0 } }, 'pods.user: 0 is out of range: give a whole number from 1 to 2147483647'],
  [
    'two volumes at one path',
    {
      volumes: [
        { path: '/data', volume },
        { path: '/data', volume },
      ],
    },
    'volumes: "/data" is given twice: mount one volume at a path',
  ],
  [
    'two volumes at one path that is written in two ways',
    {
      volumes: [
        { path: '/data', volume },
        { path: '/var/../data/', volume },
      ],
    },
    'volumes: "/data" is given twice: mount one volume at a path',
  ],
  [
    'two volumes with one name',
    {
      volumes: [
        { path: '/data', volume },
        { path: '/cache', volume: Volume.fromEmptyDir(new App(), 'Volume', 'volume') },
      ],
    },
    'volumes: "volume" is the name of two volumes: give each its own',
  ],
  [
    "a volume with the name of fairlead's own",
    { volumes: [{ path: '/data', volume: Volume.fromEmptyDir(new App(), 'Volume', 'tmp') }] },
    'volumes: "tmp" is the name of the volume that fairlead mounts at /tmp: give another, or mount one there',
  ],
  [
    'a volume in place of the whole image',
    { volumes: [{ path: '/data/..', volume }] },
    'volumes: "/data/.." would hide the whole image: mount the volume below it',
  ],
  [
    'a path without a volume',
    { volumes: [{ path: '/data' }] },
    'volumes: "/data" has no volume: give one, such as Volume.fromEmptyDir(…)',
  ],
  [
    'an unknown option of a volume',
    { volumes: [{ path: '/data', volume, readonly: true }] },
    'volumes.readonly: true is an option that does not exist: readOnly does',
  ],
  [
    'a volume that is a path alone',
    { volumes: ['/data'] },
    'volumes: "/data" is not an object with names and values: give one, such as { path: "/data", volume }',
  ],
  [
    'whole environments that are names',
    { envFrom: ['settings'] },
    'envFrom: "settings" is not an EnvFrom: give one, such as Env.fromSecret(secret)',
  ],
  [
    'an environment that is a list',
    { environment: ['LOG_LEVEL=info'] },
    'environment: ["LOG_LEVEL=info"] is not an object with names and values: give one, such as { LOG_LEVEL: "info" }',
  ],
  [
    'a volume at a relative path',
    { volumes: [{ path: 'var/data', volume }] },
    'volumes: "var/data" is not an absolute path without ":": begin it with "/"',
  ],
  [
    'a volume path with an option, as Docker takes it',
    { volumes: [{ path: '/data:ro', volume }] },
    'volumes: "/data:ro" is not an absolute path without ":": begin it with "/"',
  ],
  [
    'a variable that no environment can have',
    { environment: { '1ST': 'x' } },
    'environment["1ST"]: "1ST" is not the name of an environment variable: give letters, digits, "_", "." and "-", not beginning with a digit',
  ],
  [
    'a variable that is not text',
    { environment: { LIMIT: 5 } },
    'environment["LIMIT"]: 5 is neither text nor an EnvValue: put it in quotes',
  ],
  [
    'a variable whose name goes on after what is allowed',
    { environment: { 'LIMIT=5;': 'x' } },
    'environment["LIMIT=5;"]: "LIMIT=5;" is not the name of an environment variable',
  ],
  [
    'a variable that is an object, which is not shown, as it may hold what is secret',
    { environment: { PASSWORD: { value: 'secret' } } },
    'environment["PASSWORD"]: "(object)" is neither text nor an EnvValue',
  ],
  [
    'a variable that is a function',
    { environment: { PASSWORD: () => 'secret' } },
    'environment["PASSWORD"]: "(function)" is neither text nor an EnvValue',
  ],
  [
    'a variable with a null character',
    { environment: { NOTE: 'a\0b' } },
    'environment["NOTE"]: "a\\u0000b" has a null character, which no environment can carry: take it out',
  ],
  [
    'PORT by hand',
    { environment: { PORT: '8080' } },
    'environment["PORT"]: "8080" follows from another option, so that nginx knows it too: give port',
  ],
  [
    'KEEP_ALIVE_TIMEOUT_SECONDS by hand',
    { environment: { KEEP_ALIVE_TIMEOUT_SECONDS: '65' } },
    'environment["KEEP_ALIVE_TIMEOUT_SECONDS"]: "65" follows from another option, so that nginx knows it too: give keepAliveTimeout',
  ],
  [
    'SHUTDOWN_TIMEOUT_SECONDS by hand',
    { environment: { SHUTDOWN_TIMEOUT_SECONDS: '5' } },
    'environment["SHUTDOWN_TIMEOUT_SECONDS"]: "5" follows from another option, so that nginx knows it too: give requestTimeout',
  ],

  // Times
  [
    'a duration without a unit',
    { requestTimeout: '30' },
    'requestTimeout: "30" is not a duration: give a whole number with a unit, such as "30s" or "500ms"',
  ],
  [
    'a keep-alive that leaves nginx no margin',
    { keepAliveTimeout: '1s' },
    'keepAliveTimeout: "1s" is too short: give 2s or more',
  ],
  [
    'a stabilization window that Kubernetes refuses',
    { replicas: { scaleDownAfter: '2h' } },
    'replicas.scaleDownAfter: "2h" is too long: give 1h or less',
  ],

  // Resources
  [
    'CPUs that are not a number',
    { resources: { cpu: { request: 'half' } } },
    'resources.cpu.request: "half" is not a number of CPUs: give one such as "500m" or "2"',
  ],
  [
    'no CPU',
    { proxy: { resources: { cpu: { limit: '0' } } } },
    'proxy.resources.cpu.limit: "0" is not a number of CPUs: give one such as "500m" or "2"',
  ],
  [
    'no CPU to ask for',
    { proxy: { resources: { cpu: { request: '0' } } } },
    'proxy.resources.cpu.request: "0" is not a number of CPUs',
  ],
  [
    'memory to ask for without a unit',
    { resources: { memory: { request: '256' } } },
    'resources.memory.request: "256" is not an amount of memory',
  ],
  [
    'parts of a thousandth of a CPU',
    { resources: { cpu: { request: '0.5m' } } },
    'resources.cpu.request: "0.5m" is not a number of CPUs: give one such as "500m" or "2"',
  ],
  [
    'memory without a unit',
    { resources: { memory: { limit: '512' } } },
    'resources.memory.limit: "512" is not an amount of memory: give 1Mi or more, such as "256Mi" or "1Gi"',
  ],
  [
    'memory in a unit that Kubernetes does not have',
    { proxy: { resources: { memory: { request: '64MB' } } } },
    'proxy.resources.memory.request: "64MB" is not an amount of memory: give 1Mi or more, such as "256Mi" or "1Gi"',
  ],
  [
    'a CPU request above its limit',
    { resources: { cpu: { request: '2', limit: '1500m' } } },
    'resources.cpu.request: "2" is more than resources.cpu.limit ("1500m"): give no more than that',
  ],
  [
    'a memory request above its limit',
    { proxy: { resources: { memory: { request: '1Gi', limit: '900M' } } } },
    'proxy.resources.memory.request: "1Gi" is more than resources.memory.limit ("900M"): give no more than that',
  ],
  [
    'an amount without a name',
    { resources: { cpu: '2' } },
    'resources.cpu: "2" is not an object with names and values: give one, such as { request: "500m", limit: "2" }',
  ],
  [
    'a kind of resource that there is not',
    { resources: { cpus: { limit: '2' } } },
    'resources.cpus: "(object)" is an option that does not exist: cpu does',
  ],
  [
    'more CPUs than nginx has workers for',
    { proxy: { resources: { cpu: { limit: '513' } } } },
    'proxy.resources.cpu.limit: "513" is more than one nginx has workers for: give 512 or less',
  ],
  [
    'more CPUs to ask for than nginx has workers for',
    { proxy: { resources: { cpu: { request: '513' } } } },
    'proxy.resources.cpu.request: "513" is more than one nginx has workers for: give 512 or less',
  ],
  [
    'no disk',
    { proxy: { resources: { temporaryStorage: '0' } } },
    'proxy.resources.temporaryStorage: "0" is not an amount of memory',
  ],

  // Numbers of pods
  [
    'a number of pods that is a text',
    { replicas: '3' },
    'replicas: "3" is neither a number of pods nor the bounds of an autoscaler: give 2, or { min: 2, max: 12 }',
  ],
  [
    'a number of proxies that is a list',
    { proxy: { replicas: [2, 6] } },
    'proxy.replicas: [2,6] is neither a number of pods nor the bounds of an autoscaler: give 3, or { min: 3, max: 12 }',
  ],
  [
    'a minimum above the maximum',
    { replicas: { min: 5, max: 3 } },
    'replicas.min: 5 is more than max (3): give no more than that',
  ],
  ['no pods', { replicas: 0 }, 'replicas: 0 is out of range: give a whole number from 1 to 1000'],
  ['half a pod', { replicas: { max: 2.5 } }, 'replicas.max: 2.5 is out of range: give a whole number from 1 to 1000'],
  ['too many pods', { replicas: 1001 }, 'replicas: 1001 is out of range: give a whole number from 1 to 1000'],
  ['one proxy', { proxy: { replicas: 1 } }, 'proxy.replicas: 1 is out of range: give a whole number from 2 to 1000'],
  [
    'at least one proxy',
    { proxy: { replicas: { min: 1 } } },
    'proxy.replicas.min: 1 is out of range: give a whole number from 2 to 1000',
  ],
  [
    'at most one proxy',
    { proxy: { replicas: { max: 1 } } },
    'proxy.replicas.max: 1 is out of range: give a whole number from 2 to 1000',
  ],
  [
    'an autoscaler that goes by nothing',
    { replicas: { metrics: [] } },
    'replicas.metrics: [] is empty: give what to scale by, such as [ScalingMetric.cpu(70)]',
  ],
  [
    'a metric that is a number',
    { replicas: { metrics: [70] } },
    'replicas.metrics: 70 is not what stands here: give it as ScalingMetric.cpu(70) does',
  ],
  [
    'a metric that is no list',
    { replicas: { metrics: ScalingMetric.cpu(70) } },
    'replicas.metrics: {"name":"ScalingMetric.cpu","of":{}} is not a list: give one, such as [ScalingMetric.cpu(70)]',
  ],
  [
    'a history of less than nothing',
    { namespace: { revisionHistoryLimit: -1 } },
    'namespace.revisionHistoryLimit: -1 is out of range: give a whole number from 0 to 1000',
  ],

  // Pods
  [
    'an account that is a name',
    { pods: { serviceAccount: 'shop' } },
    'pods.serviceAccount: "shop" is not a service account: give one, such as ServiceAccount.fromServiceAccountName(chart, "Account", "orders")',
  ],
  [
    'an account that is any object',
    { pods: { serviceAccount: { name: 'shop' } } },
    'pods.serviceAccount: "(object)" is not a service account',
  ],
  [
    'a priority that no class can be called',
    { pods: { priorityClass: 'Very High' } },
    'pods.priorityClass: "Very High" is not the name of a Kubernetes object',
  ],
  [
    'an unknown spread',
    { pods: { spread: { nodes: 'wide' } } },
    'pods.spread.nodes: "wide" is unknown: give one of required, preferred',
  ],
  [
    'a spread that is a word',
    { pods: { spread: 'preferred' } },
    'pods.spread: "preferred" is not an object with names and values: give one, such as { nodes: "preferred" }',
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
    { proxy: { clients: { trustedProxies } } },
    `proxy.clients.trustedProxies: ${String(shown)} is every public IPv${String(version)} address: give the networks of your load balancers, such as "10.0.0.0/8"`,
  ]),

  // What nginx has to know
  [
    'a DNS server that is none',
    { namespace: { resolvers: ['10.96.0'] } },
    'namespace.resolvers: "10.96.0" is not a server: give an address or a DNS name, with an optional port, such as "10.96.0.10", "[fd00::a]:53" or "dns.example.com:53"',
  ],
  [
    'a DNS server on a port that there is not',
    { namespace: { resolvers: ['10.0.0.10:70000'] } },
    'namespace.resolvers: "10.0.0.10:70000" is not a server',
  ],
  ['no DNS server', { namespace: { resolvers: [] } }, 'namespace.resolvers: [] is empty: give a DNS server'],
  [
    'an unknown IP family',
    { namespace: { ipFamilies: ['IPv5'] } },
    'namespace.ipFamilies: "IPv5" is unknown: give one of IPv4, IPv6',
  ],
  ['no IP family', { namespace: { ipFamilies: [] } }, 'namespace.ipFamilies: [] is empty: give IPv4, IPv6 or both'],
  [
    'defaults of routes that cannot work',
    { proxy: { routeDefaults: { maxBodySize: '1x' } } },
    'proxy.routeDefaults.maxBodySize: "1x" is not a size: give a whole number with a unit, such as "16k" or "1m"',
  ],
  [
    'defaults of routes that are no options',
    { proxy: { routeDefaults: 'none' } },
    'proxy.routeDefaults: "none" is not an object with names and values: give one, such as { maxBodySize: "8m" }',
  ],
];

describe('Refused before anything is made, in one line', () => {
  test.each(cases)('is %s', (_, given, message) => {
    const said = refusal(given);
    expect(said.startsWith(`orders ${message}`)).toBe(true);
    expect(said).not.toContain('\n');
  });

  test.each([
    { proxy: { clients: { trustedProxies: ['0.0.0.0/1', '192.0.0.0/2', 'fd00::/8', '::ffff:0.0.0.0/96'] } } },
    { exposure: Exposure.loadBalancer({ sourceRanges: ['0.0.0.0/0', '::/0'] }) },
  ])('is not %j', (given) => {
    expect(() => refusal(given)).toThrow('nothing was refused');
  });

  test.each([
    ['Orders API', 'is not a DNS label: give at most 63 letters, digits and hyphens in lower case, such as "orders"'],
    ['kube-orders', "is the cluster's own, and would be closed to all that is not restricted: give one of its own"],
    ['nginx', 'is the name of the objects of its proxy: give another'],
    ['a'.repeat(53), 'is too long for the name of a Service behind it: give at most 52 letters'],
  ])('is the id %s', (id, remedy) => {
    expect(refusal({}, id)).toBe(`${id} id: "${id}" ${remedy}`);
  });

  test('is no id of 52 letters, nor one of the cluster where the namespace has a name of its own', () => {
    expect(() => refusal({}, 'a'.repeat(52))).toThrow('nothing was refused');
    expect(() => refusal({ namespace: { name: 'shop' } }, 'default')).toThrow('nothing was refused');
  });

  test.each([
    [undefined, 'undefined'],
    ['orders:1.4.2 ', '"orders:1.4.2 "'],
    [['orders:1.4.2'], '["orders:1.4.2"]'],
  ])('is %j as the image', (image, shown) => {
    expect(() => new LoadBalancedApi(new App(), 'orders', { image } as never)).toThrow(
      new Error(`orders image: ${shown} is not the name of an image: give one, such as "ghcr.io/acme/orders:1.4.2"`),
    );
  });

  test.each([
    [undefined, 'undefined'],
    [null, 'null'],
    ['orders', '"orders"'],
  ])('is %j as all options', (options, shown) => {
    expect(() => new LoadBalancedApi(new App(), 'orders', options as never)).toThrow(
      new Error(
        `orders options: ${shown} is not an object with names and values: give one, such as { image: "ghcr.io/acme/orders:1.4.2" }`,
      ),
    );
  });

  test('is everything that is wrong, at once', () => {
    expect(
      refusal({
        hots: 'a',
        host: 'A',
        maxFails: 0,
        port: 0,
        replicas: { min: 0, maxx: 3 },
        proxy: { gzip: 'no', clients: { maxRequests: 1 } },
        namespace: { name: 'Shop', dnsCacheTtl: '1h' },
        route: { maxBodySize: '0k', streaming: '0s' },
      }).split('\n'),
    ).toEqual([
      'orders hots: "a" is an option that does not exist: host does',
      'orders namespace.name: "Shop" is not a DNS label: give at most 63 letters, digits and hyphens in lower case, such as "orders"',
      'orders namespace.dnsCacheTtl: "1h" is too long: give 5m or less',
      'orders host: "A" is not a DNS name: give letters, digits and hyphens in lower case, separated by dots, such as "api.example.com"',
      'orders proxy.clients.maxRequests: 1 is out of range: give a whole number from 16 to 200000',
      'orders proxy.gzip: "no" is neither true nor false: give one of them',
      'orders route.streaming: "0s" is too short: give 1s or more',
      'orders route.maxBodySize: "0k" is zero, which nginx reads as no limit: give 1k or more',
      'orders port: 0 is out of range: give a whole number from 1 to 65535',
      'orders replicas.maxx: 3 is an option that does not exist: max does',
      'orders replicas.min: 0 is out of range: give a whole number from 1 to 1000',
      'orders maxFails: 0 is out of range: give a whole number from 1 to 1000',
    ]);
  });

  test('is every group that is none, at once', () => {
    expect(refusal({ namespace: 'shop', proxy: 5, route: null }).split('\n')).toEqual([
      'orders namespace: "shop" is not an object with names and values: give one, such as { name: "shop" }',
      'orders proxy: 5 is not an object with names and values: give one, such as { replicas: 3 }',
      'orders route: null is not an object with names and values: give one, such as { maxBodySize: "8m" }',
    ]);
  });

  test('is named after its construct', () => {
    const shop = new Chart(new App(), 'shop');
    expect(() => new LoadBalancedApi(shop, 'orders', props({ maxFails: 0 }))).toThrow(
      new Error('shop/orders maxFails: 0 is out of range: give a whole number from 1 to 1000'),
    );
  });
});
