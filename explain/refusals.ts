import { buffers } from '../model/memory-costs';
import type { RouteModel } from '../model/routes/route';
import type { RateLimit } from '../model/routes/rate-limit';
import { duration, size } from '../nginx/amounts';
import { type Branch, ofStatus } from './branch';
import { isUnmet, type LoggedRequest } from './logged-request';
import { ofRoutes, optionOf } from './main-options';
import { authOf, isIn, strictOrigins, whyForbidden, whyUndecided } from './who-may';
import { errorLogCommand, inNamespace } from './words';

const asItIs = 'Not as it is: it would be refused again. No instance has seen it.';

/** What has no status of an instance in it: nginx itself refused it, and its client may send it again. */
function sentAgain(when: string): string {
  return `Yes, by its client, whatever its method is: no instance has seen it. ${when}`;
}

/** Whether the client of a request is counted by its address. */
function isCounted({ line: { client }, deployment }: LoggedRequest): boolean {
  if (deployment === undefined) return true;
  const { unlimitedClients, trustedProxies } = deployment.model;
  return isIn([...unlimitedClients, ...trustedProxies], client) !== true;
}

function limitsThatMayHold(request: LoggedRequest): string {
  const { deployment } = request;
  if (deployment === undefined) {
    return 'clients.maxRequests of the proxy (zone "requests"), clients.maxRequestsPerClient ("requests_of_client"), clients.maxStreams ("streams"), or maxConnectionsPerClient of the route ("client_on_…")';
  }
  const { budget } = deployment.model;
  const isStream = request.routes.some(({ streamTimeout }) => streamTimeout !== undefined);
  const isOther = request.routes.some(({ streamTimeout }) => streamTimeout === undefined) || !isStream;
  const ofRoute = ofRoutes(
    request,
    (route) =>
      route.maxConnectionsPerClient === undefined
        ? undefined
        : `${optionOf(deployment, route, 'maxConnectionsPerClient', String(route.maxConnectionsPerClient))} (zone "client_on_${route.name}")`,
    '',
  );
  const all = [
    ...(isOther ? [`clients.maxRequests of ${deployment.name} (${budget.requests}; zone "requests")`] : []),
    ...(isStream ? [`clients.maxStreams of ${deployment.name} (${budget.streams}; zone "streams")`] : []),
    ...(isCounted(request)
      ? [
          `clients.maxRequestsPerClient of ${deployment.name} (${budget.requestsPerClient}; zone "requests_of_client")`,
          ...(ofRoute === '' ? [] : [ofRoute]),
        ]
      : []),
  ];
  return all.join(', or ');
}

function rateText({ rate: { requests, unit }, burst, key: { source } }: RateLimit): string {
  const amount = `${requests}/${unit}, burst ${burst}`;
  return source.kind === 'clientAddress'
    ? `${amount}, for each client`
    : `${amount}, for each ${'name' in source ? `${source.kind} ${source.name}` : source.kind}`;
}

function whyNotFound(request: LoggedRequest): readonly string[] {
  const { line, deployment, routes } = request;
  if (deployment === undefined) {
    return [`No route of ${line.host} has the path; or its route serves files, and none has that name.`];
  }
  const files = routes.filter(({ target }) => target.kind === 'files');
  if (files.length > 0) {
    return [`The route serves files, and none has that name: ${ofRoutes(request, filesOf, '')}.`];
  }
  if (routes.some(({ when }) => when.length === 0)) {
    return [
      'The path is that of another route with rules (auth, allowFrom, rateLimit, maxConnectionsPerClient) in other letters, or with a slash more: an Express app would answer it as that one. If there is no such route, nginx had none for the path, and main.ts has one by now: was it added since, or is it of another environment (FAIRLEAD_ENVIRONMENT)?',
    ];
  }
  if (routes.length > 0) {
    return [
      'Routes of the path have conditions (when), and the request met none of them: a header, a cookie or an argument that the log does not have.',
    ];
  }
  return [`No route of ${line.host} in main.ts has the path.`];
}

function filesOf({ target }: RouteModel): string | undefined {
  return target.kind === 'files' ? target.source : undefined;
}

/** nginx compares these by itself for files, and for answers that may be kept. */
const unmet: Readonly<Record<number, string>> = {
  412: 'The client asked for it on a condition that it does not meet (If-Match, If-Unmodified-Since).',
  416: 'The client asked for a part that it does not have (Range).',
};

