import { block, directive, Directive, heading, Node } from './directive';
import { ProxyModel } from './model';
import { quote } from './quote';

/** The most bytes of what a client may make as long as it likes: a whole line has to fit in one write to a pipe. */
const longest = { method: 20, host: 100, path: 800, user_agent: 400 } as const;

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

/** One JSON object a request. No query strings: they carry tokens and names. */
const fields: readonly (readonly [name: string, variable: string])[] = [
  ['time', '"$time_iso8601"'],
  ['request_id', '"$accepted_request_id"'],
  ['client', '"$remote_addr"'],
  ['method', '"$logged_method"'],
  ['host', '"$logged_host"'],
  ['path', '"$logged_path"'],
  ['protocol', '"$server_protocol"'],
  ['status', '$numeric_status'],
  ['bytes_sent', '$bytes_sent'],
  ['request_time', '$request_time'],
  ['upstream_addr', '"$upstream_addr"'],
  ['upstream_status', '"$upstream_status"'],
  ['upstream_bytes_sent', '"$upstream_bytes_sent"'],
  ['upstream_connect_time', '"$upstream_connect_time"'],
  ['upstream_header_time', '"$upstream_header_time"'],
  ['upstream_response_time', '"$upstream_response_time"'],
  ['tls', '"$ssl_protocol"'],
  ['user_agent', '"$logged_user_agent"'],
];

export function loggingSection({ accessLog, hosts }: ProxyModel): Node[] {
  const format = fields.map(([name, variable]) => `"${name}":${variable}`).join(',');
  return [
    heading('Logging'),
    block(
      'map $http_x_request_id $accepted_request_id',
      [directive('default $request_id'), directive('"~^[\\w.-]{1,128}$" $http_x_request_id')],
      "a client's own id, if it is harmless",
    ),
    ...loggedText(hosts),
    block(
      'map $status $numeric_status',
      [directive('default $status'), directive('"000" 0')],
      'JSON has no 000, which a client that left at once gets',
    ),
    directive(`log_format json escape=json '{${format}}'`, 'one JSON object a request'),
    // A write of more than PIPE_BUF (4096 bytes) could be mixed with another worker's.
    directive(
      `access_log ${quote('accessLog', accessLog)} json buffer=4k flush=1s`,
      'whole lines, a few at a time: a pipe takes 4k in one piece',
    ),
  ];
}

/** What a client chose, as far as it fits in a line and is well-formed UTF-8; of the path, what stands before the query. */
function loggedText(hosts: readonly string[]): Directive[] {
  return [
    block(
      'map $request_method $logged_method',
      [
        ...methods.map((method) => directive(`${method} ${method}`)),
        directive(`"~^(?<other_method>[\\x21-\\x7e]{1,${longest.method}})" $other_method`),
      ],
      'what a client chose is cut: a line is one write, and one JSON object',
    ),
    block('map $host $logged_host', [
      ...hosts.map((host) => directive(`${host} ${host}`)),
      directive(`"~^(?<other_host>[\\x21-\\x7e]{1,${longest.host}})" $other_host`),
    ]),
    block(
      'map $request_uri $logged_path',
      [
        directive(`"~^(?<ascii_path>[\\x20-\\x3e\\x40-\\x7e]{0,${longest.path}})(?:\\?|$)" $ascii_path`),
        directive('default $cut_path'),
      ],
      'without the query string',
    ),
    ...cut('$request_uri', 'path', '[^?]'),
    block('map $http_user_agent $logged_user_agent', [
      directive(`"~^[\\x20-\\x7e]{0,${longest.user_agent}}$" $http_user_agent`),
      directive('default $cut_user_agent'),
    ]),
    ...cut('$http_user_agent', 'user_agent', '.'),
  ];
}

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
