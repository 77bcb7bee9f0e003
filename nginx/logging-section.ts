import { block, directive, heading, Node } from './directive';
import { ProxyModel } from './model';
import { quote } from './quote';

/** One JSON object a request. No query strings: they carry tokens and names. */
const fields: readonly (readonly [name: string, variable: string])[] = [
  ['time', '"$time_iso8601"'],
  ['request_id', '"$accepted_request_id"'],
  ['client', '"$remote_addr"'],
  ['method', '"$request_method"'],
  ['host', '"$host"'],
  ['path', '"$request_path"'],
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
  ['user_agent', '"$http_user_agent"'],
];

export function loggingSection({ accessLog }: ProxyModel): Node[] {
  const format = fields.map(([name, variable]) => `"${name}":${variable}`).join(',');
  return [
    heading('Logging'),
    block(
      'map $http_x_request_id $accepted_request_id',
      [directive('default $request_id'), directive('"~^[\\w.-]{1,128}$" $http_x_request_id')],
      "a client's own id, if it is harmless",
    ),
    block(
      'map $request_uri $request_path',
      [directive('"~^(?<path_alone>[^?]*)" $path_alone')],
      'without the query string',
    ),
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
