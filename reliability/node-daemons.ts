import { run } from '../cluster/external-command';

/** What of a node starts pods: containerd, with runc and the pod network, and the kubelet. */
const daemons = ['system.slice', 'kubelet.service'];

/**
 * Lets a node's daemons have CPU after its pods. By default they share equally, and on few cores the pods that serve wait
 * while others are started. Kept when the node starts again.
 * @see https://www.freedesktop.org/software/systemd/man/latest/systemd.resource-control.html#CPUWeight=weight
 */
export async function putPodsFirst(node: string, signal: AbortSignal): Promise<void> {
  for (const unit of daemons) {
    await run('docker', ['exec', node, 'systemctl', 'set-property', unit, 'CPUWeight=2'], { signal });
  }
}
