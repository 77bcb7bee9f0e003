import type { EnvFrom, EnvValue, VolumeMount } from 'cdk8s-plus-27';
import { LoadBalancing } from '../model/load-balancing';
import { type Protocol, protocols } from '../model/routes/route';
import { backendTimes, type BackendTimes, timeline, type Timeline } from '../model/timeline';
import { port, seconds, type TimeText, whole } from '../validation/amounts';
import { record, words } from '../validation/collections';
import { InvalidOption } from '../validation/invalid-option';
import { dnsLabelName, grpcServiceName, imageReference, urlPath, wordOf } from '../validation/names';
import {
  asGiven,
  group,
  instanceOf,
  knownValues,
  listOf,
  optional,
  required,
  type Table,
  type Values,
  withDefault,
} from '../validation/options';
import { healthCheck, healthCheckOptions, type HealthCheckPaths, healthChecks } from './health-check';
import { type LocalOptions, localOptions } from './local-options';
import type { NamespaceModel } from './namespace';
import { type Autoscaling, type Replicas, replicas } from './pods/autoscaling';
import { envFrom, environmentVariables } from './pods/environment-variables';
import { type PodModel, type PodOptions, pods } from './pods/pod-options';
import { type Amounts, requestAndLimit, resourceOptions, type Resources } from './pods/resources';
import { volumeMounts } from './pods/volume-mounts';

/** CPU and memory of a container. */
export interface BackendResources {
  /**
   * CPUs. The autoscaler counts in shares of the request; a pod is slowed down at the limit. Node runs JavaScript on one CPU: the autoscaler's 70 % of
   * the default request are a third of it, so that there is room until another pod serves. The default limit is that CPU, and one for Node's other threads.
   *
   * @default { request: '500m', limit: '2' }
   * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
   */
  readonly cpu?: Amounts;

  /**
   * Memory. A pod is killed beyond the limit. Node lets its heap grow to half of the limit, and to 256 MiB at least: with less than the default limit a
   * heap may have no room to grow to that. The default request is that heap.
   *
   * @default { request: '256Mi', limit: '512Mi' }
   */
  readonly memory?: Amounts;
}

/** An API: its image, how many pods of it there are, and what nginx has to know of it. All but `image` have a default. */
export interface BackendProps extends BackendTimes {
  /**
   * The image, with its registry, and a tag or a digest.
   *
   * @see https://kubernetes.io/docs/concepts/containers/images/
   */
  readonly image: string;

  /**
   * The id of the backend of which this is a version, where that one is no longer made: `addVersion` says it by itself. It is in the selectors
   * (`app.kubernetes.io/name`), which Kubernetes never lets a Deployment change: what was made as a version stays one.
   *
   * @default - it is a backend of its own
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#label-selector-updates
   */
  readonly versionOf?: string;

  /**
   * The TCP port that the API listens on for plain HTTP, or for gRPC without TLS. It is told to the API as `PORT`.
   *
   * @default 3000
   */
  readonly port?: number;

  /**
   * How the API is spoken to: `'http'` (HTTP/1.1), or `'grpc'` (HTTP/2 without TLS inside the cluster). Clients of gRPC come over TLS, as all do, and what nginx
   * itself answers on such a route has a status of gRPC; the kubelet asks by the health protocol of gRPC. gRPC-Web is not translated.
   *
   * @default 'http'
   * @see https://nginx.org/en/docs/http/ngx_http_grpc_module.html
   */
  readonly protocol?: 'http' | 'grpc';

  /**
   * Replaces the image's entry point. No shell reads it: every word is an argument of its own.
   *
   * @default - the image's ENTRYPOINT
   * @see https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/
   */
  readonly command?: readonly string[];

  /**
   * Replaces the image's arguments.
   *
   * @default - the image's CMD
   */
  readonly args?: readonly string[];

