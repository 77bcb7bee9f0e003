import { record } from '../../validation/collections';
import { InvalidOption, renamed } from '../../validation/invalid-option';
import { knownValues } from '../../validation/options';
import type { Auth } from '../auth/auth';
import type { AuthTarget, IAuthTarget } from '../auth/external';
import { timeline, type Timeline, type TimelineProps } from '../timeline';
import { type Cors, corsHeaders } from './cors';
import type { ErrorPages } from './error-pages';
import type { RequestHeader } from './headers';
import type { Path } from './matching';
import type { IMirrorTarget, Mirror } from './mirror';
import type { RateLimit } from './rate-limit';
import type { CacheModel, ResponseCache } from './response-cache';
import { passesBodyOn, type Protocol, type RouteBackend, type RouteModel, type TargetModel } from './route';
import { greatestSize, type RouteOptions, routeOptions } from './route-options';

/** Times of the namespace and the proxy that those of a route are derived with. */
export type TimesAround = Pick<
  TimelineProps,
  | 'dnsCacheTtl'
  | 'resolverValid'
  | 'unreachableToleration'
  | 'deregistrationDelay'
  | 'clientKeepAliveTimeout'
  | 'certificateValid'
>;

export interface RouteSettings {
  readonly name: string;
  readonly path: Path;
  /** With what it inherits. */
  readonly options: RouteOptions;
  /** What was given for it alone. */
  readonly own: RouteOptions;
  readonly target: TargetModel;
  /** Those of the target. */
  readonly backends: readonly RouteBackend[];
  /** Called if its requests are copied: lets the proxy connect. */
  readonly bindMirror: (target: IMirrorTarget) => RouteBackend;
  /** Called if somebody is asked who may use it: lets the proxy connect. */
  readonly bindAuth: (target: IAuthTarget) => AuthTarget;
  readonly times: TimesAround;
}

/** Validates the options of a route, and derives its times. */
export function routeModel(settings: RouteSettings): { readonly model: RouteModel; readonly timeline: Timeline } {
  const { name, path, target, backends } = settings;
  const options = record('options', settings.options, '{ requestTimeout: "10s" }');
  const given = knownValues(usedOf(settings, options), routeOptions, '');
  const protocol = protocolOf(backends);
  const isGrpc = protocol === 'grpc';
  if (isGrpc) refuseWithGrpc(settings, given);
  const shortest = [...backends].sort((a, b) => a.requestTimeout - b.requestTimeout)[0];
  if (shortest !== undefined && (given.requestTimeout ?? 0) > shortest.requestTimeout) {
    throw new InvalidOption(
      'requestTimeout',
      settings.options.requestTimeout,
      `is longer than that of ${shortest.name} (${shortest.requestTimeout}s), whose pods end after it: give no more, or give ${shortest.name} a longer one`,
    );
  }
  const { tries, timeout } = given.retries.options;
  const requestTimeout = given.requestTimeout ?? shortest?.requestTimeout;
  if (given.requestTimeout === undefined && requestTimeout !== undefined && requestTimeout < given.connectTimeout) {
    throw new InvalidOption(
      'connectTimeout',
      `${given.connectTimeout}s`,
      `is longer than the backend's requestTimeout: give ${requestTimeout}s or less`,
    );
  }
  const times = optionsOfRetries(() =>
    timeline({
      ...settings.times,
      ...(requestTimeout === undefined ? {} : { requestTimeout: `${requestTimeout}s` }),
      connectTimeout: `${given.connectTimeout}s`,
      ...(tries === undefined ? {} : { nextUpstreamTries: tries }),
      ...(timeout === undefined ? {} : { nextUpstreamTimeout: timeout }),
    }),
  );
  const { connectTimeout, nextUpstreamTimeout, nextUpstreamTries } = times;
  const auth = authOf(settings, given.auth);
  const cache = cacheOf(settings, given, auth);
  return {
    timeline: times,
    model: {
      name,
      path,
      when: given.when?.conditions ?? [],
      target,
      ...(isGrpc ? { protocol } : {}),
      times: { requestTimeout: times.requestTimeout, connectTimeout, nextUpstreamTimeout, nextUpstreamTries },
      retries: given.retries.isOn,
      streamTimeout: given.streaming,
      maxBodySize: bodySizeOf(settings, given, protocol),
      rewrite: isGrpc ? undefined : given.rewrite?.prefix,
      requestHeaders: withThoseBelow<RequestHeader[1]>(given.requestHeaders, [
        ...(auth?.requestHeaders ?? []),
        ...(target.kind === 'external' ? target.requestHeaders : []),
        ...(cache.cache === undefined ? [] : [asItIs]),
      ]),
      responseHeaders: withThoseBelow(given.responseHeaders, target.kind === 'external' ? target.responseHeaders : []),
      ...(auth === undefined ? {} : { auth }),
      ...limitsOf(settings, given),
      ...(given.allowFrom === undefined ? {} : { allowFrom: given.allowFrom }),
      ...(isGrpc ? {} : corsOf(given)),
      ...(isGrpc || given.errorPages.pages === undefined ? {} : { errorPages: given.errorPages }),
      ...mirrorOf(settings, given, connectTimeout),
      ...cache,
    },
  };
}

