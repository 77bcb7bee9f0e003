import type { BudgetSettings, ExternalServices } from './budget-options';

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

/** Part of the memory of a proxy: how many of what, and the bytes of each. */
export interface MemoryShare {
  readonly what: string;
  readonly count: number;
  readonly each: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

/** Bytes of the memory limit of a proxy, for each worker, unless it is told: some 300 requests at once, and 2500 connections. */
export const memoryOfWorker = 384 * MiB;

/** Read off nginx 1.30 with 500 of each: a connection whose handshake or head is not whole yet, with TLS and its own structures. */
const tlsConnection = 40 * KiB;
/** A request's own structures, and its connection to an instance. */
const requestStructures = 12 * KiB;
const upstreamConnection = 3 * KiB;
/** Of each process: the CAs that a system trusts; and of each service what its locations have of them. */
export const trustedAuthorities = 2 * MiB;
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
/** The certificate that a client has shown, with some between it and the CA. */
const clientCertificate = 32 * KiB;
/** Bytes of a zone that `limit_conn` takes for one address, and of a zone beside its addresses: nginx's own, and what it is rounded up by. */
const bytesPerAddress = 128;
const addressZone = 128 * KiB;

/** All limits of the rate of requests together have this part of the memory limit, and each no more and no less than these bytes. */
const rateLimitShare = 1 / 32;
const rateLimitZones = { least: 128 * KiB, most: 2 * MiB, unit: 64 * KiB } as const;

/** Bytes of each of so many limits. */
export function rateLimitZone({ memoryLimit, rateLimits = 0 }: BudgetSettings): number {
  const { least: min, most: max, unit } = rateLimitZones;
  if (rateLimits === 0) return 0;
  const part = (memoryLimit * rateLimitShare) / rateLimits;
  return Math.min(max, Math.max(min, Math.floor(part / unit) * unit));
}

/** nginx takes 128 bytes for a key: one for every 8 KiB of answers, up to so many bytes. */
const cacheKeys = { least: 128 * KiB, most: 16 * MiB, bytesOfAnswer: 64 } as const;
/** nginx has two processes for all caches: one that removes what is too much, and one that looks at start what is there. */
const cacheProcesses = 2 * 3 * MiB;
/** Bytes of shared memory for the keys of a cache. */
export function cacheKeysZone(size: number): number {
  const zone = Math.ceil(size / cacheKeys.bytesOfAnswer / KiB) * KiB;
  return Math.min(cacheKeys.most, Math.max(cacheKeys.least, zone));
}

/**
 * Idle connections that a worker keeps: 128 are what 1,000 requests a second of 128 ms each have in use, fewer would be opened anew, and all of them
 * take 400 KiB. The fallback is asked while DNS knows no instance, for seconds. At least as many to each of many backends that a request finds one.
 */
const idle = { instances: 128, fallback: 16, leastInstances: 4, leastFallback: 2 } as const;

/** Idle connections that each worker keeps to the instances of one of so many backends, and to its fallback. */
export function idleConnections(backends: number): { readonly instances: number; readonly fallback: number } {
  const each = Math.max(1, backends);
  return {
    instances: Math.max(idle.leastInstances, Math.floor(idle.instances / each)),
    fallback: Math.max(idle.leastFallback, Math.floor(idle.fallback / each)),
  };
}

/** Connections of a worker that no client is given: probes, the certificate check, listening sockets, DNS. */
export const heldBack = 48;

/** Connections of a worker to instances that may be idle, and those that no client is given. */
export function spareConnections({ backends, externalServices }: BudgetSettings): number {
  const upstreams = backends + (externalServices?.count ?? 0);
  const idle = idleConnections(upstreams);
  return upstreams * (idle.instances + idle.fallback) + heldBack;
}

/** What a proxy takes whatever its clients do. */
export function sharesOfProxy(settings: BudgetSettings): MemoryShare[] {
  const {
    workers,
    rateLimits = 0,
    clientLimits = 0,
    hostCertificates = 0,
    externalServices: external,
    caches = [],
    tokenRules,
  } = settings;
  const idle = idleConnections(settings.backends + (external?.count ?? 0));
  return [
    {
      what: 'nginx itself',
      count: 1,
      each:
        master +
        fixedZones +
        settings.backends * fallbackZone +
        settings.upstreamZones +
        (settings.metrics ?? 0) +
        (settings.tracing ?? 0) +
        hostCertificates * storedCertificate +
        (external?.hasTls === true ? (1 + workers) * trustedAuthorities : 0),
    },
    {
      what: 'workers',
      count: workers,
      each: worker + connectionStructures * spareConnections(settings) + hostCertificates * parsedCertificate,
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
}

/** Bytes of one: its zone, what it is judged by, and what idle connections to it hold. */
function externalService({ zone, hasTls }: ExternalServices, idle: number): number {
  return zone + (hasTls ? tlsContexts + idle * tlsConnection : 0);
}

/** Bytes of each at worst. */
export function costs({
  workers,
  gzip,
  externalServices,
  tokenRules,
  hasMirrors = false,
  clientLimits = 0,
  asksServices = false,
  clientCertificates = false,
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
    (tokenRules === undefined ? 0 : requestStructures + scriptContext) +
    (asksServices ? copy + structures : 0) +
    (clientCertificates ? scriptContext : 0);
  const common =
    socket + requestStructures + upstream + structures + buffers.answerHead * KiB + addresses + verification;
  return {
    connection: tlsConnection + head + structures + bytesPerAddress + (clientCertificates ? clientCertificate : 0),
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

/** As Kubernetes writes it, rounded up. */
export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / MiB)}Mi`;
}
