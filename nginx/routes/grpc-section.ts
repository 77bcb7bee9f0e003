import { buffers } from '../../model/memory-costs';
import { HostModel } from '../../model/proxy';
import { isGrpc, passesBodyOn, RouteModel } from '../../model/routes/route';
import { hasTokens } from '../auth/access-tokens-section';
import { block, directive, Directive, heading, Node } from '../directive';
import { anyErrorLocation, errorPath } from '../error-answer';
import { ignoredOfAnswers, requestHeaders } from '../forwarding-section';
import { hiddenFromAll } from '../headers-section';
import { HostPlan, Plan } from '../plan';
import { secondsUntilRoom } from './rate-limit-section';

/** Whether any of these routes leads to a backend that speaks gRPC. */
export function hasGrpc(routes: readonly RouteModel[]): boolean {
  return routes.some(isGrpc);
}

/** An error of nginx's own: what it is called in HTTP, and which status it is in gRPC. */
interface GrpcError {
  readonly name: string;
  /** Of HTTP; the first is what it counts as. */
  readonly statuses: readonly [number, ...number[]];
  readonly code: number;
  readonly message: string;
}

/** @see https://grpc.io/docs/guides/status-codes/ */
const errors: readonly GrpcError[] = [
  {
    name: 'bad_request',
    statuses: [400, 411, 412, 414, 416, 417, 421, 495, 496, 497],
    code: 13,
    message: 'Bad Request',
  },
  { name: 'unauthorized', statuses: [401], code: 16, message: 'Unauthorized' },
  { name: 'forbidden', statuses: [403], code: 7, message: 'Forbidden' },
  { name: 'not_found', statuses: [404, 405, 501], code: 12, message: 'Not Found' },
  { name: 'content_too_large', statuses: [413, 431, 494], code: 8, message: 'Content Too Large' },
  { name: 'too_many_requests', statuses: [429], code: 8, message: 'Too Many Requests' },
  { name: 'internal_server_error', statuses: [500, 505], code: 13, message: 'Internal Server Error' },
  { name: 'bad_gateway', statuses: [502], code: 14, message: 'Bad Gateway' },
  { name: 'unavailable', statuses: [503], code: 14, message: 'Service Unavailable' },
  { name: 'gateway_timeout', statuses: [504], code: 4, message: 'Gateway Timeout' },
];

/** What names of locations for errors end with, for a client that reads gRPC. */
export const grpcErrorsSuffix = '_as_grpc';

/** Where a body that is too large leads before its route is known; all other errors have locations of their own. */
export const grpcErrorPath = `${errorPath}${grpcErrorsSuffix}`;

/** Where maps lead after the tries of a route. */
const ledToByMaps: readonly string[] = ['bad_gateway', 'gateway_timeout'];

/** In the http block: what holds for all calls, as it does for requests to other backends. */
export function grpcSection(plan: Plan): Node[] {
  const { common, routes } = plan;
  if (!hasGrpc(routes)) return [];
  return [
    heading('Calls of gRPC: the same by a module of its own, as answers without a body end with their head'),
    ...requestHeaders(plan, common.requestHeaders, 'grpc'),
    ignoredOfAnswers('grpc'),
    ...hiddenFromAll(plan).map((name) => directive(`grpc_hide_header ${name}`)),
    directive(`grpc_buffer_size ${buffers.answerHead}k`),
    directive(`grpc_connect_timeout ${common.connectTimeout}s`),
    directive('grpc_socket_keepalive on'),
    directive(`grpc_send_timeout ${common.requestTimeout}s`),
    directive(`grpc_read_timeout ${common.requestTimeout}s`),
    directive(`grpc_next_upstream_tries ${common.nextUpstreamTries}`),
    directive(`grpc_next_upstream_timeout ${common.nextUpstreamTimeout}s`),
    block(
      'map $http_content_type $asked_by_grpc',
      [directive('default ""'), directive('"~*^application/grpc(?:[+;]|$)" 1')],
      'who is to be told of a path without a route',
    ),
  ];
}

/** Variables of the log, after which answers are told apart whose HTTP status is always 200. */
export function grpcStatusMaps({ routes }: Pick<Plan, 'routes'>): Directive[] {
  if (!hasGrpc(routes)) return [];
  return [
    block(
      'map "$sent_trailer_grpc_status$sent_http_grpc_status" $grpc_status',
      [directive('default ""'), directive('"~^(?<digits_of_grpc_status>\\d{1,3})$" $digits_of_grpc_status')],
      'in the trailers of an answer, or in its head where it has no body',
    ),
  ];
}

