import { AuthFile } from '../../model/auth/auth-file';
import { RouteModel } from '../../model/routes/route';
import { block, directive, Directive, heading, Node, quote } from '../directive';
import { errorPath } from '../error-answer';
import { HostPlan, Plan } from '../plan';
import { literal } from '../routes/conditions-section';
import { certificateDirectory } from '../tls/certificate-names';

/** Certificates between that of a client and that of the CA. */
const verifyDepth = 4;

/** Whether any route asks clients for certificates. */
export function asksForCertificates(routes: readonly RouteModel[]): boolean {
  return routes.some(({ auth }) => auth?.kind === 'clientCertificate');
}

/** Whose certificates are taken, for each rule once. */
export function clientCertificatesSection(plan: Plan): Node[] {
  const rules = plan.routes.flatMap((route) => {
    const { auth } = route;
    return auth?.kind === 'clientCertificate' && plan.first.auth(route) === route ? [{ route, auth }] : [];
  });
  if (rules.length === 0) return [];
  return [
    heading('Certificates of clients: TLS has verified them, and a route says whose it takes'),
    ...rules.map(({ route, auth: { subjects } }) =>
      subjects.length === 0
        ? block(`map $certificate_is_valid ${refused(plan, route)}`, [directive('default 1'), directive('1 0')])
        : block(`map "$certificate_is_valid $ssl_client_s_dn" ${refused(plan, route)}`, [
            directive('default 1'),
            ...subjects.map((subject) => directive(`${quote('subjects', `~^1 ${literal(subject)}$`)} 0`)),
          ]),
    ),
    ...plan.hosts.flatMap((host) => {
      const own = directoryForClients(plan, host);
      if (own === undefined) return [];
      return [
        block(
          `map $ssl_server_name ${own}`,
          [directive(`default ${certificateDirectory(host.host.certificate)}`)],
          'by a name of its own: no session of another host is resumed, whose CA may have the same name',
        ),
      ];
    }),
  ];
}

/**
 * The variable that has the directory of the certificate of a host which verifies clients: nginx tells sessions apart by it, as it is written, and by the
 * name of the CA.
 */
export function directoryForClients(plan: Plan, { host }: HostPlan): string | undefined {
  // In an order that does not follow from that of adding them.
  const first = plan.routes.find((route) => authorityOf(route) !== undefined && host.routes.includes(route));
  return first === undefined ? undefined : `$certificate_directory_for_${plan.variableOf(first)}`;
}

function authorityOf({ auth }: RouteModel): AuthFile | undefined {
  return auth?.kind === 'clientCertificate' ? auth.authority : undefined;
}

/** In the server of a host with such routes. nginx itself answers 421 there where the handshake was for another name than the request. */
export function verifyClients({ place }: Plan, { host }: HostPlan): Directive[] {
  const [authority] = host.routes.flatMap((route) => authorityOf(route) ?? []);
  if (authority === undefined) return [];
  return [
    directive(
      `ssl_client_certificate ${quote('authority', `${place.authDirectory}/${authority.path}`)}`,
      'read when nginx starts: another one is a restart',
    ),
    directive('ssl_verify_client optional', 'who shows none may use the other routes'),
    directive(`ssl_verify_depth ${verifyDepth}`, 'a CA may have some between'),
    directive(`error_page 495 =403 ${errorPath}`, 'a certificate of another CA, or one that has expired'),
  ];
}

/** In every location of a route: before anything answers, as a redirect is one too. */
export function refuseWithoutCertificate(plan: Plan, route: RouteModel): Directive[] {
  const { auth } = route;
  if (auth?.kind !== 'clientCertificate') return [];
  if (auth.authority === undefined) {
    return [directive('return 500', 'without the CA nobody can be told from anybody else')];
  }
  return [block(`if (${refused(plan, route)})`, [directive('return 403')], 'no certificate, or one of somebody else')];
}

function refused(plan: Plan, route: RouteModel): string {
  return `$no_client_of_${plan.variableOf(plan.first.auth(route))}`;
}
