import { AuthTarget } from '../../model/auth/external';
import { ExternalServices } from '../../model/budget-options';
import { ExternalServiceModel } from '../../model/routes/external-service';
import { RouteModel, TargetModel } from '../../model/routes/route';
import { block, directive, Directive, heading, Node, quote } from '../directive';
import { PlaceModel } from '../place';
import { externalServicesOf, Plan } from '../plan';

/** Bytes of shared memory for the addresses of one, each with the TLS session that a further connection resumes. */
const externalZone = 256 * 1024;

/** Certificates between that of a service and that of a CA: two are usual, and more where one CA vouches for another. */
const verifyDepth = 4;

/** What those of some routes take; nothing if there are none. */
export function externalServices(routes: readonly RouteModel[]): ExternalServices | undefined {
  const all = externalServicesOf(routes);
  if (all.length === 0) return undefined;
  return { count: all.length, zone: externalZone, hasTls: all.some(({ tls }) => tls !== undefined) };
}

/** Those that answer requests and are not backends. */
export function externalUpstreams({ externalServices }: Plan, idle: number): Node[] {
  if (externalServices.length === 0) return [];
  return [heading('External services'), ...externalServices.map((service) => upstream(service, idle))];
}

function upstream(service: ExternalServiceModel, idle: number): Directive {
  const { name, host, port, isFollowed, keepAliveTimeout, upstreamKeepAliveTimeout } = service;
  return block(`upstream ${name}`, [
    directive(`zone ${name} ${externalZone / 1024}k`, 'room for some 30 addresses, with a TLS session of each'),
    isFollowed
      ? directive(
          `server ${host}:${port} resolve max_fails=3 fail_timeout=5s`,
          'followed by DNS: nginx starts, and serves all else, while the name leads nowhere',
        )
      : directive(`server ${host}:${port}`),
    directive(`keepalive ${idle}`),
    directive(
      `keepalive_timeout ${upstreamKeepAliveTimeout}s`,
      `it closes an idle connection after ${keepAliveTimeout} s: nginx is first`,
    ),
  ]);
}

/** Whether a target is spoken to over TLS. */
export function isSecure(target: TargetModel | AuthTarget): boolean {
  return target.kind === 'external' && target.service.tls !== undefined;
}

/** In every location that leads to a service over TLS: nginx itself would take any certificate. */
export function externalTls({ place }: Plan, target: TargetModel | AuthTarget): Directive[] {
  if (target.kind !== 'external' || target.service.tls === undefined) return [];
  const { serverName, certificateAuthority } = target.service.tls;
  return [
    directive('proxy_ssl_protocols TLSv1.2 TLSv1.3', "nginx's default, said because auditors look for it"),
    directive('proxy_ssl_verify on', 'a certificate that is not valid ends the connection: nothing is sent'),
    directive(`proxy_ssl_trusted_certificate ${authorities(place, certificateAuthority)}`),
    directive(`proxy_ssl_verify_depth ${verifyDepth}`, 'public CAs have two intermediates and more'),
    directive(`proxy_ssl_name ${serverName}`, 'whom the certificate has to name'),
    directive('proxy_ssl_server_name on', 'many services of one address are told apart by it (SNI)'),
  ];
}

/** Read when nginx starts, and not again. */
function authorities({ systemAuthorities, authoritiesDirectory }: PlaceModel, privateOne: string | undefined): string {
  return quote(
    'certificateAuthority',
    privateOne === undefined ? systemAuthorities : `${authoritiesDirectory}/${privateOne}/ca.crt`,
  );
}
