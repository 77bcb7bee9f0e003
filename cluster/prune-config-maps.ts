import type { Kubectl, KubernetesObject } from './kubectl';

export interface PruneOptions {
  readonly namespace: string;
  /** Younger ones stay: an apply that is under way makes a ConfigMap before what refers to it. */
  readonly olderThanMilliseconds: number;
  /** Only says what would be deleted. */
  readonly dryRun: boolean;
}

interface ConfigMap extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly creationTimestamp: string };
}

/** A Deployment or ReplicaSet, as far as it mounts ConfigMaps. */
export interface PodTemplateOwner extends KubernetesObject {
  readonly spec: {
    readonly template?: {
      readonly spec: { readonly volumes?: readonly { readonly configMap?: { readonly name?: string } }[] };
    };
  };
}

/** Those that are called after their content, so that another one is made when it changes: of nginx, and of the dashboard. */
const calledByContent = 'app.kubernetes.io/component in (nginx-config,dashboard)';

/**
 * Deletes ConfigMaps that nothing can come back to, and gives their names. Every ReplicaSet that
 * `revisionHistoryLimit` keeps may be rolled back to, and needs its own.
 */
export async function pruneConfigMaps(
  kubectl: Kubectl,
  options: PruneOptions,
  signal?: AbortSignal,
): Promise<string[]> {
  const { namespace, olderThanMilliseconds, dryRun } = options;
  // In this order: what is made between the two questions is not in the first answer.
  const configMaps = await kubectl.list<ConfigMap>(
    ['configmaps', `--namespace=${namespace}`, `--selector=${calledByContent}`],
    { signal },
  );
  const owners = await kubectl.list<PodTemplateOwner>(['deployments,replicasets', `--namespace=${namespace}`], {
    signal,
  });
  const kept = configMapsOf(owners);
  const before = Date.now() - olderThanMilliseconds;
  const unused = configMaps
    .filter(({ metadata }) => !kept.has(metadata.name) && Date.parse(metadata.creationTimestamp) <= before)
    .map(({ metadata }) => metadata.name);
  if (unused.length > 0 && !dryRun) {
    await kubectl.run(['delete', 'configmaps', ...unused, `--namespace=${namespace}`, '--ignore-not-found'], {
      signal,
    });
  }
  return unused;
}

/** The names of the ConfigMaps that pods of these would mount. */
export function configMapsOf(owners: readonly PodTemplateOwner[]): ReadonlySet<string> {
  const names = owners.flatMap(({ spec }) => spec.template?.spec.volumes ?? []).map(({ configMap }) => configMap?.name);
  return new Set(names.filter((name) => name !== undefined));
}
