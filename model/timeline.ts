import { seconds, type TimeText, whole } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { optional, type Table, values, withDefault } from '../validation/options';

/** What a namespace says about time: its DNS, and nodes that are lost. */
export interface NamespaceTimes {
  /**
   * How long the cluster's DNS may go on giving an old answer, in whole seconds: 30 with NodeLocal DNSCache and with
   * CoreDNS as kubeadm set it up before Kubernetes 1.32, 0 since then. A pod that ends goes on serving this much longer.
   *
   * @default '30s'
   * @see https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
   */
  readonly dnsCacheTtl?: TimeText;

  /**
   * How long the proxies keep an answer of the cluster's DNS, in whole seconds. A pod gets its first request within this and
   * two seconds of being ready (and what the cluster's own DNS caches, `dnsCacheTtl`); every proxy asks once in this time.
   *
   * @default '5s'
   * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver
   */
  readonly resolverValid?: TimeText;

  /**
   * How long pods stay bound to a node that is not ready or unreachable, in whole seconds (`tolerationSeconds`). New ones
   * are made elsewhere this long after Kubernetes has noticed the loss, which takes it 40 to 50 s
   * (node-monitor-grace-period). Too short a value moves every pod of a node whose kubelet or network only paused, and
   * leaves the others to carry its load until the new ones are ready; Kubernetes' own is 300 s.
   *
   * @default '30s'
   * @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
   */
  readonly unreachableToleration?: TimeText;
}

/** What a backend says about time. */
export interface BackendTimes {
  /**
   * How long the API keeps an idle connection open, in whole seconds. An app that uses `serve()` is told this value
   * (`KEEP_ALIVE_TIMEOUT_SECONDS`) and follows it; of any other app it says what the app does. nginx closes its pooled
   * connections earlier, so that no request meets a connection that the API is closing.
   *
   * @default '5s' - what Node does on its own up to version 25
   * @see https://nodejs.org/api/http.html#serverkeepalivetimeout
   */
  readonly keepAliveTimeout?: TimeText;

  /**
   * The longest that the API may take between two reads of a request or an answer, in whole seconds. nginx answers 504
   * (and asks another pod, if the method is idempotent) after it; a pod or a proxy that ends waits this long for the
   * requests that it holds. A route may be given less, never more.
   *
   * @default '60s'
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout
   */
  readonly requestTimeout?: TimeText;
}

/** What a proxy says about time. */
export interface ProxyTimes {
  /**
   * How long nginx serves a certificate that it has read before it looks at the file again, in whole seconds.
   *
   * @default '10s'
   * @see https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_certificate_cache
   */
  readonly certificateValid?: TimeText;
}

/** All times that the others follow from. */
export interface TimelineProps extends NamespaceTimes, BackendTimes, ProxyTimes {
  /** How long a proxy that ends goes on accepting connections. @default '30s' */
  readonly deregistrationDelay?: TimeText;
  /** How long a client may leave a connection idle and then use it again. @default '20s' */
  readonly clientKeepAliveTimeout?: TimeText;
  /** How long nginx waits for a connection to a pod. @default '2s' */
  readonly connectTimeout?: TimeText;
  /** How long after its arrival a request may still be passed to another pod. @default - `requestTimeout` and 10 s more */
  readonly nextUpstreamTimeout?: TimeText;
  /** How many pods one request is passed to before the last try. @default 3 */
  readonly nextUpstreamTries?: number;
}

export const namespaceTimes = {
  dnsCacheTtl: withDefault('30s', seconds({ max: '5m' })),
  resolverValid: withDefault('5s', seconds({ min: '1s', max: '5m' })),
  unreachableToleration: withDefault('30s', seconds({ max: '1d' })),
} satisfies Table<NamespaceTimes>;

export const backendTimes = {
  keepAliveTimeout: withDefault('5s', seconds({ min: '2s', max: '1h' })),
  requestTimeout: withDefault('60s', seconds({ min: '1s', max: '1h' })),
} satisfies Table<BackendTimes>;

export const proxyTimes = {
  certificateValid: withDefault('10s', seconds({ min: '1s', max: '1d' })),
} satisfies Table<ProxyTimes>;

export const timelineOptions = {
  ...namespaceTimes,
  ...backendTimes,
  ...proxyTimes,
  deregistrationDelay: withDefault('30s', seconds({ min: '1s', max: '10m' })),
  clientKeepAliveTimeout: withDefault('20s', seconds({ min: '2s', max: '1h' })),
  connectTimeout: withDefault('2s', seconds({ min: '1s', max: '75s' })),
  nextUpstreamTimeout: optional(seconds({ min: '1s', max: '2h' })),
  nextUpstreamTries: withDefault(3, whole(1, 10)),
} satisfies Table<TimelineProps>;

