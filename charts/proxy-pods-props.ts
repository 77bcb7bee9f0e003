/** The pods of nginx. */
export interface ProxyPodsProps {
  /**
   * A fixed number of proxies (2 or more), without an autoscaler.
   *
   * @default - none: an autoscaler decides
   */
  readonly proxyReplicas?: number;

  /**
   * The fewest proxies that the autoscaler leaves (2 or more: one could not be replaced without a gap).
   *
   * @default 2
   */
  readonly proxyMinReplicas?: number;

  /**
   * The most proxies that the autoscaler makes.
   *
   * @default 6, or proxyMinReplicas if that is more
   */
  readonly proxyMaxReplicas?: number;

  /**
   * The CPU use that the proxies' autoscaler aims at, in percent of `proxyCpuRequest`.
   *
   * @default 70
   */
  readonly proxyTargetCpuUtilization?: number;

  /**
   * The image of nginx: 1.30 or newer, with OpenSSL 3.5 or newer and the njs module (`ngx_http_js_module.so`), which keeps the
   * last good certificate. `nginx:1.30` has all of it, `nginx:1.30-alpine-slim` has not.
   *
   * @default 'nginx:1.30'
   * @see https://hub.docker.com/_/nginx
   */
  readonly proxyImage?: string;

  /**
   * CPUs that a proxy is sure of.
   *
   * @default '250m'
   */
  readonly proxyCpuRequest?: string;

  /**
   * CPUs that a proxy may use at most, up to 512. nginx runs one worker for each (rounded up).
   *
   * @default '2', or proxyCpuRequest if that is more
   * @see https://nginx.org/en/docs/ngx_core_module.html#worker_processes
   */
  readonly proxyCpuLimit?: string;

  /**
   * Memory that a proxy is sure of.
   *
   * @default '64Mi', or proxyMemoryLimit if that is less
   */
  readonly proxyMemoryRequest?: string;

  /**
   * Memory that a proxy may use at most. How many connections and requests it takes on follows from it (`maxConnections`,
   * `maxRequests`), so that four fifths of it suffice whatever clients do.
   *
   * @default - 384Mi for each worker, or proxyMemoryRequest if that is more
   */
  readonly proxyMemoryLimit?: string;

  /**
   * Disk that a proxy may use for request bodies that do not fit in memory, as Kubernetes writes amounts (`'8Gi'`): the limit of its
   * volume `/tmp`. `maxRequests` bodies of `clientMaxBodySize` have to fit in it; without `maxRequests` as many requests are let in as fit.
   *
   * @default - as much as these bodies take, up to 8Gi; more has to be given
   * @see https://kubernetes.io/docs/concepts/storage/volumes/#emptydir
   */
  readonly proxyTemporaryStorage?: string;
}