function whyBad({ line, routes, status }: LoggedRequest): string {
  if (status !== 400) return unmet[status] ?? `The request asks for what nginx does not do: ${status} says what.`;
  if (line.method === '') return 'What came was not HTTP: nginx could not read its first line.';
  if (line.tls === '')
    return 'It came without TLS: plain HTTP to the port of HTTPS, or a malformed request to that of HTTP.';
  if (routes.some(({ rewrite, target }) => rewrite !== undefined || ['external', 'redirect'].includes(target.kind))) {
    return 'Its path is spelt so that it cannot be rewritten (encoded, doubled, or with "..", where the route has rewrite, leads below a path or is a Redirect), or the request is broken: a path such as /%zz, a malformed header, a body that broke off.';
  }
  return 'It is broken: a path such as /%zz, a malformed header, no Host, or a body that broke off; or its path climbs ("..") where routes of the host have other rules.';
}

function clientTimes({ deployment }: LoggedRequest): string {
  if (deployment === undefined) {
    return 'clients.headerTimeout for the whole head, and clients.bodyTimeout between two parts of a body, of the proxy (10s by default)';
  }
  const { headerTimeout, bodyTimeout } = deployment.model.clientTimes;
  return `clients.headerTimeout of ${deployment.name} for the whole head (${duration(headerTimeout)}), and clients.bodyTimeout between two parts of a body (${duration(bodyTimeout)})`;
}

function bodyLimit(request: LoggedRequest): string {
  return ofRoutes(
    request,
    (route, deployment) => optionOf(deployment, route, 'maxBodySize', size(route.maxBodySize)),
    'maxBodySize of its route (1m by default)',
  );
}

/** Of gRPC, which has one status for both, unless main.ts has no rate for it. */
function whichOfGrpc({ line, status, routes }: LoggedRequest): readonly string[] {
  if (line.grpcStatus !== 8 || (status === 413 && routes.length > 0)) return [];
  return [
    'gRPC has one status for a body that is too large and for requests that come too often: grpc-message of the answer says which, Content Too Large or Too Many Requests.',
  ];
}

