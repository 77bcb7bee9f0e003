import { block, directive, heading, Node } from './directive';
import { ProxyModel } from './model';

/** What the API is told, and how long it is waited for. */
export function forwardingSection(proxy: ProxyModel): Node[] {
  const { timeline, externalHttpsPort } = proxy;
  const authority = externalHttpsPort === 443 ? '$host' : `$host:${externalHttpsPort}`;
  return [
    heading('Requests to the API'),
    ...realClientAddress(proxy),
    block(
      'map $http_upgrade $accepted_upgrade',
      [directive('default ""'), directive('websocket websocket')],
      'no other protocol: h2c would lead around nginx',
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
    directive('proxy_set_header Forwarded ""', "a client's own is not passed on"),
    directive('proxy_set_header X-Request-Id $accepted_request_id'),
    directive('proxy_buffer_size 16k', 'answers with large headers (cookies, tokens)'),
    directive('proxy_buffers 8 16k'),
    directive('proxy_busy_buffers_size 32k'),
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