/** Every timeout of both sides, in seconds. */
export interface Timeline {
  /** nginx: how long a DNS answer is used, and how long one is waited for. */
  readonly resolverValid: number;
  readonly resolverTimeout: number;
  /** nginx to API: `proxy_connect_timeout`, `proxy_read_timeout` and `proxy_send_timeout`, `proxy_next_upstream_timeout`. */
  readonly connectTimeout: number;
  readonly requestTimeout: number;
  readonly nextUpstreamTimeout: number;
  /** nginx to API: how many pods one request is passed to before the last try, `proxy_next_upstream_tries`. */
  readonly nextUpstreamTries: number;
  /** nginx to API: TCP keep-alive, net.ipv4.tcp_keepalive_time, tcp_keepalive_intvl (seconds) and tcp_keepalive_probes. */
  readonly tcpKeepAliveTime: number;
  readonly tcpKeepAliveInterval: number;
  readonly tcpKeepAliveProbes: number;
  /** From a node's loss until a connection to it on which nothing awaits acknowledgement is found dead. */
  readonly deadConnectionFound: number;
  /** API: `server.keepAliveTimeout`; nginx: `keepalive_timeout` of the upstream, which is shorter. */
  readonly keepAliveTimeout: number;
  readonly upstreamKeepAliveTimeout: number;
  /** nginx to the fallback: `keepalive_time` and `keepalive_timeout`. */
  readonly fallbackKeepAlive: number;
  /** Client to nginx: `keepalive_timeout`, its second value, and `keepalive_min_timeout`. */
  readonly clientKeepAliveTimeout: number;
  readonly clientKeepAliveHint: number;
  readonly clientKeepAliveMinimum: number;
  /** Client to nginx: `keepalive_requests`, and `keepalive_time` of each protocol. */
  readonly clientConnectionRequests: number;
  readonly http1ConnectionTime: number;
  readonly http2ConnectionTime: number;
  /** nginx: `valid` of `ssl_certificate_cache`. */
  readonly certificateValid: number;
  /** A pod of the API that ends: `preStop.sleep`, then what `serve()` may use, all within the grace period. */
  readonly apiPreStop: number;
  readonly apiShutdownTimeout: number;
  readonly apiTerminationGracePeriod: number;
  /** A proxy that ends: `preStop.sleep`, then `worker_shutdown_timeout`, all within the grace period. */
  readonly proxyPreStop: number;
  readonly workerShutdownTimeout: number;
  readonly proxyTerminationGracePeriod: number;
  /** A proxy that has ended: how long its metrics wait at most for who asks for them regularly, within the grace period too. */
  readonly lastScrape: number;
  /** Both Deployments: `tolerationSeconds` of nodes that are not ready or unreachable. */
  readonly unreachableToleration: number;
  /** The longest from a pod's being Ready to its first request, and from its end to its last. */
  readonly discovery: number;
  /** The longest a client can wait for an answer when pods are silent (lost node), and when they accept and hang. */
  readonly longestWaitOnSilentPods: number;
  readonly longestWaitOnHungPods: number;
}

/** A lost node is found before a request has used up nextUpstreamTimeout; a stalled one, or two lost probes, is not taken for it. */
const tcpKeepAliveTime = 2;
const tcpKeepAliveInterval = 1;
const tcpKeepAliveProbes = 3;
/** A connection to the fallback stays with one pod, whatever becomes of it: it is given up long before an ending pod ends. */
const fallbackKeepAlive = 1;
/**
 * When nginx ends a connection that is in use. Over HTTP/1.1 that is clean, and moves clients to new proxies. Over HTTP/2 it costs
 * clients that do not repeat what GOAWAY says was not processed up to one round trip of requests, so it is rare.
 */
const clientConnectionRequests = 1_000_000;
const http1ConnectionTime = 600;
const http2ConnectionTime = 86_400;
/** nginx asks again `valid + 1` seconds after an answer. */
const reResolveTimer = 1;
/** After a try that hung, time for pods that are silent or gone before one that answers. */
const nextUpstreamMargin = 10;
/** What endpoint slices, the kubelet and a busy node add to any of these times. */
const slack = 2;
/** How long a worker or an app takes to end once nothing holds it. */
const exitMargin = 5;
/** Prometheus asks every minute, unless it is told otherwise. */
const lastScrape = 65;

