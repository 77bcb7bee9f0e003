import { block, directive, Directive, heading, Node } from './directive';
import { errorDirectives, errorLocationFor } from './error-answer';
import { listen } from './listen';
import { ProxyModel } from './model';
import { certificateDirectives } from './tls-section';

export function apiServers(proxy: ProxyModel): Node[] {
  return [
    heading('Servers: HTTPS'),
    directive('http2 on', 'many requests on one connection'),
    unknownHostServer(proxy),
    apiServer(proxy),
  ];
}

/** What clients reach: TLS, and every request forwarded to an instance of the API. */
function apiServer(proxy: ProxyModel): Directive {
  const stream = [
    directive('proxy_buffering off', 'events leave as they come'),
    directive(`proxy_read_timeout ${proxy.streamTimeout}s`, 'silence is not an error here'),
    directive(`proxy_send_timeout ${proxy.streamTimeout}s`),
  ];
  const lastTry = [
    directive('proxy_next_upstream_tries 1'),
    directive('error_page 502 504 = $after_last_try'),
    directive('proxy_pass http://api'),
  ];
  const fallback = [
    directive('proxy_next_upstream_tries 1'),
    directive('error_page 502 504 = $after_fallback'),
    directive('proxy_pass http://api_fallback'),
  ];
  return block('server', [
    ...listen(proxy, proxy.httpsPort, 'ssl'),
    directive(`server_name ${proxy.hosts.join(' ')}`),
    ...certificateDirectives(),
    directive('recursive_error_pages on', 'what follows an error may fail too'),
    directive('error_page 502 504 = $after_first_round', "when no instance answered; the API's own 502 is an answer"),
    directive('error_page 418 = @stream', "from the location below; the API's own 418 is an answer"),
    ...errorDirectives(),
    block('location /', [
      block(
        'if ($is_stream)',
        [directive('return 418')],
        'timeouts take no variables: streams have a location of their own',
      ),
      directive('proxy_pass http://api'),
    ]),
    block('location @stream', [...stream, directive('proxy_pass http://api')]),
    block('location @once_more', lastTry),
    block('location @once_more_stream', [...stream, ...lastTry]),
    ...(proxy.upstreamFallback === undefined
      ? []
      : [block('location @fallback', fallback), block('location @fallback_stream', [...stream, ...fallback])]),
    errorLocationFor('bad_gateway', 502, 'Bad Gateway'),
    errorLocationFor('gateway_timeout', 504, 'Gateway Timeout'),
    errorLocationFor('unavailable', 503, 'Service Unavailable', [
      directive('add_header Retry-After 1 always', 'instances come back within seconds'),
    ]),
  ]);
}

/** A name that is not ours: no certificate is shown, and nothing is answered. */
function unknownHostServer(proxy: ProxyModel): Directive {
  return block('server', [
    ...listen(proxy, proxy.httpsPort, 'ssl default_server'),
    directive('ssl_reject_handshake on', 'no certificate for a name that is not ours'),
    directive('return 421', 'one of our names in the handshake, another in the request (RFC 9110, 15.5.20)'),
  ]);
}
