import { memberNamed, isNamed, isObjects } from '../objects/fields';
import { type Fields, fieldAt, isFields, type Manifest, manifestsOf } from '../objects/manifest';

/** Where kubectl apply keeps what it was given. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * An object of a cluster as the manifest that it would have been applied from: with the fields that it was given last, or that are to be
 * applied, and with what they are by now. What the API server fills in is left out, and so is what others have put into it.
 */
export function appliedForm(live: Manifest, desired: Manifest | undefined): Manifest {
  const applied = appliedLast(live);
  if (applied === undefined && desired === undefined) return withoutNotes(live);
  const form = projected(live, [applied, desired], []) as Manifest;
  // Whoever names no namespace means the one that the object is in.
  const { namespace } = (desired ?? applied ?? live).metadata;
  const metadata = Object.entries(form.metadata).filter(([name]) => name !== 'namespace');
  const named = { ...Object.fromEntries(metadata), name: live.metadata.name };
  return { ...form, metadata: namespace === undefined ? named : { ...named, namespace } };
}

function appliedLast(live: Manifest): Manifest | undefined {
  try {
    const [found] = manifestsOf(JSON.parse(live.metadata.annotations?.[lastApplied] ?? 'null'));
    return found?.metadata.name === live.metadata.name ? found : undefined;
  } catch {
    return undefined;
  }
}

function withoutNotes(live: Manifest): Manifest {
  const { name, namespace, labels } = live.metadata;
  return {
    ...live,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
    },
  };
}

/** What of a value was given: by whom else it was set, nobody knows from here. `given` is what was applied, and what is to be. */
function projected(
  live: unknown,
  given: readonly [applied: unknown, desired: unknown],
  path: readonly string[],
): unknown {
  const [applied, desired] = given;
  if (live === undefined || live === null) {
    // The API server leaves out what is zero or empty.
    return isZero(desired) ? desired : undefined;
  }
  if (isFields(live)) {
    if (!isFields(applied) && !isFields(desired)) return live;
    const names = new Set([applied, desired].flatMap((value) => (isFields(value) ? Object.keys(value) : [])));
    if (path.join('.') === 'metadata.annotations') names.delete(lastApplied);
    const fields = [...names].flatMap((name) => {
      const value = projected(live[name], [fieldAt(applied, name), fieldAt(desired, name)], [...path, name]);
      // kubectl notes a list of no annotations where none was given.
      const isNothing = value === undefined || (isZero(value) && fieldAt(desired, name) === undefined);
      return isNothing ? [] : [[name, value] as const];
    });
    return Object.fromEntries(fields);
  }
  if (Array.isArray(live)) return projectedList(live, given, path);
  return [desired, applied].find((value) => value !== undefined && isSame(value, live, path)) ?? live;
}

function projectedList(
  live: readonly unknown[],
  [applied, desired]: readonly [applied: unknown, desired: unknown],
  path: readonly string[],
): unknown {
  const [before, after] = [membersOf(applied), membersOf(desired)];
  const known = [...after, ...before.filter(({ name }) => memberNamed(after, String(name)) === undefined)];
  if (known.length > 0 && isObjects(live) && [live, before, after].every(isNamed)) {
    return known.flatMap(({ name }) => {
      const member = memberNamed(live, String(name));
      if (member === undefined) return [];
      return [projected(member, [memberNamed(before, String(name)), memberNamed(after, String(name))], path)];
    });
  }
  const at = (list: unknown, index: number): unknown =>
    Array.isArray(list) ? (list as readonly unknown[])[index] : undefined;
  return live.map((member, index) => projected(member, [at(applied, index), at(desired, index)], path));
}

function membersOf(list: unknown): readonly Fields[] {
  return isObjects(list) ? list : [];
}

function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isFields(value)) return Object.values(value).every(isZero);
  return value === null || value === false || value === 0 || value === '';
}

/** Below these a text is what it is, and no amount. */
const texts = new Set(['annotations', 'args', 'command', 'data', 'env', 'labels']);

/** Where amounts are: CPU, memory and storage of pods, volumes, quotas and autoscalers. */
const amounts = new Set(['capacity', 'hard', 'limits', 'metrics', 'overhead', 'requests', 'sizeLimit']);

/** Amounts are kept in another way than they were written: 1024Mi as 1Gi, and 1 as text. */
function isSame(given: unknown, live: unknown, path: readonly string[]): boolean {
  if (given === live) return true;
  if (path.some((name) => texts.has(name)) || !path.some((name) => amounts.has(name))) return false;
  const [one, other] = [amount(given), amount(live)];
  return one !== undefined && other !== undefined && Math.abs(one - other) <= Math.abs(one) * 1e-9;
}

const units: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
function amount(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const [, digits, unit = ''] = /^([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)([a-zA-Z]*)$/.exec(String(value)) ?? [];
  const factor = units[unit];
  return digits === undefined || factor === undefined || typeof value !== 'string'
    ? undefined
    : Number(digits) * factor;
}
