import { integer, whole } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { optional, type Table, values } from '../validation/options';
import type { CacheModel } from './response-cache';

/** Sizes in KiB of what nginx and its system keep for one connection or request, and how many of each. nginx.conf has the same. */
export const buffers = {
  /** `client_header_buffer_size`, and `large_client_header_buffers`. */
  head: 1,
  largeHeads: 2,
  largeHead: 7,
  /** `client_body_buffer_size`. */
  body: 16,
  /** `proxy_buffer_size`, and `proxy_buffers`. */
  answerHead: 16,
  answers: 4,
  answer: 8,
  /** `gzip_window` and `gzip_hash`, and `gzip_buffers`. */
  gzipWindow: 8,
  gzipOutputs: 4,
  gzipOutput: 8,
  /** `sndbuf` and `rcvbuf` of `listen`, of which Linux takes twice as much. */
  socketSend: 64,
  socketReceive: 64,
} as const;

/** What a user may say about how much one proxy takes on at a time. Everything else follows from its memory. */
export interface BudgetProps {
  /**
   * The most connections of clients that one proxy holds at a time, idle ones too; one more is closed at once. Each takes 57 KiB of
   * memory at worst.
   *
   * @default - what is left of 80 % of its memory limit when requests and streams have theirs
   * @see https://nginx.org/en/docs/stream/ngx_stream_limit_conn_module.html
   */
  readonly maxConnections?: number;

  /**
   * The most requests in progress in one proxy, each stream of HTTP/2 counting as one; one more is answered 503 with `Retry-After`
   * at once. Each takes half a MiB at worst: its client sends a whole body, and does not read a compressed answer.
   *
   * @default - what half of 80 % of its memory limit carries, less what nginx itself takes; no more than the disk has room for bodies
   * @see https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html
   */
  readonly maxRequests?: number;

  /**
   * The same of routes with `streaming`: event streams and WebSockets, which take less memory as nothing of them is kept.
   *
   * @default - what a fifth of that memory carries; 0 without such a route
   * @see https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html
   */
  readonly maxStreams?: number;

  /**
   * The most connections that one client's address has to one proxy. It stays on one proxy if the Service has
   * `sessionAffinity: ClientIP`, and has as many with each of them else. Private addresses are not limited
   * (`unlimited`).
   *
   * @default - an eighth of `maxConnections`
   * @see https://nginx.org/en/docs/stream/ngx_stream_limit_conn_module.html
   */
  readonly maxConnectionsPerClient?: number;

  /**
   * The most requests in progress that one client's address has in one proxy, streams among them; one more is answered 503.
   *
   * @default - a quarter of `maxRequests`
   * @see https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html
   */
  readonly maxRequestsPerClient?: number;
}

/** The same options where each may be undefined. */
type Given<Options> = { readonly [Option in keyof Options]?: Options[Option] | undefined };

/** What a proxy has, and what it is asked to do. */
export interface BudgetSettings extends Given<BudgetProps> {
  /** Bytes: the limit of its container. */
  readonly memoryLimit: number;
  readonly workers: number;
  /** Bytes: the greatest `maxBodySize` of its routes. */
  readonly maxBodySize: number;
  /** Bytes for temporary files. @default - as many as they can be */
  readonly temporaryStorage?: number | undefined;
  /** Bytes of files that nginx itself serves, on the same disk. @default - none */
  readonly files?: number;
  readonly gzip: boolean;
  /** Whether a route is one of `streaming`. */
  readonly hasStreams: boolean;
  /** Backends, and those that get copies once more. */
  readonly backends: number;
  /** Certificates of hosts, beside that of the proxy. @default 0 */
  readonly hostCertificates?: number;
  /** Bytes: what metrics are counted in, and what waits for it. @default 0 */
  readonly metrics?: number;
  /** Bytes: the zones of their instances. */
  readonly upstreamZones: number;
  /** Limits of the rate of requests, of all routes. @default 0 */
  readonly rateLimits?: number | undefined;
  /** Limits of the requests that a client has in progress on a route. @default 0 */
  readonly clientLimits?: number | undefined;
  /** Whether requests of a route are copied. @default false */
  readonly hasMirrors?: boolean | undefined;
  /** Services that answer requests beside backends. @default - none */
  readonly externalServices?: ExternalServices | undefined;
  /** What answers are kept in, of all routes. @default - nothing */
  readonly caches?: readonly CacheModel[] | undefined;
  /** Whether a service is asked who may use a route. @default false */
  readonly asksServices?: boolean | undefined;
  /** Rules for access tokens. @default - none */
  readonly tokenRules?: TokenRules | undefined;
}

