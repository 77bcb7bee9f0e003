import { buffers } from '../model/memory-costs';
import { CertificatePart, ProvedValue, RequestHeader } from '../model/routes/headers';
import { ProxyModel } from '../model/proxy';
import { RouteModel } from '../model/routes/route';
import { block, Directive, directive, heading, Node, quoteWithVariables } from './directive';
import { authority } from './place';
import { ForwardingModule, Plan } from './plan';

/** What frameworks and platforms believe of whoever stands in front of them. */
const clientsOwn = [
  'Forwarded',
  'X-Forwarded-Prefix',
  'X-Forwarded-Server',
  'X-Original-URL',
  'X-Rewrite-URL',
  'Proxy',
  'True-Client-IP',
  'CF-Connecting-IP',
  'X-Client-IP',
];

/** What copies of requests have, so that a backend can tell. */
const mirrored = 'X-Mirrored';

/** Headers of the copies of a route's requests. */
export function mirroredHeaders(plan: Plan, { requestHeaders: own }: RouteModel): Directive[] {
  const others = own.filter(([name]) => name.toLowerCase() !== mirrored.toLowerCase());
  return requestHeaders(plan, [...others, [mirrored, 'true']]);
}

/** What backends are told, and how long they are waited for. What differs by route stands in its locations. */
export function forwardingSection(plan: Plan): Node[] {
  const { common, proxy } = plan;
  return [
    heading('Requests to the API'),
    ...realClientAddress(proxy),
    block(
      'map $http_upgrade $accepted_upgrade',
      [directive('default ""'), directive('websocket $http1_upgrade')],
      'no other protocol: h2c would lead around nginx',
    ),
    block(
      'map $server_protocol $http1_upgrade',
      [directive('default ""'), directive('HTTP/1.1 websocket')],
      'of HTTP/1.1 alone: HTTP/2 shares the connection',
    ),
    block('map $accepted_upgrade $connection_upgrade', [directive('default upgrade'), directive('"" ""')]),
    ...requestHeaders(plan, common.requestHeaders),
    ignoredOfAnswers('proxy'),
    directive(`proxy_buffer_size ${buffers.answerHead}k`, 'answers with large headers (cookies, tokens)'),
    directive(`proxy_buffers ${buffers.answers} ${buffers.answer}k`, 'of an answer that its client does not read'),
    directive(`proxy_busy_buffers_size ${(buffers.answers - 1) * buffers.answer}k`),
    directive(
      `proxy_connect_timeout ${common.connectTimeout}s`,
      'an instance on a lost node refuses nothing, it is silent',
    ),
    directive(
      'proxy_socket_keepalive on',
      "finds connections to a lost node, idle or waiting; how soon is the system's to say (tcp_keepalive_time)",
    ),
    directive(`proxy_send_timeout ${common.requestTimeout}s`),
    directive(`proxy_read_timeout ${common.requestTimeout}s`),
    directive(
      `proxy_next_upstream_tries ${common.nextUpstreamTries}`,
      'a request that kills instances does not kill all of them',
    ),
    directive(`proxy_next_upstream_timeout ${common.nextUpstreamTimeout}s`, 'no try begins later'),
  ];
}

/** An answer that could have nginx go on in any location of its server, those that no client reaches too, and with what the request has proved for another route. */
export function ignoredOfAnswers(module: ForwardingModule): Directive {
  return directive(`${module}_ignore_headers X-Accel-Redirect`, 'no answer leads to another route');
}

/** Every header that nginx sets or takes away, with a route's own among them: a list replaces the one of a level above. */
export function requestHeaders(
  { proxy, place, mirrors, provedHeaders }: Plan,
  own: RouteModel['requestHeaders'],
  module: ForwardingModule = 'proxy',
): Directive[] {
  const names = new Set(own.map(([name]) => name.toLowerCase()));
  const set = (name: string, value: string, reason?: string): Directive[] =>
    names.has(name.toLowerCase()) ? [] : [directive(`${module}_set_header ${name} ${value}`, reason)];
  return [
    // HTTP/2 has neither: the module leaves them out.
    ...(module === 'grpc'
      ? []
      : [
          ...set('Upgrade', '$accepted_upgrade'),
          ...set('Connection', '$connection_upgrade', 'left out when there is no upgrade: connections are kept'),
        ]),
    ...set('Host', '$host', 'one of the hosts below, no other reaches the API'),
    ...set('X-Forwarded-Host', authority(place)),
    ...set('X-Forwarded-Port', String(place.externalHttpsPort)),
    ...set('X-Forwarded-Proto', '$scheme'),
    ...set(
      'X-Forwarded-For',
      '$remote_addr',
      'set, not appended: the API trusts one hop, and a client writes what it likes',
    ),
    ...set('X-Real-IP', '$remote_addr'),
    ...clientsOwn.flatMap((name, index) =>
      set(name, '""', index === 0 ? "a client's own is not passed on, nor are these" : undefined),
    ),
    ...set('X-Request-Id', '$accepted_request_id'),
    ...(proxy.traceContext === undefined
      ? []
      : [...set('traceparent', '$accepted_traceparent'), ...set('tracestate', '$accepted_tracestate')]),
    ...(mirrors.length === 0 ? [] : set(mirrored, '""', 'copies have it, and nothing that a client sends')),
    ...provedHeaders.flatMap((name, index) =>
      set(name, '""', index === 0 ? 'says who a client has proved to be: of nobody else' : undefined),
    ),
    ...own.map(([name, value]) => directive(`${module}_set_header ${name} ${headerValue(name, value)}`)),
  ];
}

function headerValue(...[name, value]: RequestHeader): string {
  if (value === false) return '""';
  if (typeof value === 'object') return provedVariable(name, value);
  return quoteWithVariables(`requestHeaders[${JSON.stringify(name)}]`, value);
}

/** What nginx finds the value of such a header by. */
export function provedVariable(name: string, value: ProvedValue): string {
  if (value.proved === 'certificate') return certificateVariables[value.part];
  return `$${value.proved}_${name.toLowerCase().replaceAll('-', '_')}`;
}

/** Of the certificate that a client has shown. None of them has a line break. */
const certificateVariables: Readonly<Record<CertificatePart, string>> = {
  subject: '$ssl_client_s_dn',
  issuer: '$ssl_client_i_dn',
  serial: '$ssl_client_serial',
  fingerprint: '$ssl_client_fingerprint',
  certificate: '$ssl_client_escaped_cert',
};

function realClientAddress({ trustedProxies }: ProxyModel): Node[] {
  if (trustedProxies.length === 0) return [];
  return [
    ...trustedProxies.map((network) => directive(`set_real_ip_from ${network}`)),
    directive('real_ip_header X-Forwarded-For', 'believed of these networks alone'),
    directive('real_ip_recursive on', 'the last address that is not one of them'),
  ];
}
