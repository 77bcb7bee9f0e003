import { block, directive, Directive, heading, Node } from './directive';
import { errorDirectives, errorLocation } from './error-answer';
import { connectionTime, requestLimits, streamLimits } from './limits-section';
import { listenForClients } from './listen';
import { ProxyModel } from './model';
import { certificateDirectives } from './tls-section';

export function apiServers(proxy: ProxyModel): Node[] {
  return [heading('Servers: HTTPS'), unknownHostServer(proxy), apiServer(proxy)];
}

/** What clients reach: TLS, and every request forwarded to an instance of the API. */
function apiServer(proxy: ProxyModel): Directive {
  return block('server', [
    ...listenForClients(proxy, 'https', 'ssl'),
    directive(`server_name ${proxy.hosts.join(' ')}`),
    directive('http2 on', 'many requests on one connection; in this server alone, as plain HTTP would speak it too'),
    ...certificateDirectives(),
    directive(
      'error_log stderr error',
      'a warning for each body on disk would show its request line, with the query string',
    ),
    ...requestLimits(proxy),
    directive('recursive_error_pages on', 'what follows an error may fail too'),
    directive('error_page 502 504 = $after_first_round', "when no instance answered; the API's own 502 is an answer"),
    directive('error_page 503 @unavailable', 'over a limit of this proxy'),
    ...errorDirectives(),
    block('location /', [...connectionTime(proxy), directive('proxy_pass http://api')]),
    ...proxy.streamPaths.flatMap((path) => streamLocations(proxy, path)),
    ...tries(proxy),
    errorLocation('bad_gateway', 502, 'Bad Gateway'),
    errorLocation('gateway_timeout', 504, 'Gateway Timeout'),
    errorLocation('unavailable', 503, 'Service Unavailable', [
      directive('add_header Retry-After 1 always', 'there is room, or an instance, within seconds'),
    ]),
  ]);
}

/** Further tries of a request, the same for those of `streamPaths` but for their timeouts. */
function tries(proxy: ProxyModel): Directive[] {
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
  const each = (name: string, body: readonly Node[]): Directive[] => [
    block(`location @${name}`, body),
    ...(proxy.streamPaths.length === 0 ? [] : [block(`location @${name}_stream`, [...streaming(proxy), ...body])]),
  ];
  return [...each('once_more', lastTry), ...(proxy.upstreamFallback === undefined ? [] : each('fallback', fallback))];
}

/** A path, and all below it: which requests may be silent for long is the deployment's to say, never a client's header. */
function streamLocations(proxy: ProxyModel, path: string): Directive[] {
  const body = [
    ...connectionTime(proxy),
    ...streamLimits(proxy),
    ...streaming(proxy),
    directive('proxy_pass http://api'),
  ];
  return [block(`location = ${path}`, body), block(`location ${path}/`, body)];
}

function streaming({ streamTimeout }: ProxyModel): Directive[] {
  return [
    directive('proxy_buffering off', 'events leave as they come'),
    directive(`proxy_read_timeout ${streamTimeout}s`, 'silence is not an error here'),
    directive(`proxy_send_timeout ${streamTimeout}s`),
  ];
}

/** A name that is not ours: no certificate is shown, and nothing is answered. */
function unknownHostServer(proxy: ProxyModel): Directive {
  return block('server', [
    ...listenForClients(proxy, 'https', 'ssl default_server'),
    directive('ssl_reject_handshake on', 'no certificate for a name that is not ours'),
    directive('return 421', 'one of our names in the handshake, another in the request (RFC 9110, 15.5.20)'),
  ]);
}

/** Plain HTTP: a redirect for the known hosts, a health check for load balancers, and nothing else. */
export function redirectServers(proxy: ProxyModel): Node[] {
  const { hosts, externalHttpsPort } = proxy;
  const authority = externalHttpsPort === 443 ? '$host' : `$host:${externalHttpsPort}`;
  return [
    heading('Servers: plain HTTP'),
    block('server', [
      ...listenForClients(proxy, 'http', 'default_server'),
      block(
        'location = /healthz',
        [directive('access_log off'), directive('return 200')],
        'a load balancer asks by address',
      ),
      block('location /', [directive('return 444', 'unknown hosts get nothing')]),
    ]),
    block('server', [
      ...listenForClients(proxy, 'http'),
      directive(`server_name ${hosts.join(' ')}`),
      directive(`return 308 https://${authority}$request_uri`, 'permanent, and method and body stay'),
    ]),
  ];
}
