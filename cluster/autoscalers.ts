import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from './failure';
import type { Kubectl, KubernetesObject } from './kubectl';

interface HorizontalPodAutoscaler extends KubernetesObject {
  readonly spec: { readonly minReplicas: number; readonly scaleTargetRef: { readonly name: string } };
}

interface ScaledDeployment extends KubernetesObject {
  readonly status: { readonly availableReplicas?: number };
}

/** How often the pods are counted, once a second, before that counts as never. */
const attempts = 300;

/**
 * Waits until every Deployment has as many pods as its autoscaler leaves at least: a new one has a single pod until the
 * autoscaler looks at it for the first time, a quarter of a minute later.
 */
export async function leastReplicas(
  kubectl: Kubectl,
  manifests: string,
  doing: (detail: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  let said = '';
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const objects = await kubectl.list(['--filename', manifests], { signal });
    const deployments = objects.filter((object): object is ScaledDeployment => object.kind === 'Deployment');
    const missing = objects
      .filter((object): object is HorizontalPodAutoscaler => object.kind === 'HorizontalPodAutoscaler')
      .map(({ spec }) => ({
        name: spec.scaleTargetRef.name,
        least: spec.minReplicas,
        has:
          deployments.find(({ metadata }) => metadata.name === spec.scaleTargetRef.name)?.status.availableReplicas ?? 0,
      }))
      .filter(({ has, least }) => has < least)
      .map(({ name, has, least }) => `${name} has ${has} of ${least}`)
      .join(', ');
    if (missing === '') return;
    if (missing !== said) doing(missing);
    said = missing;
    await delay(1000, undefined, { signal });
  }
  throw new Failure(`the autoscalers do not bring up the pods that they should: ${said}`);
}
