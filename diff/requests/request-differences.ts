import { type Answer, answerTo } from './answer';
import type { EntryPath, FrontDoor } from './front-door';
import type { Policy } from './policies';
import type { Said } from './reading';
import {
  both,
  type Conditions,
  noConditions,
  type Request,
  requestWith,
  sentHeaders,
  withParts,
  written,
} from './request';

/** Of how a request is answered: what it is about, and what it was and is. */
export interface Change {
  readonly subject: string;
  readonly before: string;
  readonly after: string;
}

/** Requests that are answered otherwise, all in the same way. */
export interface RequestDifference {
  /** One of them, as it can be sent. */
  readonly witness: Request;
  /** What they are for: `https://shop.example.com/orders/…`; several if several are. */
  readonly where: readonly string[];
  /** Whether no request is left out. */
  readonly isEverywhere: boolean;
  readonly changes: readonly Change[];
  /** What a real nginx made of the witness, if one was asked. */
  readonly asked?: AskedOfBoth;
}

/** Answers in words, and headers that one of both has alone: those of the answer, and those that the backend got. */
export interface AskedOfBoth {
  readonly before: string;
  readonly after: string;
  readonly headers: readonly string[];
}

/** A request, and which ones it stands for. */
interface Candidate {
  readonly request: Request;
  readonly where: string;
}

/**
 * Requests that two configurations answer otherwise. One is asked of both for each path and each condition that any of the two tells
 * from the others, and for each pair of conditions that one has: more kinds of requests neither of them knows.
 */
export function requestDifferences(before: FrontDoor, after: FrontDoor): readonly RequestDifference[] {
  const all = candidates(before, after);
  const found = new Map<string, { readonly change: Change; readonly candidates: Candidate[] }>();
  for (const candidate of all) {
    const [one, other] = [answerTo(before, candidate.request), answerTo(after, candidate.request)];
    for (const { key, change } of changesOf(one, other)) {
      const known = found.get(key);
      if (known === undefined) found.set(key, { change, candidates: [candidate] });
      else known.candidates.push(candidate);
    }
  }
  return together([...found.values()], all);
}

/** What changes for the very same requests is said of them once. */
function together(
  found: readonly { readonly change: Change; readonly candidates: readonly Candidate[] }[],
  all: readonly Candidate[],
): readonly RequestDifference[] {
  const groups = new Map<string, { readonly candidates: readonly Candidate[]; readonly changes: Change[] }>();
  for (const { change, candidates: own } of found) {
    const key = own.map(({ request }) => written(request)).join('\n');
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { candidates: own, changes: [change] });
    else known.changes.push(change);
  }
  const secure = all.filter(isSecure).length;
  // Who answers is what people look for first.
  const rank = (changes: readonly Change[]): number => (changes.some(({ subject }) => subject === answeredBy) ? 0 : 1);
  const sorted = [...groups.values()].sort((a, b) => rank(a.changes) - rank(b.changes));
  return sorted.flatMap(({ candidates: own, changes }) => {
    const [first] = own;
    if (first === undefined) return [];
    return [
      {
        witness: first.request,
        where: [...new Set(own.map(({ where }) => where))],
        isEverywhere: own.filter(isSecure).length === secure,
        changes,
      },
    ];
  });
}

function isSecure({ request }: Candidate): boolean {
  return request.scheme === 'https';
}

const answeredBy = 'answered by';

interface KeyedChange {
  readonly key: string;
  readonly change: Change;
}

function changesOf(before: Answer, after: Answer): readonly KeyedChange[] {
  if (before.by.meaning === after.by.meaning) return policyChanges(before.policies, after.policies);
  const isAnswered = ({ by, policies }: Answer): boolean => by.meaning !== 'nobody' && policies.length > 0;
  return [
    keyed(answeredBy, [before.by], [after.by]),
    // By another route, which has rules of its own: but who may ask is never to change unseen.
    ...(isAnswered(before) && isAnswered(after)
      ? policyChanges(
          before.policies.filter(({ isAccess }) => isAccess),
          after.policies.filter(({ isAccess }) => isAccess),
        )
      : []),
  ];
}

function policyChanges(before: readonly Policy[], after: readonly Policy[]): readonly KeyedChange[] {
  const subjects = [...new Set([...before, ...after].map(({ subject }) => subject))];
  return subjects.flatMap((subject) => {
    const own = before.filter((policy) => policy.subject === subject);
    const others = after.filter((policy) => policy.subject === subject);
    const gone = without(own, others);
    const come = without(others, own);
    return gone.length === 0 && come.length === 0 ? [] : [keyed(subject, gone, come)];
  });
}

function without(policies: readonly Said[], others: readonly Said[]): readonly Said[] {
  return policies.filter(({ meaning }) => !others.some((other) => other.meaning === meaning));
}

