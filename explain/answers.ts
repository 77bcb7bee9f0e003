import type { RouteModel } from '../model/routes/route';
import { isForwarded } from '../nginx/plan';
import type { Branch } from './branch';
import { answerTimeoutOf, failures, isExternal, whoeverRunsIt } from './failed-tries';
import { bytesSentOf, isUnmet, type LoggedRequest, outcomeOf, outcomesOf } from './logged-request';
import { ofRoutes, optionOf, silence } from './main-options';
import { apiLogCommand, inNamespace, isIdempotent, secondsText } from './words';

const nothing = ['There was nothing to save.'];

/** Seconds beyond which it is said that a client was slow. */
const noticed = 1;

/** What of the time was nobody's but the client's, where it is much. */
function clientsTime({ line: { requestTime, tries, lacks }, routes }: LoggedRequest): readonly string[] {
  if (tries.length === 0 || requestTime === undefined || lacks.includes('upstream_response_time')) return [];
  const ofInstances = tries.reduce((sum, { time = 0 }) => sum + time, 0);
  const rest = Math.round((requestTime - ofInstances) * 1000) / 1000;
  if (rest < noticed) return [];
  const copy = routes.some(({ mirror }) => mirror !== undefined) ? ', or while its copy was awaited (mirror)' : '';
  return [
    `${secondsText(rest)} of ${secondsText(requestTime)} went by while its client sent the request or read the answer${copy}.`,
  ];
}

function isAnswered(request: LoggedRequest): boolean {
  return outcomesOf(request).at(-1) === 'answered';
}

/** Of what an instance answered, gRPC's status is another one than 200. */
function isError({ line: { grpcStatus = 0 }, status }: LoggedRequest): boolean {
  return status >= 400 || grpcStatus !== 0;
}

/** Whether nginx itself answers on a route, and with this status. */
function answersItself({ target, cors, auth }: RouteModel, { line: { method }, status }: LoggedRequest): boolean {
  switch (target.kind) {
    case 'response':
    case 'redirect':
      return target.status === status;
    case 'files':
      return status < 400;
    default:
      return (
        (cors !== undefined && method === 'OPTIONS' && status < 400) ||
        (auth?.kind === 'external' && auth.signIn !== undefined && status === 302)
      );
  }
}

function ownAnswer(request: LoggedRequest): string {
  const { line, status } = request;
  if (line.tls === '' && status === 308) return 'It came over plain HTTP, and was led to the same address of HTTPS.';
  return ofRoutes(
    request,
    (route, deployment) => {
      if (!answersItself(route, request)) return undefined;
      const { text = route.path.path } = deployment.routes[route.name] ?? {};
      switch (route.target.kind) {
        case 'redirect':
          return `The route ${text} is a Redirect to ${route.target.location}: nginx itself answers ${status}.`;
        case 'response':
          return `The route ${text} is a FixedResponse: nginx itself answers ${status}.`;
        case 'files':
          return `The route ${text} serves files of ${route.target.source}: nginx itself answers.`;
        default:
          return status === 302
            ? `${optionOf(deployment, route, 'auth')} leads a browser that nobody knows to where people sign in.`
            : `nginx itself answers what a browser asks first: ${optionOf(deployment, route, 'cors')}.`;
      }
    },
    'nginx itself answered: a redirect, a fixed answer, a file, or what a browser asks before a page of another origin may.',
  );
}

