import type { Duration } from '../values/duration';

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
