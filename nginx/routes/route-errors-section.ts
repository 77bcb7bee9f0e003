import { HostModel } from '../../model/proxy';
import { isGrpc, RouteModel } from '../../model/routes/route';
import { block, directive, Directive, heading, literalPieces, Node, quote } from '../directive';
import { anyErrorLocation, errorPages, errorPath, jsonAnswer, NamedError, withStatus } from '../error-answer';
import { headersOfErrorPage } from '../headers-section';
import { HostPlan, isForwarded, Plan } from '../plan';
import { authenticationErrors, notAuthenticated } from './auth-section';
import { choiceVariables, literal, mostFollowed, routeLocation } from './conditions-section';
import { allowOrigins } from './cors-section';
import { grpcErrorLocations, grpcErrorPages, grpcErrorPath, grpcErrorsSuffix } from './grpc-section';
import { tooManyRequests, tooManyRequestsErrors } from './rate-limit-section';
import { candidates, ConditionalChoice, conditionalChoices } from './routing';

/** Pages of routes that have some, for each choice of them once. `geo` holds text as it is, a "$" too. */
export function errorPagesSection(plan: Plan): Node[] {
  const all = plan.routes.filter((route) => hasPages(route) && plan.first.errorPages(route) === route);
  if (all.length === 0) return [];
  return [
    heading("Pages for nginx's own errors: what the API answers is never replaced"),
    ...all.flatMap((route) => [
      ...pagesOf(route).flatMap(([key, text]) =>
        literalPieces(text).map((piece, index) =>
          block(`geo ${pieceVariable(plan, route, key, index)}`, [directive(`default ${piece}`)]),
        ),
      ),
      block(`map $status ${pageVariable(plan, route)}`, [
        directive(`default ${pageText(plan, route, 'default', '$error_reason')}`),
        ...pagesOf(route)
          .filter(([key]) => key !== 'default')
          .map(([key]) => directive(`${key} ${pageText(plan, route, key, '')}`)),
      ]),
    ]),
  ];
}

function hasPages({ errorPages: pages }: RouteModel): boolean {
  return pages?.pages !== undefined;
}

