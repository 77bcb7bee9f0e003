import { InvalidOption } from '../values/invalid-option';
import { cpus, memoryBytes } from '../values/quantity';
import { imageReference } from './image-reference';
import type { ProxyPodsProps } from './proxy-pods-props';
import { type Replicas, replicas } from './replicas';
import { requestAndLimit, type Resources } from './resources';

/** The pods of nginx with every value known. */
export interface ProxyPodsModel {
  readonly image: string;
  readonly replicas: Replicas;
  readonly cpu: Resources['cpu'];
  readonly memory: Resources['memory'];
  /** `worker_processes`. */
  readonly workers: number;
  /** Bytes for `/tmp`, if they were given. */
  readonly temporaryStorage: number | undefined;
}

const mostWorkers = 512;
/** Of memory: some 300 requests at once, and 2500 connections. */
const mebibytesOfWorker = 384;

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
    cpu,
    memory: requestAndLimit(
      memoryBytes,
      { option: 'proxyMemoryRequest', value: props.proxyMemoryRequest, otherwise: '64Mi' },
      { option: 'proxyMemoryLimit', value: props.proxyMemoryLimit, otherwise: `${mebibytesOfWorker * workers}Mi` },
    ),
    workers,
    temporaryStorage:
      props.proxyTemporaryStorage === undefined
        ? undefined
        : memoryBytes('proxyTemporaryStorage', props.proxyTemporaryStorage),
  };
}
