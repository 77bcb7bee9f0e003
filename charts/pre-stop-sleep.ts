import type { ApiObject } from 'cdk8s';

interface DeploymentManifest {
  readonly spec: { readonly template: { readonly spec: { readonly containers: Container[] } } };
}

interface Container {
  lifecycle?: { preStop?: object };
}

/**
 * Lets the kubelet wait before it tells the first container to end, unless that has a `preStop` of its own by then. The
 * serializer of cdk8s-plus-27 knows Kubernetes 1.27 and drops the newer `sleep`, from a JSON patch too: it is added behind.
 * @see https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#hook-handler-implementations
 */
export function preStopSleep(deployment: ApiObject, seconds: number): void {
  const serialize = deployment.toJson.bind(deployment) as () => DeploymentManifest;
  deployment.toJson = () => {
    const manifest = serialize();
    const [container] = manifest.spec.template.spec.containers;
    if (container !== undefined && container.lifecycle?.preStop === undefined) {
      container.lifecycle = { ...container.lifecycle, preStop: { sleep: { seconds } } };
    }
    return manifest;
  };
}
