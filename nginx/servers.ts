import { block, directive, Directive, heading, Node } from './directive';
import { errorDirectives, errorLocation } from './error-answer';
import { requestLimits } from './limits-section';
import { listenForClients } from './listen';
import { ProxyModel } from './model';
import { routeLocations } from './route-locations';
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
    ...proxy.routes.flatMap((route) => routeLocations(proxy, route)),
    errorLocation('bad_gateway', 502, 'Bad Gateway'),
    errorLocation('gateway_timeout', 504, 'Gateway Timeout'),
    errorLocation('unavailable', 503, 'Service Unavailable', [
      directive('add_header Retry-After 1 always', 'there is room, or an instance, within seconds'),
    ]),
  ]);
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
