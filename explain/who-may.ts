import { BlockList, isIP } from 'node:net';
import type { AuthModel } from '../model/auth/auth';
import type { RouteModel } from '../model/routes/route';
import type { LoggedRequest } from './logged-request';
import { ofRoutes, optionOf } from './main-options';

/** The secret, the ConfigMap or the rules that say who may use a route. */
function whoMay(auth: AuthModel): string {
  switch (auth.kind) {
    case 'basic':
      return `a name and password of the entry ${auth.file.key} of the ${kindText(auth.file.kind)} ${auth.file.name}`;
    case 'jwt':
      return `a token of ${auth.issuer} for ${auth.audiences.join(' or ')}`;
    case 'external':
      return `what the service says that is asked by ${auth.path}`;
    case 'clientCertificate':
      return `a certificate of the client by the CA of the ${auth.authority === undefined ? 'Secret' : kindText(auth.authority.kind)} ${auth.authority?.name ?? 'that is not here'}${auth.subjects.length === 0 ? '' : `, for ${auth.subjects.join(' or ')}`}`;
  }
}

function kindText(kind: 'secret' | 'configMap'): string {
  return kind === 'secret' ? 'Secret' : 'ConfigMap';
}

/** Which `auth` a request meets, and what that asks for. */
export function authOf(request: LoggedRequest, otherwise: string): string {
  return ofRoutes(
    request,
    (route, deployment) =>
      route.auth === undefined
        ? undefined
        : `${optionOf(deployment, route, 'auth')}, which asks for ${whoMay(route.auth)}`,
    otherwise,
  );
}

/** Whether an address is in one of these networks; undefined of what is no address. */
export function isIn(networks: readonly string[], address: string): boolean | undefined {
  const version = isIP(address);
  if (version === 0 || address.includes('%')) return undefined;
  const list = new BlockList();
  for (const network of networks) {
    const [first = '', length] = network.split('/');
    list.addSubnet(first, Number(length), isIP(first) === 4 ? 'ipv4' : 'ipv6');
  }
  return list.check(address, version === 4 ? 'ipv4' : 'ipv6');
}

/** Which `cors` may have turned a browser away that asked first; empty where none may. An error by its path is logged as GET. */
export function strictOrigins(request: LoggedRequest): string {
  if (!['GET', 'OPTIONS'].includes(request.line.method)) return '';
  return ofRoutes(
    request,
    (route, deployment) =>
      route.cors === undefined || route.cors.origins.includes('*') ? undefined : optionOf(deployment, route, 'cors'),
    '',
  );
}

/** Who was turned away by the route: a stranger, or somebody who proved to be someone else. */
export function whyForbidden(request: LoggedRequest): readonly string[] {
  const { line, routes } = request;
  if (line.clientCertificate.startsWith('FAILED')) {
    return [
      `The client showed a certificate that TLS did not take (${line.clientCertificate}): on this host such a request is refused on every route.`,
    ];
  }
  const stranger = (route: RouteModel): boolean =>
    route.allowFrom !== undefined && isIn(route.allowFrom, line.client) === false;
  if (routes.some(stranger)) {
    return [
      `The client's address, ${line.client}, is in none of the networks that may ask: ${ofRoutes(
        request,
        (route, deployment) => (stranger(route) ? optionOf(deployment, route, 'allowFrom') : undefined),
        '',
      )}.`,
    ];
  }
  const cors = strictOrigins(request);
  const byOrigin = `browser asked whether a page may ask (OPTIONS, which the log has as GET), and ${cors} does not name the origin of that page.`;
  if (cors !== '' && routes.every(({ auth }) => auth === undefined)) return [`A ${byOrigin}`];
  const also = cors === '' ? [] : [`Or a ${byOrigin}`];
  if (routes.some(({ auth }) => auth?.kind === 'clientCertificate')) {
    const shown =
      line.clientCertificate === 'NONE' || line.clientCertificate === ''
        ? 'The client showed no certificate'
        : 'The certificate that the client showed is of somebody else, or has expired since the handshake';
    return [`${shown}: ${authOf(request, 'auth of its route')}.`, ...also];
  }
  return [
    `It is known who the client is, or where it comes from, and that is not enough: ${authOf(request, 'allowFrom or auth of its route')}.`,
    ...also,
  ];
}

/** Who was to decide; empty where main.ts has a route that asks nobody. */
export function whyUndecided(request: LoggedRequest): readonly string[] {
  const auth = authOf(request, '');
  if (auth !== '') return [`Nobody could tell who may use the route, as what decides it is away: ${auth}.`];
  if (request.routes.length > 0) return [];
  return [
    'Most often nobody could tell who may use the route (auth), as a Secret, a ConfigMap or the service that is asked is away.',
  ];
}
