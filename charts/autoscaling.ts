import { Duration } from 'cdk8s';
import { type Deployment, HorizontalPodAutoscaler, k8s, Metric, MetricTarget, Replicas } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';

interface CpuAutoscalerProps {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: Deployment;
  readonly min: number;
  readonly max: number;
  readonly targetCpuUtilization: number;
  /** In seconds. */
  readonly scaleDownStabilizationWindow: number;
}

/**
 * Scales a Deployment by the CPU use of its first container: up at once, by no more than double in 15 s; down by no more
 * than half in a minute, when fewer have been enough for a while.
 * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior
 */
export class CpuAutoscaler extends HorizontalPodAutoscaler {
  constructor(scope: Construct, id: string, props: CpuAutoscalerProps) {
    const [container] = props.target.containers;
    if (container === undefined) throw new Error(`${props.target.name} has no container to scale by`);
    super(scope, id, {
      metadata: { name: props.name, labels: { ...props.labels } },
      target: props.target,
      minReplicas: props.min,
      maxReplicas: props.max,
      // Of the container rather than of the pod: a sidecar without a CPU request would stop the autoscaler.
      metrics: [
        Metric.containerCpu({ container, target: MetricTarget.averageUtilization(props.targetCpuUtilization) }),
      ],
      scaleUp: {
        stabilizationWindow: Duration.seconds(0),
        policies: [
          { replicas: Replicas.percent(100), duration: Duration.seconds(15) },
          { replicas: Replicas.absolute(4), duration: Duration.seconds(15) },
        ],
      },
      scaleDown: {
        stabilizationWindow: Duration.seconds(props.scaleDownStabilizationWindow),
        policies: [{ replicas: Replicas.percent(50), duration: Duration.minutes(1) }],
      },
    });
  }
}

interface DisruptionBudgetProps {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly matchLabels: Readonly<Record<string, string>>;
}

/**
 * Lets a drain evict one pod at a time, and pods that are not ready at any time: those would else block the drain of
 * their node for ever.
 * @see https://kubernetes.io/docs/tasks/run-application/configure-pdb/
 */
export class PodDisruptionBudget extends k8s.KubePodDisruptionBudget {
  constructor(scope: Construct, id: string, { name, labels, matchLabels }: DisruptionBudgetProps) {
    super(scope, id, {
      metadata: { name, labels: { ...labels } },
      spec: {
        maxUnavailable: k8s.IntOrString.fromNumber(1),
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
        selector: { matchLabels: { ...matchLabels } },
      },
    });
  }
}