/** Derives every timeout from what the user said, and refuses what would lose requests. */
export function timeline(props: TimelineProps = {}): Timeline {
  const given = values(props, timelineOptions);
  const { keepAliveTimeout, requestTimeout, connectTimeout, resolverValid, dnsCacheTtl } = given;
  const { certificateValid, unreachableToleration } = given;
  const { nextUpstreamTimeout = requestTimeout + nextUpstreamMargin } = given;
  const proxyPreStop = given.deregistrationDelay;
  const clientKeepAliveHint = given.clientKeepAliveTimeout;

  if (requestTimeout < connectTimeout && props.requestTimeout === undefined) {
    throw new InvalidOption(
      'connectTimeout',
      `${connectTimeout}s`,
      `is longer than requestTimeout: give ${requestTimeout}s or less, or a longer requestTimeout`,
    );
  }
  if (requestTimeout < connectTimeout) {
    throw new InvalidOption(
      'requestTimeout',
      `${requestTimeout}s`,
      `is shorter than connectTimeout: give ${connectTimeout}s or more`,
    );
  }
  if (nextUpstreamTimeout <= connectTimeout) {
    throw new InvalidOption(
      'nextUpstreamTimeout',
      `${nextUpstreamTimeout}s`,
      `leaves no time for another pod after a first one that is silent for connectTimeout (${connectTimeout}s): give ${connectTimeout + 1}s or more`,
    );
  }

  const { nextUpstreamTries } = given;
  const discovery = dnsCacheTtl + resolverValid + reResolveTimer;
  const apiPreStop = discovery + slack;
  const apiShutdownTimeout = requestTimeout + slack;
  const clientKeepAliveMinimum = clientKeepAliveHint + slack;
  const workerShutdownTimeout = Math.max(requestTimeout, clientKeepAliveMinimum) + slack;

  return {
    resolverValid,
    resolverTimeout: 2,
    connectTimeout,
    requestTimeout,
    nextUpstreamTimeout,
    nextUpstreamTries,
    tcpKeepAliveTime,
    tcpKeepAliveInterval,
    tcpKeepAliveProbes,
    deadConnectionFound: tcpKeepAliveTime + tcpKeepAliveInterval * tcpKeepAliveProbes,
    keepAliveTimeout,
    upstreamKeepAliveTimeout: keepAliveTimeout - keepAliveMargin(keepAliveTimeout),
    fallbackKeepAlive,
    // Cloud load balancers hold idle connections for 60 s and must not meet one that nginx closes first.
    clientKeepAliveTimeout: Math.max(65, clientKeepAliveMinimum),
    clientKeepAliveHint,
    clientKeepAliveMinimum,
    clientConnectionRequests,
    http1ConnectionTime,
    http2ConnectionTime,
    certificateValid,
    apiPreStop,
    apiShutdownTimeout,
    apiTerminationGracePeriod: apiPreStop + apiShutdownTimeout + exitMargin,
    proxyPreStop,
    workerShutdownTimeout,
    proxyTerminationGracePeriod: proxyPreStop + workerShutdownTimeout + exitMargin,
    lastScrape: 0,
    unreachableToleration,
    discovery,
    // Every try of the first round, then one more, then the fallback.
    longestWaitOnSilentPods:
      Math.min(nextUpstreamTries * connectTimeout, nextUpstreamTimeout + connectTimeout) + 2 * connectTimeout,
    // The last try of the first round begins before nextUpstreamTimeout has passed, and after two that hung there is no
    // other. After one, with two silent pods beside it, one more may be silent, and the fallback hang.
    longestWaitOnHungPods:
      Math.max(nextUpstreamTimeout, requestTimeout + 4 * connectTimeout) + connectTimeout + requestTimeout,
  };
}

/** What holds for all routes of a proxy: it waits for the longest request of any. */
export function proxyTimeline(props: TimelineProps, ...routes: readonly Timeline[]): Timeline {
  const all = routes.length === 0 ? [timeline(props)] : routes;
  const longest = (time: 'requestTimeout' | 'workerShutdownTimeout' | 'proxyTerminationGracePeriod'): number =>
    Math.max(...all.map((route) => route[time]));
  return {
    ...timeline(props),
    requestTimeout: longest('requestTimeout'),
    workerShutdownTimeout: longest('workerShutdownTimeout'),
    proxyTerminationGracePeriod: longest('proxyTerminationGracePeriod'),
  };
}

/** Of a proxy with metrics. */
export function scrapedTimeline(proxy: Timeline): Timeline {
  return {
    ...proxy,
    lastScrape,
    proxyTerminationGracePeriod: proxy.proxyTerminationGracePeriod + lastScrape,
  };
}

/** How much earlier nginx gives up an idle connection than the API: enough for a stalled event loop, no more than a fifth. */
function keepAliveMargin(keepAliveTimeout: number): number {
  return Math.min(5, Math.max(1, Math.floor(keepAliveTimeout / 5)));
}

/** How often the kubelet asks, how long it waits for an answer, and how many failures in a row make it act. In seconds. */
export interface ProbeTimes {
  readonly period: number;
  readonly timeout: number;
  readonly failureThreshold: number;
  /** How long a process has to end when this probe has failed, instead of the pod's own grace period. */
  readonly terminationGracePeriod?: number;
}

/** The probes of a pod of the API. */
export const apiProbes = {
  /** Five minutes to start in, and ready within a second of it. */
  startup: { period: 1, timeout: 2, failureThreshold: 300 },
  readiness: { period: 5, timeout: 2, failureThreshold: 2 },
  /**
   * A busy event loop answers late: that is a reason for more pods, not for one less. One that hung for a minute has nothing
   * left to finish.
   */
  liveness: { period: 10, timeout: 5, failureThreshold: 6, terminationGracePeriod: 5 },
} as const satisfies Readonly<Record<string, ProbeTimes>>;