/** One way to speak to all of them: what was asked in one cannot be asked in the other. */
function protocolOf(backends: readonly RouteBackend[]): Protocol {
  const [protocol = 'http', ...others] = new Set(backends.map((backend) => backend.protocol ?? 'http'));
  if (others.length === 0) return protocol;
  throw new InvalidOption(
    'target',
    backends.map(({ name }) => name),
    'speak different protocols, so that one cannot answer in the place of another: give them routes of their own',
  );
}

/** What a call of gRPC has no use for. Of `routeDefaults` it is left out: other routes have it. */
function refuseWithGrpc(
  { own }: RouteSettings,
  { cors, errorPages }: { readonly cors: Cors; readonly errorPages: ErrorPages },
): void {
  const refuse = (option: string, why: string): never => {
    throw new InvalidOption(option, '(object)', `does not go with gRPC, ${why}: take it out`);
  };
  if (own.rewrite !== undefined) {
    refuse(
      'rewrite',
      'whose paths are names of services and methods that client and backend have from one .proto file',
    );
  }
  if (own.cors !== undefined && cors.origins.length > 0) {
    refuse('cors', 'which no browser speaks, and gRPC-Web is not translated');
  }
  if (own.errorPages !== undefined && errorPages.pages !== undefined) {
    refuse('errorPages', 'whose errors are a status in the headers of an answer');
  }
}

/** Bytes. What passes through as it comes is kept nowhere, and adds up for as long as a call lasts. */
function bodySizeOf(
  { own }: RouteSettings,
  { maxBodySize, streaming }: { readonly maxBodySize: number; readonly streaming: number | undefined },
  protocol: Protocol,
): number {
  const isUnbounded = passesBodyOn({ protocol, streamTimeout: streaming }) && own.maxBodySize === undefined;
  return isUnbounded ? greatestSize : maxBodySize;
}

/** What is kept is kept once, with its length: nginx compresses it for who takes that. */
const asItIs = ['Accept-Encoding', false] as const;

/** With those of its target and of who may use it; the route's own come before them. */
function withThoseBelow<Value>(
  own: readonly (readonly [name: string, value: Value])[],
  below: readonly (readonly [name: string, value: Value])[],
): readonly (readonly [name: string, value: Value])[] {
  const names = new Set(own.map(([name]) => name.toLowerCase()));
  const once = new Map(below.map((header) => [header[0].toLowerCase(), header]));
  return [...[...once].flatMap(([name, header]) => (names.has(name) ? [] : [header])), ...own];
}

type Options = Readonly<Record<string, unknown>>;

/** What says how a request is passed on. */
const ofBackends = ['requestTimeout', 'connectTimeout', 'retries', 'streaming', 'rewrite', 'requestHeaders'] as const;

