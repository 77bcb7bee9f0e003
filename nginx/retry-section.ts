import { block, directive, heading, Node } from './directive';

/**
 * What happens to a request that none of nginx's own tries got an answer for. Those end with "no live upstreams" when
 * DNS changed meanwhile (nginx/nginx#1656), although there are live instances. So it is tried once more if its method
 * is idempotent, or if nothing of it was sent yet: $upstream_bytes_sent has a 0 for each try.
 *
 * nginx looks a map's variable up once a request: what is asked again after the last try has a map of its own.
 */
export function retrySection(): Node[] {
  return [
    heading('Retries beyond proxy_next_upstream, which finds no instance after a change in DNS (nginx#1656)'),
    block(
      'map "$accepted_upgrade $http_accept" $is_stream',
      [directive('default ""'), directive('"~^websocket " _stream'), directive('"~*text/event-stream" _stream')],
      'WebSockets and event streams, which stay open',
    ),
    block('map "$request_method $upstream_bytes_sent" $can_repeat', [
      directive('default no'),
      directive('"~^(GET|HEAD|OPTIONS|TRACE|PUT|DELETE) " yes', 'idempotent (RFC 9110, 9.2.2)'),
      directive('"~ [0-]?([ ,:]+[0-])*$" yes', 'nothing was sent to any instance'),
    ]),
    block('map "$can_repeat$is_stream $status" $after_first_round', [
      directive('default @bad_gateway'),
      directive('"~^yes " @once_more'),
      directive('"~^yes_stream " @stream_once_more'),
      directive('"~ 504$" @gateway_timeout'),
    ]),
    block('map "$upstream_bytes_sent $status" $after_last_try', [
      directive('default @bad_gateway'),
      directive('"~^[0-]?([ ,:]+[0-])* " @unavailable', 'no instance saw it: the client may try again'),
      directive('"~ 504$" @gateway_timeout'),
    ]),
  ];
}
