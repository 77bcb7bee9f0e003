/** A Kubernetes object as it is written. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** An object that pods refer to and the app does not make. */
export interface Reference {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
  /** Pods start without it too. */
  readonly optional: boolean;
}

/** What an app needs of the cluster that it is applied to. */
export interface Needs {
  readonly references: readonly Reference[];
  /** Kinds that a cluster has only once somebody has installed them. */
  readonly kinds: readonly { readonly apiVersion: string; readonly kind: string }[];
  /** Whether anything is scaled by its CPU or memory. */
  readonly hasResourceMetrics: boolean;
  readonly hasNetworkPolicies: boolean;
  readonly namespaces: readonly {
    readonly name: string;
    readonly clusterDomain: string;
    /** In seconds. */
    readonly dnsCacheTtl: number;
  }[];
}

export function needsOf(manifests: readonly Manifest[], namespaces: Needs['namespaces']): Needs {
  const made = new Set(manifests.flatMap(madeBy));
  const references = new Map<string, Reference>();
  for (const manifest of manifests) {
    const { namespace = 'default' } = manifest.metadata;
    for (const podSpec of podSpecsOf(manifest.spec)) {
      for (const found of referencesOf(podSpec, namespace)) {
        const key = keyOf(found);
        if (made.has(key) || references.get(key)?.optional === false) continue;
        references.set(key, found);
      }
    }
  }
  const kinds = new Map(
    manifests.filter(isOfOthers).map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]),
  );
  return {
    references: [...references.values()],
    kinds: [...kinds.values()],
    hasResourceMetrics: manifests.some(isScaledByResources),
    hasNetworkPolicies: manifests.some(({ kind }) => kind === 'NetworkPolicy'),
    namespaces,
  };
}

function keyOf({ kind, namespace, name }: Pick<Reference, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace}/${name}`;
}

/** What the app makes, or has made by cert-manager. */
function madeBy({ kind, metadata, spec }: Manifest): string[] {
  const { namespace = 'default', name } = metadata;
  if (kind === 'Secret' || kind === 'ConfigMap') return [keyOf({ kind, namespace, name })];
  const secret = kind === 'Certificate' ? spec?.secretName : undefined;
  return typeof secret === 'string' ? [keyOf({ kind: 'Secret', namespace, name: secret })] : [];
}

/** Groups of Kubernetes itself have no dot, or end so. */
function isOfOthers({ apiVersion }: Manifest): boolean {
  const [group = '', version] = apiVersion.split('/');
  return version !== undefined && group.includes('.') && !group.endsWith('.k8s.io');
}

function isScaledByResources({ kind, spec }: Manifest): boolean {
  if (kind !== 'HorizontalPodAutoscaler') return false;
  const metrics = spec?.metrics;
  // Without any, an autoscaler goes by CPU.
  return (
    !Array.isArray(metrics) ||
    metrics.some((metric) => isRecord(metric) && ['Resource', 'ContainerResource'].includes(String(metric.type)))
  );
}

type Fields = Readonly<Record<string, unknown>>;

/** Wherever there are containers: in a Deployment, in a CronJob's template of a template. */
export function podSpecsOf(value: unknown): readonly Fields[] {
  if (Array.isArray(value)) return value.flatMap(podSpecsOf);
  if (!isRecord(value)) return [];
  return Array.isArray(value.containers) ? [value] : Object.values(value).flatMap(podSpecsOf);
}

/** By the field that refers to it. */
const fields: Readonly<Record<string, Reference['kind']>> = {
  secretKeyRef: 'Secret',
  secretRef: 'Secret',
  secret: 'Secret',
  configMapKeyRef: 'ConfigMap',
  configMapRef: 'ConfigMap',
  configMap: 'ConfigMap',
};

function referencesOf(value: unknown, namespace: string): Reference[] {
  if (Array.isArray(value)) return value.flatMap((member) => referencesOf(member, namespace));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([field, inner]) => {
    if (field === 'imagePullSecrets' && Array.isArray(inner)) {
      // A pod whose image needs none starts without.
      return inner.flatMap((each) => reference('Secret', namespace, { ...(each as Fields), optional: true }));
    }
    const kind = fields[field];
    return kind === undefined || !isRecord(inner) ? referencesOf(inner, namespace) : reference(kind, namespace, inner);
  });
}

function reference(kind: Reference['kind'], namespace: string, found: Fields): Reference[] {
  const name = found.name ?? found.secretName;
  return typeof name === 'string' ? [{ kind, namespace, name, optional: found.optional === true }] : [];
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