/** Answers that are none of nginx's errors, and those of whom nobody waited for. */
export const answers: readonly Branch[] = [
  {
    reason: 'client-left',
    holds: ({ line: { status } }) => status === 499 || status === 0,
    said: (request) => {
      const { line, routes } = request;
      const { requestTime, method, tries } = line;
      const forwarded = routes.filter(isForwarded);
      const limit = forwarded.length === 0 ? undefined : Math.min(...forwarded.map(silence));
      return {
        why: [
          `The client left${requestTime === undefined ? '' : ` after ${secondsText(requestTime)}`}, before there was an answer: it closed the connection, or gave up the stream.`,
          ...(tries.length === 0
            ? ['No instance had been asked: its body was still coming, or nginx was finding out who it is (auth).']
            : failures(request)),
          ...(requestTime !== undefined && (limit === undefined || requestTime < limit)
            ? [
                `That is sooner than nginx gives an instance up (${answerTimeoutOf(request)}): the client's own timeout is shorter, or its user went away.`,
              ]
            : []),
        ],
        saved: [
          bytesSentOf(request) > 0 && !isIdempotent(method)
            ? 'No: there was nobody left to answer. The API may have done what was asked all the same.'
            : 'No: there was nobody left to answer.',
        ],
        mend: [
          'If the client has a timeout: make it longer than requestTimeout, or requestTimeout shorter than it, so that nginx asks another instance while the client still waits.',
          isExternal(request)
            ? whoeverRunsIt
            : {
                text: 'If the answer should have come sooner: find what the API was doing.',
                commands: [apiLogCommand(request)],
              },
        ],
      };
    },
  },
  {
    reason: 'stale-answer',
    holds: ({ line: { cache, status, tries } }) => cache === 'STALE' && status < 500 && tries.length > 0,
    said: (request) => ({
      why: [
        'No instance gave a new answer, so that the client got one that nginx had kept (cache, staleFor).',
        ...failures(request),
        ...request.line.tries
          .filter((tried) => outcomeOf(tried) === 'answered')
          .map(({ instance, status }) => `${instance} answered ${status ?? ''}.`),
      ],
      saved: ['It was: by the kept answer.'],
      mend: [
        {
          text: 'Find out why no instance gave a new one.',
          commands: [`kubectl get pods ${inNamespace(request)} -o wide`, apiLogCommand(request)],
        },
      ],
    }),
  },
  {
    reason: 'kept-answer',
    holds: (request) => {
      const { cache, tries } = request.line;
      return tries.length === 0 && ['HIT', 'STALE', 'UPDATING'].includes(cache) && !isUnmet(request);
    },
    said: (request) => ({
      why: [
        `nginx had the answer, and asked no instance: ${ofRoutes(request, (route, deployment) => (route.cache === undefined ? undefined : optionOf(deployment, route, 'cache')), 'cache of its route')}.`,
        ...(request.line.cache === 'HIT'
          ? []
          : ['It was no longer fresh: nginx was fetching a new one meanwhile (staleFor, backgroundUpdate).']),
      ],
      saved: nothing,
      mend: ['Cache-Control: no-store in an answer of the API keeps it from being kept.'],
    }),
  },
  {
    reason: 'answered',
    holds: (request) => isAnswered(request) && !isError(request) && request.line.tries.length === 1,
    said: (request) => ({
      why: ['The first instance that was asked has answered.', ...clientsTime(request)],
      saved: nothing,
      mend: ['Nothing is to be mended.'],
    }),
  },
  {
    reason: 'saved',
    holds: (request) => isAnswered(request) && !isError(request),
    said: (request) => {
      const { tries, lacks } = request.line;
      const before = tries.slice(0, -1).reduce((sum, { time = 0 }) => sum + time, 0);
      const last = tries.at(-1);
      return {
        why: [
          ...failures(request),
          `${last?.instance ?? ''} then answered${last?.round === 2 ? ', through the fallback' : ''}.`,
          ...clientsTime(request),
        ],
        saved: [
          lacks.includes('upstream_response_time')
            ? 'It was.'
            : `It was, and cost ${secondsText(Math.round(before * 1000) / 1000)}.`,
        ],
        mend: [
          {
            text: 'Once in a while it is what the end of a pod costs. If it is often: find whose address that is, and how often it was restarted.',
            commands: [`kubectl get pods ${inNamespace(request)} -o wide`],
          },
        ],
      };
    },
  },
  {
    reason: 'api-status',
    holds: (request) => isAnswered(request) && !isUnmet(request),
    said: (request) => {
      const { line, status } = request;
      const { instance = '', status: given } = line.tries.at(-1) ?? {};
      const said = line.grpcStatus === undefined ? String(given ?? status) : `the status ${line.grpcStatus} of gRPC`;
      return {
        why: [
          ...failures(request),
          `${isExternal(request) ? 'The external service' : 'The API'} itself answered ${said}, at ${instance}: nginx passed it on as it was.`,
          ...clientsTime(request),
        ],
        saved: ['No: an answer is an answer, whatever its status. nginx repeats none.'],
        mend: [
          isExternal(request)
            ? whoeverRunsIt
            : { text: "The API's own log has the same request id.", commands: [apiLogCommand(request)] },
        ],
      };
    },
  },
  {
    reason: 'own-answer',
    holds: (request) => {
      const { line, routes, status } = request;
      if (line.tries.length > 0) return false;
      return status < 400 || routes.some((route) => answersItself(route, request));
    },
    said: (request) => ({
      why: [ownAnswer(request)],
      saved: nothing,
      mend: [
        'If an API should have answered: another route takes the path. An exact path comes before a prefix, and a longer prefix before a shorter one.',
      ],
    }),
  },
];
