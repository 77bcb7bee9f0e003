/** Bytes that what a client may make as long as it likes is cut to: a whole line has to fit in one write to a pipe. */
export const cutTo = { method: 20, host: 100, path: 800, user_agent: 400 } as const;

/** By which a backend speaks it. */
export const grpcOption = "protocol: 'grpc'";

/** By which a proxy logs some of its requests. */
export const sampleOption = 'accessLog.sample';

/** A field of the access log. */
export interface DocumentedField {
  /** What it says, for docs/access-log.md. */
  readonly help: string;
  /** Bytes of the longest value that it may have in such a line, as JSON. */
  readonly longest: (request: LongestRequest) => number;
  /** What a route, its backend or the proxy has to have for it to be there. @default - nothing */
  readonly onlyWith?: 'cache' | 'Auth.clientCertificate' | 'traceContext' | typeof grpcOption | typeof sampleOption;
}

/** What the longest line of a kind of requests follows from. */
export interface LongestRequest {
  /** Instances that were asked, one after the other: 0 where nginx itself answered. */
  readonly tries: number;
  /** Of these, nginx's own tries are the first round; the one more and the fallback are rounds of their own. */
  readonly rounds: number;
  /** Bytes of the longest name of an upstream, which stands where a round found no instance. */
  readonly upstreamName: number;
  /** Digits of the most bytes that a try sends of a request that waits until it is whole. */
  readonly sentDigits: number;
}

/** `[fd00:1111:2222:3333:4444:5555:6666:7777]:65535` */
const longestAddress = 47;
/** Digits of the greatest number that nginx counts bytes in. */
const longestCount = 19;
/** `99999.999`, more than a day; and a time of any length, such as that of a WebSocket. */
const longestTime = 9;
const anyTime = 14;

function text(bytes: number): number {
  return bytes + 2;
}

/** Of what a client chose: each byte may be one that JSON escapes. */
export function escapedText(bytes: number): number {
  return text(2 * bytes);
}

/** Values with ", " between them in a round, and " : " between rounds. */
function list({ tries, rounds }: LongestRequest, values: number): number {
  return text(tries === 0 ? 0 : values + 2 * (tries - rounds) + 3 * (rounds - 1));
}

/** Gives it the type of its names. */
function documented<Name extends string>(
  fields: Record<Name, DocumentedField>,
): Readonly<Record<Name, DocumentedField>> {
  return fields;
}

