import { cachesOf, RouteModel } from '../model/routes/route';
import { asksForCertificates } from './auth/client-certificates-section';
import { block, directive, Directive, heading, Node, quote } from './directive';
import { Plan } from './plan';
import { grpcStatusMaps, hasGrpc } from './routes/grpc-section';

/** The most bytes of what a client may make as long as it likes: a whole line has to fit in one write to a pipe. */
const longest = { method: 20, host: 100, path: 800, user_agent: 400 } as const;

/** By which a backend speaks it. */
export const grpcOption = "protocol: 'grpc'";

/** A field of the access log. */
export interface LogField {
  /** As JSON; of what a client chose as it is logged if it may be written as it is, and as it is cut to what may be. */
  readonly json: string | { readonly asItIs: string; readonly cut: string };
  /** What it says, for docs/access-log.md. */
  readonly help: string;
  /** What a route or its backend has to have for it to be there. @default - nothing */
  readonly onlyWith?: 'cache' | 'Auth.clientCertificate' | typeof grpcOption;
}

/** In the order of a line. No query strings: they carry tokens and names. */
export const logFields: Readonly<Record<string, LogField>> = {
  time: { json: '"$time_iso8601"', help: 'When the request ended, as ISO 8601 with the offset of the pod (UTC).' },
  request_id: {
    json: '"$accepted_request_id"',
    help: "What clients and the API have as `X-Request-Id`: the client's own if it matches `[\\w.-]{1,128}`, else a new one.",
  },
  client: {
    json: '"$remote_addr"',
    help: 'Address of the client: who connects, or what a trusted proxy says of that.',
  },
  method: { json: { asItIs: '"$request_method"', cut: '"$cut_method"' }, help: `At most ${longest.method} bytes.` },
  host: {
    json: { asItIs: '"$host"', cut: '"$cut_host"' },
    help: `The host that was asked for, at most ${longest.host} bytes.`,
  },
  path: {
    json: { asItIs: '"$plain_path"', cut: '"$cut_path"' },
    help: `As the client wrote it, without the query string; at most ${longest.path} bytes of well-formed UTF-8.`,
  },
  protocol: { json: { asItIs: '"$server_protocol"', cut: '"$cut_protocol"' }, help: '`HTTP/1.1` or `HTTP/2.0`.' },
  status: {
    json: { asItIs: '$status', cut: '$numeric_status' },
    help: 'The status of the answer, a number. 499: the client left before it was answered; 0: it left at once.',
  },
  grpc_status: {
    json: '"$grpc_status"',
    help: 'The status of gRPC, of an instance or of nginx; empty of any other answer, and of a call that broke off.',
    onlyWith: grpcOption,
  },
  bytes_sent: { json: '$bytes_sent', help: 'Bytes of the answer, with its head.' },
  request_time: {
    json: '$request_time',
    help: 'Seconds from the first byte of the request to the last of the answer, to the millisecond. A copy (`mirror`) is in it.',
  },
  upstream_addr: {
    json: '"$upstream_addr"',
    help: 'The instances that were asked, in turn. Empty: nginx answered itself. A name instead of an address: nginx found no instance.',
  },
  upstream_status: {
    json: '"$upstream_status"',
    help: "What each of them answered. 502 and 504 are nginx's word for one that was not reached, broke off, or was too slow.",
  },
  upstream_bytes_sent: {
    json: '"$upstream_bytes_sent"',
    help: 'Bytes that were sent to each. 0: it got nothing of the request, so that any method may be tried again.',
  },
  upstream_header_time: {
    json: '"$upstream_header_time"',
    help: 'Seconds until each had sent the head of its answer, connecting included; `-` for none.',
  },
  upstream_response_time: {
    json: '"$upstream_response_time"',
    help: 'Seconds until each had sent its whole answer. Much less than `request_time`: the client is slow.',
  },
  cache: {
    json: '"$upstream_cache_status"',
    help: '`HIT`, `MISS`, `EXPIRED`, `STALE`, `UPDATING` or `REVALIDATED`, empty where the cache was not asked.',
    onlyWith: 'cache',
  },
  tls: { json: '"$ssl_protocol"', help: '`TLSv1.3` or `TLSv1.2`, empty over plain HTTP.' },
  client_certificate: {
    // OpenSSL's own words, which need no escaping.
    json: '"$ssl_client_verify"',
    help: "What TLS says of the client's certificate: `SUCCESS`, `NONE`, or `FAILED:` and why. One that has expired since the handshake is `SUCCESS`, and 403.",
    onlyWith: 'Auth.clientCertificate',
  },
  user_agent: {
    json: { asItIs: '"$http_user_agent"', cut: '"$cut_user_agent"' },
    help: `What the client says it is, at most ${longest.user_agent} bytes.`,
  },
};

