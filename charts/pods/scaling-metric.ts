import { type Container, Metric, MetricTarget } from 'cdk8s-plus-27';
import { integer } from '../../validation/amounts';
import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { dnsSubdomainName } from '../../validation/names';
import { knownValues, optional, type Table } from '../../validation/options';

/** How a trigger of KEDA gets at what it measures. */
export interface KedaOptions {
  /**
   * The TriggerAuthentication in the same namespace with the credentials of the source, which is yours to make.
   *
   * @default - none: the source needs none, or the metadata name them
   * @see https://keda.sh/docs/latest/concepts/authentication/
   */
  readonly authentication?: string;
}

export const kedaOptions = {
  authentication: optional(dnsSubdomainName),
} satisfies Table<KedaOptions>;

/** What a metric is for whoever scales: Kubernetes' own autoscaler, and KEDA; undefined where it cannot go by it. */
interface MetricOf {
  readonly kubernetes: ((container: Container) => Metric) | undefined;
  readonly keda: ((container: Container) => KedaTrigger) | undefined;
}

/** As a ScaledObject has it. */
interface KedaTrigger {
  readonly type: string;
  readonly metricType?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly authenticationRef?: { readonly name: string };
}

/** What an autoscaler goes by. */
export class ScalingMetric {
  private constructor(
    /** As it was made: `ScalingMetric.cpu`. */
    readonly name: string,
    readonly of: MetricOf,
  ) {}

  /**
   * CPU use in percent of the request of the first container, on average over all pods. Node runs JavaScript on one CPU: with a
   * request of 1 or more, 70 % may never be met.
   *
   * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
   */
  static cpu(percent: number): ScalingMetric {
    const name = 'ScalingMetric.cpu';
    const target = MetricTarget.averageUtilization(integer(name, percent, 1, 1000));
    // Of the container rather than of the pod: a sidecar without a CPU request would stop the autoscaler.
    return new ScalingMetric(name, {
      kubernetes: (container) => Metric.containerCpu({ container, target }),
      keda: (container) => resourceTrigger('cpu', container, percent),
    });
  }

  /** Memory in percent of the request of the first container, on average over all pods. */
  static memory(percent: number): ScalingMetric {
    const name = 'ScalingMetric.memory';
    const target = MetricTarget.averageUtilization(integer(name, percent, 1, 1000));
    return new ScalingMetric(name, {
      kubernetes: (container) => Metric.containerMemory({ container, target }),
      keda: (container) => resourceTrigger('memory', container, percent),
    });
  }

  /**
   * A metric that the pods have, on average over all of them. Whoever serves `custom.metrics.k8s.io` in the cluster (prometheus-adapter, say) has to know it
   * by this name: without that the autoscaler leaves the number of pods as it is.
   *
   * @example
   * replicas: { min: 3, max: 12, metrics: [ScalingMetric.pods('http_requests_in_flight', 20), ScalingMetric.cpu(70)] }
   */
  static pods(metric: string, average: number): ScalingMetric {
    const name = 'ScalingMetric.pods';
    if (typeof metric !== 'string' || !/^[A-Za-z_:][\w:.-]{0,252}$/.test(metric)) {
      throw new InvalidOption(
        `${name} metric`,
        metric,
        'is not the name of a metric: give one such as "http_requests_in_flight"',
      );
    }
    const target = MetricTarget.averageValue(quantity(`${name} average`, average));
    return new ScalingMetric(name, { kubernetes: () => Metric.pods({ name: metric, target }), keda: undefined });
  }

  /**
   * A trigger of KEDA (`'prometheus'`, `'cron'`, `'aws-sqs-queue'`) with its metadata. A ScaledObject takes the place of the HorizontalPodAutoscaler then, and
   * takes over the one that is there; KEDA has to be in the cluster, with its CRDs. `cpu` and `memory` may stand beside it, `pods` may not.
   *
   * @example
   * metrics: [ScalingMetric.keda('prometheus', { serverAddress: 'http://prometheus.monitoring:9090', query: 'sum(rate(orders_total[1m]))', threshold: '50' })]
   */
  static keda(type: string, metadata: Readonly<Record<string, string>>, options: KedaOptions = {}): ScalingMetric {
    const name = 'ScalingMetric.keda';
    if (typeof type !== 'string' || !/^[a-z][a-z0-9-]{0,62}$/.test(type)) {
      throw new InvalidOption(
        `${name} type`,
        type,
        'is not the name of a scaler of KEDA: give one such as "prometheus"',
      );
    }
    if (type === 'cpu' || type === 'memory') {
      throw new InvalidOption(
        `${name} type`,
        type,
        `is not a source outside of the pods: give ScalingMetric.${type}(70)`,
      );
    }
    const { authentication } = knownValues(
      record(name, options, '{ authentication: "orders-queue" }'),
      kedaOptions,
      `${name} `,
    );
    const trigger: KedaTrigger = {
      type,
      metadata: textsOf(`${name} metadata`, metadata),
      ...(authentication === undefined ? {} : { authenticationRef: { name: authentication } }),
    };
    return new ScalingMetric(name, { kubernetes: undefined, keda: () => trigger });
  }
}

/** As KEDA has what Kubernetes' own autoscaler knows too. */
function resourceTrigger(type: 'cpu' | 'memory', { name }: Container, percent: number): KedaTrigger {
  return { type, metricType: 'Utilization', metadata: { value: String(percent), containerName: name } };
}

/** Kubernetes counts in thousandths. */
function quantity(option: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0.001 && value <= 1e9 && Number.isInteger(Math.round(value * 1e6) / 1e3)) {
    return value;
  }
  throw new InvalidOption(option, value, 'is out of range: give a number from 0.001 to 1000000000, in thousandths');
}

function textsOf(option: string, given: unknown): Readonly<Record<string, string>> {
  const texts = record(option, given, '{ threshold: "50" }');
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value === 'string') continue;
    throw new InvalidOption(`${option}[${JSON.stringify(key)}]`, value, 'is not text: put it in quotes');
  }
  return { ...texts } as Readonly<Record<string, string>>;
}
