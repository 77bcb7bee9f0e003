/** A Kubernetes object as it stands in a manifest, as far as all are alike. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value has fields: YAML has times too, which have none. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

export function isManifest(value: unknown): value is Manifest {
  return (
    isFields(value) &&
    typeof value.apiVersion === 'string' &&
    typeof value.kind === 'string' &&
    isFields(value.metadata) &&
    typeof value.metadata.name === 'string'
  );
}

/** The objects of a document: one, or those of a `List`. */
export function manifestsOf(document: unknown): readonly Manifest[] {
  if (isFields(document) && Array.isArray(document.items)) return document.items.flatMap(manifestsOf);
  return isManifest(document) ? [comparable(document)] : [];
}

/** What stands at the end of a path of fields; undefined if one of them is not there. */
export function fieldAt(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((found, name) => (isFields(found) ? found[name] : undefined), value);
}

/** The same of a list of objects. */
export function fieldsAt(value: unknown, ...path: readonly string[]): readonly Fields[] {
  const found = fieldAt(value, ...path);
  return Array.isArray(found) ? found.filter(isFields) : [];
}

/** As kubectl takes a type: `deployment.v1.apps`. */
export function typeName({ apiVersion, kind }: Pick<Manifest, 'apiVersion' | 'kind'>): string {
  const [version = '', group] = apiVersion.split('/').reverse();
  return [kind.toLowerCase(), ...(group === undefined ? [] : [version, group])].join('.');
}

/** What tells an object from all others: its version does not. */
export function keyOf({ apiVersion, kind, metadata }: Manifest): string {
  const group = apiVersion.includes('/') ? apiVersion.replace(/\/.*/, '') : '';
  return [group, kind, metadata.namespace ?? '', metadata.name].join('/');
}

/** `shop/edge`; of what is in no namespace, its name alone. */
export function fullName({ metadata }: Manifest): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/** What fairlead says that an object is for: `api`, `proxy`, `nginx-config`, `weights`, `tls`. */
export function componentOf({ metadata }: Manifest): string | undefined {
  return metadata.labels?.['app.kubernetes.io/component'];
}

/** Whether it is a ConfigMap that is called after its content: the one of before stays for rollbacks, until it is pruned. */
export function isCalledByContent(manifest: Manifest): boolean {
  return manifest.kind === 'ConfigMap' && ['nginx-config', 'dashboard'].includes(componentOf(manifest) ?? '');
}

/** Without what the API server notes, and with the values of a Secret in the one form in which it keeps them. */
function comparable(manifest: Manifest): Manifest {
  const { stringData, ...given } = withoutNulls(manifest) as Manifest;
  const rest = Object.fromEntries(Object.entries(given).filter(([name]) => name !== 'status')) as Manifest;
  if (rest.kind !== 'Secret' || !isFields(stringData)) return rest;
  const encoded = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  return { ...rest, data: { ...(isFields(rest.data) ? rest.data : {}), ...(Object.fromEntries(encoded) as Fields) } };
}

/** To Kubernetes a field that is null is not there. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isFields(value)) return value;
  const fields = Object.entries(value).filter(([, inside]) => inside !== null);
  return Object.fromEntries(fields.map(([name, inside]) => [name, withoutNulls(inside)]));
}
