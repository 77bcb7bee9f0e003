import { ApiObject, Duration } from 'cdk8s';
import { type Deployment, HorizontalPodAutoscaler, k8s, Replicas as Pods } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { seconds, type TimeText, whole } from '../../validation/amounts';
import { InvalidOption } from '../../validation/invalid-option';
import {
  instanceOf,
  knownValues,
  listOf,
  optional,
  type Reader,
  type Table,
  withDefault,
} from '../../validation/options';
import { ScalingMetric } from './scaling-metric';

/** How many pods there are, as their load asks for. */
export interface Autoscaling {
  /**
   * The fewest pods that the autoscaler leaves. When a Deployment that was applied with a fixed number gets an autoscaler,
   * `kubectl apply` takes the number away and Kubernetes falls to one pod for some seconds; see the link for how to avoid that.
   *
   * @default 2, or max if that is less
   * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling
   */
  readonly min?: number;

  /**
   * The most pods that the autoscaler makes; of a backend it is also what nginx reserves room for.
   *
   * @default 10 of a backend, 6 of a proxy; or min if that is more
   */
  readonly max?: number;

  /**
   * What the autoscaler goes by; where several are given, by the one that asks for most pods.
   *
   * @default [ScalingMetric.cpu(70)]
   */
  readonly metrics?: readonly ScalingMetric[];

  /**
   * How long fewer pods must have been enough before any is taken away, in whole seconds.
   *
   * @default '5m'
   * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#stabilization-window
   */
  readonly scaleDownAfter?: TimeText;
}

/** How many pods there are: always so many, or what an autoscaler decides within bounds. */
export type Replicas =
  | { readonly fixed: number }
  | {
      readonly min: number;
      readonly max: number;
      readonly metrics: readonly ScalingMetric[];
      /** In seconds. */
      readonly scaleDownAfter: number;
    };

/** This many addresses fit in one answer of DNS over TCP, with room to spare. */
const most = 1000;

/** With two, one may end at any time. */
const usualMin = 2;

/** Which numbers of pods a Deployment may have. */
export interface PodCounts {
  /** Fewer cannot be asked for. */
  readonly fewest: number;
  readonly defaultMax: number;
}

export function autoscalingOptions({ fewest }: PodCounts) {
  return {
    min: optional(whole(fewest, most)),
    max: optional(whole(fewest, most)),
    // A third is left for the minute that another pod needs until it serves.
    metrics: withDefault(
      [ScalingMetric.cpu(70)],
      listOf(instanceOf(ScalingMetric, 'ScalingMetric.cpu(70)'), '[ScalingMetric.cpu(70)]'),
    ),
    scaleDownAfter: withDefault('5m', seconds({ max: '1h' })),
  } satisfies Table<Autoscaling>;
}

/** A number, or the bounds of an autoscaler. */
export function replicas(counts: PodCounts): Reader<Replicas> {
  const table = autoscalingOptions(counts);
  return (option, given) => {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      if (typeof given === 'number') return { fixed: whole(counts.fewest, most)(option, given) };
      throw new InvalidOption(
        option,
        given,
        `is neither a number of pods nor the bounds of an autoscaler: give ${counts.fewest + 1}, or { min: ${counts.fewest + 1}, max: 12 }`,
      );
    }
    const { min, max, metrics, scaleDownAfter } = knownValues(given, table, `${option}.`);
    const least = min ?? Math.max(counts.fewest, Math.min(usualMin, max ?? usualMin));
    const greatest = max ?? Math.max(counts.defaultMax, least);
    if (least > greatest) {
      throw new InvalidOption(`${option}.min`, least, `is more than max (${greatest}): give no more than that`);
    }
    if (metrics.length === 0) {
      throw new InvalidOption(
        `${option}.metrics`,
        metrics,
        'is empty: give what to scale by, such as [ScalingMetric.cpu(70)]',
      );
    }
    refuseMixed(`${option}.metrics`, metrics);
    return { min: least, max: greatest, metrics, scaleDownAfter };
  };
}

/** KEDA makes an autoscaler of its own, which knows of no others' metrics. */
function refuseMixed(option: string, metrics: readonly ScalingMetric[]): void {
  const other = metrics.find(({ of }) => of.keda === undefined);
  if (other === undefined || metrics.every(({ of }) => of.kubernetes !== undefined)) return;
  throw new InvalidOption(
    option,
    other.name,
    'does not go with ScalingMetric.keda, which is another autoscaler: give it as a trigger of KEDA too, or take one out',
  );
}