/** By status, as they are rendered whatever the order in which they were given. */
function pagesOf({ errorPages: pages }: RouteModel): [key: number | 'default', text: string][] {
  return [...(pages?.pages ?? [])].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

function pageVariable(plan: Plan, route: RouteModel): string {
  return `$error_page_of_${plan.variableOf(plan.first.errorPages(route))}`;
}

function pieceVariable(plan: Plan, route: RouteModel, key: number | 'default', index: number): string {
  const suffix = plan.variableOf(plan.first.errorPages(route));
  return `$page_${key}_${index === 0 ? '' : `${index + 1}_`}of_${suffix}`;
}

/** What stands for the page of a status, that of the rest, or one that says no more than what the status is called. */
function pageText(plan: Plan, route: RouteModel, key: number | 'default', reason: string): string {
  const pages = new Map(pagesOf(route));
  const found = pages.has(key) ? key : 'default';
  const text = pages.get(found);
  if (text === undefined) {
    return `'<!doctype html><html lang="en"><meta charset="utf-8"><title>${reason}</title><h1>${reason}</h1><p>Request $accepted_request_id</p></html>'`;
  }
  return `"${literalPieces(text)
    .map((_piece, index) => `\${${pieceVariable(plan, route, found, index).slice(1)}}`)
    .join('')}"`;
}

/** In a location that a request enters: whose pages the errors are that maps lead to. */
export function choosePages(plan: Plan, route: RouteModel): Directive[] {
  if ((!hasPages(route) && !isGrpc(route)) || !isForwarded(route)) return [];
  return [
    directive(
      `set $error_pages ${pagesSuffix(plan, route)}`,
      isGrpc(route) ? 'errors are read by clients of gRPC' : 'errors have pages of their own',
    ),
  ];
}

/** What names of locations for errors end with, where a map names one. */
export function errorPagesSuffix({ routes }: Plan): string {
  return routes.some((route) => (hasPages(route) && isForwarded(route)) || isGrpc(route)) ? '$error_pages' : '';
}

function pagesSuffix(plan: Plan, route: RouteModel): string {
  if (isGrpc(route)) return grpcErrorsSuffix;
  return hasPages(route) ? `_of_${plan.first.errorPages(route).name}` : '';
}

/** A location for one of these errors, as the route has it. */
export function namedError(plan: Plan, route: RouteModel, [name]: NamedError): string {
  return `@${name}${pagesSuffix(plan, route)}`;
}

/** Whether errors of a route are other ones than those of its server: another text, or headers that a browser has to have. */
export function hasOwnErrors(route: RouteModel): boolean {
  return route.cors !== undefined || hasPages(route) || isGrpc(route);
}

/** Where errors of a route lead, if they come before it is chosen or have no location of their own. */
export function errorPathOf(plan: Plan, route: RouteModel): string {
  if (isGrpc(route)) return grpcErrorPath;
  return hasOwnErrors(route) ? `${errorPath}-of-${plan.first.errors(route).name}` : errorPath;
}

/** Whether routes that a request may take have errors of several kinds. */
export function differInErrors(plan: Plan, choice: ConditionalChoice): boolean {
  return new Set(candidates(choice).map((route) => errorPathOf(plan, route))).size > 1;
}

/** Where an error leads that comes before a route is chosen; undefined where too many conditions would have to be asked at once. */
export function errorPathOfChoice(plan: Plan, choice: ConditionalChoice): string | undefined {
  const [variable] = choiceVariables(plan, choice);
  if (variable === undefined || choiceVariables(plan, choice).length > mostFollowed) return undefined;
  return variable.replace(/^\$choice_/, '$error_path_of_');
}

/** Maps for `errorPathOfChoice`. */
export function errorPathsSection(plan: Plan): Node[] {
  if (!plan.routes.some(hasOwnErrors)) return [];
  const all = conditionalChoices(plan.hosts.flatMap(({ paths }) => paths)).filter((choice) =>
    differInErrors(plan, choice),
  );
  const maps = all.flatMap((choice) => {
    const path = errorPathOfChoice(plan, choice);
    if (path === undefined) return [];
    const own = candidates(choice).filter(hasOwnErrors);
    return [
      block(`map ${choiceVariables(plan, choice)[0] ?? ''} ${path}`, [
        directive(`default ${errorPath}`),
        ...own.map((route) =>
          directive(`${quote('path', `~^${literal(routeLocation(route))}$`)} ${errorPathOf(plan, route)}`),
        ),
      ]),
    ];
  });
  return maps.length === 0
    ? []
    : [heading('Errors that come before a route is chosen: those of the one that it would be'), ...maps];
}

export const badGateway: NamedError = ['bad_gateway', 502, 'Bad Gateway'];
export const gatewayTimeout: NamedError = ['gateway_timeout', 504, 'Gateway Timeout'];
export const unavailable: NamedError = [
  'unavailable',
  503,
  'Service Unavailable',
  [directive('add_header Retry-After 1 always', 'there is room, or an instance, within seconds')],
];

/** Of files, which can be read and no more. */
export const methodNotAllowed: NamedError = [
  'method_not_allowed',
  405,
  'Method Not Allowed',
  [directive('add_header Allow "GET, HEAD" always')],
];

/** What a location of a route says of errors that no map leads on, where the server does not say it. */
export function errorAnswers(plan: Plan, route: RouteModel): Directive[] {
  if (isGrpc(route)) return grpcErrorPages();
  return [
    directive(`error_page 503 ${namedError(plan, route, unavailable)}`),
    ...notAuthenticated([route], pagesSuffix(plan, route)),
    ...tooManyRequests([route], `@too_many_requests${pagesSuffix(plan, route)}`),
    ...errorPages(errorPathOf(plan, route)),
  ];
}

/** Where errors lead of routes that have their own. */
export function routeErrorLocations(plan: Plan, host: HostPlan): Directive[] {
  const own = host.host.routes.filter((route) => hasOwnErrors(route) && !isGrpc(route));
  const each = (first: (route: RouteModel) => RouteModel, routes = own): RouteModel[] => {
    const found = new Set(routes.map(first));
    return plan.routes.filter((route) => found.has(route));
  };
  return [
    ...each(plan.first.errors).map((route) =>
      anyErrorLocation(errorPathOf(plan, route), [
        // nginx compares the length of a body before it looks at what the location sets.
        ...allowOrigins(plan, route),
        ...(hasPages(route)
          ? [...pageAnswer(plan, host.host), directive(`return 200 ${pageVariable(plan, route)}`, withStatus)]
          : jsonAnswer),
      ]),
    ),
    ...each(plan.first.errorPages, own.filter(hasPages)).flatMap((route) =>
      namedErrors(plan, host).map(([name, status, reason, more = []]) =>
        block(`location @${name}${pagesSuffix(plan, route)}`, [
          ...pageAnswer(plan, host.host),
          ...more,
          directive(`return ${status} ${pageText(plan, route, status, reason)}`),
        ]),
      ),
    ),
    ...grpcErrorLocations(plan, host),
  ];
}

function namedErrors(plan: Plan, host: HostPlan): NamedError[] {
  return [
    badGateway,
    gatewayTimeout,
    unavailable,
    ...authenticationErrors(host.host.routes),
    ...tooManyRequestsErrors(plan, host),
    ...(host.host.routes.some(({ target }) => target.kind === 'files') ? [methodNotAllowed] : []),
  ];
}

function pageAnswer(plan: Plan, host: HostModel): Directive[] {
  return [...headersOfErrorPage(plan, host), directive('default_type text/html'), directive('charset utf-8')];
}
