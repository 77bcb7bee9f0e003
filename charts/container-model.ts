import { EnvFrom, type EnvValue, ImagePullPolicy, type VolumeMount } from 'cdk8s-plus-27';
import { timeline, type Timeline, type TimelineProps } from '../timeline/timeline';
import { list } from '../values/collections';
import { wholeSeconds } from '../values/duration';
import { integer, port } from '../values/integer';
import { InvalidOption } from '../values/invalid-option';
import { knownOptions } from '../values/known-options';
import { dnsSubdomainName, oneOf, urlPath } from '../values/names';
import { cpus, memoryBytes } from '../values/quantity';
import type { ContainerProps } from './container-props';
import { environmentVariables } from './environment-variables';
import { imageReference } from './image-reference';
import { requestAndLimit, type Resources } from './resources';
import { volumeMounts } from './volume-mounts';

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

// A record, so that TypeScript misses nothing when an option is added.
const known: Readonly<Record<keyof ContainerProps, true>> = {
  image: true,
  port: true,
  command: true,
  args: true,
  environment: true,
  envFrom: true,
  imagePullSecrets: true,
  imagePullPolicy: true,
  cpuRequest: true,
  cpuLimit: true,
  memoryRequest: true,
  memoryLimit: true,
  healthCheckPath: true,
  livenessPath: true,
  readinessPath: true,
  keepAliveTimeout: true,
  volumes: true,
  user: true,
};

const pullPolicies = {
  IfNotPresent: ImagePullPolicy.IF_NOT_PRESENT,
  Always: ImagePullPolicy.ALWAYS,
  Never: ImagePullPolicy.NEVER,
};

/** Validates the container, and derives the timeline, which begins with what the container does. */
export function containerModel(
  given: ContainerProps | null | undefined,
  times: TimelineProps,
): { readonly container: ContainerModel; readonly timeline: Timeline } {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidOption(
      'container',
      given,
      'is not a container: give at least { image: "ghcr.io/acme/orders:1.4.2" }',
    );
  }
  knownOptions('container.', given, Object.keys(known));
  const keepAliveTimeout = given.keepAliveTimeout ?? '5s';
  wholeSeconds('container.keepAliveTimeout', keepAliveTimeout, { min: '2s', max: '1h' });
  const agreed = timeline({ ...times, keepAliveTimeout });
  const containerPort = port('container.port', given.port ?? 3000);
  const healthCheckPath = urlPath('container.healthCheckPath', given.healthCheckPath ?? '/healthcheck');

  return {
    timeline: agreed,
    container: {
      image: imageReference('container.image', given.image),
      port: containerPort,
      command: words('container.command', given.command),
      args: words('container.args', given.args),
      environment: environmentVariables(containerPort, agreed, given.environment ?? {}),
      envFrom: list('container.envFrom', given.envFrom ?? [], '[Env.fromSecret(secret)]').map(envFrom),
      imagePullSecrets: list('container.imagePullSecrets', given.imagePullSecrets ?? [], '["registry"]').map((name) =>
        dnsSubdomainName('container.imagePullSecrets', name),
      ),
      imagePullPolicy:
        pullPolicies[
          oneOf('container.imagePullPolicy', given.imagePullPolicy ?? 'IfNotPresent', [
            'IfNotPresent',
            'Always',
            'Never',
          ])
        ],
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
      healthCheckPath,
      livenessPath: urlPath('container.livenessPath', given.livenessPath ?? healthCheckPath),
      readinessPath: urlPath('container.readinessPath', given.readinessPath ?? healthCheckPath),
      volumes: volumeMounts(given.volumes ?? []),
      user: given.user === undefined ? undefined : integer('container.user', given.user, 1, 2 ** 31 - 1),
    },
  };
}

function words(option: string, given: readonly string[] | undefined): readonly string[] | undefined {
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || given.length === 0 || !given.every((word) => typeof word === 'string')) {
    throw new InvalidOption(option, given, 'is not a list of words: give one, such as ["node", "server.js"]');
  }
  return given;
}

function envFrom(value: unknown): EnvFrom {
  if (value instanceof EnvFrom) return value;
  const option = 'container.envFrom';
  throw new InvalidOption(option, value, 'is not an EnvFrom: give one, such as Env.fromSecret(secret)');
}
