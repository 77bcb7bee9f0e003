import { mebibytes, memoryOfWorker } from '../../model/memory-costs';
import {
  type ProxyOptions,
  proxyOptions,
  type ProxySettings,
  strictTransportSecurity,
} from '../../model/proxy-options';
import { readRouteDefaults, type RouteOptions } from '../../model/routes/route-options';
import { cpus, memoryBytes } from '../../validation/amounts';
import { record } from '../../validation/collections';
import { InvalidOption, shown } from '../../validation/invalid-option';
import { imageReference } from '../../validation/names';
import {
  asGiven,
  group,
  instanceOf,
  knownValues,
  optional,
  type Reader,
  type Table,
  withDefault,
} from '../../validation/options';
import { Certificate, defaultCertificate, refuseOtherHosts } from './certificate';
import { Exposure, type ExposureModel } from './exposure';
import { type Autoscaling, type Replicas, replicas } from '../pods/autoscaling';
import { type PodModel, type PodOptions, pods } from '../pods/pod-options';
import { type Amounts, requestAndLimit, resourceOptions, type Resources } from '../pods/resources';

/** CPU, memory and disk of a proxy. */
export interface ProxyResources {
  /**
   * CPUs, up to 512. nginx runs one worker for each of the limit (rounded up).
   *
   * @default { request: '250m', limit: '2' }
   * @see https://nginx.org/en/docs/ngx_core_module.html#worker_processes
   */
  readonly cpu?: Amounts;

  /**
   * Memory. How many connections and requests a proxy takes on follows from the limit (`clients`), so that four fifths of it
   * suffice whatever clients do.
   *
   * @default { request: '64Mi', limit: '768Mi' }; the limit is 384Mi for each worker
   */
  readonly memory?: Amounts;

  /**
   * Disk for request bodies that do not fit in memory, as Kubernetes writes amounts (`'8Gi'`): the limit of the volume `/tmp`.
   * `clients.maxRequests` bodies of `maxBodySize` have to fit in it; without `maxRequests` as many requests are let in as fit.
   *
   * @default - as much as these bodies take, up to 8Gi; more has to be given
   * @see https://kubernetes.io/docs/concepts/storage/volumes/#emptydir
   */
  readonly temporaryStorage?: string;
}

/** A proxy: what clients ask for, and the pods of nginx. All options have a default. */
export interface NginxProxyProps extends ProxyOptions {
  /**
   * The certificate that clients see, valid for every host that has none of its own.
   *
   * @default Certificate.selfSigned()
   */
  readonly certificate?: Certificate;

  /**
   * How clients reach the proxies.
   *
   * @default Exposure.loadBalancer()
   */
  readonly exposure?: Exposure;

  /**
   * Options of every route that does not say otherwise; headers one by one.
   *
   * @default - those of RouteOptions
   */
  readonly routeDefaults?: RouteOptions;

  /**
   * How many proxies there are, 2 or more, as one could not be replaced without a gap: a number, or the bounds of an autoscaler.
   *
   * @default { min: 2, max: 6 }
   */
  readonly replicas?: number | Autoscaling;

  /**
   * The image of nginx: 1.30 or newer, with OpenSSL 3.5 or newer and the njs module (`ngx_http_js_module.so`), which keeps the
   * last good certificate. With `addMonitoring` it needs a shell too. `nginx:1.30` has all of it, `nginx:1.30-alpine-slim` does not.
   *
   * @default 'nginx:1.30'
   * @see https://hub.docker.com/_/nginx
   */
  readonly image?: string;

  /**
   * CPU, memory and disk of a proxy.
   *
   * @default { cpu: { request: '250m', limit: '2' }, memory: { request: '64Mi', limit: '768Mi' } }
   */
  readonly resources?: ProxyResources;

  /**
   * How the pods run: pull secrets, service account, priority, annotations, spread.
   *
   * @default - hardened, and spread over nodes
   */
  readonly pods?: PodOptions;
}

/** One alone would be a gap whenever it ends; six are what the autoscaler may do before somebody has looked. */
const podCounts = { fewest: 2, defaultMax: 6 };

export const proxyResourceOptions = {
  ...resourceOptions,
  temporaryStorage: optional(memoryBytes),
} satisfies Table<ProxyResources>;

export const nginxProxyOptions = {
  ...proxyOptions,
  certificate: withDefault(defaultCertificate, instanceOf(Certificate, 'Certificate.fromSecret("shop-tls")')),
  exposure: withDefault(Exposure.loadBalancer(), instanceOf(Exposure, 'Exposure.loadBalancer()')),
  // Read with the options of each route.
  routeDefaults: withDefault({}, asGiven as Reader<RouteOptions>),
  replicas: withDefault({}, replicas(podCounts)),
  image: withDefault('nginx:1.30', imageReference),
  resources: withDefault({}, group(proxyResourceOptions, '{ cpu: { limit: "4" } }')),
  pods: withDefault({}, pods),
} satisfies Table<NginxProxyProps>;

/** A proxy with every value known that does not follow from its routes. */
export interface NginxProxySettings extends ProxySettings {
  readonly certificate: Certificate;
  readonly exposure: ExposureModel;
  readonly routeDefaults: RouteOptions;
  readonly replicas: Replicas;
  readonly image: string;
  readonly cpu: Resources['cpu'];
  readonly memory: Resources['memory'];
  /** `worker_processes`. */
  readonly workers: number;
  /** Bytes for `/tmp`, if they were given. */
  readonly temporaryStorage: number | undefined;
  readonly pods: PodModel;
}

const mostWorkers = 512;

/** Spans bring a trace context with them. */
function refuseTraceContextTwice({ traceContext, tracing }: NginxProxyProps): void {
  if (traceContext === undefined || tracing === undefined) return;
  throw new InvalidOption(
    'traceContext',
    shown(traceContext),
    'is what tracing does already: take it out, and give sampledPercent to tracing if it has to be less than 100',
  );
}

export function nginxProxySettings(props: NginxProxyProps): NginxProxySettings {
  const given = knownValues(record('options', props, '{ host: "shop.example.com" }'), nginxProxyOptions, '');
  const cpu = requestAndLimit('cpu', given.resources.cpu, { request: '250m', limit: '2' });
  const workers = Math.ceil(cpus('resources.cpu.limit', cpu.limit));
  if (workers > mostWorkers) {
    throw new InvalidOption(
      given.resources.cpu?.limit === undefined ? 'resources.cpu.request' : 'resources.cpu.limit',
      cpu.limit,
      `is more than one nginx has workers for: give ${mostWorkers} or less`,
    );
  }
  strictTransportSecurity(given, given.host);
  refuseTraceContextTwice(props);
  refuseOtherHosts(given.certificate, [given.host, ...given.additionalHosts]);
  readRouteDefaults(given.routeDefaults);
  return {
    ...given,
    exposure: given.exposure.model,
    cpu,
    memory: requestAndLimit('memory', given.resources.memory, {
      request: '64Mi',
      limit: mebibytes(memoryOfWorker * workers),
    }),
    workers,
    temporaryStorage: given.resources.temporaryStorage,
  };
}