  /**
   * Environment variables: text, or a value from a Secret or ConfigMap (`EnvValue`). `PORT`,
   * `KEEP_ALIVE_TIMEOUT_SECONDS`, `REQUEST_TIMEOUT_SECONDS` and `SHUTDOWN_TIMEOUT_SECONDS` follow from other options
   * and are refused here.
   *
   * @default - none
   * @see https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/
   */
  readonly environment?: Readonly<Record<string, string | EnvValue>>;

  /**
   * Whole ConfigMaps and Secrets as environment variables (`Env.fromConfigMap`, `Env.fromSecret`).
   *
   * @default - none
   */
  readonly envFrom?: readonly EnvFrom[];

  /**
   * Volumes and where they are mounted. The root file system is read-only. `/tmp` is an empty directory of at most 1 GiB (a
   * pod that writes more is evicted) unless something is mounted there.
   *
   * @default - none
   * @see https://kubernetes.io/docs/concepts/storage/volumes/
   */
  readonly volumes?: readonly VolumeMount[];

  /**
   * How many pods there are: a number, or the bounds of an autoscaler.
   *
   * @default { min: 2, max: 10 }
   */
  readonly replicas?: number | Autoscaling;

  /**
   * CPU and memory of a pod.
   *
   * @default { cpu: { request: '500m', limit: '2' }, memory: { request: '256Mi', limit: '512Mi' } }
   */
  readonly resources?: BackendResources;

  /**
   * A path that answers 2xx when the API works, or one for each probe. With `protocol: 'grpc'` the name of a service that the health protocol of
   * gRPC knows, and by default the server as a whole.
   *
   * @default '/healthcheck'
   */
  readonly healthCheck?: string | HealthCheckPaths;

  /**
   * How a proxy chooses the pod for a request.
   *
   * @default LoadBalancing.leastConnections()
   * @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html
   */
  readonly loadBalancing?: LoadBalancing;

  /**
   * After how many failed tries within `failTimeout` a pod is left out for `failTimeout`. nginx's own value of 1 would let one
   * broken connection take out a pod.
   *
   * @default 3
   * @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#max_fails
   */
  readonly maxFails?: number;

  /**
   * The time in which `maxFails` are counted, and for which a pod is then left out; in whole seconds. A container that
   * was restarted gets requests again after this; one on a lost node costs `maxFails` × `connectTimeout` in each.
   *
   * @default '5s'
   * @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#fail_timeout
   */
  readonly failTimeout?: TimeText;

  /**
   * The most requests in progress at one pod, over all proxies, which have equal parts of it (rounded up); one more is answered 503 with
   * `Retry-After` at once where no pod has room.
   *
   * @default - any number
   * @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#max_conns
   */
  readonly maxConnections?: number;

  /**
   * How `fairlead start` runs it on one machine.
   *
   * @default - its image where Docker has it; else the example API in its place, which the repository of fairlead has
   */
  readonly local?: LocalOptions;

  /**
   * How the pods run: user, pull secrets, service account, priority, annotations, spread.
   *
   * @default - hardened, and spread over nodes
   */
  readonly pods?: PodOptions;
}

/** For Node, as BackendResources says why. The example API is far from it: at 150 requests a second a pod takes 0.11 CPU and 54 MiB. */
const usualResources = {
  cpu: { request: '500m', limit: '2' },
  memory: { request: '256Mi', limit: '512Mi' },
} as const;

/** How many pods of a backend there may be: one is enough for a test, and ten are what the autoscaler may do before somebody has looked. */
const podCounts = { fewest: 1, defaultMax: 10 };

