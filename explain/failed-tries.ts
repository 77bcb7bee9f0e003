import { isGrpc, passesBodyOn } from '../model/routes/route';
import { backendsOf, isForwarded } from '../nginx/plan';
import type { Try } from './access-log-line';
import { type Branch, type Mend, ofStatus } from './branch';
import { bytesSentOf, type LoggedRequest, type Outcome, outcomeOf, outcomesOf } from './logged-request';
import { ofRoutes, optionOf, silence, silenceOf } from './main-options';
import {
  apiLogCommand,
  backendName,
  bytesText,
  errorLogCommand,
  inNamespace,
  isIdempotent,
  secondsText,
} from './words';

/** nginx's own tries are the first, and the one more is the second. */
const fallbackRound = 2;

const otherMain =
  'main.ts says another time by now: has it changed since, or is it of another environment (FAIRLEAD_ENVIRONMENT)?';

/** Why a try got no answer, with the option of main.ts that ended it. Empty of one that got one. */
export function failureOf(request: LoggedRequest, tried: Try): string {
  const { bytesSent, time } = tried;
  const isFallback = tried.round === fallbackRound;
  const instance = isFallback ? `The fallback, ${tried.instance},` : tried.instance;
  switch (outcomeOf(tried)) {
    case 'answered':
      return '';
    case 'nobody':
      return isFallback
        ? `${instance} was left out: it had been away a moment before.`
        : `nginx knew no instance of ${instance} that it could ask: DNS named none, or each that it named had failed just before (maxFails, failTimeout)${hasMostConnections(request) ? ', or had as many requests as maxConnections lets it have' : ''}.`;
    case 'refused':
      return `${instance} refused the connection, or could not be reached${isFallback ? ', as a Service is of which no pod is ready' : ''}: nothing was sent to it.`;
    case 'no connection':
      return `${instance} took no connection for ${secondsText(time)}: ${connectTimeoutOf(request)}. Nothing was sent to it.${contradiction(request, tried)}`;
    case 'broke off':
      return `${instance} had ${bytesText(bytesSent)} of the request, and after ${secondsText(time)} ended the connection without an answer, or sent something that is not one.`;
    case 'hung':
      return `${instance} had ${bytesText(bytesSent)} of the request, and said nothing for ${secondsText(time)}: ${answerTimeoutOf(request)}.${contradiction(request, tried)}`;
    case 'left':
      return `${instance} had ${bytesText(bytesSent)} of the request, and had not answered after ${secondsText(time)}.`;
  }
}

export function connectTimeoutOf(request: LoggedRequest): string {
  return ofRoutes(
    request,
    (route, deployment) => optionOf(deployment, route, 'connectTimeout', `${route.times.connectTimeout}s`),
    'connectTimeout of its route (2s by default)',
  );
}

export function answerTimeoutOf(request: LoggedRequest): string {
  return ofRoutes(
    request,
    (route, deployment) => (isForwarded(route) ? silenceOf(deployment, route) : undefined),
    'requestTimeout of its route or backend (60s by default), or streaming of its route',
  );
}

/** Where a try took another time than main.ts says now. */
function contradiction({ routes }: LoggedRequest, tried: Try): string {
  const { time } = tried;
  if (time === undefined || routes.length === 0) return '';
  const slack = 1;
  const agrees = routes.some((route) =>
    outcomeOf(tried) === 'hung'
      ? // A body may take its time before the silence begins.
        time >= silence(route) - slack
      : Math.abs(time - route.times.connectTimeout) <= slack,
  );
  return agrees ? '' : ` ${otherMain}`;
}

function hasMostConnections({ deployment, routes }: LoggedRequest): boolean {
  const names = routes.flatMap(backendsOf);
  return (
    deployment?.model.backends.some(
      ({ name, maxConnections }) => names.includes(name) && maxConnections !== undefined,
    ) === true
  );
}

/** Each try that failed, in turn: one that only repeats the one before it is said once. */
export function failures(request: LoggedRequest): readonly string[] {
  const all = request.line.tries.map((tried) => failureOf(request, tried)).filter((text) => text !== '');
  return all.filter((text, index) => text !== all[index - 1]);
}

