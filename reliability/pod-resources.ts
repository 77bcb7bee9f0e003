import { run } from '../cluster/external-command';
import type { Pod } from '../cluster/pods';
import { nodeOf, type Workloads } from '../cluster/workloads';

/** The most that a pod's container held in a while, and what it may, in bytes. */
export interface PodResources {
  /** As the kubelet counts it against the limit: without what the page cache can drop. */
  readonly memory: number;
  readonly memoryLimit: number;
  /** Of `/tmp`, with files that are open and have no name any more, which `du` and so the kubelet do not see. */
  readonly disk: number;
  /** Processes that the kernel ended for want of memory: a worker that it takes is started again, and no container restarts. */
  readonly killed: number;
}

/**
 * A line a second: used memory, what of it the page cache can drop, the limit, blocks of 512 bytes of files without a name, and
 * KiB of those with one, and processes ended for want of memory. The control groups are the container's own view, of version 2 or 1.
 */
const script = `
process=$1
group=/proc/$process/root/sys/fs/cgroup
if [ -e $group/memory.current ]; then
  used=$group/memory.current limit=$group/memory.max statistics=$group/memory.stat field=inactive_file
  processes=$group/cgroup.procs kills=$group/memory.events
else
  group=$group/memory
  used=$group/memory.usage_in_bytes limit=$group/memory.limit_in_bytes statistics=$group/memory.stat
  field=total_inactive_file processes=$group/cgroup.procs kills=$group/memory.oom_control
fi
of() { awk -v field="$1" '$1 == field { print $2 }' "$2"; }
for second in $(seq "$2"); do
  unnamed=$(for one in $(cat $processes); do
    find -L /proc/$one/fd -maxdepth 1 -type f -links 0 -printf '%b\\n' 2>/dev/null
  done | awk '{ sum += $1 } END { print sum + 0 }')
  named=$(du --summarize --one-file-system /proc/$process/root/tmp 2>/dev/null | cut -f1)
  echo "$(cat $used) $(of $field $statistics) $(cat $limit) $unnamed $named $(of oom_kill $kills)"
  sleep 1
done
`;

/** Looks at a pod each second for so many seconds, and gives the most of each. */
export async function podResources(
  workloads: Workloads,
  pod: Pod,
  seconds: number,
  signal: AbortSignal,
): Promise<PodResources> {
  const process = await workloads.processId(pod);
  const lines = await run(
    'docker',
    ['exec', nodeOf(pod), 'bash', '-c', script, 'bash', String(process), String(seconds)],
    { signal },
  );
  return mostOf(lines);
}

export function mostOf(lines: string): PodResources {
  const samples = lines
    .split('\n')
    // Lines of a container that ended meanwhile have gaps.
    .filter((line) => /^\d+( \d+){5}$/.test(line))
    .map((line) => line.split(' ').map(Number))
    .map(([used = 0, cached = 0, memoryLimit = 0, blocks = 0, kibibytes = 0, killed = 0]) => ({
      memory: used - cached,
      memoryLimit,
      disk: blocks * 512 + kibibytes * 1024,
      killed,
    }));
  if (samples.length === 0)
    throw new Error(`no samples of a pod's resources in: ${JSON.stringify(lines.slice(0, 500))}`);
  return {
    memory: Math.max(...samples.map(({ memory }) => memory)),
    memoryLimit: Math.min(...samples.map(({ memoryLimit }) => memoryLimit)),
    disk: Math.max(...samples.map(({ disk }) => disk)),
    killed: Math.max(...samples.map(({ killed }) => killed)) - Math.min(...samples.map(({ killed }) => killed)),
  };
}
