import { EnvFrom, type EnvValue, ImagePullPolicy, type VolumeMount } from 'cdk8s-plus-27';
import { timeline, type Timeline, timelineOptions, type TimelineProps } from '../model/timeline';
import { cpus, type Duration, memoryBytes, port, whole } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { dnsSubdomainName, urlPath, wordOf } from '../validation/names';
import {
  asGiven,
  knownValues,
  listOf,
  optional,
  required,
  type Table,
  type Values,
  withDefault,
} from '../validation/options';
import { environmentVariables } from './environment-variables';
import { amountOf, requestAndLimit, type Resources } from './resources';
import { volumeMounts } from './volume-mounts';

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

/** The API's container with every value known. */
export interface ContainerModel {
  readonly image: string;
  readonly port: number;
  readonly command: readonly string[] | undefined;
  readonly args: readonly string[] | undefined;
  readonly environment: Readonly<Record<string, EnvValue>>;
  readonly envFrom: readonly EnvFrom[];
  readonly imagePullSecrets: readonly string[];
  readonly imagePullPolicy: ImagePullPolicy;
  readonly resources: Resources;
  readonly healthCheckPath: string;
  readonly livenessPath: string;
  readonly readinessPath: string;
  readonly volumes: readonly VolumeMount[];
  readonly user: number | undefined;
}

const pullPolicies = {
  IfNotPresent: ImagePullPolicy.IF_NOT_PRESENT,
  Always: ImagePullPolicy.ALWAYS,
  Never: ImagePullPolicy.NEVER,
};

export const containerOptions = {
  image: required(imageReference),
  port: withDefault(3000, port),
  command: optional(words),
  args: optional(words),
  environment: withDefault({}, asGiven),
  envFrom: withDefault([], listOf(envFrom, '[Env.fromSecret(secret)]')),
  imagePullSecrets: withDefault([], listOf(dnsSubdomainName, '["registry"]')),
  imagePullPolicy: withDefault('IfNotPresent', wordOf(['IfNotPresent', 'Always', 'Never'])),
  cpuRequest: optional(amountOf(cpus)),
  cpuLimit: optional(amountOf(cpus)),
  memoryRequest: optional(amountOf(memoryBytes)),
  memoryLimit: optional(amountOf(memoryBytes)),
  healthCheckPath: withDefault('/healthcheck', urlPath),
  livenessPath: optional(urlPath),
  readinessPath: optional(urlPath),
  keepAliveTimeout: timelineOptions.keepAliveTimeout,
  volumes: withDefault([], volumeMounts),
  user: optional(whole(1, 2 ** 31 - 1)),
} satisfies Table<ContainerProps>;

/** What is given of the container, each option by itself. */
export function containerOptionsOf(props: unknown): Values<typeof containerOptions> {
  if (typeof props !== 'object' || props === null || Array.isArray(props)) {
    throw new InvalidOption(
      'container',
      props,
      'is not a container: give at least { image: "ghcr.io/acme/orders:1.4.2" }',
    );
  }
  return knownValues(props, containerOptions, 'container.');
}

/** Validates the container, and derives the timeline, which begins with what the container does. */
export function containerModel(
  props: ContainerProps,
  times: TimelineProps,
): { readonly container: ContainerModel; readonly timeline: Timeline } {
  const given = containerOptionsOf(props);
  const agreed = timeline({ ...times, keepAliveTimeout: `${given.keepAliveTimeout}s` });

  return {
    timeline: agreed,
    container: {
      image: given.image,
      port: given.port,
      command: given.command,
      args: given.args,
      environment: environmentVariables(given.port, agreed, given.environment),
      envFrom: given.envFrom,
      imagePullSecrets: given.imagePullSecrets,
      imagePullPolicy: pullPolicies[given.imagePullPolicy],
      resources: {
        cpu: requestAndLimit(
          cpus,
          { option: 'container.cpuRequest', value: given.cpuRequest, otherwise: '500m' },
          { option: 'container.cpuLimit', value: given.cpuLimit, otherwise: '2' },
        ),
        memory: requestAndLimit(
          memoryBytes,
          { option: 'container.memoryRequest', value: given.memoryRequest, otherwise: '256Mi' },
          { option: 'container.memoryLimit', value: given.memoryLimit, otherwise: '512Mi' },
        ),
        // No limit: the root file system is read-only, logs are rotated and volumes have limits of their own.
        ephemeralStorage: { request: '64Mi' },
      },
      healthCheckPath: given.healthCheckPath,
      livenessPath: given.livenessPath ?? given.healthCheckPath,
      readinessPath: given.readinessPath ?? given.healthCheckPath,
      volumes: given.volumes,
      user: given.user,
    },
  };
}

function words(option: string, given: unknown): readonly string[] {
  if (!Array.isArray(given) || given.length === 0 || !given.every((word) => typeof word === 'string')) {
    throw new InvalidOption(option, given, 'is not a list of words: give one, such as ["node", "server.js"]');
  }
  return given;
}

function envFrom(option: string, value: unknown): EnvFrom {
  if (value instanceof EnvFrom) return value;
  throw new InvalidOption(option, value, 'is not an EnvFrom: give one, such as Env.fromSecret(secret)');
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const registry = '(?:[A-Za-z0-9][A-Za-z0-9.-]*|\\[[0-9a-fA-F:]+\\])(?::\\d{1,5})?';
const reference = new RegExp(
  `^(?:${registry}/)?${component}(?:/${component})*(?::\\w[\\w.-]{0,127})?(?:@[A-Za-z][\\w+.-]*:[0-9a-fA-F]{32,})?$`,
);

/** The name of an image. @see https://github.com/distribution/reference/blob/main/reference.go */
export function imageReference(option: string, value: unknown): string {
  if (typeof value !== 'string' || value.length > 512 || !reference.test(value)) {
    throw new InvalidOption(
      option,
      value,
      'is not the name of an image: give one, such as "ghcr.io/acme/orders:1.4.2"',
    );
  }
  return value;
}
