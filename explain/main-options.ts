import type { RouteModel } from '../model/routes/route';
import type { RouteOptions } from '../model/routes/route-options';
import { backendsOf } from '../nginx/plan';
import type { Deployment } from './deployment';
import type { LoggedRequest } from './logged-request';

/** What main.ts says of the routes that a request may have taken, each thing once; or what is said without it. */
export function ofRoutes(
  { deployment, routes }: LoggedRequest,
  said: (route: RouteModel, deployment: Deployment) => string | undefined,
  otherwise: string,
): string {
  if (deployment === undefined) return otherwise;
  const all = new Set(routes.flatMap((route) => said(route, deployment) ?? []));
  return all.size === 0 ? otherwise : [...all].join(', or ');
}

/** The option of main.ts that an amount of a route comes from: `connectTimeout of the route /orders (2s, the default)`. */
export function optionOf(
  { routes }: Deployment,
  { name, path }: RouteModel,
  option: keyof RouteOptions,
  value?: string,
): string {
  const { text = path.path, own = [], inherited = {} } = routes[name] ?? {};
  const from = own.includes(option) ? undefined : inherited[option];
  const isDefault = !own.includes(option) && from === undefined;
  const said = from === undefined ? `${option} of the route ${text}` : `routeDefaults.${option} of ${from}`;
  return value === undefined ? said : `${said} (${value}${isDefault ? ', the default' : ''})`;
}

/** The same of how long an answer may be silent, which the backend says unless the route does. */
export function silenceOf(deployment: Deployment, route: RouteModel): string {
  const { requestTimeout } = route.times;
  if (route.streamTimeout !== undefined) return optionOf(deployment, route, 'streaming', `${route.streamTimeout}s`);
  const { own = [], inherited = {} } = deployment.routes[route.name] ?? {};
  const { requestTimeouts } = deployment;
  const backend = backendsOf(route).find((name) => requestTimeouts[name]?.seconds === requestTimeout);
  if (own.includes('requestTimeout') || inherited.requestTimeout !== undefined || backend === undefined) {
    return optionOf(deployment, route, 'requestTimeout', `${requestTimeout}s`);
  }
  const isDefault = requestTimeouts[backend]?.isDefault === true;
  return `requestTimeout of the backend ${backend} (${requestTimeout}s${isDefault ? ', the default' : ''})`;
}

/** In seconds: what `silenceOf` says. */
export function silence({ streamTimeout, times }: RouteModel): number {
  return streamTimeout ?? times.requestTimeout;
}
