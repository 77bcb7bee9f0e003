import { isGrpc, passesBodyOn, RouteModel } from '../../model/routes/route';
import { refuseWithoutCertificate } from '../auth/client-certificates-section';
import { hasSignIn } from '../auth/sign-in-section';
import { externalTls, isSecure } from '../backends/external-services';
import { chooseBackend, hasFallback, upstreamOf } from '../backends/upstream-section';
import { block, directive, Directive, Node, quote, quotedPieces, snippets } from '../directive';
import { errorLocation, errorPages } from '../error-answer';
import { requestHeaders } from '../forwarding-section';
import { answerHeaders } from '../headers-section';
import { bodySize, clientLimit, connectionTime, limitsOfStream, refuseLongerBody } from '../limits-section';
import { countAs, countAsNoRoute, countUpstream } from '../metrics/metrics-section';
import { forwardingModule, HostPlan, isForwarded, Plan } from '../plan';
import { answersFailure } from '../reason-section';
import { refuseStrangers } from './allow-from-section';
import { authentication, whatWasProved } from './auth-section';
import { keptAnswers, keptAnswersOfTry } from './cache-section';
import { choose, routeLocation } from './conditions-section';
import { allowOrigins, leadPreflightsAway, preflights } from './cors-section';
import { files, filesLocations } from './files-section';
import { noSuchMethod, wholeBody, wholeBodyLocation } from './grpc-section';
import { copies, copyLocation, notCopied } from './mirror-section';
import { isLimited, rateLimits } from './rate-limit-section';
import { redirectLocation, refuseOtherSpellings, rewrittenUri } from './rewrite-section';
import {
  choosePages,
  differInErrors,
  errorAnswers,
  errorPathOfChoice,
  hasOwnErrors,
  methodNotAllowed,
} from './route-errors-section';
import { candidates, ConditionalChoice, Entry, isConditional } from './routing';
import { refuseSpellings } from './spelling-section';

/**
 * All ways of requests through a host: the locations that they enter by, those that conditions choose, and those of further
 * tries. What a route allows is printed for each of them by one function, so that none leads around it.
 */
export function routeLocations(plan: Plan, host: HostPlan): Node[] {
  return [
    ...host.paths.flatMap(({ entries, routes }) => [
      ...entries.map((entry) => entryLocation(plan, host, entry)),
      ...routes.flatMap((route) => [
        ...(host.chosen.has(route) ? [chosenRoute(plan, host, route)] : []),
        ...furtherTries(plan, host, route),
        ...filesLocations(plan, route, policies(plan, host, route)),
        ...copyLocation(plan, route),
        ...preflights(route, [
          ...policiesForAnyone(plan, host, route),
          ...(hasOwnErrors(route) ? errorAnswers(plan, route) : []),
        ]),
      ]),
    ]),
    ...(host.host.routes.some(({ target }) => target.kind === 'files') ? [errorLocation(...methodNotAllowed)] : []),
    ...(endsNowhere(host)
      ? [block('location @not_found', [...countAsNoRoute(plan, host), ...noSuchMethod(host), directive('return 404')])]
      : []),
    ...notCopied(host.host.routes),
    ...wholeBodyLocation(host),
  ];
}

/** Straight to what answers, where the path alone decides. */
function entryLocation(plan: Plan, host: HostPlan, { location, choice }: Entry): Directive {
  if (choice === undefined) {
    return block(`location ${location}`, [
      ...countAsNoRoute(plan, host),
      ...noSuchMethod(host),
      directive('return 404'),
    ]);
  }
  if (!isConditional(choice)) return block(`location ${location}`, answer(plan, host, choice, location));
  return block(`location ${location}`, [
    ...bodySize(plan, candidates(choice)),
    ...errorsOfAll(plan, choice),
    ...choose(plan, choice),
    directive('return 418'),
  ]);
}

/** Errors of a request whose route is not known yet: those of all that it may take, or of the one that it would take. */
function errorsOfAll(plan: Plan, choice: ConditionalChoice): Directive[] {
  const [first] = candidates(choice);
  if (first === undefined || !candidates(choice).some(hasOwnErrors)) return [];
  const toChosen = directive('error_page 418 = $chosen');
  if (!differInErrors(plan, choice)) return [toChosen, ...errorAnswers(plan, first)];
  const path = errorPathOfChoice(plan, choice);
  if (path === undefined) return [];
  return [
    toChosen,
    directive(`error_page 413 ${path}`, 'nginx compares the length of a body before a route is chosen'),
    ...errorPages(),
  ];
}

