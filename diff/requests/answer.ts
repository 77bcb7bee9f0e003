import { answeredBy } from './answered-by';
import { everyDirective, type FrontDoor } from './front-door';
import { policiesOf, type Policy } from './policies';
import { Reading, type Said } from './reading';
import { type Request, requestWith } from './request';

/** What becomes of a request: who answers it, and by which rules. */
export interface Answer {
  readonly by: Said;
  readonly policies: readonly Policy[];
}

const nobody: Said = { shown: 'nobody, as the host is not known', meaning: 'nobody' };

export function answerTo(door: FrontDoor, request: Request): Answer {
  const way = door.way(request);
  if (way === undefined) return { by: nobody, policies: [] };
  const reading = new Reading(door, way, request);
  return { by: answeredBy(reading), policies: policiesOf(reading) };
}

/** Paths of routes that may be silent for long, by host; of those alone that lead to a backend, if one is named. */
export function streamingPaths(door: FrontDoor, backend?: string): readonly string[] {
  return door.hosts.flatMap((host) =>
    door.entryPaths(host).flatMap(({ kind, path }) => {
      if (kind !== 'exact' && path !== '/') return [];
      const place = { scheme: 'https', host, path } as const;
      const isStream = door
        .conditionsAt(place)
        .some((conditions) => leadsToStream(door, requestWith(conditions, place), backend));
      return isStream ? [`${host}${path}`] : [];
    }),
  );
}

function leadsToStream(door: FrontDoor, request: Request, backend: string | undefined): boolean {
  const isStream = everyDirective(door.way(request)?.location?.body ?? []).some(
    ({ name, args }) => name === 'limit_conn' && args[0] === 'streams',
  );
  return isStream && (backend === undefined || answerTo(door, request).by.meaning.includes(`{"name":"${backend}"`));
}
