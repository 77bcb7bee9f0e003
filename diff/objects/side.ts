import type { Weights } from '../requests/front-door';
import { componentOf, fieldAt, fieldsAt, isFields, keyOf, type Manifest } from './manifest';

/** All objects of one side of a comparison. */
export class Side {
  private readonly byKey: ReadonlyMap<string, Manifest>;

  constructor(readonly manifests: readonly Manifest[]) {
    this.byKey = new Map(manifests.map((manifest) => [keyOf(manifest), manifest]));
  }

  get keys(): readonly string[] {
    return [...this.byKey.keys()];
  }

  find(key: string): Manifest | undefined {
    return this.byKey.get(key);
  }

  /** What nginx of a Deployment reads, by the names of files; undefined if that is not here. */
  configurationOf(deployment: Manifest | undefined): Readonly<Record<string, string>> | undefined {
    return this.dataMounted(deployment, 'nginx-config');
  }

  /** Weights of its routes that several backends share. */
  weightsOf(deployment: Manifest | undefined): Weights {
    const text = Object.values(this.dataMounted(deployment, 'weights') ?? {})[0];
    try {
      const routes: unknown = JSON.parse(text ?? '{}');
      const shares = isFields(routes) ? Object.entries(routes).filter(([, weights]) => isFields(weights)) : [];
      return Object.fromEntries(shares) as Weights;
    } catch {
      // nginx goes on with those of before, whatever they were.
      return {};
    }
  }

  private dataMounted(
    deployment: Manifest | undefined,
    component: string,
  ): Readonly<Record<string, string>> | undefined {
    const names = configMapsOf(deployment);
    const found = this.manifests.find(
      (manifest) =>
        manifest.kind === 'ConfigMap' &&
        componentOf(manifest) === component &&
        manifest.metadata.namespace === deployment?.metadata.namespace &&
        names.includes(manifest.metadata.name),
    );
    if (!isFields(found?.data)) return undefined;
    return Object.fromEntries(Object.entries(found.data).map(([name, text]) => [name, String(text)]));
  }
}

/** The names of the ConfigMaps that the pods of a workload mount. */
export function configMapsOf(workload: Manifest | undefined): readonly string[] {
  return fieldsAt(workload, 'spec', 'template', 'spec', 'volumes').flatMap((volume) => {
    const name = fieldAt(volume, 'configMap', 'name');
    return typeof name === 'string' ? [name] : [];
  });
}