function chosenRoute(plan: Plan, host: HostPlan, route: RouteModel): Directive {
  return block(`location ${routeLocation(route)}`, [...refuseLongerBody(host, route), ...answer(plan, host, route)]);
}

/** The first try of a route, or its answer; in the location of a path, if it is not in one that conditions choose. */
function answer(plan: Plan, host: HostPlan, route: RouteModel, location?: string): Node[] {
  const { target, times } = route;
  const rules = (tries?: number): Node[] => [
    ...entered(plan, route),
    ...policies(plan, host, route, tries, leadPreflightsAway(route)),
  ];
  const errors = hasOwnErrors(route) ? errorAnswers(plan, route) : [];
  switch (target.kind) {
    case 'redirect':
      return [
        ...rules(),
        ...errors,
        ...refuseOtherSpellings(plan, route),
        directive(`return ${target.status} ${redirectLocation(plan, route, target.location)}`),
      ];
    case 'files':
      return [...rules(), ...files(plan, route, target, location)];
    case 'response':
      return [...rules(), ...errors, ...response(target)];
    default:
      return [
        ...rules(times.nextUpstreamTries),
        ...refuseOtherSpellings(plan, route),
        ...refuseSpellings(plan, route),
        ...copies(route),
        ...wholeBody(route),
        ...keptAnswersOfTry(route, { first: true, last: !isTriedAgain(route) }),
        ...(isTriedAgain(route) ? firstTry(plan, route) : onlyTry(plan, route)),
        ...forward(plan, route, upstreamOf(route)),
      ];
  }
}

/** In a location that is entered: what is said once of a request, and holds on all its ways. */
function entered(plan: Plan, route: RouteModel): Directive[] {
  return [
    ...(isForwarded(route) || isLimited(route) || hasSignIn(route) || answersFailure(route)
      ? [directive(`set $route ${route.name}`)]
      : countAs(plan, route.name)),
    ...(isForwarded(route) ? chooseBackend(plan, route) : []),
    ...whatWasProved(plan, route),
    ...allowOrigins(plan, route),
    ...choosePages(plan, route),
  ];
}

/** By nginx itself, to another instance. */
function isPassedOn({ retries = true }: RouteModel): boolean {
  return retries;
}

/** From the first location of a route: what has all of the request to send. */
function isTriedAgain(route: RouteModel): boolean {
  return isPassedOn(route) && !passesBodyOn(route);
}

function firstTry(plan: Plan, route: RouteModel): Directive[] {
  if (!hasOwnErrors(route)) return [];
  return [directive('error_page 502 504 = $after_first_round'), ...errorAnswers(plan, route)];
}

function onlyTry(plan: Plan, route: RouteModel): Directive[] {
  return [
    ...(isPassedOn(route)
      ? []
      : [directive(`${forwardingModule(route)}_next_upstream off`, 'no request is passed on')]),
    directive(`error_page 502 504 = ${afterLastTry(route)}`),
    ...errorAnswers(plan, route),
  ];
}

function afterLastTry({ target }: RouteModel): string {
  return target.kind === 'external' ? '$after_external' : '$after_last_try';
}

function forward(plan: Plan, route: RouteModel, upstream: string): Directive[] {
  if (isGrpc(route)) return [...countUpstream(plan, upstream), directive(`grpc_pass grpc://${upstream}`)];
  return [
    directive(`proxy_pass ${isSecure(route.target) ? 'https' : 'http'}://${upstream}${rewrittenUri(plan, route)}`),
  ];
}

