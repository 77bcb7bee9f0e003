import { RateLimit } from '../../model/routes/rate-limit';
import { RouteModel } from '../../model/routes/route';
import { block, directive, Directive, heading, Node } from '../directive';
import { NamedError } from '../error-answer';
import { clientOf, HostPlan, Plan } from '../plan';
import { keyVariable } from './request-variables';

/** A node of a zone is 80 bytes and its key: with no more than these all are 128, and one that is forgotten makes room for any other. */
const longestKey = 48;
const bytesPerKey = 128;
/** Of a zone, for nginx's own: smaller slots, and a descriptor of each page. */
const bytesOfSlots = 16 * 1024;
const shareOfDescriptors = 0.01;

/** What rates of requests are counted by, and where. */
export function rateLimitSection(plan: Plan): Node[] {
  const { routes, proxy } = plan;
  const limits = routes.flatMap(({ rateLimits: own = [] }) => own);
  if (limits.length === 0) return [];
  const { rateLimitZone } = proxy.budget;
  const keys = Math.floor((rateLimitZone * (1 - shareOfDescriptors) - bytesOfSlots) / bytesPerKey / 100) * 100;
  return [
    heading('Rates of requests: a request counts once, however often it is tried'),
    ...keyMaps(plan, limits),
    ...routes.flatMap((route) =>
      (route.rateLimits ?? []).map((limit, index) => {
        const { requests, unit } = limit.rate;
        return directive(
          `limit_req_zone ${keyOf(limit)} zone=${zoneOf(route, index)}:${rateLimitZone / 1024}k rate=${requests}r/${unit}`,
        );
      }),
    ),
    directive('limit_req_status 429', `and when ${keys} have come, who was not seen for longest is forgotten`),
    ...retryAfter(routes),
  ];
}

/** In every location of a route. nginx looks once a request, in the first one. */
export function rateLimits(route: RouteModel): Directive[] {
  return (route.rateLimits ?? []).map(({ burst }, index) =>
    directive(
      `limit_req zone=${zoneOf(route, index)}${burst === 0 ? '' : ` burst=${burst} nodelay`}`,
      'who comes more often is answered 429 at once',
    ),
  );
}

/** What such an answer is, wherever routes have limits. */
export function tooManyRequests(routes: readonly RouteModel[], location = '@too_many_requests'): Directive[] {
  return routes.some(isLimited) ? [directive(`error_page 429 ${location}`, 'over a rate of its route')] : [];
}

export function tooManyRequestsErrors({ routes }: Plan, { host }: HostPlan): NamedError[] {
  if (!host.routes.some(isLimited)) return [];
  const seconds = secondsUntilRoom({ routes });
  const more = [directive(`add_header Retry-After ${seconds} always`, 'one more fits by then')];
  return [['too_many_requests', 429, 'Too Many Requests', more]];
}

/** After how many seconds one more fits: a number, or a variable that has it. */
export function secondsUntilRoom({ routes }: Pick<Plan, 'routes'>): string {
  return retryAfter(routes).length === 0 ? '1' : '$retry_after';
}

export function isLimited({ rateLimits: limits = [] }: RouteModel): boolean {
  return limits.length > 0;
}

/** In the error log, which names it: `rate_of_login`, `rate_2_of_login`. */
function zoneOf({ name }: RouteModel, index: number): string {
  return `rate_${index === 0 ? '' : `${index + 1}_`}of_${name}`;
}

/** Where a route takes longer than a second to have room again. */
function retryAfter(routes: readonly RouteModel[]): Directive[] {
  const seconds = ({ rateLimits: limits = [] }: RouteModel): number =>
    Math.max(1, ...limits.map(({ interval }) => interval));
  const longer = routes.filter((route) => seconds(route) > 1);
  if (longer.length === 0) return [];
  return [
    block('map $route $retry_after', [
      directive('default 1'),
      ...longer.map((route) => directive(`"~^${route.name}$" ${seconds(route)}`)),
    ]),
  ];
}

/** Gives nothing for who is not limited. */
function keyOf({ key: { source } }: RateLimit): string {
  if (source.kind === 'clientAddress') return '$limited_client';
  const name = 'name' in source ? `_${source.name.toLowerCase().replaceAll('-', '_')}` : '';
  return `$rate_by_${source.kind}${name}`;
}

function keyMaps(plan: Plan, limits: readonly RateLimit[]): Directive[] {
  const others = [...new Map(limits.map((limit) => [keyOf(limit), limit.key.source]))].filter(
    ([, { kind }]) => kind !== 'clientAddress',
  );
  const byAddress = others.some(([, source]) => 'name' in source)
    ? [
        block(
          'map $limited_client $address_as_key',
          [directive(`default " ${clientOf(plan)}"`), directive('"" ""')],
          'no value of a client begins with a space: nobody takes the place of an address',
        ),
      ]
    : [];
  return [
    ...byAddress,
    ...others.map(([variable, source]) =>
      block(`map ${keyVariable(source)} ${variable}`, [
        directive(`default ${keyVariable(source)}`),
        ...('name' in source ? [directive('"" $address_as_key', 'who leaves it out is limited by address')] : []),
        directive(
          `"~(?s)^.*(?<end_of_key>.{${longestKey}})$" $end_of_key`,
          'longer ones would fill a zone: they are told apart by their ends',
        ),
      ]),
    ),
  ];
}