/** The greatest number of pods that are wanted at a time. */
export function mostPods(count: Replicas): number {
  return 'fixed' in count ? count.fixed : count.max;
}

interface AutoscalerProps {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: Deployment;
  readonly replicas: Exclude<Replicas, { readonly fixed: number }>;
}

/**
 * Scales a Deployment by what its first container uses: up at once, by no more than double in 15 s; down by no more
 * than half in a minute, when fewer have been enough for a while.
 * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior
 */
export class Autoscaler extends HorizontalPodAutoscaler {
  constructor(scope: Construct, id: string, { name, labels, target, replicas: count }: AutoscalerProps) {
    const [container] = target.containers;
    if (container === undefined) throw new Error(`${target.name} has no container to scale by`);
    super(scope, id, {
      metadata: { name, labels: { ...labels } },
      target,
      minReplicas: count.min,
      maxReplicas: count.max,
      metrics: count.metrics.flatMap(({ of }) => of.kubernetes?.(container) ?? []),
      scaleUp: {
        stabilizationWindow: Duration.seconds(scaleUp.stabilization),
        policies: [
          { replicas: Pods.percent(scaleUp.percent), duration: Duration.seconds(scaleUp.period) },
          { replicas: Pods.absolute(scaleUp.pods), duration: Duration.seconds(scaleUp.period) },
        ],
      },
      scaleDown: {
        stabilizationWindow: Duration.seconds(count.scaleDownAfter),
        policies: [{ replicas: Pods.percent(scaleDown.percent), duration: Duration.seconds(scaleDown.period) }],
      },
    });
  }
}

/** How fast; periods in seconds. */
const scaleUp = { stabilization: 0, percent: 100, pods: 4, period: 15 } as const;
const scaleDown = { percent: 50, period: 60 } as const;

/**
 * The same by KEDA, which makes the HorizontalPodAutoscaler from it, and takes over one of that name.
 * @see https://keda.sh/docs/latest/reference/scaledobject-spec/
 */
export class ScaledObject extends ApiObject {
  constructor(scope: Construct, id: string, { name, labels, target, replicas: count }: AutoscalerProps) {
    const [container] = target.containers;
    if (container === undefined) throw new Error(`${target.name} has no container to scale by`);
    // It leaves the number of pods out of the Deployment.
    target.markHasAutoscaler();
    super(scope, id, {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: {
        name,
        labels: { ...labels },
        // Without it KEDA refuses a Deployment that an autoscaler of before owns.
        annotations: { 'scaledobject.keda.sh/transfer-hpa-ownership': 'true' },
      },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: target.name },
        minReplicaCount: count.min,
        maxReplicaCount: count.max,
        advanced: {
          horizontalPodAutoscalerConfig: {
            name,
            behavior: {
              scaleUp: {
                stabilizationWindowSeconds: scaleUp.stabilization,
                selectPolicy: 'Max',
                policies: [
                  { type: 'Percent', value: scaleUp.percent, periodSeconds: scaleUp.period },
                  { type: 'Pods', value: scaleUp.pods, periodSeconds: scaleUp.period },
                ],
              },
              scaleDown: {
                stabilizationWindowSeconds: count.scaleDownAfter,
                selectPolicy: 'Max',
                policies: [{ type: 'Percent', value: scaleDown.percent, periodSeconds: scaleDown.period }],
              },
            },
          },
        },
        triggers: count.metrics.flatMap(({ of }) => of.keda?.(container) ?? []),
      },
    });
  }
}

/** The autoscaler of a Deployment; none where the number of its pods is fixed. */
export function autoscaler(
  scope: Construct,
  { replicas: count, ...others }: Omit<AutoscalerProps, 'replicas'> & { readonly replicas: Replicas },
): Autoscaler | ScaledObject | undefined {
  if ('fixed' in count) return undefined;
  const props = { ...others, replicas: count };
  if (count.metrics.every(({ of }) => of.kubernetes !== undefined)) {
    return new Autoscaler(scope, 'HorizontalPodAutoscaler', props);
  }
  return new ScaledObject(scope, 'ScaledObject', props);
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
