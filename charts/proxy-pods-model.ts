import { InvalidOption } from '../values/invalid-option';
import { cpus, memoryBytes } from '../values/quantity';
import { imageReference } from './image-reference';
import { temporaryMebibytes } from './nginx-pod';
import type { ProxyPodsProps } from './proxy-pods-props';
import { type Replicas, replicas } from './replicas';
import { requestAndLimit, type Resources } from './resources';

/** The pods of nginx with every value known. */
export interface ProxyPodsModel {
  readonly image: string;
  readonly replicas: Replicas;
  readonly resources: Resources;
  /** `worker_processes`. */
  readonly workers: number;
}

const mostWorkers = 512;
/** Of memory: a worker's connections and buffers, and its part of what all share. */
const mebibytesOfWorker = 256;

export function proxyPodsModel(props: ProxyPodsProps): ProxyPodsModel {
  const cpu = requestAndLimit(
    cpus,
    { option: 'proxyCpuRequest', value: props.proxyCpuRequest, otherwise: '250m' },
    { option: 'proxyCpuLimit', value: props.proxyCpuLimit, otherwise: '2' },
  );
  const workers = Math.ceil(cpus('proxyCpuLimit', cpu.limit));
  if (workers > mostWorkers) {
    throw new InvalidOption(
      props.proxyCpuLimit === undefined ? 'proxyCpuRequest' : 'proxyCpuLimit',
      cpu.limit,
      `is more than one nginx has workers for: give ${mostWorkers} or less`,
    );
  }
  const memory = requestAndLimit(
    memoryBytes,
    { option: 'proxyMemoryRequest', value: props.proxyMemoryRequest, otherwise: '64Mi' },
    { option: 'proxyMemoryLimit', value: props.proxyMemoryLimit, otherwise: `${mebibytesOfWorker * workers}Mi` },
  );
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
    resources: { cpu, memory, ephemeralStorage: { request: '64Mi', limit: `${temporaryMebibytes}Mi` } },
    workers,
  };
}
