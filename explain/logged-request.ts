import { posix } from 'node:path';
import type { ProxyModel } from '../model/proxy';
import type { RouteModel } from '../model/routes/route';
import { isForwarded } from '../nginx/plan';
import { type Choice, isConditional, paths } from '../nginx/routes/routing';
import type { AccessLogLine, Try } from './access-log-line';
import type { Deployment } from './deployment';

/** A request as the log has it, and as main.ts has it where there is one. */
export interface LoggedRequest {
  readonly line: AccessLogLine;
  readonly deployment: Deployment | undefined;
  /** Proxies that have its host too, so that it may have come to one of these. */
  readonly others: readonly Deployment[];
  /** Routes of which it took one: the log does not say whether a header or cookie chose. Empty without main.ts, and of a path without a route. */
  readonly routes: readonly RouteModel[];
  /** In HTTP, of calls of gRPC too, which are all answered 200. */
  readonly status: number;
}

/** A line with what is known of the proxies that have its host, of which the first is taken for its own. */
export function loggedRequest(line: AccessLogLine, [deployment, ...others]: readonly Deployment[]): LoggedRequest {
  const all = deployment === undefined ? [] : possibleRoutes(deployment.model, line);
  const routes = line.tries.length === 0 ? all : all.filter(isForwarded);
  return { line, deployment, others, routes, status: statusInHttp(line, routes) };
}

/** What became of a try. */
export type Outcome =
  /** The head of an answer came, whatever its status. */
  | 'answered'
  /** nginx had no instance to ask. */
  | 'nobody'
  /** No connection came about, and nothing was sent: it was refused, or took too long. */
  | 'refused'
  | 'no connection'
  /** It had something of the request: its connection ended, or it said nothing for too long. */
  | 'broke off'
  | 'hung'
  /** The client left meanwhile. */
  | 'left';

export function outcomeOf({ instance, bytesSent, status, headerTime }: Try): Outcome {
  if (headerTime !== undefined) return 'answered';
  if (status === undefined || status === 499) return 'left';
  if (!/:\d+$/.test(instance)) return 'nobody';
  if (status === 504) return bytesSent === 0 ? 'no connection' : 'hung';
  return bytesSent === 0 ? 'refused' : 'broke off';
}

export function outcomesOf({ line: { tries } }: LoggedRequest): readonly Outcome[] {
  return tries.map(outcomeOf);
}

/** Whether nginx itself refused an answer that it had, as it is not what the client asked for: it compares those that may be kept. */
export function isUnmet({ line: { tries, cache }, status }: LoggedRequest): boolean {
  if (status !== 412 && status !== 416) return false;
  const last = tries.at(-1);
  return last === undefined ? cache !== '' : outcomeOf(last) === 'answered' && last.status !== status;
}

/** Bytes of it that instances got, all together. */
export function bytesSentOf({ line: { tries } }: LoggedRequest): number {
  return tries.reduce((sum, { bytesSent }) => sum + bytesSent, 0);
}

/** The routes that a request may take in the end, in the order in which they are asked. */
function possibleRoutes(model: ProxyModel, { host, path, method }: AccessLogLine): readonly RouteModel[] {
  // On one machine the first host is called localhost too.
  const found = model.hosts.find(({ names }) => names.includes(host)) ?? model.hosts[0];
  const entries = paths(found).flatMap((each) => each.entries);
  const uri = normalized(path);
  const exact = entries.find(({ location }) => location === `= ${uri}`);
  const [longest] = entries
    .filter(({ location }) => uri.startsWith(location))
    .sort((a, b) => b.location.length - a.location.length);
  return routesOf((exact ?? longest)?.choice, method);
}

/** Of these conditions the log has the method alone. */
function routesOf(choice: Choice, method: string): readonly RouteModel[] {
  if (choice === undefined) return [];
  if (!isConditional(choice)) return [choice];
  const possible = choice.conditional.filter(({ when }) =>
    when.every((condition) => condition.kind !== 'method' || condition.methods.includes(method)),
  );
  const certain = possible.findIndex(({ when }) => when.every(({ kind }) => kind === 'method'));
  if (certain !== -1) return possible.slice(0, certain + 1);
  return [...possible, ...routesOf(choice.otherwise, method)];
}

/** As nginx compares it: decoded, without "//" and without dots. */
function normalized(path: string): string {
  try {
    return posix.normalize(decodeURIComponent(path));
  } catch {
    return path;
  }
}

/** What nginx itself says in gRPC, and what that is in HTTP. @see https://grpc.io/docs/guides/status-codes/ */
const statusesOfGrpc: Readonly<Record<number, number>> = { 4: 504, 7: 403, 12: 404, 13: 500, 14: 503, 16: 401 };

function statusInHttp({ status, grpcStatus = 0, tries }: AccessLogLine, routes: readonly RouteModel[]): number {
  const last = tries.at(-1);
  if (grpcStatus === 0 || (last !== undefined && outcomeOf(last) === 'answered')) return status;
  // RESOURCE_EXHAUSTED is said of both.
  if (grpcStatus === 8) return routes.some(({ rateLimits = [] }) => rateLimits.length > 0) ? 429 : 413;
  const nothingSent = tries.every(({ bytesSent }) => bytesSent === 0);
  return grpcStatus === 14 && !nothingSent ? 502 : (statusesOfGrpc[grpcStatus] ?? status);
}