export const backendOptions = {
  image: required(imageReference),
  versionOf: optional(dnsLabelName),
  port: withDefault(3000, port),
  protocol: withDefault('http', wordOf(protocols)),
  command: optional(words),
  args: optional(words),
  environment: withDefault({}, asGiven),
  envFrom: withDefault([], listOf(envFrom, '[Env.fromSecret(secret)]')),
  volumes: withDefault([], volumeMounts),
  replicas: withDefault({}, replicas(podCounts)),
  resources: withDefault(
    {},
    group(resourceOptions satisfies Table<BackendResources>, '{ cpu: { request: "500m" }, memory: { limit: "1Gi" } }'),
  ),
  healthCheck: withDefault(
    {},
    healthCheck(healthCheckOptions, urlPath, '{ liveness: "/livez", readiness: "/readyz" }'),
  ),
  loadBalancing: withDefault(
    LoadBalancing.leastConnections(),
    instanceOf(LoadBalancing, 'LoadBalancing.leastConnections()'),
  ),
  maxFails: withDefault(3, whole(1, 1000)),
  failTimeout: withDefault('5s', seconds({ min: '1s', max: '1h' })),
  maxConnections: optional(whole(1, 100_000)),
  local: optional(group(localOptions, '{ command: ["node", "server.js"] }')),
  pods: withDefault({}, pods),
  ...backendTimes,
} satisfies Table<BackendProps>;

/** The same where the API speaks gRPC, which knows no paths but those of its methods. */
const grpcBackendOptions = {
  ...backendOptions,
  healthCheck: withDefault(
    {},
    healthCheck(healthChecks('', grpcServiceName), grpcServiceName, '{ liveness: "", readiness: "shop.Orders" }'),
  ),
} satisfies Table<BackendProps>;

/** A backend with every value known. */
export interface BackendSettings {
  readonly image: string;
  readonly versionOf: string | undefined;
  readonly port: number;
  readonly protocol: Protocol;
  readonly command: readonly string[] | undefined;
  readonly args: readonly string[] | undefined;
  readonly environment: Readonly<Record<string, EnvValue>>;
  readonly envFrom: readonly EnvFrom[];
  readonly volumes: readonly VolumeMount[];
  readonly replicas: Replicas;
  readonly resources: Resources;
  /** Paths, or names of services of gRPC. */
  readonly healthCheck: { readonly path: string; readonly liveness: string; readonly readiness: string };
  readonly loadBalancing: LoadBalancing;
  readonly maxFails: number;
  /** In seconds. */
  readonly failTimeout: number;
  readonly maxConnections: number | undefined;
  readonly local: Values<typeof localOptions> | undefined;
  readonly pods: PodModel;
  /** What its options say of time; of a route and a proxy it has the defaults. */
  readonly timeline: Timeline;
}

/** Validates everything before anything is made. */
export function backendSettings(props: BackendProps, namespace: NamespaceModel): BackendSettings {
  const options = record('options', props, '{ image: "ghcr.io/acme/orders:1.4.2" }');
  const given = knownValues(options, options.protocol === 'grpc' ? grpcBackendOptions : backendOptions, '');
  if (given.protocol === 'grpc' && given.loadBalancing.cookie !== undefined) {
    throw new InvalidOption(
      'loadBalancing',
      '(object)',
      'does not go with gRPC, whose clients keep no cookies: give LoadBalancing.hash(RequestKey.header("x-tenant")), say',
    );
  }
  const { liveness, readiness, path } = given.healthCheck;
  if (given.local?.directory !== undefined && given.local.command === undefined) {
    throw new InvalidOption('local.directory', given.local.directory, 'is where local.command runs: give that as well');
  }
  const times = timeline({
    ...namespace.times,
    keepAliveTimeout: `${given.keepAliveTimeout}s`,
    requestTimeout: `${given.requestTimeout}s`,
    // A proxy's business: it must not be what refuses a short requestTimeout.
    connectTimeout: '1s',
  });
  return {
    ...given,
    timeline: times,
    environment: environmentVariables(given.port, times, given.environment),
    healthCheck: { path, liveness: liveness ?? path, readiness: readiness ?? path },
    resources: {
      cpu: requestAndLimit('cpu', given.resources.cpu, usualResources.cpu),
      memory: requestAndLimit('memory', given.resources.memory, usualResources.memory),
      // No limit: the root file system is read-only, logs are rotated and volumes have limits of their own.
      ephemeralStorage: { request: '64Mi' },
    },
  };
}
