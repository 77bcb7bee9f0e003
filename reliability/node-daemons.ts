import { run } from '../cluster/external-command';

/** What of a node starts pods: containerd, with runc and the pod network, and the kubelet. */
const daemons = ['system.slice', 'kubelet.service'];

/** In short periods: what is left of a long one would be spent at once, on every core. */
const share = ['CPUWeight=2', 'CPUQuota=25%', 'CPUQuotaPeriodSec=10ms'];

/**
 * Bounds what a node's daemons take of the machine that all nodes share here; nodes with cores of their own have room
 * for both. Unbounded, the pods that serve wait while others are started. Kept when the node starts again.
 * @see https://www.freedesktop.org/software/systemd/man/latest/systemd.resource-control.html#CPUQuota=
 */
export async function boundDaemons(node: string, signal: AbortSignal): Promise<void> {
  for (const unit of daemons) {
    await run('docker', ['exec', node, 'systemctl', 'set-property', unit, ...share], { signal });
  }
}
