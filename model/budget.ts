import { integer } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { values } from '../validation/options';
import { budgetOptions, type BudgetSettings, counted, least } from './budget-options';
import {
  costs,
  heldBack,
  mebibytes,
  type MemoryShare,
  rateLimitZone,
  sharesOfProxy,
  spareConnections,
} from './memory-costs';
import { cacheStorage, mostStreamsPerConnection, requestsByCache, requestsByDisk, storage } from './temporary-storage';

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

/** Of the memory limit: the rest is for what the kernel keeps for the container, and for what nobody thought of. */
const usableShare = 0.8;
/** More would be refused by most systems (containerd's hard limit). */
const mostOpenFiles = 524_288;

/** Derives how much a proxy takes on, and refuses what does not fit, with the sum. */
export function budget(settings: BudgetSettings): Budget {
  const { memoryLimit, hasStreams, hasMirrors = false, caches = [], asksServices = false } = settings;
  const cost = costs(settings);
  const usable = Math.floor(memoryLimit * usableShare);
  const fixed = sharesOfProxy(settings);
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
  const workerConnections = connections + inProgress + beside + spareConnections(settings);
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

/** Of each address: the part of all that it may have, or what was given. */
function perClient(option: string, given: number | undefined, all: number, part: number): number {
  return given === undefined ? Math.max(1, Math.floor(all / part)) : integer(option, given, 1, all);
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

function sum(memory: readonly MemoryShare[]): number {
  return memory.reduce((all, { count, each }) => all + count * each, 0);
}

function tens(value: number): number {
  return Math.floor(value / 10) * 10;
}