/** Rules for access tokens: how many there are, and the bytes of shared memory that they take. */
export interface TokenRules {
  readonly count: number;
  readonly zone: number;
}

/** How many there are, and what they take. */
export interface ExternalServices {
  readonly count: number;
  /** Bytes: the zone of each. */
  readonly zone: number;
  /** Whether one is spoken to over TLS. */
  readonly hasTls: boolean;
}

/** How much one proxy takes on at a time, so that it fits whatever clients do. */
export interface Budget {
  /** Connections of clients, in all and of one address; and streams of one connection of HTTP/2. */
  readonly connections: number;
  readonly connectionsPerClient: number;
  readonly streamsPerConnection: number;
  /** Requests in progress, in all and of one address; and of routes with `streaming`. */
  readonly requests: number;
  readonly requestsPerClient: number;
  readonly streams: number;
  /** nginx: `worker_connections` and `worker_rlimit_nofile`. */
  readonly workerConnections: number;
  readonly openFiles: number;
  /** Bytes of temporary files, and of files that nginx itself serves. */
  readonly temporaryStorage: number;
  readonly files: number;
  /** Bytes of answers that are kept, and of what has to have room for them. */
  readonly keptAnswers: number;
  readonly cacheStorage: number;
  /** Bytes of the zone of each limit of the rate of requests. */
  readonly rateLimitZone: number;
  /** What memory goes to, in bytes, and what it adds up to. */
  readonly memory: readonly MemoryShare[];
  readonly memorySum: number;
  readonly memoryLimit: number;
}