/** None of the tries got an answer, so that the status is nginx's word. */
function hasFailed(request: LoggedRequest): boolean {
  const all = outcomesOf(request);
  return ofStatus(502, 503, 504)(request) && all.length > 0 && all.at(-1) !== 'answered';
}

function isAmong(...outcomes: readonly Outcome[]): Branch['holds'] {
  return (request) => hasFailed(request) && outcomesOf(request).some((each) => outcomes.includes(each));
}

/** Where nothing was sent to anybody, what came first says why: what came after it was asked in its place. */
function beganWith(outcome: Outcome): Branch['holds'] {
  return (request) => hasFailed(request) && outcomesOf(request)[0] === outcome;
}

/** What was tried beyond nginx's own tries, and whether the client may send it again. */
function chances(request: LoggedRequest): readonly string[] {
  const { line, routes, status } = request;
  const { method, tries } = line;
  const sent = bytesSentOf(request);
  const isFallbackAsked = tries.some(({ round }) => round === fallbackRound);
  const tried = `${triesText(tries)}${isFallbackAsked ? ', the fallback among them' : ''}`;
  const isPassedOn = routes.every(({ retries = true }) => retries);
  const withRetries =
    'its route has Retries.none(), and with Retries.safe() it would have been given to another instance';
  if (sent === 0) {
    return [
      isPassedOn
        ? `Nothing of it was sent to any instance, so that any method may be tried again: nginx did so while there was anybody to ask (${tried}).`
        : `Nothing of it was sent to any instance, so that any method may be tried again: ${withRetries}.`,
      `Its client may send it again, whatever its method is${status === 503 ? ': the answer says so by Retry-After: 1' : ''}.`,
    ];
  }
  if (!isIdempotent(method)) {
    return [
      `No: ${method === '' ? 'its method' : method} is not idempotent, and ${bytesText(sent)} of it had been sent. Nobody can tell whether the API has done it, so that nginx repeats nothing.`,
      'The API can make it safe to repeat: by a key that the client sends with it, or by PUT in place of POST.',
    ];
  }
  if (routes.some(passesBodyOn)) {
    return ['No: what its client sends goes on as it comes (streaming), so that nobody has it to send it again.'];
  }
  if (!isPassedOn) return [`${method} is idempotent, so that it may be tried again: ${withRetries}.`];
  return [
    `${method} is idempotent, so that it was tried again (${tried}).`,
    status === 504
      ? 'After two that hung nginx asks no third: the client has waited for long enough.'
      : isFallbackAsked
        ? 'There was nobody else to ask.'
        : 'No further try came about: there is no fallback, or the last one hung.',
  ];
}

function triesText({ length }: readonly Try[]): string {
  return length === 1 ? '1 try' : `${length} tries`;
}

/** Whether an external service is who should have answered. */
export function isExternal({ routes }: LoggedRequest): boolean {
  return routes.some(({ target }) => target.kind === 'external');
}

function ofExternalService(request: LoggedRequest): Mend {
  return {
    text: "It is an external service: is it there, does every NetworkPolicy let the proxies connect to it, and is its certificate valid for its name? nginx's error log says which.",
    commands: [errorLogCommand(request)],
  };
}

/** What finds a request in the log of an external service. */
export const whoeverRunsIt = 'Whoever runs the service finds the request by its X-Request-Id.';

function noPodReady(request: LoggedRequest): Mend {
  return {
    text: 'If no pod is ready: look why, and undo the rollout if that broke it.',
    commands: [
      `kubectl get deployments,pods,endpointslices ${inNamespace(request)} -o wide`,
      `kubectl rollout undo deployment/${backendName(request)} ${inNamespace(request)}`,
    ],
  };
}

/** What gives an answer more time: streaming of a route that has it, and requestTimeout of any other. */
function moreTime(request: LoggedRequest): readonly string[] {
  const { routes } = request;
  const streams = routes.filter(({ streamTimeout }) => streamTimeout !== undefined);
  const streaming =
    "If this path may be silent for longer: give its route more (streaming: '2h'), or let the API say something meanwhile.";
  const longer = isExternal(request)
    ? 'If it needs longer: a longer requestTimeout of its route.'
    : "If this path needs longer: give its backend more (requestTimeout: '5m'), and its route if that says one; no route has more than its backend. Or answer 202 and let clients ask again.";
  const isOther = routes.length === 0 || streams.length < routes.length;
  return [...(streams.length > 0 ? [streaming] : []), ...(isOther ? [longer] : [])];
}