/** In the order of a line. No query strings: they carry tokens and names. */
export const logFields = documented({
  time: {
    help: 'When the request ended, as ISO 8601 with the offset of the pod (UTC).',
    longest: () => text('2026-03-01T12:00:00+00:00'.length),
  },
  request_id: {
    help: "What clients and the API have as `X-Request-Id`: the client's own if it matches `[\\w.-]{1,128}`, else a new one.",
    longest: () => text(128),
  },
  trace_id: {
    help: "The trace that it belongs to, 32 hexadecimal digits: the client's own if its `traceparent` is well formed, else a new one.",
    longest: () => text(32),
    onlyWith: 'traceContext',
  },
  client: {
    help: 'Address of the client: who connects, or what a trusted proxy says of that.',
    longest: () => text('fd00:1111:2222:3333:4444:5555:6666:7777'.length),
  },
  method: { help: `At most ${cutTo.method} bytes.`, longest: () => text(cutTo.method) },
  host: {
    help: `The host that was asked for, at most ${cutTo.host} bytes.`,
    // Only for a host of the proxy, which is a DNS name, is an instance asked.
    longest: ({ tries }) => (tries === 0 ? escapedText(cutTo.host) : text(cutTo.host)),
  },
  path: {
    help: `As the client wrote it, without the query string; at most ${cutTo.path} bytes of well-formed UTF-8.`,
    longest: () => escapedText(cutTo.path),
  },
  protocol: { help: '`HTTP/1.1` or `HTTP/2.0`.', longest: () => text('HTTP/1.1'.length) },
  status: {
    help: 'The status of the answer, a number. 499: the client left before it was answered; 0: it left at once.',
    longest: () => 3,
  },
  grpc_status: {
    help: 'The status of gRPC, of an instance or of nginx; empty of any other answer, and of a call that broke off.',
    longest: () => text(3),
    onlyWith: grpcOption,
  },
  bytes_sent: { help: 'Bytes of the answer, with its head.', longest: () => longestCount },
  request_time: {
    help: 'Seconds from the first byte of the request to the last of the answer, to the millisecond. A copy (`mirror`) is in it.',
    longest: () => anyTime,
  },
  upstream_addr: {
    help: 'The instances that were asked, in turn. Empty: nginx answered itself. A name instead of an address: nginx found no instance.',
    longest: (request) => {
      const { tries, rounds, upstreamName } = request;
      return list(request, (tries - rounds) * longestAddress + rounds * Math.max(longestAddress, upstreamName));
    },
  },
  upstream_status: {
    help: "What each of them answered. 502 and 504 are nginx's word for one that was not reached, broke off, or was too slow.",
    longest: (request) => list(request, 3 * request.tries),
  },
  upstream_bytes_sent: {
    help: 'Bytes that were sent to each. 0: it got nothing of the request, so that any method may be tried again.',
    // What does not wait until it is whole, such as a WebSocket, goes to one instance.
    longest: (request) => list(request, (request.tries - 1) * request.sentDigits + longestCount),
  },
  upstream_header_time: {
    help: 'Seconds until each had sent the head of its answer, connecting included; `-` for none.',
    // Whoever is followed by another one had sent none.
    longest: (request) => list(request, request.tries - 1 + longestTime),
  },
  upstream_response_time: {
    help: 'Seconds until each had sent its whole answer. Much less than `request_time`: the client is slow.',
    longest: (request) => list(request, (request.tries - 1) * longestTime + anyTime),
  },
  cache: {
    help: '`HIT`, `MISS`, `EXPIRED`, `STALE`, `UPDATING` or `REVALIDATED`, empty where the cache was not asked.',
    longest: () => text('REVALIDATED'.length),
    onlyWith: 'cache',
  },
  tls: { help: '`TLSv1.3` or `TLSv1.2`, empty over plain HTTP.', longest: () => text('TLSv1.3'.length) },
  client_certificate: {
    help: "What TLS says of the client's certificate: `SUCCESS`, `NONE`, or `FAILED:` and why. One that has expired since the handshake is `SUCCESS`, and 403.",
    // No instance is asked where it failed; OpenSSL's reasons have less than a hundred characters.
    longest: ({ tries }) => text('SUCCESS'.length + (tries === 0 ? 100 : 0)),
    onlyWith: 'Auth.clientCertificate',
  },
  user_agent: {
    help: `What the client says it is, at most ${cutTo.user_agent} bytes.`,
    longest: () => escapedText(cutTo.user_agent),
  },
  reason: {
    help: 'Why it failed, in the words of [`fairlead explain`](explain.md#what-it-can-say); empty of a request that did not.',
    longest: () => text('connection-refused'.length),
  },
  sample: {
    help: '0.1: the line is that of one in ten requests that succeeded, and stands for them. 1: it stands for itself, as that of any other request.',
    longest: () => '0.0001'.length,
    onlyWith: sampleOption,
  },
});

export type LogFieldName = keyof typeof logFields;

/** Those without which `fairlead explain` still says why a request ended as it did, and what it lacks. */
export const omittableFields = [
  'client',
  'protocol',
  'bytes_sent',
  'request_time',
  'upstream_response_time',
  'user_agent',
  'reason',
] as const satisfies readonly LogFieldName[];

/** A field that may be left out of the access log. */
export type OmittableField = (typeof omittableFields)[number];
