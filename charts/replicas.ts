import { type Duration, seconds, whole } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { optional, type Reader, type Table, withDefault } from '../validation/options';

/** How many pods of the API there are. */
export interface ReplicasProps {
  /**
   * A fixed number of API pods, without an autoscaler.
   *
   * @default - none: an autoscaler decides
   */
  readonly replicas?: number;

  /**
   * The fewest API pods that the autoscaler leaves. When a Deployment that was applied with `replicas` gets an
   * autoscaler, `kubectl apply` takes the number away and Kubernetes falls to one pod for some seconds; see the link for
   * how to avoid that.
   *
   * @default 2
   * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling
   */
  readonly minReplicas?: number;

  /**
   * The most API pods that the autoscaler makes; it is also what nginx reserves room for.
   *
   * @default 10, or minReplicas if that is more
   */
  readonly maxReplicas?: number;

  /**
   * The CPU use that the autoscaler aims at, in percent of `container.cpuRequest`, on average over all API pods.
   *
   * @default 70
   * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
   */
  readonly targetCpuUtilization?: number;

  /**
   * How long fewer pods must have been enough before the autoscalers (of the API and of the proxies) take any away, in
   * whole seconds.
   *
   * @default '5m'
   * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#stabilization-window
   */
  readonly scaleDownStabilizationWindow?: Duration;
}

/** This many addresses fit in one answer of DNS over TCP, with room to spare. */
const most = 1000;

/** The readers of a number of pods, and of the percentage of its CPU request at which one more is made. */
export const podCount = (fewest: number): Reader<number> => whole(fewest, most);
export const cpuUtilization = whole(1, 1000);

export const replicasOptions = {
  replicas: optional(podCount(1)),
  minReplicas: optional(podCount(1)),
  maxReplicas: optional(podCount(1)),
  targetCpuUtilization: optional(cpuUtilization),
  scaleDownStabilizationWindow: withDefault('5m', seconds({ max: '1h' })),
} satisfies Table<ReplicasProps>;

/** How many pods there are: a fixed number, or what an autoscaler decides. */
export type Replicas =
  { readonly fixed: number } | { readonly min: number; readonly max: number; readonly targetCpuUtilization: number };

interface ReplicaOption {
  readonly option: string;
  readonly value: number | undefined;
}

interface ReplicaOptions {
  readonly fixed: ReplicaOption;
  readonly min: ReplicaOption;
  readonly max: ReplicaOption;
  readonly targetCpuUtilization: ReplicaOption;
  readonly least: number;
  readonly defaultMax: number;
}

export function replicas({ fixed, min, max, targetCpuUtilization, least, defaultMax }: ReplicaOptions): Replicas {
  if (fixed.value !== undefined) {
    for (const { option, value } of [min, max, targetCpuUtilization]) {
      if (value === undefined) continue;
      throw new InvalidOption(
        option,
        value,
        `is for an autoscaler, and ${fixed.option} (${fixed.value}) for a fixed number of pods: give one of the two`,
      );
    }
    return { fixed: fixed.value };
  }
  const minimum = min.value ?? Math.max(least, Math.min(2, max.value ?? 2));
  const maximum = max.value ?? Math.max(defaultMax, minimum);
  if (minimum > maximum) {
    throw new InvalidOption(min.option, minimum, `is more than ${max.option} (${maximum}): give no more than that`);
  }
  return { min: minimum, max: maximum, targetCpuUtilization: targetCpuUtilization.value ?? 70 };
}

/** The greatest number of pods that are wanted at a time. */
export function greatest(count: Replicas): number {
  return 'fixed' in count ? count.fixed : count.max;
}
