import type { AccessLogLine } from './access-log-line';
import type { Reason } from './branch';
import { explanation } from './explanation';
import type { LoggedRequest } from './logged-request';
import type { TimeSpan } from './time-span';

/** A status as one types it, `502` or `5xx`, and when it was. */
export interface StatusSearch {
  readonly status: string;
  readonly span: TimeSpan;
}

/** Requests that ended alike: with the same status, for the same reason, on the same route. */
export interface Group {
  readonly status: number;
  readonly reason: Reason;
  readonly count: number;
  /** As Date.now gives them. */
  readonly first: number;
  readonly last: number;
  /** The last of them. */
  readonly request: LoggedRequest;
  /** How many of them each instance was asked for. */
  readonly instances: ReadonlyMap<string, number>;
  /** How many of them each proxy has logged, as far as the log says who did. */
  readonly proxies: ReadonlyMap<string, number>;
}

/** Goes through an access log line by line, and keeps no more of it than what is said in the end. */
export class FoundByStatus {
  /** Requests of that time, by their status. */
  readonly statuses = new Map<number, number>();
  /** The first and the last time of the log. */
  readonly log = { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };
  /** Of all requests with that status at another time, the one that is nearest. */
  nearest: { readonly time: number; readonly requestId: string; readonly distance: number } | undefined;
  /** Lines of which nobody can tell when they were. */
  timeless = 0;
  private readonly byLikeness = new Map<string, Group>();

  constructor(
    private readonly search: StatusSearch,
    private readonly requestOf: (line: AccessLogLine) => LoggedRequest,
  ) {}

  /** Takes a line, and the name of the proxy that wrote it if that is known. */
  add(line: AccessLogLine, proxy: string | undefined): void {
    const time = Date.parse(line.time);
    if (Number.isNaN(time)) {
      this.timeless += 1;
      return;
    }
    this.log.from = Math.min(this.log.from, time);
    this.log.to = Math.max(this.log.to, time);
    const { from, to } = this.search.span;
    if (time < from || time >= to) {
      this.comeNear(line, time, time < from ? from - time : time - to);
      return;
    }
    // In gRPC an error is another status than that of its line.
    const isError = (line.grpcStatus ?? 0) !== 0;
    const request = isError || this.isWanted(line.status) ? this.requestOf(line) : undefined;
    const { status } = request ?? line;
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (request !== undefined && this.isWanted(status)) this.join(request, time, proxy);
  }

  /** The largest first. */
  get groups(): readonly Group[] {
    return [...this.byLikeness.values()].sort((one, other) => other.count - one.count);
  }

  private isWanted(status: number): boolean {
    const { status: wanted } = this.search;
    const text = String(status).padStart(3, '0');
    return /^\d+$/.test(wanted) ? text === wanted : text.startsWith(wanted.slice(0, 1));
  }

  private comeNear({ status, requestId }: AccessLogLine, time: number, distance: number): void {
    if (!this.isWanted(status) || distance >= (this.nearest?.distance ?? Number.POSITIVE_INFINITY)) return;
    this.nearest = { time, requestId, distance };
  }

  private join(request: LoggedRequest, time: number, proxy: string | undefined): void {
    const { status, deployment, routes, line } = request;
    const { reason } = explanation(request);
    const whose = [deployment?.namespace, deployment?.name, ...routes.map(({ name }) => name)];
    const likeness = JSON.stringify([status, reason, ...whose]);
    const group = this.byLikeness.get(likeness);
    const asked = line.tries.map(({ instance }) => instance).filter((instance) => /:\d+$/.test(instance));
    this.byLikeness.set(likeness, {
      status,
      reason,
      count: (group?.count ?? 0) + 1,
      first: Math.min(group?.first ?? time, time),
      last: Math.max(group?.last ?? time, time),
      request: group === undefined || time >= group.last ? request : group.request,
      instances: oneMore(asked, group?.instances),
      proxies: oneMore(proxy === undefined ? [] : [proxy], group?.proxies),
    });
  }
}

/** Counts, with one more of each of these names. */
function oneMore(names: readonly string[], counts: Group['instances'] = new Map()): Group['instances'] {
  const more = new Map(counts);
  for (const name of new Set(names)) more.set(name, (more.get(name) ?? 0) + 1);
  return more;
}
