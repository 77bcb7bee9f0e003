import { buffers } from '../model/budget';
import { block, directive, heading, Node } from './directive';
import { ProxyModel } from './model';

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
];

/** What the API is told, and how long it is waited for. */
export function forwardingSection(proxy: ProxyModel): Node[] {
  const { timeline, externalHttpsPort } = proxy;
  const authority = externalHttpsPort === 443 ? '$host' : `$host:${externalHttpsPort}`;
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
    directive('proxy_set_header Upgrade $accepted_upgrade'),
    directive(
      'proxy_set_header Connection $connection_upgrade',
      'left out when there is no upgrade: connections are kept',
    ),
    directive('proxy_set_header Host $host', 'one of the hosts below, no other reaches the API'),
    directive('proxy_set_header X-Forwarded-Host ' + authority),
    directive('proxy_set_header X-Forwarded-Port ' + String(externalHttpsPort)),
    directive('proxy_set_header X-Forwarded-Proto $scheme'),
    directive(
      'proxy_set_header X-Forwarded-For $remote_addr',
      'set, not appended: the API trusts one hop, and a client writes what it likes',
    ),
    directive('proxy_set_header X-Real-IP $remote_addr'),
    ...clientsOwn.map((name, index) =>
      directive(
        `proxy_set_header ${name} ""`,
        index === 0 ? "a client's own is not passed on, nor are these" : undefined,
      ),
    ),
    directive('proxy_set_header X-Request-Id $accepted_request_id'),
    directive(`proxy_buffer_size ${buffers.answerHead}k`, 'answers with large headers (cookies, tokens)'),
    directive(`proxy_buffers ${buffers.answers} ${buffers.answer}k`, 'of an answer that its client does not read'),
    directive(`proxy_busy_buffers_size ${(buffers.answers - 1) * buffers.answer}k`),
    directive(
      `proxy_connect_timeout ${timeline.connectTimeout}s`,
      'an instance on a lost node refuses nothing, it is silent',
    ),
    directive(
      'proxy_socket_keepalive on',
      "finds connections to a lost node, idle or waiting; how soon is the system's to say (tcp_keepalive_time)",
    ),
    directive(`proxy_send_timeout ${timeline.requestTimeout}s`),
    directive(`proxy_read_timeout ${timeline.requestTimeout}s`),
    directive(
      `proxy_next_upstream_tries ${timeline.nextUpstreamTries}`,
      'a request that kills instances does not kill all of them',
    ),
    directive(`proxy_next_upstream_timeout ${timeline.nextUpstreamTimeout}s`, 'no try begins later'),
  ];
}

function realClientAddress({ trustedProxies }: ProxyModel): Node[] {
  if (trustedProxies.length === 0) return [];
  return [
    ...trustedProxies.map((network) => directive(`set_real_ip_from ${network}`)),
    directive('real_ip_header X-Forwarded-For', 'believed of these networks alone'),
    directive('real_ip_recursive on', 'the last address that is not one of them'),
  ];
}
