import { untilSignal } from './command-line';
import { Kubectl } from './kubectl';
import { pruneConfigMaps, type PruneOptions } from './prune-config-maps';

/** `fairlead prune`: deletes, or with dryRun names, what nothing refers to. */
export function prune({ context, ...options }: PruneOptions & { readonly context?: string }): Promise<void> {
  return untilSignal('fairlead', async (signal) => {
    const kubectl = new Kubectl(context === undefined ? {} : { context });
    const names = await pruneConfigMaps(kubectl, options, signal);
    const what = options.dryRun ? 'would be deleted' : 'deleted';
    for (const name of names) process.stdout.write(`configmap/${name} ${what}\n`);
    if (names.length === 0) process.stdout.write(`No ConfigMap of namespace ${options.namespace} is without use.\n`);
  });
}
