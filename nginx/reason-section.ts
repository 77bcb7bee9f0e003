import { cachesOf, type RouteModel } from '../model/routes/route';
import { block, directive, Directive, heading, Node } from './directive';
import type { Plan } from './plan';
import { countedStatus, countedStatusMap, hasGrpc } from './routes/grpc-section';

/** Why nginx itself refused one, by its status. */
const refusals = {
  'over-limit': [503],
  'bad-request': [400, 411, 412, 416, 417, 501, 505],
  unauthorized: [401],
  forbidden: [403],
  'not-found': [404],
  'method-not-allowed': [405],
  'client-too-slow': [408],
  'body-too-large': [413],
  'path-too-long': [414],
  misdirected: [421],
  'too-many-requests': [429],
  'head-too-large': [431, 494],
  undecided: [500],
} as const satisfies Readonly<Record<string, readonly number[]>>;

/** Of any other. */
const unknown = 'unknown';

/** In one word why a request failed, for the log, for metrics and for `fairlead explain`. */
export type FailureReason =
  | 'client-left'
  | 'stale-answer'
  | 'kept-answer'
  | 'api-status'
  | 'own-answer'
  | 'answer-timeout'
  | 'broke-off'
  | 'no-connection'
  | 'connection-refused'
  | 'nobody-there'
  | keyof typeof refusals
  | typeof unknown;

/** Those of most requests, which are found without a regular expression. */
const successes = [200, 201, 204, 206, 304];

/** Why a request failed: what `fairlead explain` would say of its line. */
export function reasonSection(plan: Plan): Node[] {
  const { routes } = plan;
  if (!isSaid(plan)) return [];
  const status = hasGrpc(routes) ? countedStatus : '$status';
  const own = routes.filter(answersFailure);
  const hasCaches = cachesOf(routes).length > 0;
  // What follows a bar is of each try, in lists.
  const tries = '$upstream_status|$upstream_bytes_sent|$upstream_header_time|$upstream_addr';
  const key = `${status} ${tries}|${hasCaches ? '$upstream_cache_status' : ''}|${own.length > 0 ? '$route' : ''}`;
  return [
    heading('Why a request failed, as fairlead explain says it of a line of the log'),
    ...countedStatusMap(plan),
    ...(own.length > 0 ? [unrouted] : []),
    block(`map ${status} $reason`, [
      directive('default $reason_of_failure'),
      ...successes.map((each) => directive(`${each} ""`)),
    ]),
    block(`map "${key}" $reason_of_failure`, [
      directive('default $reason_of_refusal'),
      directive('"~^[1-3]" ""'),
      row('(?:499|000) ', 'client-left'),
      ...(hasCaches
        ? [
            row('4\\d\\d [^|]+\\|.*\\|STALE\\|', 'stale-answer'),
            row('(?!41[26])\\d+ \\|.*\\|(?:HIT|STALE|UPDATING)\\|', 'kept-answer'),
            row(
              '(41[26]) (?!(?:[^|]*[ ,:])?\\1\\|)[^|]',
              'bad-request',
              'compared by nginx itself: the instance answered otherwise',
            ),
          ]
        : []),
      row('\\d+ [^|]+\\|[^|]*\\|(?:[^|]*[ ,:])?[\\d.]+\\|', 'api-status', 'the last one sent the head of an answer'),
      ...own.map((route) => row(`${ownStatus(route)} \\|.*\\|${route.name}$`, 'own-answer')),
      row(
        '504 ([-\\d]+[ ,:]+(?1)[-\\d]+[ ,:]+|504[^|]*\\|)[1-9]',
        'answer-timeout',
        'one that had some of the request hung: the same place in both lists',
      ),
      row('50[234] [^|]+\\|[^|]*[1-9]', 'broke-off', 'one had some of the request'),
      row('50[234] 504', 'no-connection', 'none had, and what came first says why'),
      row('50[234] [^|]+\\|[^|]*\\|[^|]*\\|[^ ,|]*:\\d', 'connection-refused'),
      row('50[234] [^|]', 'nobody-there', 'a name in place of an address'),
    ]),
    block(`map ${status} $reason_of_refusal`, [
      directive(`default ${unknown}`),
      ...Object.entries(refusals).flatMap(([reason, statuses]) =>
        statuses.map((each) => directive(`${each} ${reason}`)),
      ),
    ]),
  ];
}

function row(pattern: string, reason: FailureReason, why?: string): Directive {
  return directive(`"~^${pattern}" ${reason}`, why);
}

/** Whether the log or metrics say it. */
function isSaid({ place, proxy }: Plan): boolean {
  return place.metrics !== undefined || !proxy.accessLog.omit.includes('reason');
}

/** What `$route` needs where requests without one have none. */
export const unrouted = directive('uninitialized_variable_warn off', 'an error before any location has no route');

/** Whether nginx itself answers a route with a status of failures, as main.ts says. */
export function answersFailure(route: RouteModel): boolean {
  return ownStatus(route) >= 400;
}

function ownStatus({ target }: RouteModel): number {
  return target.kind === 'response' ? target.status : 0;
}

/** Whether `unrouted` stands with the reasons. */
export function hasUnrouted(plan: Plan): boolean {
  return isSaid(plan) && plan.routes.some(answersFailure);
}