export interface MemoryShare {
  readonly what: string;
  readonly count: number;
  readonly each: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

/** Of the memory limit: the rest is for what the kernel keeps for the container, and for what nobody thought of. */
const usableShare = 0.8;
/** Read off nginx 1.30 with 500 of each: a connection whose handshake or head is not whole yet, with TLS and its own structures. */
const tlsConnection = 40 * KiB;
/** A request's own structures, and its connection to an instance. */
const requestStructures = 12 * KiB;
const upstreamConnection = 3 * KiB;
/** Of each process: the CAs that a system trusts; and of each service what its locations have of them. */
const trustedAuthorities = 2 * MiB;
const tlsContexts = 512 * KiB;
/** zlib's state and its window, hash and chains. */
const deflate = (8 + 8 * buffers.gzipWindow) * KiB;
/** What a worker has of its own when idle, njs too; and its receive buffer for HTTP/2. */
const worker = 5 * MiB;
const master = 6 * MiB;
/** The module's and nginx's structures of one connection, which every worker has from the start. */
const connectionStructures = 440;
/** A certificate with a chain of three and its key (RSA), in the memory of a worker once it was renewed, and in files: three pairs. */
const parsedCertificate = 160 * KiB;
const storedCertificate = 48 * KiB;
/** Zones that do not grow: TLS sessions, the certificate, counts; and the fallback of each backend. */
const fixedZones = 10 * MiB + 64 * KiB + 3 * 32 * KiB;
const fallbackZone = 64 * KiB;
/** What a script that has verified a token leaves until the request is done. */
const scriptContext = 128 * KiB;
/** Bytes of a zone that `limit_conn` takes for one address, and of a zone beside its addresses: nginx's own, and what it is rounded up by. */
const bytesPerAddress = 128;
const addressZone = 128 * KiB;

/** All limits of the rate of requests together have this part of the memory limit, and each no more and no less than these bytes. */
const rateLimitShare = 1 / 32;
const rateLimitZones = { least: 128 * KiB, most: 2 * MiB, unit: 64 * KiB } as const;

/** Bytes of each of so many limits. */
function rateLimitZone({ memoryLimit, rateLimits = 0 }: BudgetSettings): number {
  const { least: min, most: max, unit } = rateLimitZones;
  if (rateLimits === 0) return 0;
  const part = (memoryLimit * rateLimitShare) / rateLimits;
  return Math.min(max, Math.max(min, Math.floor(part / unit) * unit));
}

/** nginx takes 128 bytes for a key: one for every 8 KiB of answers, up to so many bytes. */
const cacheKeys = { least: 128 * KiB, most: 16 * MiB, bytesOfAnswer: 64 } as const;
/** nginx has two processes for all caches: one that removes what is too much, and one that looks at start what is there. */
const cacheProcesses = 2 * 3 * MiB;
/** What may come, at 100 MiB a second, until nginx looks at the size of its caches again after 10 s. */
const unnoticed = 1024 * MiB;

/** Bytes of shared memory for the keys of a cache. */
export function cacheKeysZone(size: number): number {
  const zone = Math.ceil(size / cacheKeys.bytesOfAnswer / KiB) * KiB;
  return Math.min(cacheKeys.most, Math.max(cacheKeys.least, zone));
}

/** Idle connections that each worker keeps to the instances of one of so many backends, and to its fallback. */
export function idleConnections(backends: number): { readonly instances: number; readonly fallback: number } {
  return {
    instances: Math.max(4, Math.floor(128 / Math.max(1, backends))),
    fallback: Math.max(2, Math.floor(16 / Math.max(1, backends))),
  };
}

/** Connections of a worker that no client is given: probes, the certificate check, listening sockets, DNS. */
const heldBack = 48;
/** Of nginx's default; a client that is given fewer is told so. */
const mostStreamsPerConnection = 128;

const least = { connections: 64, requests: 16, streams: 16 } as const;
const most = 200_000;

export const budgetOptions = {
  maxConnections: optional(whole(least.connections, most)),
  maxRequests: optional(whole(least.requests, most)),
  maxStreams: optional(whole(least.streams, most)),
  maxConnectionsPerClient: optional(whole(1, most)),
  maxRequestsPerClient: optional(whole(1, most)),
} satisfies Table<BudgetProps>;

/** More would be refused by most systems (containerd's hard limit). */
const mostOpenFiles = 524_288;
/** Fewer requests at once than a connection of HTTP/2 may have are not taken for what was wanted. */
const fewRequests = mostStreamsPerConnection;
/** Temporary files that a node is sure to have room for. */
const storageWithoutAsking = 8 * 1024 * MiB;

/** Derives how much a proxy takes on, and refuses what does not fit, with the sum. */
export function budget(settings: BudgetSettings): Budget {
  const {
    memoryLimit,
    workers,
    hasStreams,
    rateLimits = 0,
    clientLimits = 0,
    hasMirrors = false,
    hostCertificates = 0,
    externalServices: external,
    caches = [],
    tokenRules,
    asksServices = false,
  } = settings;
  const cost = costs(settings);
  const upstreams = settings.backends + (external?.count ?? 0);
  const idle = idleConnections(upstreams);
  const spareConnections = upstreams * (idle.instances + idle.fallback) + heldBack;
  const usable = Math.floor(memoryLimit * usableShare);
  const fixed: MemoryShare[] = [
    {
      what: 'nginx itself',
      count: 1,
      each:
        master +
        fixedZones +
        settings.backends * fallbackZone +
        settings.upstreamZones +
        (settings.metrics ?? 0) +
        hostCertificates * storedCertificate +
        (external?.hasTls === true ? (1 + workers) * trustedAuthorities : 0),
    },
    {
      what: 'workers',
      count: workers,
      each: worker + connectionStructures * spareConnections + hostCertificates * parsedCertificate,
    },
    ...(external === undefined
      ? []
      : [
          {
            what: 'external services',
            count: external.count,
            each: externalService(external, workers * idle.instances),
          },
        ]),
    ...(tokenRules === undefined ? [] : [{ what: 'keys and verified tokens', count: 1, each: tokenRules.zone }]),
    ...(rateLimits === 0 ? [] : [{ what: 'limits of rates', count: rateLimits, each: rateLimitZone(settings) }]),
    ...(caches.length === 0
      ? []
      : [
          {
            what: 'keys of answers that are kept',
            count: 1,
            each: cacheProcesses + caches.reduce((all, { size }) => all + cacheKeysZone(size), 0),
          },
        ]),
    ...(clientLimits === 0 ? [] : [{ what: 'limits of clients on routes', count: clientLimits, each: addressZone }]),
  ];
  const limits = values(settings, budgetOptions, 'clients.');
  const given = {
    requests: limits.maxRequests,
    streams: hasStreams ? limits.maxStreams : 0,
    connections: limits.maxConnections,
  };
  if (!hasStreams && settings.maxStreams !== undefined) {
    throw new InvalidOption(
      'clients.maxStreams',
      settings.maxStreams,
      'does nothing without a route for streams: take it out, or give a route `streaming`',
    );
  }
  const forGiven =
    (given.requests ?? 0) * cost.request +
    (given.streams ?? 0) * cost.stream +
    (given.connections ?? 0) * cost.connection;
  const left = Math.max(0, usable - sum(fixed) - forGiven);
  const shares = {
    requests: given.requests === undefined ? 5 : 0,
    streams: given.streams === undefined ? 2 : 0,
    connections: given.connections === undefined ? (hasStreams ? 3 : 5) : 0,
  };
  const allShares = shares.requests + shares.streams + shares.connections;
  const derived = (share: number, each: number): number => tens((left * share) / Math.max(1, allShares) / each);
  const streams = given.streams ?? Math.max(least.streams, derived(shares.streams, cost.stream));
  const byMemory = Math.max(least.requests, derived(shares.requests, cost.request));
  const requests =
    given.requests ??
    Math.min(byMemory, requestsByDisk(settings, streams, byMemory), requestsByCache(caches, byMemory));
  const connections = given.connections ?? Math.max(least.connections, derived(shares.connections, cost.connection));

  const memory: MemoryShare[] = [
    ...fixed,
    { what: 'connections of clients', count: connections, each: cost.connection },
    { what: 'requests in progress', count: requests, each: cost.request },
    ...(streams === 0 ? [] : [{ what: 'event streams and WebSockets', count: streams, each: cost.stream }]),
  ];
  const memorySum = sum(memory);
  if (memorySum > usable) refuseMemory(settings, memory, memorySum, usable);

  const inProgress = requests + streams;
  const beside = (hasMirrors ? requests : 0) + (asksServices ? inProgress : 0);
  const workerConnections = connections + inProgress + beside + spareConnections;
  // Of an answer that is kept, the file and the one before it.
  const openFiles = workerConnections + inProgress + (caches.length === 0 ? 0 : 2 * requests) + heldBack;
  if (openFiles > mostOpenFiles) {
    const [option, value] = asked(settings);
    throw new InvalidOption(
      option,
      value,
      `is too much: ${connections} connections and ${inProgress} requests need ${openFiles} open files in one worker, and most systems allow ${mostOpenFiles}: give less`,
    );
  }
  const requestsPerClient = perClient('clients.maxRequestsPerClient', limits.maxRequestsPerClient, inProgress, 4);
  return {
    connections,
    connectionsPerClient: perClient('clients.maxConnectionsPerClient', limits.maxConnectionsPerClient, connections, 8),
    streamsPerConnection: Math.min(mostStreamsPerConnection, requestsPerClient),
    requests,
    requestsPerClient,
    streams,
    workerConnections,
    openFiles,
    temporaryStorage: storage(settings, inProgress),
    files: settings.files ?? 0,
    keptAnswers: caches.reduce((all, { size }) => all + size, 0),
    cacheStorage: cacheStorage(caches, requests),
    rateLimitZone: rateLimitZone(settings),
    memory,
    memorySum,
    memoryLimit,
  };
}

/** Bytes of one: its zone, what it is judged by, and what idle connections to it hold. */
function externalService({ zone, hasTls }: ExternalServices, idle: number): number {
  return zone + (hasTls ? tlsContexts + idle * tlsConnection : 0);
}

/** Bytes of each at worst. */
function costs({
  workers,
  gzip,
  externalServices,
  tokenRules,
  hasMirrors = false,
  clientLimits = 0,
  asksServices = false,
  caches = [],
}: BudgetSettings): {
  connection: number;
  request: number;
  stream: number;
} {
  const socket = 2 * (buffers.socketSend + buffers.socketReceive) * KiB;
  const structures = workers * connectionStructures;
  const upstream = upstreamConnection + (externalServices?.hasTls === true ? tlsConnection : 0);
  const head = (buffers.head + buffers.largeHeads * buffers.largeHead) * KiB;
  const copy = requestStructures + upstreamConnection + buffers.answerHead * KiB;
  const addresses = (1 + clientLimits) * bytesPerAddress;
  const verification =
    (tokenRules === undefined ? 0 : requestStructures + scriptContext) + (asksServices ? copy + structures : 0);
  const common =
    socket + requestStructures + upstream + structures + buffers.answerHead * KiB + addresses + verification;
  return {
    connection: tlsConnection + head + structures + bytesPerAddress,
    request:
      common +
      head +
      (buffers.body + buffers.answers * buffers.answer) * KiB +
      (gzip ? deflate + buffers.gzipOutputs * buffers.gzipOutput * KiB : 0) +
      (hasMirrors ? copy + structures : 0) +
      (caches.some(({ backgroundUpdate }) => backgroundUpdate) ? copy + buffers.answers * buffers.answer * KiB : 0),
    stream: common + head + buffers.body * KiB,
  };
}

/** Of each address: the part of all that it may have, or what was given. */
function perClient(option: string, given: number | undefined, all: number, part: number): number {
  return given === undefined ? Math.max(1, Math.floor(all / part)) : integer(option, given, 1, all);
}

/** How many requests the disk has room for, if each has a body. So few that an API would suffer have to be asked for. */
function requestsByDisk(settings: BudgetSettings, streams: number, byMemory: number): number {
  const fits = Math.floor((settings.temporaryStorage ?? storageWithoutAsking) / settings.maxBodySize) - streams;
  if (fits < Math.min(byMemory, fewRequests)) storage(settings, byMemory + streams);
  return fits;
}

/** Each may be fetching the largest answer that is kept. */
function largestAnswer(caches: readonly CacheModel[]): number {
  return Math.max(0, ...caches.map(({ maxAnswerSize }) => maxAnswerSize));
}

function requestsByCache(caches: readonly CacheModel[], byMemory: number): number {
  const fits = Math.floor(storageWithoutAsking / Math.max(1, largestAnswer(caches)));
  if (fits < Math.min(byMemory, fewRequests)) cacheStorage(caches, byMemory);
  return fits;
}

/** All that is kept, what is just being fetched, and what nginx has not noticed yet: the kubelet would evict the pod beyond it. */
function cacheStorage(caches: readonly CacheModel[], requests: number): number {
  if (caches.length === 0) return 0;
  const largest = largestAnswer(caches);
  const fetching = requests * largest;
  if (fetching > storageWithoutAsking) {
    throw new InvalidOption(
      'ResponseCache.of maxAnswerSize',
      `${Math.ceil(largest / MiB)}m`,
      `does not fit: ${requests} answers that are fetched at once are ${mebibytes(fetching)} of temporary files, and ${mebibytes(storageWithoutAsking)} are what a node is sure to have: give less, or clients.maxRequests ${Math.floor(storageWithoutAsking / largest)} or less`,
    );
  }
  return caches.reduce((all, { size }) => all + size, 0) + fetching + unnoticed;
}

/** Every body may have to wait in a file. The kubelet sees no unlinked file, so that this has to hold without it. */
function storage(settings: BudgetSettings, inProgress: number): number {
  const { maxBodySize, temporaryStorage } = settings;
  const needed = inProgress * maxBodySize;
  const room = temporaryStorage ?? storageWithoutAsking;
  if (needed <= room) return temporaryStorage ?? needed;
  const byDefault: [string, unknown] = ['maxBodySize', `${Math.ceil(maxBodySize / MiB)}m`];
  const [option, value] =
    temporaryStorage === undefined
      ? (counted(settings) ?? byDefault)
      : ['resources.temporaryStorage', mebibytes(temporaryStorage)];
  throw new InvalidOption(
    option,
    value,
    `does not fit: ${inProgress} requests at once with bodies of ${Math.ceil(maxBodySize / MiB)}m are ${mebibytes(needed)} of temporary files, and ${mebibytes(room)} are there: give the proxy resources.temporaryStorage ${JSON.stringify(mebibytes(needed))} if the nodes have as much, or clients.maxRequests ${Math.floor(room / maxBodySize)} or less`,
  );
}

function refuseMemory(
  settings: BudgetSettings,
  memory: readonly MemoryShare[],
  memorySum: number,
  usable: number,
): never {
  const terms = memory.map(
    ({ what, count, each }) => `${count === 1 ? '' : `${count} `}${what} ${mebibytes(count * each)}`,
  );
  const [option, value] = asked(settings);
  throw new InvalidOption(
    option,
    value,
    `does not fit: ${terms.join(' + ')} = ${mebibytes(memorySum)}, and 80 % of resources.memory.limit are ${mebibytes(usable)}: give less, or resources.memory.limit ${JSON.stringify(mebibytes(memorySum / usableShare))} or more`,
  );
}

/** What was asked for that does not fit: the first number that was given, or the memory that leaves no room. */
function asked(settings: BudgetSettings): [string, unknown] {
  if (settings.maxConnections !== undefined) return ['clients.maxConnections', settings.maxConnections];
  return counted(settings) ?? ['resources.memory.limit', mebibytes(settings.memoryLimit)];
}

function counted({ maxRequests, maxStreams }: BudgetSettings): [string, unknown] | undefined {
  if (maxRequests !== undefined) return ['clients.maxRequests', maxRequests];
  return maxStreams === undefined ? undefined : ['clients.maxStreams', maxStreams];
}

function sum(memory: readonly MemoryShare[]): number {
  return memory.reduce((all, { count, each }) => all + count * each, 0);
}

function tens(value: number): number {
  return Math.floor(value / 10) * 10;
}

/** As Kubernetes writes it, rounded up. */
function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / MiB)}Mi`;
}
