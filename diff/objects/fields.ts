import { isDeepStrictEqual } from 'node:util';
import { isShort, say, shownValue, type Text } from '../text';
import { type Fields, isFields } from './manifest';

/** A field that is another one; undefined on the side that has none. */
export interface FieldChange {
  /** `spec.template.spec.containers[api].image` */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Where two values differ, as far below as both have something. Members of a list go by their names, where they have some. */
export function fieldChanges(before: unknown, after: unknown, path = ''): readonly FieldChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isFields(before) && isFields(after)) {
    return namesOf([before, after]).flatMap((name) =>
      fieldChanges(before[name], after[name], path === '' ? name : `${path}.${name}`),
    );
  }
  if (isObjects(before) && isObjects(after)) return memberChanges(before, after, path);
  return [{ path, before, after }];
}

function memberChanges(before: readonly Fields[], after: readonly Fields[], path: string): readonly FieldChange[] {
  if (!isNamed(before) || !isNamed(after)) {
    const most = Math.max(before.length, after.length);
    return Array.from({ length: most }, (_, index) => index).flatMap((index) =>
      fieldChanges(before[index], after[index], `${path}[${index}]`),
    );
  }
  const names = [...new Set([...before, ...after].map(({ name }) => String(name)))];
  const changes = names.flatMap((name) =>
    fieldChanges(memberNamed(before, name), memberNamed(after, name), `${path}[${name}]`),
  );
  // The same members in another order are another list to Kubernetes.
  if (changes.length > 0) return changes;
  return [{ path, before: before.map(({ name }) => name), after: after.map(({ name }) => name) }];
}

export function memberNamed(members: readonly Fields[], name: string): Fields | undefined {
  return members.find((member) => member.name === name);
}

/** Whether each member has a name of its own. */
export function isNamed(members: readonly Fields[]): boolean {
  return members.every(({ name }) => typeof name === 'string') && distinct(members) === members.length;
}

function distinct(members: readonly Fields[]): number {
  return new Set(members.map(({ name }) => name)).size;
}

export function isObjects(value: unknown): value is readonly Fields[] {
  return Array.isArray(value) && value.every(isFields);
}

function namesOf(all: readonly Fields[]): readonly string[] {
  return [...new Set(all.flatMap((fields) => Object.keys(fields)))].sort();
}

/** A change of a field, in words. What a variable holds may be a secret. */
export function changeText({ path, before, after }: FieldChange): Text {
  if (/\.env(?:\[|$)/.test(path)) return say`${path} differs`;
  if (before === undefined) return isShort(after) ? say`${path} is new: ${shownValue(after)}` : say`${path} is new`;
  if (after === undefined) return isShort(before) ? say`${path} is gone: ${shownValue(before)}` : say`${path} is gone`;
  return say`${path}: ${shownValue(before)}, now ${shownValue(after)}`;
}
