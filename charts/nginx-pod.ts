/** Ports of nginx in its pods: above 1024, which need no privilege. */
export const httpPort = 8080;
export const httpsPort = 8443;
/** For the kubelet alone: no Service has it. */
export const probePort = 8444;
/** For nginx itself, on the loopback address. */
export const certificateCheckPort = 8445;

/** What a proxy may have on its node's disk: bodies that are too large for memory, in /tmp. */
export const temporaryMebibytes = 1024;

/** Where the Secret is mounted. */
export const certificateDirectory = '/etc/nginx/tls';
/** Where the pairs of it that proved good are kept. */
export const certificateStore = '/run/certificates';
