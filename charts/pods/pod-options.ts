import { ImagePullPolicy, type IServiceAccount } from 'cdk8s-plus-27';
import type { IConstruct } from 'constructs';
import { whole } from '../../validation/amounts';
import { InvalidOption } from '../../validation/invalid-option';
import { dnsSubdomainName, wordOf } from '../../validation/names';
import { group, listOf, optional, type Reader, type Table, type Values, withDefault } from '../../validation/options';
import { userAnnotations } from '../labels';

const spreads = ['required', 'preferred'] as const;
export type Spread = (typeof spreads)[number];

/** Over what the pods of one Deployment are spread. */
export interface SpreadOptions {
  /**
   * `required` leaves a pod pending rather than on a node that has more of them than another; `preferred` places it there.
   *
   * @default 'required'
   * @see https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
   */
  readonly nodes?: Spread;

  /**
   * The same of zones, which a cluster may have only one of.
   *
   * @default 'preferred'
   */
  readonly zones?: Spread;
}

/** How the pods of a Deployment run. What is not here, `deployment` has (cdk8s-plus): init containers, sidecars, affinity. */
export interface PodOptions {
  /**
   * The user id that the containers run as, from 1 up. Give it if the image names its user by a word (`USER node`), which the
   * kubelet cannot tell from root and refuses to start.
   *
   * @default - the image's own user, which must be a number other than 0; 101 of nginx
   * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
   */
  readonly user?: number;

  /**
   * When the kubelet pulls the image: `IfNotPresent`, `Always` or `Never`.
   *
   * @default 'IfNotPresent'
   * @see https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy
   */
  readonly imagePullPolicy?: 'IfNotPresent' | 'Always' | 'Never';

  /**
   * Names of Secrets of the same namespace with which the kubelet pulls the image.
   *
   * @default - none
   * @see https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
   */
  readonly imagePullSecrets?: readonly string[];

  /**
   * The account that the pods run under. No token of it is mounted.
   *
   * @default - the namespace's own
   * @see https://kubernetes.io/docs/concepts/security/service-accounts/
   */
  readonly serviceAccount?: IConstruct & { readonly name: string };

  /**
   * The name of a PriorityClass: which pods make room for others when nodes are full.
   *
   * @default - the cluster's own
   * @see https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
   */
  readonly priorityClass?: string;

  /**
   * Annotations of the pods.
   *
   * @default - none
   * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/
   */
  readonly annotations?: Readonly<Record<string, string>>;

  /**
   * Over what the pods are spread.
   *
   * @default { nodes: 'required', zones: 'preferred' }
   */
  readonly spread?: SpreadOptions;
}

export const spreadOptions = {
  nodes: withDefault('required', wordOf(spreads)),
  zones: withDefault('preferred', wordOf(spreads)),
} satisfies Table<SpreadOptions>;

export const podOptions = {
  user: optional(whole(1, 2 ** 31 - 1)),
  imagePullPolicy: withDefault('IfNotPresent', wordOf(['IfNotPresent', 'Always', 'Never'])),
  imagePullSecrets: withDefault([], listOf(dnsSubdomainName, '["registry"]')),
  serviceAccount: optional(serviceAccount),
  priorityClass: optional(dnsSubdomainName),
  annotations: withDefault({}, userAnnotations),
  spread: withDefault({}, group(spreadOptions, '{ nodes: "preferred" }')),
} satisfies Table<PodOptions>;

export type PodModel = Values<typeof podOptions>;

/** The options of pods as the reader of a group. */
export const pods: Reader<PodModel> = group(podOptions, '{ imagePullSecrets: ["registry"] }');

const pullPolicies = {
  IfNotPresent: ImagePullPolicy.IF_NOT_PRESENT,
  Always: ImagePullPolicy.ALWAYS,
  Never: ImagePullPolicy.NEVER,
};

export function imagePullPolicy({ imagePullPolicy: given }: PodModel): ImagePullPolicy {
  return pullPolicies[given];
}

/** By what it has: it may be of another copy of cdk8s-plus-27. */
function serviceAccount(option: string, given: unknown): IServiceAccount {
  if (typeof given === 'object' && given !== null && 'name' in given && 'node' in given)
    return given as IServiceAccount;
  throw new InvalidOption(
    option,
    typeof given === 'object' ? '(object)' : given,
    'is not a service account: give one, such as ServiceAccount.fromServiceAccountName(chart, "Account", "orders")',
  );
}
