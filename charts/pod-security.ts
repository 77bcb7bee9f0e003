import { JsonPatch } from 'cdk8s';

/**
 * What the Pod Security Standard `restricted` asks for, and cdk8s-plus-27 cannot say of a Deployment.
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
 */
export function restrictedPods(): JsonPatch[] {
  return [
    JsonPatch.add('/spec/template/spec/securityContext/seccompProfile', { type: 'RuntimeDefault' }),
    // The environment of the pods would else carry the address of every Service of the namespace.
    JsonPatch.add('/spec/template/spec/enableServiceLinks', false),
  ];
}

/** The same of one container. */
export function restrictedContainer(list: 'containers' | 'initContainers', index: number): JsonPatch {
  return JsonPatch.add(`/spec/template/spec/${list}/${index}/securityContext/capabilities`, { drop: ['ALL'] });
}

/** Labels of a Namespace whose pods have to be `restricted`. */
export const restrictedNamespace: Readonly<Record<string, string>> = {
  'pod-security.kubernetes.io/enforce': 'restricted',
  'pod-security.kubernetes.io/audit': 'restricted',
  'pod-security.kubernetes.io/warn': 'restricted',
};
