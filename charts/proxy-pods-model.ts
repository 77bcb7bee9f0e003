import { cpus, memoryBytes } from '../values/quantity';
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
  /** Bytes for `/tmp`, if they were given. */
  readonly temporaryStorage: number | undefined;
}

const defaultCpuRequest = '250m';
const defaultCpuLimit = '2';
/** MiB for each worker: some 300 requests at once, and 2500 connections. */
const memoryOfWorker = 384;

export function proxyPodsModel(props: ProxyPodsProps): ProxyPodsModel {
  const limits = resources({
    cpuRequest: { option: 'proxyCpuRequest', value: props.proxyCpuRequest, otherwise: defaultCpuRequest },
    cpuLimit: { option: 'proxyCpuLimit', value: props.proxyCpuLimit, otherwise: defaultCpuLimit },
    memoryRequest: { option: 'proxyMemoryRequest', value: props.proxyMemoryRequest, otherwise: '64Mi' },
    memoryLimit: {
      option: 'proxyMemoryLimit',
      value: props.proxyMemoryLimit,
      otherwise: `${memoryOfWorker * workers(props)}Mi`,
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
    workers: workers(props),
    temporaryStorage:
      props.proxyTemporaryStorage === undefined
        ? undefined
        : memoryBytes('proxyTemporaryStorage', props.proxyTemporaryStorage),
  };
}

/** One for each CPU that the container may use, which is at least what it is sure of. */
function workers({ proxyCpuRequest, proxyCpuLimit }: ProxyPodsProps): number {
  const request = cpus('proxyCpuRequest', proxyCpuRequest ?? defaultCpuRequest);
  if (proxyCpuLimit !== undefined) return Math.ceil(cpus('proxyCpuLimit', proxyCpuLimit));
  return Math.ceil(Math.max(request, cpus('proxyCpuLimit', defaultCpuLimit)));
}
