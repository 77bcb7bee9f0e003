import { Failure } from '../../cluster/command-line';
import { ExternalCommandFailure } from '../../cluster/external-command';
import type { Kubectl } from '../../cluster/kubectl';
import {
  componentOf,
  fieldsAt,
  fullName,
  isCalledByContent,
  isFields,
  keyOf,
  type Manifest,
  manifestsOf,
  typeName,
} from '../objects/manifest';
import { configMapsOf } from '../objects/side';
import { say, type Text } from '../text';
import { appliedForm } from './applied-form';
import type { Source } from './source';

/** One that does not answer is not waited for any longer. */
const patience = '--request-timeout=20s';

/** Kinds that fairlead makes, and that may be left from before; without Secrets, whose values would be read. */
const kinds = 'deployments,services,configmaps,horizontalpodautoscalers,poddisruptionbudgets,networkpolicies';

/**
 * What a cluster has of these manifests, by name; what its proxies and dashboards run with; and what else fairlead has made in their
 * namespaces. It is read by `kubectl get` alone.
 */
export async function manifestsOfCluster(
  kubectl: Kubectl,
  context: string | undefined,
  desired: readonly Manifest[],
  signal?: AbortSignal,
): Promise<Source> {
  const asking = new Asking(kubectl, signal);
  const name = context ?? (await kubectl.run(['config', 'current-context'], { signal })).trim();
  const found = (await Promise.all(groups(desired).map((group) => asking.byName(group)))).flat();
  const running = found.filter((object) => ['proxy', 'dashboard'].includes(componentOf(object) ?? ''));
  const configurations = await Promise.all(running.map((object) => asking.configurationsOf(object, found)));
  const namespaces = [...new Set(desired.flatMap(({ metadata }) => metadata.namespace ?? []))];
  const others = (await Promise.all(namespaces.map((namespace) => asking.madeByFairlead(namespace)))).flat();

  const forms = found.map((live) => appliedForm(live, wanted(desired, live)));
  const all = new Map([...forms, ...configurations.flat()].map((object) => [keyOf(object), object]));
  const left = others.filter((object) => !all.has(keyOf(object)) && !isOwned(object));
  const old = left.filter(isCalledByContent);
  for (const object of left) if (!old.includes(object)) all.set(keyOf(object), appliedForm(object, undefined));
  return {
    name: `the cluster of ${name}`,
    manifests: [...all.values()],
    notes: [
      ...asking.notes,
      ...(old.length === 0
        ? []
        : [
            say`ConfigMaps of before, kept for rollbacks: ${old.length}; npx fairlead prune deletes what nothing needs`,
          ]),
    ],
  };
}

/** Objects of one kind in one namespace. */
interface Group {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly names: readonly string[];
}

function groups(manifests: readonly Manifest[]): readonly Group[] {
  const found = new Map<string, Group>();
  for (const { apiVersion, kind, metadata } of manifests) {
    const key = [apiVersion, kind, metadata.namespace ?? ''].join(' ');
    const names = [...(found.get(key)?.names ?? []), metadata.name];
    found.set(key, { apiVersion, kind, namespace: metadata.namespace, names });
  }
  return [...found.values()];
}

/** The manifest that an object of a cluster is from, which may leave out the namespace. */
function wanted(desired: readonly Manifest[], live: Manifest): Manifest | undefined {
  const isOf = (manifest: Manifest): boolean =>
    keyOf({ ...live, metadata: { ...live.metadata, namespace: '' } }) ===
    keyOf({ ...manifest, metadata: { ...manifest.metadata, namespace: '' } });
  const { namespace } = live.metadata;
  return (
    desired.find((manifest) => isOf(manifest) && manifest.metadata.namespace === namespace) ??
    desired.find((manifest) => isOf(manifest) && manifest.metadata.namespace === undefined)
  );
}

/** Whether something in the cluster has made it, and will take it away. */
function isOwned(object: Manifest): boolean {
  return fieldsAt(object, 'metadata', 'ownerReferences').length > 0;
}

/** kubectl, and what it could not say. */
class Asking {
  readonly notes: Text[] = [];

  constructor(
    private readonly kubectl: Kubectl,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Those that are there. */
  async byName({ apiVersion, kind, namespace, names }: Group): Promise<readonly Manifest[]> {
    const option = [kind, ...names].find((word) => word.startsWith('-'));
    if (option !== undefined) {
      throw new Failure(
        `${JSON.stringify(option)}: is no name in Kubernetes, and kubectl would take it for an option: mend its manifest`,
      );
    }
    const type = typeName({ apiVersion, kind });
    try {
      return await this.get([type, ...new Set(names)], namespace);
    } catch (error) {
      if (!(error instanceof ExternalCommandFailure)) throw error;
      if (
        /doesn't have a resource type|could not find the requested resource|no matches for kind/i.test(error.stderr)
      ) {
        this.notes.push(
          say`the cluster does not know ${kind} of ${apiVersion}: ${names.join(', ')} cannot be applied to it`,
        );
        return [];
      }
      throw error;
    }
  }

  /** ConfigMaps that the pods of a proxy or a dashboard mount, and that are not among these. */
  async configurationsOf(workload: Manifest, found: readonly Manifest[]): Promise<readonly Manifest[]> {
    const { namespace } = workload.metadata;
    const isKnown = (name: string): boolean =>
      found.some(
        ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name && metadata.namespace === namespace,
      );
    const names = configMapsOf(workload).filter((name) => !isKnown(name));
    if (names.length === 0) return [];
    const others = await this.get(['configmap', ...new Set(names)], namespace);
    const missing = names.filter((name) => !others.some(({ metadata }) => metadata.name === name));
    if (missing.length > 0)
      this.notes.push(say`${fullName(workload)} mounts ${missing.join(', ')}, which the cluster has not`);
    return others.map((object) => appliedForm(object, undefined));
  }

  /** All of it in one namespace, whatever main.ts says today. */
  async madeByFairlead(namespace: string): Promise<readonly Manifest[]> {
    return this.get([kinds, '--selector=app.kubernetes.io/managed-by=fairlead'], namespace);
  }

  private async get(args: readonly string[], namespace: string | undefined): Promise<readonly Manifest[]> {
    const where = namespace === undefined ? [] : [`--namespace=${namespace}`];
    const text = await this.kubectl.run(['get', ...args, ...where, '--ignore-not-found', '--output=json', patience], {
      signal: this.signal,
    });
    // Without anything that is there, it says nothing.
    const answer: unknown = text.trim() === '' ? undefined : JSON.parse(text);
    return isFields(answer) ? manifestsOf(answer) : [];
  }
}
