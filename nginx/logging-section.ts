import {
  cutTo,
  grpcOption,
  type LogFieldName,
  logFields,
  type LongestRequest,
  sampleOption,
} from '../model/access-log/fields';
import { type LoggedFields, refuseLongLines } from '../model/access-log/longest-line';
import type { AddedField } from '../model/access-log/options';
import { cachesOf, RouteModel } from '../model/routes/route';
import { duration, secondsAbove } from './amounts';
import { asksForCertificates } from './auth/client-certificates-section';
import { hasFallback } from './backends/upstream-section';
import { block, directive, Directive, heading, Node, quote } from './directive';
import { backendsOf, isForwarded, Plan } from './plan';
import { grpcStatusMaps, hasGrpc } from './routes/grpc-section';
import { keyVariable, requestVariable } from './routes/request-variables';

/** As JSON; of what a client chose as it is logged if it may be written as it is, and as it is cut to what may be. */
const written: Readonly<Record<LogFieldName, string | { readonly asItIs: string; readonly cut: string }>> = {
  time: '"$time_iso8601"',
  request_id: '"$accepted_request_id"',
  trace_id: '"$trace_id"',
  client: '"$remote_addr"',
  method: { asItIs: '"$request_method"', cut: '"$cut_method"' },
  host: { asItIs: '"$host"', cut: '"$cut_host"' },
  path: { asItIs: '"$plain_path"', cut: '"$cut_path"' },
  protocol: { asItIs: '"$server_protocol"', cut: '"$cut_protocol"' },
  status: { asItIs: '$status', cut: '$numeric_status' },
  grpc_status: '"$grpc_status"',
  bytes_sent: '$bytes_sent',
  request_time: '$request_time',
  upstream_addr: '"$upstream_addr"',
  upstream_status: '"$upstream_status"',
  upstream_bytes_sent: '"$upstream_bytes_sent"',
  upstream_header_time: '"$upstream_header_time"',
  upstream_response_time: '"$upstream_response_time"',
  cache: '"$upstream_cache_status"',
  tls: '"$ssl_protocol"',
  // OpenSSL's own words, which need no escaping.
  client_certificate: '"$ssl_client_verify"',
  user_agent: { asItIs: '"$http_user_agent"', cut: '"$cut_user_agent"' },
  reason: '"$reason"',
  sample: '$sample',
};

export function loggingSection(plan: Plan): Node[] {
  const { place, proxy, routes } = plan;
  const fields = fieldsOf(plan);
  const isSampled = proxy.accessLog.sample < 1;
  // Lines of a proxy that has neither stay as they are, however many tries it makes.
  if (fields.added.length > 0 || isSampled) refuseLongLines(fields, longestRequests(plan));
  const clients = chosen.filter(({ name }) => fields.documented.includes(name));
  // No plain value has a quotation mark: with one before each, they are told apart though they may have spaces.
  const added = fields.added.map(({ maxLength, source }) => ({
    variable: `\\"${addedVariable(source)}`,
    plain: `\\"${plainText}{0,${maxLength}}`,
  }));
  const told = [status, requestLine, ...clients.flatMap(({ alone = [] }) => alone), ...added];
  const together = (part: 'variable' | 'plain'): string => told.map((each) => each[part]).join(' ');
  // A write of more than PIPE_BUF (4096 bytes) could be mixed with another worker's.
  const log = (format: string, condition: string, comment: string): Directive =>
    directive(
      `access_log ${quote('accessLog', place.accessLog)} ${format} buffer=4k flush=1s if=${condition}`,
      comment,
    );
  return [
    heading('Logging'),
    block(
      'map $http_x_request_id $accepted_request_id',
      [directive('default $request_id'), directive('"~^[\\w.-]{1,128}$" $http_x_request_id')],
      "a client's own id, if it is harmless",
    ),
    block(
      `map "${together('variable')}" $unusual`,
      [directive('default 1'), directive(`"~^${together('plain')}$" 0`)],
      'what a client chose is cut and escaped unless it is short and plain, as nearly all is: that costs less',
    ),
    ...clients.flatMap(({ cut }) => cut),
    ...fields.added.flatMap(({ name, source, maxLength }) =>
      cutMaps(addedVariable(source), `added_${name}`, maxLength, { captured: 'added' }),
    ),
    block(
      'map $status $numeric_status',
      [directive('default $status'), directive('"000" 0')],
      'JSON has no 000, which a client that left at once gets',
    ),
    ...grpcStatusMaps({ routes }),
    ...(isSampled ? samplingMaps(plan) : []),
    directive(
      `log_format plain escape=none ${format('asItIs', fields)}`,
      'one JSON object a request, without the query string',
    ),
    directive(`log_format unusual escape=json ${format('cut', fields)}`, 'the same, of any request'),
    log(
      'unusual',
      isSampled ? '$unusual_line' : '$unusual',
      'whole lines, a few at a time: a pipe takes 4k in one piece',
    ),
    log('plain', isSampled ? '$plain_line' : '$plain_path', 'after the other, whose condition finds the path'),
  ];
}

