import { block, directive, Directive, heading, Node, reasonsOnce, snippets } from './directive';
import { tokenLocations } from './auth/access-tokens-section';
import { askingLocations } from './auth/asking-section';
import { directoryForClients, verifyClients } from './auth/client-certificates-section';
import { errorDirectives, errorLocation } from './error-answer';
import { corsHeadersOfHost, hiddenByHost } from './headers-section';
import { requestLimits } from './limits-section';
import { listenForClients } from './listen';
import { countAsPlainHttp } from './metrics/metrics-section';
import { authority } from './place';
import { HostPlan, isForwarded, Plan } from './plan';
import { authenticationErrors, notAuthenticated } from './routes/auth-section';
import { tooManyRequests, tooManyRequestsErrors } from './routes/rate-limit-section';
import { badGateway, gatewayTimeout, routeErrorLocations, unavailable } from './routes/route-errors-section';
import { routeLocations } from './routes/route-locations';
import { certificateDirectives, otherCertificateLocation, refuseOtherCertificate } from './tls/tls-section';

export function hostServers(plan: Plan): Node[] {
  return [
    heading('Servers: HTTPS'),
    unknownHostServer(plan),
    ...reasonsOnce(plan.hosts.map((host) => hostServer(plan, host))),
  ];
}

/** What clients reach: TLS, and every request answered by its route. */
function hostServer(plan: Plan, host: HostPlan): Directive {
  return block('server', [
    ...listenForClients(plan.place, 'https', 'ssl'),
    directive(`server_name ${host.host.names.join(' ')}`),
    directive('http2 on', 'many requests on one connection; in this server alone, as plain HTTP would speak it too'),
    ...certificateDirectives(host.host.certificate, directoryForClients(plan, host)),
    ...refuseOtherCertificate(plan, host.host.certificate),
    ...verifyClients(plan, host),
    directive(
      'error_log stderr error',
      'a warning for each body on disk would show its request line, with the query string',
    ),
    ...requestLimits(plan.proxy),
    ...hiddenByHost(plan, host.host),
    ...corsHeadersOfHost(host.host),
    directive('recursive_error_pages on', 'what follows an error may fail too'),
    ...(plan.routes.some(isForwarded)
      ? [
          directive(
            'error_page 502 504 = $after_first_round',
            "when no instance answered; the API's own 502 is an answer",
          ),
        ]
      : []),
    directive('error_page 503 @unavailable', 'over a limit of this proxy'),
    ...notAuthenticated(host.host.routes),
    ...tooManyRequests(host.host.routes),
    ...(host.chosen.size === 0
      ? []
      : [directive('error_page 418 = $chosen', 'no error: the location of a route that more than its path chooses')]),
    ...errorDirectives(),
    ...snippets(host.host.snippets),
    ...routeLocations(plan, host),
    ...tokenLocations(plan, host),
    ...askingLocations(plan, host),
    ...otherCertificateLocation(plan),
    ...[
      badGateway,
      gatewayTimeout,
      unavailable,
      ...authenticationErrors(host.host.routes),
      ...tooManyRequestsErrors(plan, host),
    ].map((error) => errorLocation(...error)),
    ...routeErrorLocations(plan, host),
  ]);
}

/** A name that is not ours: no certificate is shown, and nothing is answered. */
function unknownHostServer({ place }: Plan): Directive {
  return block('server', [
    ...listenForClients(place, 'https', 'ssl default_server'),
    directive('ssl_reject_handshake on', 'no certificate for a name that is not ours'),
    directive('return 421', 'one of our names in the handshake, another in the request (RFC 9110, 15.5.20)'),
  ]);
}

/** Plain HTTP: a redirect for the known hosts, a health check for load balancers, and nothing else. */
export function redirectServers(plan: Plan): Node[] {
  const { place, hosts } = plan;
  const names = hosts.flatMap(({ host }) => host.names);
  return [
    heading('Servers: plain HTTP'),
    block('server', [
      ...listenForClients(place, 'http', 'default_server'),
      block(
        'location = /healthz',
        [directive('access_log off'), directive('return 200')],
        'a load balancer asks by address',
      ),
      block('location /', [directive('return 444', 'unknown hosts get nothing')]),
    ]),
    block('server', [
      ...listenForClients(place, 'http'),
      directive(`server_name ${names.join(' ')}`),
      ...countAsPlainHttp(plan),
      directive(`return 308 https://${authority(place)}$request_uri`, 'permanent, and method and body stay'),
    ]),
  ];
}