/** What nginx itself refuses, before any instance is asked. */
export const refusals: readonly Branch[] = [
  {
    reason: 'over-limit',
    holds: (request) => ofStatus(503)(request) && request.line.tries.length === 0,
    said: (request) => {
      const isElsewhere = request.routes.some(({ target }) => target.kind === 'files');
      return {
        why: [
          `Too many requests were in progress, so that nginx refused one more at once: ${limitsThatMayHold(request)}. Which of these, its error log says by the zone.`,
          ...(isElsewhere
            ? ['On one machine: files that are not there are answered 503 too (local of StaticFiles).']
            : []),
        ],
        saved: [sentAgain('The answer says when by Retry-After: 1.')],
        mend: [
          { text: 'Look which zone it was.', commands: [`${errorLogCommand(request)} | grep limiting`] },
          'If it is a limit of all: more proxies (replicas of the proxy), or more memory, from which the limits follow (resources.memory.limit).',
          'If it is that of one address which stands for many clients: clients.unlimited or clients.trustedProxies of the proxy.',
        ],
      };
    },
  },
  {
    reason: 'bad-request',
    holds: ofStatus(400, 411, 412, 416, 417, 501, 505),
    said: (request) => ({
      why: [whyBad(request)],
      saved: [isUnmet(request) ? 'Not as it is: it would be refused again while the answer is the same.' : asItIs],
      mend: ['The client is to send something else.'],
    }),
  },
  {
    reason: 'unauthorized',
    holds: ofStatus(401),
    said: (request) => ({
      why: [`Nobody proved who the client is: ${authOf(request, 'auth of its route')}.`],
      saved: [asItIs],
      mend: ['WWW-Authenticate of the answer says what is asked for, and what was wrong with a token.'],
    }),
  },
  {
    reason: 'forbidden',
    holds: ofStatus(403),
    said: (request) => ({
      why: whyForbidden(request),
      saved: [asItIs],
      mend: [
        'If the client should be let in: add its network to allowFrom of the route, or what it is to auth.',
        'If that address stands for all clients: a load balancer or a node hides theirs. Name it in clients.trustedProxies, or give externalTrafficPolicy: Local.',
        ...(strictOrigins(request) === ''
          ? []
          : ['If pages of that origin may ask: name it in Cors.allow of the route.']),
      ],
    }),
  },
  {
    reason: 'not-found',
    holds: ofStatus(404),
    said: (request) => ({
      why: whyNotFound(request),
      saved: [asItIs],
      mend: [`A route for it: addRoute(path, backend). addRoute('/', backend) takes what no other route does.`],
    }),
  },
  {
    reason: 'method-not-allowed',
    holds: ofStatus(405),
    said: ({ deployment, routes }) => ({
      why: [
        deployment === undefined || routes.some(({ target }) => target.kind === 'files')
          ? 'Its route serves files, which can be read (GET, HEAD) and no more; or its method is TRACE or CONNECT, which nginx takes on no route.'
          : 'Its method is TRACE or CONNECT, which nginx takes on no route.',
      ],
      saved: [asItIs],
      mend: ['The client is to use another method, or a route to a backend takes it.'],
    }),
  },
  {
    reason: 'client-too-slow',
    holds: ofStatus(408),
    said: (request) => ({
      why: [`The client paused in the middle of its request for too long: ${clientTimes(request)}.`],
      saved: [sentAgain('nginx passes nothing on before it has all of a request.')],
      mend: ['If honest clients are that slow: longer times of these options.'],
    }),
  },
  {
    reason: 'body-too-large',
    holds: ofStatus(413),
    said: (request) => ({
      why: [`Its body is longer than its route takes: ${bodyLimit(request)}.`, ...whichOfGrpc(request)],
      saved: [asItIs],
      mend: ["Give the route a larger one: maxBodySize: '20m'."],
    }),
  },
  {
    reason: 'path-too-long',
    holds: ofStatus(414),
    said: () => ({
      why: [
        `Its first line, with the query string, is longer than nginx takes: ${buffers.largeHead} KiB. No option changes that.`,
      ],
      saved: [asItIs],
      mend: ['A shorter query string: what is long belongs into a body.'],
    }),
  },
  {
    reason: 'misdirected',
    holds: ofStatus(421),
    said: ({ line: { host }, deployment }) => ({
      why: [
        'The request names another host than the handshake of its connection did: one with a certificate of its own, or one that asks for certificates of clients.',
        ...(deployment === undefined ? [`Or ${host} is not a host of the proxy.`] : []),
      ],
      saved: [sentAgain('On a connection of its own: browsers do that by themselves.')],
      mend: [
        "The client is to name one host in the handshake (SNI) and in the request. With curl: --resolve HOST:443:ADDRESS, and no --header 'Host: …'.",
        'If the proxy should have the host: host, additionalHosts or addHost.',
      ],
    }),
  },
  {
    reason: 'too-many-requests',
    holds: ofStatus(429),
    said: (request) => ({
      why: [
        `Requests came more often than its route lets them: ${ofRoutes(
          request,
          (route, deployment) =>
            route.rateLimits === undefined
              ? undefined
              : optionOf(deployment, route, 'rateLimit', route.rateLimits.map(rateText).join('; ')),
          'rateLimit of its route',
        )}.`,
        ...whichOfGrpc(request),
      ],
      saved: [sentAgain('The answer says when by Retry-After. What is refused does not count.')],
      mend: [
        'If honest clients come that often: a greater burst or rate of the route.',
        ...(isCounted(request)
          ? ['If that address stands for many clients: clients.unlimited or clients.trustedProxies of the proxy.']
          : []),
      ],
    }),
  },
  {
    reason: 'head-too-large',
    holds: ofStatus(431, 494),
    said: () => ({
      why: [
        `Its headers are more than nginx takes: 100 of them, ${buffers.largeHead} KiB each and ${buffers.largeHeads * buffers.largeHead} KiB together, so that Node takes them too. No option changes that.`,
      ],
      saved: [asItIs],
      mend: ['Fewer or smaller cookies, most often; a smaller token.'],
    }),
  },
  {
    reason: 'undecided',
    holds: ofStatus(500),
    said: (request) => {
      const undecided = whyUndecided(request);
      return {
        why: ['nginx could not do what it has to before it asks an instance.', ...undecided],
        saved: [sentAgain('Once it can be decided.')],
        mend: [
          ...(undecided.length === 0
            ? []
            : [
                {
                  text: 'Is it there, with the entry that is named? A service that is asked has to answer 2xx, 401 or 403 in time.',
                  commands: [`kubectl get secrets,configmaps ${inNamespace(request)}`],
                },
              ]),
          { text: "nginx's error log says more.", commands: [errorLogCommand(request)] },
        ],
      };
    },
  },
];
