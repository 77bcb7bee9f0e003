import { block, directive, Directive } from './directive';
import { connectionTime, streamLimits } from './limits-section';
import { ProxyModel, RouteModel } from './model';

/**
 * All ways of a request of one route: the location that it enters by, and those of its further tries. What a route allows is
 * printed for each of them by one function, so that none leads around it.
 */
export function routeLocations(proxy: ProxyModel, route: RouteModel): Directive[] {
  const { name, path, backend } = route;
  const entry = [directive(`set $route ${name}`), ...policies(proxy, route), directive(`proxy_pass http://${backend}`)];
  const furtherTry = (location: string, next: string, upstream: string): Directive =>
    block(`location @${location}_${name}`, [
      ...policies(proxy, route),
      directive('proxy_next_upstream_tries 1'),
      directive(`error_page 502 504 = ${next}`),
      directive(`proxy_pass http://${upstream}`),
    ]);
  return [
    // A prefix holds for whole segments: /events is not /events-of-others.
    ...(path === '/'
      ? [block('location /', entry)]
      : [block(`location = ${path}`, entry), block(`location ${path}/`, entry)]),
    furtherTry('again', '$after_last_try', backend),
    ...(proxy.upstreamFallback === undefined ? [] : [furtherTry('fallback', '$after_fallback', `${backend}_fallback`)]),
  ];
}

function policies(proxy: ProxyModel, { streamTimeout }: RouteModel): Directive[] {
  return [
    ...connectionTime(proxy),
    ...(streamTimeout === undefined
      ? []
      : [
          ...streamLimits(proxy),
          directive('proxy_buffering off', 'events leave as they come'),
          directive(`proxy_read_timeout ${streamTimeout}s`, 'silence is not an error here'),
          directive(`proxy_send_timeout ${streamTimeout}s`),
        ]),
  ];
}
