import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';

interface DisruptionBudgetProps {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly matchLabels: Readonly<Record<string, string>>;
}

/**
 * Lets a drain evict one pod at a time, and pods that are not ready at any time: those would else block the drain of
 * their node for ever.
 * @see https://kubernetes.io/docs/tasks/run-application/configure-pdb/
 */
export class PodDisruptionBudget extends k8s.KubePodDisruptionBudget {
  constructor(scope: Construct, id: string, { name, labels, matchLabels }: DisruptionBudgetProps) {
    super(scope, id, {
      metadata: { name, labels: { ...labels } },
      spec: {
        maxUnavailable: k8s.IntOrString.fromNumber(1),
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
        selector: { matchLabels: { ...matchLabels } },
      },
    });
  }
}
