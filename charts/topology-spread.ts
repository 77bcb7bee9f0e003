import { JsonPatch } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-27';

/**
 * Spreads the pods of one ReplicaSet: strictly over nodes, since a lost node must not take all of them, and over zones
 * where that is possible.
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
 */
export function topologySpread(matchLabels: Readonly<Record<string, string>>): JsonPatch {
  const constraint = (topologyKey: string, whenUnsatisfiable: string): k8s.TopologySpreadConstraint => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable,
    labelSelector: { matchLabels: { ...matchLabels } },
    // A rollout spreads the new pods by themselves, wherever the old ones are.
    matchLabelKeys: ['pod-template-hash'],
    // A node that takes no pods (control plane, drained, lost) does not count as an empty one.
    nodeTaintsPolicy: 'Honor',
  });
  return JsonPatch.add('/spec/template/spec/topologySpreadConstraints', [
    constraint('kubernetes.io/hostname', 'DoNotSchedule'),
    constraint('topology.kubernetes.io/zone', 'ScheduleAnyway'),
  ]);
}