/** One more try at the instances that DNS names by now, and one at the fallback. */
function furtherTries(plan: Plan, host: HostPlan, route: RouteModel): Node[] {
  if (!isForwarded(route) || !isTriedAgain(route)) return [];
  const upstream = upstreamOf(route);
  const last = hasFallback(plan, route) ? 'fallback' : 'again';
  const furtherTry = (location: string, next: string, to: string): Directive =>
    block(`location @${location}_${route.name}`, [
      ...policies(plan, host, route, 1),
      ...keptAnswersOfTry(route, { first: false, last: location === last }),
      directive(`error_page 502 504 = ${next}`),
      ...(hasOwnErrors(route) ? errorAnswers(plan, route) : []),
      ...forward(plan, route, to),
    ]);
  if (!hasFallback(plan, route)) return [furtherTry('again', afterLastTry(route), upstream)];
  return [
    furtherTry('again', '$after_instances', upstream),
    furtherTry('fallback', '$after_last_try', `${upstream.startsWith('$') ? '${backend}' : upstream}_fallback`),
  ];
}

/** What a route allows, where it is not what most allow. */
function policiesForAnyone(plan: Plan, host: HostPlan, route: RouteModel): Node[] {
  return [
    ...connectionTime(plan.proxy),
    ...bodySize(plan, [route]),
    ...refuseStrangers(plan, route),
    ...answerHeaders(plan, host.host, route),
    ...rateLimits(route),
    ...clientLimit(plan.proxy, route),
    ...snippets(route.snippets),
  ];
}

/** The same with who may go on, and with how it is forwarded. Who has no certificate is refused after preflights, which come without, are led away. */
function policies(
  plan: Plan,
  host: HostPlan,
  route: RouteModel,
  tries?: number,
  preflightsAway: readonly Directive[] = [],
): Node[] {
  return [
    ...policiesForAnyone(plan, host, route),
    ...authentication(plan, route),
    ...(tries === undefined
      ? []
      : [...forwardingPolicies(plan, route, tries), ...externalTls(plan, route.target), ...keptAnswers(plan, route)]),
    ...preflightsAway,
    ...refuseWithoutCertificate(plan, route),
  ];
}

function forwardingPolicies(plan: Plan, route: RouteModel, tries: number): Node[] {
  const { common } = plan;
  const { streamTimeout, times, requestHeaders: own } = route;
  const unless = (isCommon: boolean, ...directives: readonly Directive[]): readonly Directive[] =>
    isCommon ? [] : directives;
  const silence = streamTimeout ?? times.requestTimeout;
  const module = forwardingModule(route);
  return [
    ...(JSON.stringify(own) === JSON.stringify(common.requestHeaders) ? [] : requestHeaders(plan, own, module)),
    ...unless(
      times.connectTimeout === common.connectTimeout,
      directive(`${module}_connect_timeout ${times.connectTimeout}s`),
    ),
    ...limitsOfStream(plan.proxy, route),
    ...(streamTimeout === undefined || isGrpc(route)
      ? []
      : [directive('proxy_buffering off', 'events leave as they come')]),
    ...(passesBodyOn(route) ? [directive(`client_body_timeout ${silence}s`, 'between two messages of a client')] : []),
    ...unless(
      streamTimeout === undefined && silence === common.requestTimeout,
      directive(
        `${module}_read_timeout ${silence}s`,
        streamTimeout === undefined ? undefined : 'silence is not an error here',
      ),
      directive(`${module}_send_timeout ${silence}s`),
    ),
    ...unless(
      times.nextUpstreamTimeout === common.nextUpstreamTimeout,
      directive(`${module}_next_upstream_timeout ${times.nextUpstreamTimeout}s`),
    ),
    ...unless(tries === common.nextUpstreamTries, directive(`${module}_next_upstream_tries ${tries}`)),
  ];
}

function response({
  status,
  body,
  contentType,
}: {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
}): Node[] {
  const type = directive(`default_type ${quote('contentType', contentType)}`);
  // Without any text nginx would answer with an error page of its own.
  if (body === '') return [type, directive(`return ${status} $nothing`)];
  const [piece = '', ...others] = quotedPieces('body', body);
  if (others.length === 0) return [type, directive(`return ${status} ${piece}`)];
  const pieces = [piece, ...others];
  return [
    type,
    ...pieces.map((text, index) => directive(`set $piece_${index + 1} ${text}`)),
    directive(`return ${status} ${pieces.map((_, index) => `$piece_${index + 1}`).join('')}`),
  ];
}

function endsNowhere({ paths }: HostPlan): boolean {
  return paths
    .flatMap(({ entries }) => entries)
    .some(({ choice }) => isConditional(choice) && candidates(choice).every(({ when }) => when.length > 0));
}