function keyed(subject: string, before: readonly Said[], after: readonly Said[]): KeyedChange {
  const meanings = (all: readonly Said[]): readonly string[] => all.map(({ meaning }) => meaning);
  const shown = (all: readonly Said[]): string => all.map((each) => each.shown).join(', ');
  const [one, other] = [shown(before), shown(after)];
  return {
    key: JSON.stringify([subject, meanings(before), meanings(after)]),
    change: {
      subject,
      before: one === '' ? 'none' : one,
      // A variable of it is another one for other requests, or for answers of a backend that the witness has not.
      after: one === other ? `${other}, and something else for some` : other === '' ? 'none' : other,
    },
  };
}

/** More pairs of conditions than this are not tried: each condition is, alone. */
const mostPairs = 2500;

function candidates(before: FrontDoor, after: FrontDoor): readonly Candidate[] {
  const all = hostsOf(before, after).flatMap((host) => [
    ...entriesOf(host, before, after).flatMap((entry) => candidatesAt(entry, before, after)),
    { request: requestWith(noConditions, { scheme: 'http', host, path: '/1' }), where: `http://${host}/…` },
  ]);
  const once = new Map([...all].reverse().map((candidate) => [written(candidate.request), candidate]));
  return all.filter((candidate) => once.get(written(candidate.request)) === candidate);
}

/** Where there are more pairs of conditions than are tried: who meets one of each side may be answered otherwise there, unseen. */
export function untriedPairs(before: FrontDoor, after: FrontDoor): readonly string[] {
  const entries = hostsOf(before, after).flatMap((host) => entriesOf(host, before, after));
  return entries.flatMap(({ place, where }) =>
    hasTooManyPairs(before.conditionsAt(place), after.conditionsAt(place)) ? [where] : [],
  );
}

function hostsOf(before: FrontDoor, after: FrontDoor): readonly string[] {
  return [...new Set([...before.hosts, ...after.hosts])].sort();
}

/** Where requests enter a host: a path, and what it stands for in words. */
interface Entry {
  readonly place: Pick<Request, 'scheme' | 'host' | 'path'>;
  readonly where: string;
}

function entriesOf(host: string, before: FrontDoor, after: FrontDoor): readonly Entry[] {
  const paths = entryPathsOf(host, before, after);
  const exact = new Set(paths.flatMap(({ kind, path }) => (kind === 'exact' ? [path] : [])));
  return paths.map(({ kind, path }) => ({
    place: { scheme: 'https', host, path: kind === 'exact' ? path : pathBelow(path, exact) },
    where: `https://${host}${path}${kind === 'exact' ? '' : '…'}`,
  }));
}

/** Each once, in an order that does not follow from that of the sides. */
function entryPathsOf(host: string, before: FrontDoor, after: FrontDoor): readonly EntryPath[] {
  const all = [...before.entryPaths(host), ...after.entryPaths(host)];
  const once = new Map(all.map((entry) => [`${entry.path} ${entry.kind}`, entry]));
  return [...once].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

function candidatesAt({ place, where }: Entry, before: FrontDoor, after: FrontDoor): readonly Candidate[] {
  return conditionsOf(before.conditionsAt(place), after.conditionsAt(place)).map((conditions) => {
    const whole = requestWith(conditions, place);
    const beside = [
      ...(conditions.has(method) ? [whole.method] : []),
      ...[...whole.query].map(([name, value]) => `?${name}=${value}`),
      ...sentHeaders(whole),
    ];
    return { request: whole, where: withParts(where, beside) };
  });
}

/** Those of each side, and what meets one of both: the fewest that tell all kinds of requests. */
function conditionsOf(some: readonly Conditions[], others: readonly Conditions[]): readonly Conditions[] {
  const alone = [...some, ...others];
  const pairs = hasTooManyPairs(some, others)
    ? []
    : some.flatMap((one) => others.flatMap((other) => both(one, other) ?? []));
  return byMethods([...alone, ...pairs]);
}

function hasTooManyPairs(some: readonly Conditions[], others: readonly Conditions[]): boolean {
  return some.length * others.length > mostPairs;
}

const usualMethods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'];

/** The same for each method that any of them names, and for one that none does: every request has one. */
function byMethods(all: readonly Conditions[]): readonly Conditions[] {
  const named = new Set(all.flatMap((conditions) => conditions.get(method) ?? []));
  if (named.size === 0) return all;
  const other = usualMethods.find((each) => !named.has(each));
  const methods = [...usualMethods.filter((each) => named.has(each) || each === other), ...named];
  return all.flatMap((conditions) =>
    [...new Set(conditions.get(method) ?? methods)].map(
      (each) => new Map<string, readonly string[]>([...conditions, [method, [each]]]),
    ),
  );
}

const method = 'request_method';

/** A path below a prefix that has no location of its own on either side. */
function pathBelow(prefix: string, exact: ReadonlySet<string>): string {
  let number = 1;
  while (exact.has(`${prefix}${number}`)) number += 1;
  return `${prefix}${number}`;
}