/** Those of this proxy, in the order of a line. */
function fieldsOf({ proxy, routes }: Plan): LoggedFields {
  const { omit, add, sample } = proxy.accessLog;
  const there = {
    cache: cachesOf(routes).length > 0,
    'Auth.clientCertificate': asksForCertificates(routes),
    traceContext: proxy.traceContext !== undefined,
    [grpcOption]: hasGrpc(routes),
    [sampleOption]: sample < 1,
  };
  const isThere = (name: LogFieldName): boolean => {
    const { onlyWith } = logFields[name];
    return (onlyWith === undefined || there[onlyWith]) && !(omit as readonly string[]).includes(name);
  };
  return { documented: (Object.keys(logFields) as LogFieldName[]).filter(isThere), added: add };
}

/** One JSON object a request. */
function format(form: 'asItIs' | 'cut', { documented, added }: LoggedFields): string {
  const all = [
    ...documented.map((name) => {
      const json = written[name];
      return `"${name}":${typeof json === 'string' ? json : json[form]}`;
    }),
    ...added.map(
      ({ name, source }) => `"${name}":"${form === 'asItIs' ? addedVariable(source) : `$cut_added_${name}`}"`,
    ),
  ];
  return `'{${all.join(',')}}'`;
}

/** What has the longest lines: a request that nginx itself answers, and one of each route with as many tries as there may be. */
function longestRequests(plan: Plan): LongestRequest[] {
  const ofRoute = (route: RouteModel): LongestRequest => {
    const { target, times, maxBodySize } = route;
    const names = target.kind === 'external' ? [target.service.name] : backendsOf(route);
    const fallback = hasFallback(plan, route) ? '_fallback' : '';
    // One more try, and the fallback.
    const rounds = fallback === '' ? 2 : 3;
    return {
      tries: times.nextUpstreamTries + rounds - 1,
      rounds,
      upstreamName: Math.max(...names.map((name) => `${name}${fallback}`.length)),
      // Its head, however many headers are added to it, is less than a MiB.
      sentDigits: String(maxBodySize + 2 ** 20).length,
    };
  };
  return [{ tries: 0, rounds: 0, upstreamName: 0, sentDigits: 0 }, ...plan.routes.filter(isForwarded).map(ofRoute)];
}

/** What nginx finds a field by that main.ts adds. */
function addedVariable(source: AddedField['source']): string {
  switch (source.kind) {
    case 'requestHeader':
      return requestVariable({ kind: 'header', name: source.name });
    case 'responseHeader':
      return `$upstream_http_${source.name.toLowerCase().replaceAll('-', '_')}`;
    default:
      return keyVariable(source);
  }
}

