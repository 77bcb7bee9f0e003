import { cachesOf } from '../model/routes/route';
import { block, directive, Directive, heading, Node, quote } from './directive';
import { Plan } from './plan';

/** The most bytes of what a client may make as long as it likes: a whole line has to fit in one write to a pipe. */
const longest = { method: 20, host: 100, path: 800, user_agent: 400 } as const;

/** A field of what a client chose, as it is logged if it may be written as it is, and as it is cut to what may be. */
interface Text {
  readonly asItIs: string;
  readonly cut: string;
}

const text = {
  method: { asItIs: '$request_method', cut: '$cut_method' },
  host: { asItIs: '$host', cut: '$cut_host' },
  path: { asItIs: '$plain_path', cut: '$cut_path' },
  status: { asItIs: '$status', cut: '$numeric_status' },
  user_agent: { asItIs: '$http_user_agent', cut: '$cut_user_agent' },
} as const satisfies Record<string, Text>;

/** One JSON object a request. No query strings: they carry tokens and names. */
function format(form: keyof Text, hasCaches: boolean): string {
  const fields: Record<string, string> = {
    time: '"$time_iso8601"',
    request_id: '"$accepted_request_id"',
    client: '"$remote_addr"',
    method: `"${text.method[form]}"`,
    host: `"${text.host[form]}"`,
    path: `"${text.path[form]}"`,
    protocol: '"$server_protocol"',
    status: text.status[form],
    bytes_sent: '$bytes_sent',
    request_time: '$request_time',
    upstream_addr: '"$upstream_addr"',
    upstream_status: '"$upstream_status"',
    upstream_bytes_sent: '"$upstream_bytes_sent"',
    upstream_header_time: '"$upstream_header_time"',
    upstream_response_time: '"$upstream_response_time"',
    ...(hasCaches ? { cache: '"$upstream_cache_status"' } : {}),
    tls: '"$ssl_protocol"',
    user_agent: `"${text.user_agent[form]}"`,
  };
  return `'{${Object.entries(fields)
    .map(([name, value]) => `"${name}":${value}`)
    .join(',')}}'`;
}

export function loggingSection({ place: { accessLog }, routes }: Plan): Node[] {
  const hasCaches = cachesOf(routes).length > 0;
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
      'map "$status $request_method $host $request_uri $http_user_agent" $unusual',
      [directive('default 1'), directive(`"~^${plain}$" 0`)],
      'what a client chose is cut and escaped unless it is short and plain, as nearly all is: that costs less',
    ),
    block('map $request_method $cut_method', [
      directive(`"~^(?<first_of_method>.{1,${longest.method}})" $first_of_method`),
    ]),
    block('map $host $cut_host', [directive(`"~^(?<first_of_host>[\\x21-\\x7e]{1,${longest.host}})" $first_of_host`)]),
    ...cut('$request_uri', 'path', '[^?]'),
    ...cut('$http_user_agent', 'user_agent', '.'),
    block(
      'map $status $numeric_status',
      [directive('default $status'), directive('"000" 0')],
      'JSON has no 000, which a client that left at once gets',
    ),
    directive(
      `log_format plain escape=none ${format('asItIs', hasCaches)}`,
      'one JSON object a request, without the query string',
    ),
    directive(`log_format unusual escape=json ${format('cut', hasCaches)}`, 'the same, of any request'),
    log('unusual', '$unusual', 'whole lines, a few at a time: a pipe takes 4k in one piece'),
    log('plain', '$plain_path', 'after the other, whose condition finds the path'),
  ];
}

/** A request that may be written as it is: printable ASCII without quotes and backslashes, and no longer than it would be cut to. */
const plain = [
  '[1-5]\\d\\d',
  `[A-Z]{1,${longest.method}}`,
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