/** The options without those that do nothing for the target, where they are inherited; those of this route alone are refused. */
function usedOf({ own, target }: RouteSettings, options: Options): Options {
  if (!isAnsweredByNginx(target) && target.kind !== 'files') return options;
  const idle = ofBackends.find((name) => own[name] !== undefined);
  if (idle !== undefined) {
    const value = own[idle];
    throw new InvalidOption(
      idle,
      typeof value === 'object' ? '(object)' : value,
      idle === 'rewrite' && target.kind === 'files'
        ? 'does nothing for files, which lie below the path of the route as they do in their directory: take it out'
        : 'does nothing where nginx answers by itself: take it out, or give the route a backend',
    );
  }
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => !(ofBackends as readonly string[]).includes(name)),
  );
}

/** nginx answers by `return`, before it looks at what a request may. */
function isAnsweredByNginx({ kind }: TargetModel): boolean {
  return kind === 'redirect' || kind === 'response';
}

function authOf({ target, own, bindAuth }: RouteSettings, { model, asked }: Auth): RouteModel['auth'] {
  if (model === undefined && asked === undefined) return undefined;
  // What TLS has proved is looked at before anything answers.
  if (!isAnsweredByNginx(target) || model?.kind === 'clientCertificate')
    return asked === undefined ? model : { ...asked, target: bindAuth(asked.target) };
  if (own.auth === undefined) return undefined;
  throw new InvalidOption(
    'auth',
    '(object)',
    'does nothing where nginx answers by itself, before it asks who it is: take it out, or give the route a backend',
  );
}

function limitsOf(
  { target, own }: RouteSettings,
  given: { readonly rateLimit: readonly RateLimit[]; readonly maxConnectionsPerClient: number | undefined },
): Pick<RouteModel, 'rateLimits' | 'maxConnectionsPerClient'> {
  const { rateLimit, maxConnectionsPerClient } = given;
  if (!isAnsweredByNginx(target)) {
    return {
      ...(rateLimit.length === 0 ? {} : { rateLimits: rateLimit }),
      ...(maxConnectionsPerClient === undefined ? {} : { maxConnectionsPerClient }),
    };
  }
  const refuse = (option: string, value: unknown): never => {
    throw new InvalidOption(
      option,
      value,
      'does nothing where nginx answers by itself, before it counts: take it out, or give the route a backend',
    );
  };
  if (own.rateLimit !== undefined && rateLimit.length > 0) refuse('rateLimit', '(object)');
  if (own.maxConnectionsPerClient !== undefined) refuse('maxConnectionsPerClient', own.maxConnectionsPerClient);
  return {};
}

/** Headers are said once: what one option says, another one must not. */
function corsOf({
  cors,
  responseHeaders,
}: {
  readonly cors: Cors;
  readonly responseHeaders: RouteModel['responseHeaders'];
}): Pick<RouteModel, 'cors'> {
  if (cors.origins.length === 0) return {};
  const known: readonly string[] = corsHeaders.map((name) => name.toLowerCase());
  const twice = responseHeaders.find(([name]) => known.includes(name.toLowerCase()));
  if (twice === undefined) return { cors };
  throw new InvalidOption(
    `responseHeaders[${JSON.stringify(twice[0])}]`,
    twice[1],
    'is what `cors` says already: take one of them out',
  );
}

