import type { Command } from 'commander';
import { milliseconds } from '../validation/amounts';
import { dnsLabelName } from '../validation/names';
import { command, contextOption, load, typed } from './command';

const description =
  'Deletes the ConfigMaps of nginx and of its dashboard, in a namespace, that no Deployment and no ReplicaSet refers to any more. What a rollback needs stays: it is in a ReplicaSet that revisionHistoryLimit keeps.';

interface Values {
  readonly namespace: string;
  readonly context?: string;
  readonly olderThan: string;
  readonly dryRun?: true;
}

export function pruneCommand(): Command {
  return command('prune', 'deletes the ConfigMaps of nginx that nothing refers to', description)
    .requiredOption('--namespace <NAME>', 'the namespace of the deployment; required')
    .option('--context <NAME>', 'the context of the kubeconfig (default: the current one)')
    .option('--older-than <TIME>', 'younger ones stay, so that an apply under way is not disturbed', '10m')
    .option('--dry-run', 'only says what would be deleted')
    .action(async ({ context, ...values }: Values) => {
      const { namespace, olderThanMilliseconds } = typed(() => ({
        namespace: dnsLabelName('--namespace', values.namespace),
        olderThanMilliseconds: milliseconds('--older-than', values.olderThan),
      }));
      const dryRun = values.dryRun ?? false;
      const { prune } = load('../cluster/prune') as typeof import('../cluster/prune');
      await prune({ namespace, olderThanMilliseconds, dryRun, ...contextOption(context) });
    });
}
