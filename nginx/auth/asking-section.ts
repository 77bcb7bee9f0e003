import { ExternalAuthModel } from '../../model/auth/external';
import { RouteModel } from '../../model/routes/route';
import { externalTls, isSecure } from '../backends/external-services';
import { block, directive, Directive, quoteWithVariables } from '../directive';
import { requestHeaders } from '../forwarding-section';
import { HostPlan, Plan } from '../plan';
import { literal } from '../routes/conditions-section';

/** In the server of a host: how services are asked that its routes ask. */
export function askingLocations(plan: Plan, { host }: HostPlan): Directive[] {
  const once = new Map(
    host.routes.flatMap((route) =>
      route.auth?.kind === 'external' ? [[askingLocation(plan, route), route.auth] as const] : [],
    ),
  );
  if (once.size === 0) return [];
  return [
    ...[...once].map(([location, auth]) => block(`location = ${location}`, asking(plan, auth, location))),
    block('location @undecided', [directive('return 503')], 'nobody has answered: the request is answered 500'),
  ];
}

/** What a route asks before it goes on; no path of a route begins with a dot. */
export function askingLocation({ variableOf, first }: Plan, route: RouteModel): string {
  return `/.asks-${variableOf(first.auth(route))}`;
}

function asking(plan: Plan, auth: ExternalAuthModel, location: string): Directive[] {
  const { target, timeout, forwardHeaders } = auth;
  const start = [
    directive('internal', 'no client asks for it'),
    directive('client_max_body_size 0', 'it does not read the body'),
  ];
  if (target.kind === 'nowhere') return [...start, directive('return 503')];
  const upstream = target.kind === 'backend' ? target.backend : target.service.name;
  return [
    ...start,
    block(
      `if ($asked_status ~ "^${literal(location)} .*2\\d\\d$")`,
      [directive('return 204')],
      'it has let the request go on, before another try',
    ),
    directive('error_page 502 504 = @undecided', "not the way on of the request's own errors"),
    directive('proxy_pass_request_body off'),
    directive('proxy_pass_request_headers off', 'it gets what it is to be told, and no more'),
    // All that follows HTTP/1.1 alone, and that a route sends of its own, is left out.
    ...requestHeaders(plan, [
      ['Upgrade', false],
      ['Connection', false],
      ['Content-Length', false],
      ...(target.kind === 'external' ? target.requestHeaders : []),
    ]),
    directive('proxy_set_header X-Forwarded-Method $request_method'),
    directive('proxy_set_header X-Forwarded-Uri $request_uri'),
    ...forwardHeaders.map((header) =>
      directive(`proxy_set_header ${header} $http_${header.toLowerCase().replaceAll('-', '_')}`),
    ),
    directive(`proxy_connect_timeout ${Math.min(timeout, plan.common.connectTimeout)}s`),
    directive(`proxy_send_timeout ${timeout}s`),
    directive(`proxy_read_timeout ${timeout}s`, 'every request of the route waits for it'),
    directive('proxy_next_upstream_tries 2'),
    directive(`proxy_next_upstream_timeout ${timeout}s`),
    ...externalTls(plan, target),
    directive(
      `proxy_pass ${quoteWithVariables('path', `${isSecure(target) ? 'https' : 'http'}://${upstream}${target.kind === 'external' ? target.pathPrefix : ''}${auth.path}`)}`,
    ),
  ];
}