/** What no instance has answered, which is 502, 503 or 504 then. */
export const failedTries: readonly Branch[] = [
  {
    reason: 'answer-timeout',
    holds: (request) => request.status === 504 && isAmong('hung')(request),
    said: (request) => ({
      why: failures(request),
      saved: chances(request),
      mend: [
        ...moreTime(request),
        ...(isExternal(request)
          ? [whoeverRunsIt]
          : [
              {
                text: 'If all paths of that instance are slow: it hangs. Its liveness probe restarts it within 70 s; this is faster:',
                commands: [
                  `kubectl get pods ${inNamespace(request)} -o wide`,
                  `kubectl delete pod NAME ${inNamespace(request)}`,
                ],
              },
              {
                text: 'If all instances are: look at what they wait for, a database most often.',
                commands: [apiLogCommand(request)],
              },
            ]),
      ],
    }),
  },
  {
    reason: 'broke-off',
    holds: isAmong('broke off', 'hung'),
    said: (request) => ({
      why: failures(request),
      saved: chances(request),
      mend: [
        ...(isExternal(request)
          ? [
              whoeverRunsIt,
              'If it happens now and then: the service closes idle connections sooner than it says. Give its keepAliveTimeout as it has it.',
            ]
          : [
              {
                text: "If its process died: its bug; or, if it was OOMKilled, resources: { memory: { limit: '1Gi' } } of the backend.",
                commands: [
                  `kubectl logs NAME --previous ${inNamespace(request)}`,
                  `kubectl describe pod NAME ${inNamespace(request)}`,
                ],
              },
              'If it happens at rollouts: the API ends before its requests do. serve() of fairlead-serve waits for them, or a handler of yours for SIGTERM.',
              'If it happens now and then without a restart: the API closes idle connections sooner than it says. Give keepAliveTimeout of the backend as the app has it.',
            ]),
        {
          text: 'If none of these: nginx\'s error log says more, such as "upstream sent too big header" of more than 16 KiB of headers.',
          commands: [errorLogCommand(request)],
        },
      ],
    }),
  },
  {
    reason: 'no-connection',
    holds: beganWith('no connection'),
    said: (request) => ({
      why: failures(request),
      saved: chances(request),
      mend: isExternal(request)
        ? [ofExternalService(request)]
        : [
            {
              text: 'Who is silent is on a node that is lost, or behind a NetworkPolicy.',
              commands: ['kubectl get nodes', `kubectl get pods,networkpolicies ${inNamespace(request)} -o wide`],
            },
            'Each instance that is silent costs a request connectTimeout: a shorter one of its route finds the next sooner.',
          ],
    }),
  },
  {
    reason: 'connection-refused',
    holds: beganWith('refused'),
    said: (request) => ({
      why: failures(request),
      saved: chances(request),
      mend: isExternal(request)
        ? [ofExternalService(request)]
        : [
            noPodReady(request),
            `If pods are ready: they listen on another port than the backend says (port, and PORT in their environment), or on 127.0.0.1 alone.${ofRoutes(request, (route) => (isGrpc(route) ? ' A backend with protocol: grpc has to speak HTTP/2 without TLS.' : undefined), '')}`,
            'If it happens for a moment at rollouts: pods end as soon as they get SIGTERM, or sooner than their preStop lets DNS forget them.',
          ],
    }),
  },
  {
    reason: 'nobody-there',
    holds: beganWith('nobody'),
    said: (request) => ({
      why: failures(request),
      saved: chances(request),
      mend: isExternal(request)
        ? [ofExternalService(request)]
        : [
            noPodReady(request),
            'If pods are ready: DNS does not name them. Look at CoreDNS and at the headless Service of the backend.',
            ...(hasMostConnections(request)
              ? ['If every pod had as many requests as it takes: more pods, by replicas of the backend.']
              : []),
          ],
    }),
  },
];