/** One JSON object a request. */
function format(form: 'asItIs' | 'cut', routes: readonly RouteModel[]): string {
  const there = {
    cache: cachesOf(routes).length > 0,
    'Auth.clientCertificate': asksForCertificates(routes),
    [grpcOption]: hasGrpc(routes),
  };
  const fields = Object.entries(logFields).filter(([, { onlyWith }]) => onlyWith === undefined || there[onlyWith]);
  return `'{${fields
    .map(([name, { json }]) => `"${name}":${typeof json === 'string' ? json : json[form]}`)
    .join(',')}}'`;
}

export function loggingSection({ place: { accessLog }, routes }: Plan): Node[] {
  // A write of more than PIPE_BUF (4096 bytes) could be mixed with another worker's.
  const log = (format: string, condition: string, comment: string): Directive =>
    directive(`access_log ${quote('accessLog', accessLog)} ${format} buffer=4k flush=1s if=${condition}`, comment);
  return [
    heading('Logging'),
    block(
      'map $http_x_request_id $accepted_request_id',
      [directive('default $request_id'), directive('"~^[\\w.-]{1,128}$" $http_x_request_id')],
      "a client's own id, if it is harmless",
    ),
    block(
      'map "$status $request_method $server_protocol $host $request_uri $http_user_agent" $unusual',
      [directive('default 1'), directive(`"~^${plain}$" 0`)],
      'what a client chose is cut and escaped unless it is short and plain, as nearly all is: that costs less',
    ),
    block('map $request_method $cut_method', [
      directive(`"~^(?<first_of_method>.{1,${longest.method}})" $first_of_method`),
    ]),
    block(
      'map $server_protocol $cut_protocol',
      [directive('"~^(?<first_of_protocol>HTTP/[0-9.]{1,3})" $first_of_protocol')],
      'which may have as many zeros and spaces at its end as fit',
    ),
    block('map $host $cut_host', [directive(`"~^(?<first_of_host>[\\x21-\\x7e]{1,${longest.host}})" $first_of_host`)]),
    ...cut('$request_uri', 'path', '[^?]'),
    ...cut('$http_user_agent', 'user_agent', '.'),
    block(
      'map $status $numeric_status',
      [directive('default $status'), directive('"000" 0')],
      'JSON has no 000, which a client that left at once gets',
    ),
    ...grpcStatusMaps({ routes }),
    directive(
      `log_format plain escape=none ${format('asItIs', routes)}`,
      'one JSON object a request, without the query string',
    ),
    directive(`log_format unusual escape=json ${format('cut', routes)}`, 'the same, of any request'),
    log('unusual', '$unusual', 'whole lines, a few at a time: a pipe takes 4k in one piece'),
    log('plain', '$plain_path', 'after the other, whose condition finds the path'),
  ];
}

/** A request that may be written as it is: printable ASCII without quotes and backslashes, and no longer than it would be cut to. */
const plain = [
  '[1-5]\\d\\d',
  `[A-Z]{1,${longest.method}}`,
  'HTTP/\\d\\.\\d',
  `[\\w.:\\[\\]-]{1,${longest.host}}`,
  `(?<plain_path>/[\\x21\\x23-\\x3e\\x40-\\x5b\\x5d-\\x7e]{0,${longest.path - 1}})(?:\\?[^ ]*)?`,
  `[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]{0,${longest.user_agent}}`,
].join(' ');

/** The first bytes of a variable, and of these the first whole characters. */
function cut(variable: string, name: 'path' | 'user_agent', byte: string): Directive[] {
  return [
    block(`map ${variable} $first_of_${name}`, [
      directive(`"~^(?<bytes_of_${name}>${byte}{1,${longest[name]}})" $bytes_of_${name}`),
    ]),
    block(`map $first_of_${name} $cut_${name}`, [
      directive(`"~^(?<characters_of_${name}>(?:${character})*)" $characters_of_${name}`),
    ]),
  ];
}

/** A printable character of ASCII, or one of well-formed UTF-8. @see https://www.rfc-editor.org/rfc/rfc3629#section-4 */
const character = [
  '[\\x20-\\x7e]',
  '[\\xc2-\\xdf][\\x80-\\xbf]',
  '\\xe0[\\xa0-\\xbf][\\x80-\\xbf]',
  '[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}',
  '\\xed[\\x80-\\x9f][\\x80-\\xbf]',
  '\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}',
  '[\\xf1-\\xf3][\\x80-\\xbf]{3}',
  '\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2}',
].join('|');
