import { Workloads } from '../../../cluster/workloads';
import { kubectl, suite } from './suite';

/** What runs in the cluster of this suite. */
export function workloads(): Workloads {
  return new Workloads(kubectl, suite().namespace, { api: 'api', proxy: 'nginx' });
}

/** Two proxies and so many pods of the API, ready, and nothing under way from an earlier scenario. */
export async function settled(apiReplicas = 2): Promise<void> {
  await workloads().pinAutoscaler('api', apiReplicas);
  await workloads().pinAutoscaler('proxy', 2);
  await workloads().readyPods('api', apiReplicas);
  await workloads().readyPods('proxy', 2);
}
