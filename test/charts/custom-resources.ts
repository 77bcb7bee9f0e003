import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import type { Manifest } from './manifests';

/**
 * The `spec` of CRDs, without descriptions: of PodMonitor and PrometheusRule what options of ours write (prometheus-operator,
 * example/prometheus-operator-crd), of ScaledObject all (kedacore/keda at 8b4f083c, config/crd/bases/keda.sh_scaledobjects.yaml).
 * Both are under the Apache License 2.0.
 */
const schemas = JSON.parse(readFileSync(join(__dirname, 'custom-resource-schemas.json'), 'utf8')) as Record<
  'PodMonitor' | 'PrometheusRule' | 'ScaledObject',
  object
>;

/** What the API server would refuse of a custom resource, or take out in silence; nothing where it has the shape of its CRD. */
export function schemaErrors(kind: keyof typeof schemas, { spec }: Pick<Manifest, 'spec'>): unknown[] {
  const ajv = new Ajv({ strict: false, formats: { int32: true, int64: true, uint64: true } });
  const check = ajv.compile(closed(schemas[kind]));
  return check(spec) ? [] : (check.errors ?? []);
}

/** Refuses what the API server would prune. */
function closed(schema: unknown): object {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema as never;
  const all = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isObject = 'properties' in all && 'type' in all && !('additionalProperties' in all);
  return isObject ? { ...all, additionalProperties: false } : all;
}
