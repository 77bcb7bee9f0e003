import { ExternalCommandFailure } from './external-command';
import { Failure } from './failure';
import type { Kubectl, KubernetesObject } from './kubectl';
import { type Pod, whyNotReady } from './pod';

export interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
}

/** The Deployments that a directory of manifests has made. */
export async function deploymentsOf(kubectl: Kubectl, manifests: string, signal?: AbortSignal): Promise<Deployment[]> {
  const objects = await kubectl.list(['--filename', manifests], { signal });
  return objects.filter((object): object is Deployment => object.kind === 'Deployment');
}

/** Waits until every pod of a Deployment is of its newest revision and available; says what holds it up if it is not. */
export async function rolledOut(
  kubectl: Kubectl,
  deployment: KubernetesObject,
  doing: (detail: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { name, namespace = 'default' } = deployment.metadata;
  try {
    await kubectl.run(['rollout', 'status', `deployment/${name}`, `--namespace=${namespace}`, '--timeout=5m'], {
      onLine: doing,
      signal,
    });
  } catch (error) {
    if (!(error instanceof ExternalCommandFailure)) throw error;
    const pods = await kubectl.list<Pod>(['pods', `--namespace=${namespace}`], { signal });
    const reasons = pods.map(whyNotReady).filter((reason) => reason !== undefined);
    throw new Failure(
      `the Deployment ${namespace}/${name} is not ready after 5 minutes: ${reasons[0] ?? error.message}`,
    );
  }
}
