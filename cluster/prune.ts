import { parseArgs } from 'node:util';
import { milliseconds } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { dnsLabelName } from '../validation/names';
import { commandLine } from './command-line';
import { Kubectl } from './kubectl';
import { pruneConfigMaps } from './prune-config-maps';

const usage = `Usage: npm run prune -- --namespace NAME [--context NAME] [--older-than DURATION] [--dry-run]

Deletes the nginx ConfigMaps of a namespace that no Deployment and no ReplicaSet refers to any more. What a rollback
needs stays: it is in a ReplicaSet that revisionHistoryLimit keeps.

  --namespace NAME        the namespace of the deployment
  --context NAME          the context of the kubeconfig (default: the current one)
  --older-than DURATION   younger ones stay, so that an apply under way is not disturbed (default: 10m)
  --dry-run               only say what would be deleted
  --help                  show this
`;

void commandLine('prune', async (args, signal) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      namespace: { type: 'string' },
      context: { type: 'string' },
      'older-than': { type: 'string', default: '10m' },
      'dry-run': { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return;
  }
  if (values.namespace === undefined) {
    throw new InvalidOption('--namespace', values.namespace, 'is not a namespace: give the one of the deployment');
  }
  const namespace = dnsLabelName('--namespace', values.namespace);
  const kubectl = new Kubectl(values.context === undefined ? {} : { context: values.context });
  const dryRun = values['dry-run'];
  const olderThanMilliseconds = milliseconds('--older-than', values['older-than']);
  const names = await pruneConfigMaps(kubectl, { namespace, olderThanMilliseconds, dryRun }, signal);
  for (const name of names) process.stdout.write(`configmap/${name} ${dryRun ? 'would be deleted' : 'deleted'}\n`);
  if (names.length === 0) process.stdout.write(`No ConfigMap of namespace ${namespace} is without use.\n`);
});
