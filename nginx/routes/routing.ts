import { HostModel } from '../../model/proxy';
import { RouteModel } from '../../model/routes/route';

/** Which route a request goes by: one, the first whose conditions hold, or none at all. */
export type Choice = RouteModel | ConditionalChoice | undefined;

export interface ConditionalChoice {
  /** In the order in which they are asked. */
  readonly conditional: readonly [RouteModel, ...RouteModel[]];
  /** What a request goes by that meets none of them. */
  readonly otherwise: Choice;
}

/** A location that requests enter by. */
export interface Entry {
  /** As nginx writes it: `= /orders`, `/orders/`. */
  readonly location: string;
  readonly choice: Choice;
}

/** What stands in a server for one path. */
export interface PathModel {
  readonly path: string;
  readonly entries: readonly Entry[];
  /** Routes of this path, an exact one first. */
  readonly routes: readonly RouteModel[];
}

export function isConditional(choice: Choice): choice is ConditionalChoice {
  return choice !== undefined && 'conditional' in choice;
}

/** Each once, though several entries may lead to it; what one goes on to comes before it. */
export function conditionalChoices(all: readonly PathModel[]): ConditionalChoice[] {
  const found = new Set<ConditionalChoice>();
  const add = (choice: Choice): void => {
    if (!isConditional(choice)) return;
    add(choice.otherwise);
    found.add(choice);
  };
  for (const { entries } of all) for (const { choice } of entries) add(choice);
  return [...found];
}

/** Every route that a request may go by in the end. */
export function candidates(choice: Choice): RouteModel[] {
  if (choice === undefined) return [];
  return isConditional(choice) ? [...choice.conditional, ...candidates(choice.otherwise)] : [choice];
}

/**
 * The paths of a host in order, with what each location leads to: an exact path before a prefix, a longer prefix before a
 * shorter one, and at one path routes with conditions before the one without.
 */
export function paths({ routes }: HostModel): PathModel[] {
  const sorted = sortedByPath(routes);
  const at = groupByPath(sorted);
  const prefixes = [...new Set(sorted.filter(({ path }) => path.kind === 'prefix').map(({ path }) => path.path))];
  const choices = new Map<string, Choice>();

  const choiceAt = (kind: 'exact' | 'prefix', path: string): Choice => {
    const key = `${kind} ${path}`;
    if (choices.has(key)) return choices.get(key);
    const own = at.get(key) ?? [];
    const [first, ...others] = own.filter(({ when }) => when.length > 0);
    const last = own.find(({ when }) => when.length === 0) ?? choiceBeyond(kind, path);
    const choice = first === undefined ? last : { conditional: [first, ...others] as const, otherwise: last };
    choices.set(key, choice);
    return choice;
  };
  /** Of the longest prefix that a path lies in, itself left out if it is one. */
  const choiceBeyond = (kind: 'exact' | 'prefix', path: string): Choice => {
    const longest = prefixes
      .filter((prefix) => liesIn(path, prefix) && (kind === 'exact' || prefix !== path))
      .reduce<string | undefined>((a, b) => (a === undefined || b.length > a.length ? b : a), undefined);
    return longest === undefined ? undefined : choiceAt('prefix', longest);
  };

  const all = new Set(['/', ...sorted.map(({ path }) => path.path)]);
  const entriesOf = (path: string): Entry[] => {
    const isPrefix = prefixes.includes(path);
    const exact = { location: `= ${path}`, choice: choiceAt('exact', path) };
    const below = path === '/' ? '/' : `${path}/`;
    // nginx answers /a with a redirect to /a/ wherever there is a location of that name which forwards, an exact one too.
    const withoutSlash = path.replace(/(?<=.)\/$/, '');
    return [
      ...(withoutSlash === path || all.has(withoutSlash)
        ? []
        : [{ location: `= ${withoutSlash}`, choice: choiceBeyond('exact', withoutSlash) }]),
      ...(at.has(`exact ${path}`) || (isPrefix && path !== '/') ? [exact] : []),
      ...(isPrefix || path === '/' ? [{ location: below, choice: choiceAt('prefix', path) }] : []),
    ];
  };
  return [...all].sort(byCodePoints).map((path) => ({
    path,
    entries: entriesOf(path),
    routes: [...(at.get(`exact ${path}`) ?? []), ...(at.get(`prefix ${path}`) ?? [])],
  }));
}

/** The order of what is rendered: it does not depend on the order in which routes of different paths were added. */
function sortedByPath(routes: readonly RouteModel[]): RouteModel[] {
  return [...routes].sort(
    (a, b) => byCodePoints(a.path.path, b.path.path) || byCodePoints(a.path.kind, b.path.kind) || conditionsFirst(a, b),
  );
}

function groupByPath(sorted: readonly RouteModel[]): Map<string, RouteModel[]> {
  const groups = new Map<string, RouteModel[]>();
  for (const route of sorted) {
    const key = `${route.path.kind} ${route.path.path}`;
    groups.set(key, [...(groups.get(key) ?? []), route]);
  }
  return groups;
}

function conditionsFirst(a: RouteModel, b: RouteModel): number {
  return Number(a.when.length === 0) - Number(b.when.length === 0);
}

export function byCodePoints(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** By whole segments: /events-of-others does not lie in /events. */
function liesIn(path: string, prefix: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}
