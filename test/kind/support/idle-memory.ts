import { eventually } from '../../../cluster/progress';
import { workloads } from './pods';
import { kubectl, suite } from './suite';

interface PodMetrics {
  readonly containers: readonly { readonly name: string; readonly usage: { readonly memory: string } }[];
}

/** The working set of a proxy, which is what the kubelet counts against its limit, as metrics-server has it. */
export async function idleMemory(): Promise<string> {
  const [pod] = await workloads().pods('proxy');
  if (pod === undefined) throw new Error('there is a proxy');
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${suite().namespace}/pods`;
  const memory = await eventually('metrics of a proxy', async () => {
    const { items } = JSON.parse(await kubectl.run(['get', `--raw=${path}`])) as {
      readonly items: readonly (PodMetrics & { readonly metadata: { readonly name: string } })[];
    };
    const metrics = items.find(({ metadata }) => metadata.name === pod.metadata.name);
    return metrics?.containers.find(({ name }) => name === 'nginx')?.usage.memory;
  });
  return `${(Number(/^(\d+)Ki$/.exec(memory)?.[1]) / 1024).toFixed(1)} MiB`;
}
