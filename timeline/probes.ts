/** How often the kubelet asks, how long it waits for an answer, and how many failures in a row make it act. In seconds. */
export interface ProbeTimes {
  readonly period: number;
  readonly timeout: number;
  readonly failureThreshold: number;
  /** How long a process has to end when this probe has failed, instead of the pod's own grace period. */
  readonly terminationGracePeriod?: number;
}

/** The probes of a pod of the API. */
export const apiProbes = {
  /** Five minutes to start in, and ready within a second of it. */
  startup: { period: 1, timeout: 2, failureThreshold: 300 },
  readiness: { period: 5, timeout: 2, failureThreshold: 2 },
  /**
   * A busy event loop answers late: that is a reason for more pods, not for one less. One that hung for a minute has nothing
   * left to finish.
   */
  liveness: { period: 10, timeout: 5, failureThreshold: 6, terminationGracePeriod: 5 },
} as const satisfies Readonly<Record<string, ProbeTimes>>;
