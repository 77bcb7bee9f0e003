import { isReady } from '../../cluster/pod';
import { podsUntil } from '../../cluster/pods-until';
import type { Stage } from '../stage';

const namespace = '--namespace=kube-system';

/** kubectl in the namespace of what the cluster itself runs. */
export function inKubeSystem(stage: Stage, ...args: readonly string[]): Promise<string> {
  const [command = '', ...rest] = args;
  return stage.workloads.kubectl.run([command, namespace, ...rest], { signal: stage.system.signal });
}

/** Its new pods know what the API server knows. An old one goes on answering for the 5 s of its `lameduck`. */
export async function restartCoreDns(stage: Stage): Promise<void> {
  await inKubeSystem(stage, 'rollout', 'restart', 'deployment/coredns');
  await inKubeSystem(stage, 'rollout', 'status', 'deployment/coredns', '--timeout=3m');
  await podsUntil(
    stage.workloads.kubectl,
    ['pods', namespace, '--selector=k8s-app=kube-dns'],
    'the end of the old CoreDNS pods',
    (pods) => (pods.every(isReady) ? true : undefined),
    { signal: stage.system.signal },
  );
}