/** What is inherited is left out where it cannot work, what is given for this route alone is refused. */
function mirrorOf(
  { target, backends, own, bindMirror }: RouteSettings,
  { mirror, streaming }: { readonly mirror: Mirror; readonly streaming: number | undefined },
  connectTimeout: number,
): Pick<RouteModel, 'mirror'> {
  if (mirror.target === undefined) return {};
  const leaveOut = (value: string, why: string): Pick<RouteModel, 'mirror'> => {
    if (own.mirror === undefined) return {};
    throw new InvalidOption('mirror', value, why);
  };
  if (isAnsweredByNginx(target) || target.kind === 'files') {
    return leaveOut('(object)', 'does nothing where nginx answers by itself: take it out, or give the route a backend');
  }
  if (protocolOf(backends) === 'grpc') {
    return leaveOut('(object)', 'does not go with gRPC, as copies are sent over HTTP/1.1: take it out');
  }
  if (target.kind === 'external') {
    return leaveOut(
      '(object)',
      'does not go with an ExternalService, which is asked by other names and paths than a backend: take it out',
    );
  }
  if (streaming !== undefined) {
    return leaveOut(
      '(object)',
      'does not go with `streaming`, as answers without an end cannot be dropped: take one out',
    );
  }
  const { name, requestTimeout, protocol } = bindMirror(mirror.target);
  if (protocol === 'grpc') {
    throw new InvalidOption(
      'mirror',
      name,
      'speaks gRPC, and copies are sent over HTTP/1.1: give a backend that takes them',
    );
  }
  if (backends.some((backend) => backend.name === name)) {
    return leaveOut(name, 'answers the requests of this route already: give another backend, such as a version');
  }
  return { mirror: { backend: name, percent: mirror.percent, timeout: Math.min(connectTimeout, requestTimeout) } };
}

/** Where its answers are kept, if they can be; as with a mirror, what is inherited gives way, and what is given for this route alone is refused. */
function cacheOf(
  { target, backends, own }: RouteSettings,
  {
    cache,
    streaming,
    requestHeaders,
  }: {
    readonly cache: ResponseCache;
    readonly streaming: number | undefined;
    readonly requestHeaders: RouteModel['responseHeaders'];
  },
  auth: RouteModel['auth'],
): Pick<RouteModel, 'cache'> {
  if (cache.model === undefined) return {};
  const leaveOut = (why: string): Pick<RouteModel, 'cache'> => {
    if (own.cache === undefined) return {};
    throw new InvalidOption('cache', '(object)', why);
  };
  if (isAnsweredByNginx(target) || target.kind === 'files') {
    return leaveOut('does nothing where nginx answers by itself: take it out, or give the route a backend');
  }
  if (protocolOf(backends) === 'grpc') {
    return leaveOut('does not go with gRPC, whose calls are POST, and which no cache keeps: take it out');
  }
  if (streaming !== undefined) {
    return leaveOut('does not go with `streaming`, whose answers pass through as they come: take one out');
  }
  const told = whoAsks(auth, cache.model, requestHeaders);
  if (told !== undefined) {
    return leaveOut(
      `would give one client what another was answered, as the backend knows them by ${told}: take one out`,
    );
  }
  return { cache: cache.model };
}

/** The headers by which a backend knows clients apart, beside those with which nothing is kept (`Authorization`, `Cookie`) and those in the key. */
function whoAsks(
  auth: RouteModel['auth'],
  { key }: CacheModel,
  requestHeaders: RouteModel['responseHeaders'],
): string | undefined {
  // What was proved (claims of a token, headers of an answer) is in the key by itself.
  if (auth?.kind !== 'external' || auth.responseHeaders.length > 0) return undefined;
  const apart = [
    'authorization',
    // With one cookie in the key, what comes with others is kept too.
    ...(key.some(({ kind }) => kind === 'cookie') ? [] : ['cookie']),
    // What the API does not see.
    ...requestHeaders.map(([name]) => name.toLowerCase()),
    ...key.flatMap((part) => (part.kind === 'header' ? [part.name.toLowerCase()] : [])),
  ];
  const other = auth.forwardHeaders.find((header) => !apart.includes(header.toLowerCase()));
  return other === undefined
    ? undefined
    : `${other} of \`forwardHeaders\` of Auth.external, which is not in the key of the cache`;
}

/** Names what the timeline says of the options of retries as they were given. */
function optionsOfRetries<Made>(make: () => Made): Made {
  return renamed((option) => (option === 'nextUpstreamTimeout' ? 'Retries.safe timeout' : option), make);
}
