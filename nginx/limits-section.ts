import { buffers } from '../model/budget';
import { directive, Directive, heading, Node } from './directive';
import { requestCount } from './listen';
import { ProxyModel } from './model';

export function limitsSection(proxy: ProxyModel): Node[] {
  const { timeline, budget } = proxy;
  return [
    heading('Limits: what a client may take'),
    directive(`client_max_body_size ${proxy.clientMaxBodySize}`, 'a larger body is answered 413'),
    directive(`client_body_buffer_size ${buffers.body}k`, 'a larger body waits in a file until it is whole'),
    directive(`client_header_timeout ${proxy.clientHeaderTimeout}`, 'for the whole request head'),
    directive(`client_body_timeout ${proxy.clientBodyTimeout}`, 'between two reads of a body'),
    directive(`send_timeout ${proxy.sendTimeout}`, 'between two writes of an answer'),
    directive('reset_timedout_connection on', 'frees the memory of clients that went away'),
    directive('max_headers 100', 'more is not a request, but an attack'),
    directive(`client_header_buffer_size ${buffers.head}k`),
    directive(
      `large_client_header_buffers ${buffers.largeHeads} ${buffers.largeHead}k`,
      'in all less than Node takes (16 KiB), with what nginx adds; more is answered 431',
    ),
    directive(`http2_max_concurrent_streams ${budget.streamsPerConnection}`, 'requests at once on one connection'),
    ...requestCount(proxy),
    directive(
      `keepalive_timeout ${timeline.clientKeepAliveTimeout}s ${timeline.clientKeepAliveHint}s`,
      'longer than a load balancer in front keeps idle ones; clients are told the second',
    ),
    directive(
      `keepalive_min_timeout ${timeline.clientKeepAliveMinimum}s`,
      'an ending worker keeps idle connections for as long as clients were told',
    ),
    directive(
      `keepalive_requests ${timeline.clientConnectionRequests}`,
      'HTTP/2 ends a connection with requests on their way, which some clients then fail',
    ),
    directive(`keepalive_time ${timeline.http2ConnectionTime}s`, 'the same, of its age'),
  ];
}

/** Of HTTP/1.1 alone, whose end is clean (`Connection: close`); HTTP/2 goes by what the server says. */
export function connectionTime({ timeline }: ProxyModel): Directive[] {
  return [
    directive(
      `keepalive_time ${timeline.http1ConnectionTime}s`,
      'HTTP/1.1 ends without loss: its clients spread over new proxies',
    ),
  ];
}
