/** Ports of nginx in its pods: above 1024, which need no privilege. */
export const httpPort = 8080;
export const httpsPort = 8443;
/** For the kubelet alone: no Service has it. */
export const probePort = 8444;
/** For nginx itself, on the loopback address. */
export const certificateCheckPort = 8445;
/** The servers of clients, on the loopback address too: whoever comes from outside is counted first. */
export const connectionCount = { httpPort: 8446, httpsPort: 8447 } as const;

/** What the port of metrics is called, which a deployment gives, and the path on it. */
export const metricsPortName = 'metrics';
export const metricsPath = '/metrics';

/** Where requests wait until they are counted, in memory. */
export const metricsDirectory = '/run/metrics';
/** Where requests wait until their spans are sent, in memory too. */
export const spansDirectory = '/run/spans';

/** Where the Secret is mounted. */
export const certificateDirectory = '/etc/nginx/tls';
/** Where private CAs of external services are, a directory for each Secret. */
export const authoritiesDirectory = '/etc/nginx/certificate-authorities';
/** Where the files are that say who may use routes. */
export const authDirectory = '/etc/nginx/auth';
/** Where those of hosts are, each in a directory with the name of its host. */
export const hostCertificatesDirectory = '/etc/nginx/tls-of-hosts';
/**
 * In seconds: how long a new proxy waits for those of hosts. A minute more than the time after which Kubernetes reports a rollout that
 * does not go on (`progressDeadlineSeconds`): it is known before the proxies are gone that still have the last good one.
 */
export const certificatePatience = 660;
/**
 * In seconds: how long a new proxy waits for an instance of each backend. Enough to pull the image of a new one and start it, with what
 * DNS may keep of it not being there; while a backend is away, each new proxy starts that much later.
 */
export const backendPatience = 120;
/** Where weights of versions are read from while nginx runs. */
export const weightsDirectory = '/etc/nginx/weights';
export const weightsFile = 'weights.json';
/** Where files are that nginx itself serves, in a directory for each source. */
export const filesDirectory = '/srv';
/** Where answers are kept, in a directory for each cache. */
export const cacheDirectory = '/var/cache/nginx';
/** Where the pairs of it that proved good are kept. */
export const certificateStore = '/run/certificates';