/** Which requests have a line, where not all of those that succeeded have one. */
function samplingMaps({ proxy: { accessLog }, routes }: Plan): Directive[] {
  const { sample, slow } = accessLog;
  // Of gRPC nothing but its status says that it failed, and no status that it broke off.
  const isGrpcThere = hasGrpc(routes);
  const ofGrpc = isGrpcThere ? ' $grpc_status $sent_http_content_type' : '';
  const succeeded = isGrpcThere ? ' (?:0 | (?!application/grpc)).*' : '';
  return [
    block(
      'split_clients $accepted_request_id $in_sample',
      [directive(`${Math.round(sample * 10_000) / 100}% 1`), directive('* 0')],
      'by the id: whoever else goes by it has the same requests',
    ),
    block(
      'map $request_time $took_long',
      [directive('default 0'), directive(`"~${secondsAbove(slow)}" 1`)],
      `more than ${duration(slow)}`,
    ),
    block(
      `map "$status $request_completion $took_long $upstream_status${ofGrpc}" $sample`,
      [directive('default 1'), directive(`"~^[1-3]\\d\\d OK 0 (?:[1-3]\\d\\d)?${succeeded}$" ${sample}`)],
      'what failed, broke off, took long or was tried more than once stands for itself, and is always logged',
    ),
    block('map "$sample $in_sample" $has_line', [directive('default 1'), directive(`"${sample} 0" 0`)]),
    block('map $has_line $unusual_line', [directive('1 $unusual')]),
    block('map $has_line $plain_line', [directive('1 $plain_path')]),
  ];
}

/** The first bytes of a variable, and of these the first whole characters. */
function cutMaps(
  variable: string,
  name: string,
  length: number,
  // PCRE has no room for long names of groups.
  { byte = '.', captured = name }: { readonly byte?: string; readonly captured?: string } = {},
): Directive[] {
  return [
    block(`map ${variable} $first_of_${name}`, [
      directive(`"~^(?<bytes_of_${captured}>${byte}{1,${length}})" $bytes_of_${captured}`),
    ]),
    block(`map $first_of_${name} $cut_${name}`, [
      directive(`"~^(?<characters_of_${captured}>(?:${character})*)" $characters_of_${captured}`),
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

/** Printable ASCII without quotes and backslashes. */
const plainText = '[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]';

/** How a value looks that may be written as it is, no longer than it would be cut to. */
interface Plain {
  readonly variable: string;
  readonly plain: string;
}

const status: Plain = { variable: '$status', plain: '[1-5]\\d\\d' };

/** Method, path and protocol: one variable costs less than three. Before the host, as nginx takes spaces at its end. */
const requestLine: Plain = {
  variable: '$request',
  plain: `[A-Z]{1,${cutTo.method}} (?<plain_path>/[\\x21\\x23-\\x3e\\x40-\\x5b\\x5d-\\x7e]{0,${cutTo.path - 1}})(?:\\?[^ ]*)? HTTP/\\d\\.\\d`,
};

/** What a client may make as long as it likes. */
interface Chosen {
  readonly name: LogFieldName;
  /** Of what is not in the request line. */
  readonly alone?: Plain;
  readonly cut: readonly Directive[];
}

/** The last one is the only one that may have spaces. */
const chosen: readonly Chosen[] = [
  {
    name: 'method',
    cut: [
      block('map $request_method $cut_method', [
        directive(`"~^(?<first_of_method>.{1,${cutTo.method}})" $first_of_method`),
      ]),
    ],
  },
  {
    name: 'protocol',
    cut: [
      block(
        'map $server_protocol $cut_protocol',
        [directive('"~^(?<first_of_protocol>HTTP/[0-9.]{1,3})" $first_of_protocol')],
        'which may have as many zeros and spaces at its end as fit',
      ),
    ],
  },
  {
    name: 'host',
    alone: { variable: '$host', plain: `[\\w.:\\[\\]-]{1,${cutTo.host}}` },
    cut: [
      block('map $host $cut_host', [directive(`"~^(?<first_of_host>[\\x21-\\x7e]{1,${cutTo.host}})" $first_of_host`)]),
    ],
  },
  {
    name: 'path',
    cut: cutMaps('$request_uri', 'path', cutTo.path, { byte: '[^?]' }),
  },
  {
    name: 'user_agent',
    alone: { variable: '$http_user_agent', plain: `${plainText}{0,${cutTo.user_agent}}` },
    cut: cutMaps('$http_user_agent', 'user_agent', cutTo.user_agent),
  },
];
