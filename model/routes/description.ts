import type { HostModel } from '../proxy';
import type { RouteModel, TargetModel } from './route';

/** A route as people read it. */
export interface DescribedRoute {
  /** The first name of its host, and the name of the route, as metrics have them. */
  readonly host: string;
  readonly route: string;
  /** `/orders`, with what else a request must have. */
  readonly path: string;
  /** What answers: `orders`, `308 to /v1`. */
  readonly target: string;
  /** The backends that share it; empty if none does. */
  readonly shared: readonly string[];
}

export function describedRoutes(hosts: readonly Pick<HostModel, 'names' | 'routes'>[]): DescribedRoute[] {
  return hosts.flatMap(({ names: [host], routes }) =>
    routes.map((route) => ({
      host,
      route: route.name,
      path: pathOf(route),
      target: targetOf(route.target),
      shared: route.target.kind === 'split' ? route.target.shares.map(({ backend }) => backend) : [],
    })),
  );
}

function pathOf({ path, when }: RouteModel): string {
  const conditions = when.map((each) =>
    each.kind === 'method' ? each.methods.join(', ') : `${each.kind} ${each.name}: ${each.value}`,
  );
  return [path.kind === 'exact' ? `= ${path.path}` : path.path, ...conditions].join(' · ');
}

function targetOf(target: TargetModel): string {
  switch (target.kind) {
    case 'backend':
      return target.backend;
    case 'split':
      return target.shares.map(({ backend }) => backend).join(', ');
    case 'external':
      return `${target.service.host}:${target.service.port}`;
    case 'redirect':
      return `${target.status} to ${target.location}`;
    case 'response':
      return `fixed answer ${target.status}`;
    case 'files':
      return `files of ${target.source}`;
  }
}
