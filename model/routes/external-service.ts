import { timeline } from '../timeline';

/** A service that answers requests and is not a backend of the deployment, as a proxy sees it. */
export interface ExternalServiceModel {
  /** Its name in nginx.conf, which follows from all that is here: no DNS label, as those of backends are. */
  readonly name: string;
  /** A DNS name, or an address, in brackets if it is IPv6. */
  readonly host: string;
  readonly port: number;
  /** Whether DNS is asked for its addresses again and again while nginx runs. */
  readonly isFollowed: boolean;
  /** How it is spoken to; plain HTTP if it is left out. */
  readonly tls: ExternalTls | undefined;
  /** In seconds: when it closes an idle connection, and when nginx does. */
  readonly keepAliveTimeout: number;
  readonly upstreamKeepAliveTimeout: number;
}

/** What its certificate has to be. */
export interface ExternalTls {
  readonly serverName: string;
  /** The name of a private CA, as the place of the proxy has it. @default - those that the system trusts */
  readonly certificateAuthority: string | undefined;
}

/** A service with what follows from where it is. */
export function externalServiceModel(
  where: Pick<ExternalServiceModel, 'host' | 'port' | 'isFollowed' | 'tls' | 'keepAliveTimeout'>,
): ExternalServiceModel {
  const { host, port, tls, keepAliveTimeout } = where;
  const { keepAliveTimeout: usual } = timeline();
  const { upstreamKeepAliveTimeout } = timeline({ keepAliveTimeout: `${keepAliveTimeout}s` });
  const parts = [
    tls === undefined ? 'http' : 'https',
    host.startsWith('[') ? `v6_${host.slice(1, -1).replaceAll(':', '-')}` : host,
    port,
    ...(keepAliveTimeout === usual ? [] : [`${keepAliveTimeout}s`]),
    ...(tls?.certificateAuthority === undefined ? [] : ['ca', tls.certificateAuthority]),
  ];
  return { ...where, name: parts.join('_'), upstreamKeepAliveTimeout };
}
