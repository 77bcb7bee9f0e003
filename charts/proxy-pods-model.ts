import { cpus } from '../values/quantity';
import { imageReference } from './image-reference';
import type { ProxyPodsProps } from './proxy-pods-props';
import { type Replicas, replicas } from './replicas';
import { type Resources, resources } from './resources';

/** The pods of nginx with every value known. */
export interface ProxyPodsModel {
  readonly image: string;
  readonly replicas: Replicas;
  readonly resources: Resources;
  /** `worker_processes`. */
  readonly workers: number;
}

export function proxyPodsModel(props: ProxyPodsProps): ProxyPodsModel {
  const limits = resources({
    cpuRequest: { option: 'proxyCpuRequest', value: props.proxyCpuRequest, otherwise: '250m' },
    cpuLimit: { option: 'proxyCpuLimit', value: props.proxyCpuLimit, otherwise: '2' },
    memoryRequest: { option: 'proxyMemoryRequest', value: props.proxyMemoryRequest, otherwise: '64Mi' },
    memoryLimit: {
      option: 'proxyMemoryLimit',
      value: props.proxyMemoryLimit,
      // Each worker's connections and buffers, and what all share: TLS sessions, upstream zone, page cache of the log.
      otherwise: `${128 * (workers(props.proxyCpuLimit ?? '2') + 1)}Mi`,
    },
  });
  return {
    image: imageReference('proxyImage', props.proxyImage ?? 'nginx:1.30'),
    replicas: replicas({
      fixed: { option: 'proxyReplicas', value: props.proxyReplicas },
      min: { option: 'proxyMinReplicas', value: props.proxyMinReplicas },
      max: { option: 'proxyMaxReplicas', value: props.proxyMaxReplicas },
      targetCpuUtilization: { option: 'proxyTargetCpuUtilization', value: props.proxyTargetCpuUtilization },
      least: 2,
      defaultMax: 6,
    }),
    resources: limits,
    workers: workers(limits.limits.cpu),
  };
}

function workers(cpuLimit: string): number {
  return Math.ceil(cpus('proxyCpuLimit', cpuLimit));
}
