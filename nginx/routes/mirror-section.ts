import { RouteModel } from '../../model/routes/route';
import { mirrorUpstream } from '../backends/upstream-section';
import { block, directive, Directive, heading, Node } from '../directive';
import { mirroredHeaders } from '../forwarding-section';
import { Plan } from '../plan';
import { rewrittenUri } from './rewrite-section';

/** Which requests are copied. */
export function mirrorSection({ routes }: Plan): Node[] {
  const percents = [...new Set(routes.flatMap(({ mirror }) => (mirror === undefined ? [] : [mirror.percent])))];
  if (percents.length === 0) return [];
  return [
    heading('Copies of requests'),
    ...percents
      .sort((a, b) => a - b)
      .flatMap((percent) => [
        ...(percent === 100
          ? []
          : [block(`split_clients $request_id $chance_of_${percent}`, [directive(`${percent}% 1`), directive('* 0')])]),
        block(
          `map $http_upgrade $is_copied_${percent}`,
          [directive('default 0'), directive(`"" ${percent === 100 ? '1' : `$chance_of_${percent}`}`)],
          'no WebSocket: who gets the copy would be answering the client',
        ),
      ]),
  ];
}

/** In the location of a route's first try, and in no other, as each would send another copy. */
export function copies(route: RouteModel): Directive[] {
  if (route.mirror === undefined) return [];
  return [directive(`mirror ${locationOf(route)}`, 'a copy of the request, once it is there with its body')];
}

/** What sends the copies of a route. Nothing in it is set or asked for that the request itself goes by: both share their variables. */
export function copyLocation(plan: Plan, route: RouteModel): Directive[] {
  const { mirror } = route;
  if (mirror === undefined) return [];
  const { backend, percent, timeout } = mirror;
  const uri = rewrittenUri(plan, route);
  return [
    block(`location = ${locationOf(route)}`, [
      directive('internal', 'no client asks for it'),
      block(`if ($is_copied_${percent} = 0)`, [directive('return 204')]),
      directive('client_max_body_size 0', 'it was looked at when the request came'),
      directive('error_page 502 504 = @not_copied', "not the way on of the request's own errors"),
      ...mirroredHeaders(plan, route),
      directive(`proxy_connect_timeout ${timeout}s`, 'a client of HTTP/1.1 waits for it with its next request'),
      directive(`proxy_send_timeout ${timeout}s`),
      directive(`proxy_read_timeout ${timeout}s`),
      directive('proxy_next_upstream off', 'one try: what fails is not repeated'),
      directive(`proxy_pass http://${mirrorUpstream(backend)}${uri === '' ? '$request_uri' : uri}`),
    ]),
  ];
}

/** What becomes of a copy that nobody answers: nothing. */
export function notCopied(routes: readonly RouteModel[]): Directive[] {
  return routes.every(({ mirror }) => mirror === undefined)
    ? []
    : [block('location @not_copied', [directive('return 204')])];
}

/** No path of a route begins with a dot. */
function locationOf({ name }: RouteModel): string {
  return `/.copy-of-${name}`;
}