/** Statuses of HTTP by those of gRPC. @see https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const httpStatuses: readonly (readonly [code: number, status: number])[] = [
  [1, 499],
  [3, 400],
  [4, 504],
  [5, 404],
  [6, 409],
  [7, 403],
  [8, 429],
  [9, 400],
  [10, 409],
  [11, 400],
  [12, 404],
  [14, 503],
  [16, 401],
];

/** What a request counts as in metrics and alerts, and what its reason goes by if it failed. */
export const countedStatus = '$counted_status';

/** What the status of gRPC would be in HTTP, so that one alert holds for all, and one table of reasons. */
export function countedStatusMap({ routes }: Pick<Plan, 'routes'>): Directive[] {
  if (!hasGrpc(routes)) return [];
  return [
    block(
      `map "$grpc_status $sent_http_grpc_message" ${countedStatus}`,
      [
        directive('default $status'),
        ...errors.map(({ code, message, statuses }) => directive(`"${code} ${message}" ${statuses[0]}`)),
        ...httpStatuses.map(([code, status]) => directive(`"~^${code} " ${status}`)),
        directive('"~^[1-9]" 500'),
      ],
      'what a call would have been answered in HTTP, which is 200 of each',
    ),
  ];
}

/** In every location of a route to gRPC: errors that no map leads on. */
export function grpcErrorPages(): Directive[] {
  return errors
    .filter(({ name }) => !ledToByMaps.includes(name))
    .map(({ name, statuses }) => directive(`error_page ${statuses.join(' ')} = @${name}${grpcErrorsSuffix}`));
}

/** In the server of a host: answers without a body, whose head says all (Trailers-Only). */
export function grpcErrorLocations(plan: Plan, { host }: HostPlan): Directive[] {
  if (!hasGrpc(host.routes)) return [];
  const answer = ({ name, code, message }: GrpcError): Directive[] => [
    directive('default_type application/grpc'),
    directive(`add_header grpc-status ${code} always`),
    directive(`add_header grpc-message "${message}" always`),
    ...moreOf(plan, host, name),
    directive(
      'return 200 $nothing',
      "what went wrong is in grpc-status: another status of HTTP is no answer of gRPC's",
    ),
  ];
  return [
    ...errors.map((error) => block(`location @${error.name}${grpcErrorsSuffix}`, answer(error))),
    // What is refused by its length, where conditions choose between routes of several kinds.
    ...errors
      .filter(({ statuses }) => statuses.includes(413))
      .map((error) => anyErrorLocation(grpcErrorPath, answer(error))),
  ];
}

function moreOf(plan: Plan, host: HostModel, name: string): Directive[] {
  const pushback = (seconds: string): Directive =>
    directive(
      `add_header grpc-retry-pushback-ms ${seconds.replace(/^\$(.*)$/, '${$1}')}000 always`,
      'a client that may try again waits for so long, as Retry-After says it in HTTP',
    );
  switch (name) {
    case 'unavailable':
      return [pushback('1')];
    case 'too_many_requests':
      return [pushback(secondsUntilRoom(plan))];
    case 'unauthorized':
    case 'forbidden':
      return hasTokens(host.routes) ? [directive('add_header WWW-Authenticate $token_challenge always')] : [];
    default:
      return [];
  }
}

/** Where a path has no route, in a host that has some to gRPC. */
export function noSuchMethod({ host }: HostPlan): Directive[] {
  if (!hasGrpc(host.routes)) return [];
  return [
    block('if ($asked_by_grpc)', [
      directive(`error_page 404 = @not_found${grpcErrorsSuffix}`),
      directive('return 404'),
    ]),
  ];
}

/** No path of a route begins with a dot. */
const wholeBodyPath = '/.whole-body';

/**
 * In the first location of a call: nginx would send what there is of it while the rest comes, and could send no other instance more than
 * that. A mirror is what makes it read a body first, whoever the copy goes to.
 */
export function wholeBody(route: RouteModel): Directive[] {
  if (!isGrpc(route) || passesBodyOn(route)) return [];
  return [
    directive(
      `mirror ${wholeBodyPath}`,
      'reads all of a call first: a further try would send what there is as the whole',
    ),
  ];
}

/** In the server of a host: who gets the copy does nothing with it. */
export function wholeBodyLocation({ host }: HostPlan): Directive[] {
  if (!host.routes.some((route) => wholeBody(route).length > 0)) return [];
  return [
    block(`location = ${wholeBodyPath}`, [directive('internal', 'no client asks for it'), directive('return 204')]),
  ];
}
