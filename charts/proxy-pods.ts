import { cpus, memoryBytes } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { optional, type Table, values, withDefault } from '../validation/options';
import { imageReference } from './container';
import { cpuUtilization, podCount, type Replicas, replicas } from './replicas';
import { amountOf, requestAndLimit, type Resources } from './resources';

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

/** The pods of nginx with every value known. */
export interface ProxyPodsModel {
  readonly image: string;
  readonly replicas: Replicas;
  readonly cpu: Resources['cpu'];
  readonly memory: Resources['memory'];
  /** `worker_processes`. */
  readonly workers: number;
  /** Bytes for `/tmp`, if they were given. */
  readonly temporaryStorage: number | undefined;
}

const mostWorkers = 512;
/** Of memory: some 300 requests at once, and 2500 connections. */
const mebibytesOfWorker = 384;

export const proxyPodsOptions = {
  proxyReplicas: optional(podCount(2)),
  proxyMinReplicas: optional(podCount(2)),
  proxyMaxReplicas: optional(podCount(2)),
  proxyTargetCpuUtilization: optional(cpuUtilization),
  proxyImage: withDefault('nginx:1.30', imageReference),
  proxyCpuRequest: optional(amountOf(cpus)),
  proxyCpuLimit: optional(amountOf(cpus)),
  proxyMemoryRequest: optional(amountOf(memoryBytes)),
  proxyMemoryLimit: optional(amountOf(memoryBytes)),
  proxyTemporaryStorage: optional(memoryBytes),
} satisfies Table<ProxyPodsProps>;

export function proxyPodsModel(props: ProxyPodsProps): ProxyPodsModel {
  const given = values(props, proxyPodsOptions);
  const cpu = requestAndLimit(
    cpus,
    { option: 'proxyCpuRequest', value: given.proxyCpuRequest, otherwise: '250m' },
    { option: 'proxyCpuLimit', value: given.proxyCpuLimit, otherwise: '2' },
  );
  const workers = Math.ceil(cpus('proxyCpuLimit', cpu.limit));
  if (workers > mostWorkers) {
    throw new InvalidOption(
      given.proxyCpuLimit === undefined ? 'proxyCpuRequest' : 'proxyCpuLimit',
      cpu.limit,
      `is more than one nginx has workers for: give ${mostWorkers} or less`,
    );
  }
  return {
    image: given.proxyImage,
    replicas: replicas({
      fixed: { option: 'proxyReplicas', value: given.proxyReplicas },
      min: { option: 'proxyMinReplicas', value: given.proxyMinReplicas },
      max: { option: 'proxyMaxReplicas', value: given.proxyMaxReplicas },
      targetCpuUtilization: { option: 'proxyTargetCpuUtilization', value: given.proxyTargetCpuUtilization },
      least: 2,
      defaultMax: 6,
    }),
    cpu,
    memory: requestAndLimit(
      memoryBytes,
      { option: 'proxyMemoryRequest', value: given.proxyMemoryRequest, otherwise: '64Mi' },
      { option: 'proxyMemoryLimit', value: given.proxyMemoryLimit, otherwise: `${mebibytesOfWorker * workers}Mi` },
    ),
    workers,
    temporaryStorage: given.proxyTemporaryStorage,
  };
}
