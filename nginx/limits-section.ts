import { directive, heading, Node } from './directive';
import { ProxyModel } from './model';

export function limitsSection(proxy: ProxyModel): Node[] {
  const { timeline } = proxy;
  return [
    heading('Limits: what a client may take'),
    directive(`client_max_body_size ${proxy.clientMaxBodySize}`, 'a larger body is answered 413'),
    directive(`client_header_timeout ${proxy.clientHeaderTimeout}`, 'for the whole request head'),
    directive(`client_body_timeout ${proxy.clientBodyTimeout}`, 'between two reads of a body'),
    directive(`send_timeout ${proxy.sendTimeout}`, 'between two writes of an answer'),
    directive('reset_timedout_connection on', 'frees the memory of clients that went away'),
    directive('max_headers 100', 'more is no request, but an attack'),
    directive(
      `keepalive_timeout ${timeline.clientKeepAliveTimeout}s ${timeline.clientKeepAliveHint}s`,
      'longer than a load balancer in front keeps idle ones; clients are told the second',
    ),
    directive(
      `keepalive_min_timeout ${timeline.clientKeepAliveMinimum}s`,
      'an ending worker keeps idle connections for as long as clients were told',
    ),
  ];
}
