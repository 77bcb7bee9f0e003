import type { EnvFrom, EnvValue, VolumeMount } from 'cdk8s-plus-27';
import type { Duration } from '../values/duration';

/** The container of the API. */
export interface ContainerProps {
  /**
   * The image, with its registry, and a tag or a digest.
   *
   * @see https://kubernetes.io/docs/concepts/containers/images/
   */
  readonly image: string;

  /**
   * The TCP port that the API listens on for plain HTTP. It is told to the API as `PORT`.
   *
   * @default 3000
   */
  readonly port?: number;

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
   * Names of Secrets of the same namespace with which the kubelet pulls the image.
   *
   * @default - none
   * @see https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
   */
  readonly imagePullSecrets?: readonly string[];

  /**
   * When the kubelet pulls the image: `IfNotPresent`, `Always` or `Never`.
   *
   * @default 'IfNotPresent'
   */
  readonly imagePullPolicy?: 'IfNotPresent' | 'Always' | 'Never';

  /**
   * CPUs that a pod is sure of. The autoscaler counts in shares of it: Node runs JavaScript on one CPU, so with a
   * request of 1 or more, `targetCpuUtilization` may never be met.
   *
   * @default '500m'
   * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
   */
  readonly cpuRequest?: string;

  /**
   * CPUs that a pod may use at most; it is slowed down at this limit.
   *
   * @default '2', or cpuRequest if that is more
   */
  readonly cpuLimit?: string;

  /**
   * Memory that a pod is sure of.
   *
   * @default '256Mi', or memoryLimit if that is less
   */
  readonly memoryRequest?: string;

  /**
   * Memory that a pod may use at most; it is killed beyond it.
   *
   * @default '512Mi', or memoryRequest if that is more
   */
  readonly memoryLimit?: string;

  /**
   * A path that answers 2xx when the API works. It is the default of `livenessPath` and `readinessPath`, and a new
   * proxy asks for it once before it takes over.
   *
   * @default '/healthcheck'
   */
  readonly healthCheckPath?: string;

  /**
   * Asked every 10 s, and once a second until its first 2xx; a pod whose answer is missing or is no 2xx or 3xx for 60 s
   * is restarted. Do not let it depend on a database: all pods would be restarted together.
   *
   * @default - healthCheckPath
   * @see https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
   */
  readonly livenessPath?: string;

  /**
   * Asked every 5 s; a pod that answers no 2xx or 3xx twice in a row gets no new requests until it does.
   *
   * @default - healthCheckPath
   */
  readonly readinessPath?: string;

  /**
   * How long the API keeps an idle connection open, in whole seconds. An app that uses `serve()` is told this value
   * (`KEEP_ALIVE_TIMEOUT_SECONDS`) and follows it; of any other app it says what the app does. nginx closes its pooled
   * connections earlier, so that no request meets a connection that the API is closing.
   *
   * @default '5s' - what Node does on its own up to version 25
   * @see https://nodejs.org/api/http.html#serverkeepalivetimeout
   */
  readonly keepAliveTimeout?: Duration;

  /**
   * Volumes and where they are mounted. The root file system is read-only. `/tmp` is an empty directory of at most 1 GiB (a
   * pod that writes more is evicted) unless something is mounted there.
   *
   * @default - none
   * @see https://kubernetes.io/docs/concepts/storage/volumes/
   */
  readonly volumes?: readonly VolumeMount[];

  /**
   * The user id that the API runs as, from 1 up. Give it if the image names its user by a word (`USER node`), which the
   * kubelet cannot tell from root and refuses to start.
   *
   * @default - the image's own user, which must be a number other than 0
   * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
   */
  readonly user?: number;
}
