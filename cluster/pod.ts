import type { KubernetesObject } from './kubectl';

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: object;
  readonly terminated?: { readonly reason?: string; readonly exitCode: number };
}

/** What of a pod is looked at here. */
export interface Pod extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly deletionTimestamp?: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly volumes?: readonly { readonly name: string; readonly emptyDir?: { readonly sizeLimit?: string } }[];
  };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
      readonly lastTransitionTime: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly containerID?: string;
      readonly restartCount: number;
      readonly state?: ContainerState;
      readonly lastState?: ContainerState;
    }[];
  };
}

export function isReady(pod: Pod): boolean {
  const ready = pod.status.conditions?.find((condition) => condition.type === 'Ready');
  return ready?.status === 'True' && pod.metadata.deletionTimestamp === undefined;
}

/** What keeps a pod from being ready, as Kubernetes says it; undefined for one that is. */
export function whyNotReady(pod: Pod): string | undefined {
  if (isReady(pod)) return undefined;
  const waiting = pod.status.containerStatuses?.map(({ state }) => state?.waiting).find((state) => state !== undefined);
  const condition = pod.status.conditions?.find(({ status, message }) => status === 'False' && message !== undefined);
  const reason = [waiting?.reason, waiting?.message ?? condition?.message].filter((part) => part !== undefined);
  return `pod ${pod.metadata.name}: ${reason.join(': ') || 'not ready'}`;
}
