import { answeredPaths } from './answered-paths';
import { type AnsweredPath, isAsked } from './modules';
import type { SourceFile } from './source-files';

/** Where an app says how it is, as `healthCheck` of fairlead takes it. */
export interface HealthCheck {
  readonly path: string;
  readonly liveness?: string;
  readonly readiness?: string;
}

/** What was found, and where. */
export interface FoundHealthCheck extends HealthCheck {
  readonly from: string;
  /** The only path may depend on what the app needs, which liveness must not. */
  readonly isReadinessAlone: boolean;
}

const kinds = {
  live: /^_*(?:livez?|liveness|alive)$/i,
  ready: /^_*(?:readyz?|readiness)$/i,
  health: /^_*(?:healthz?|health[-_]?checks?)$/i,
  // What may as well be something else.
  other: /^_*(?:ping|status|heartbeat|up)$/i,
} as const;
type Kind = keyof typeof kinds;

/** What the Dockerfile asks for, else what the routes are called, else a text that is such a path. */
export function foundHealthCheck(
  files: readonly SourceFile[],
  dockerHealthCheck: string | undefined,
): FoundHealthCheck | undefined {
  const docker = dockerHealthCheck === undefined ? undefined : { path: dockerHealthCheck, file: 'Dockerfile' };
  const answered = answeredPaths(files);
  return chosen(answered, docker) ?? chosen(texts(files), undefined);
}

function chosen(paths: readonly AnsweredPath[], docker: AnsweredPath | undefined): FoundHealthCheck | undefined {
  const best = (kind: Kind): AnsweredPath | undefined => shortest(paths.filter(({ path }) => isOf(kind, path)));
  const live = best('live');
  const ready = best('ready');
  const path = docker ?? best('health') ?? ready ?? live ?? best('other');
  if (path === undefined) return undefined;
  return {
    path: path.path,
    ...(live === undefined || live.path === path.path ? {} : { liveness: live.path }),
    ...(ready === undefined || ready.path === path.path ? {} : { readiness: ready.path }),
    from: path.file,
    isReadinessAlone: path === ready && live === undefined,
  };
}

function isOf(kind: Kind, path: string): boolean {
  const segments = path.split('/').slice(1);
  // Another's status is below what it is the status of.
  return kinds[kind].test(segments.at(-1) ?? '') && (kind !== 'other' || segments.length <= 2);
}

/** Whatever else knows such a path: a constant, the options of a plugin. `/ping` and the like may be anything there. */
function texts(files: readonly SourceFile[]): AnsweredPath[] {
  return files.flatMap(({ path: file, text }) =>
    [...text.matchAll(/(['"`])((?:\/[\w.~-]+)+)\1/g)]
      .filter(({ index }) => !isAsked(text.slice(Math.max(0, index - 100), index)))
      .map(([, , path = '']) => ({ path, file }))
      .filter(({ path }) => !isOf('other', path)),
  );
}

/** The one that stands most by itself. */
function shortest(paths: readonly AnsweredPath[]): AnsweredPath | undefined {
  const length = ({ path }: AnsweredPath): number => path.split('/').length * 1000 + path.length;
  return [...paths].sort((one, other) => length(one) - length(other) || (one.path < other.path ? -1 : 1))[0];
}
