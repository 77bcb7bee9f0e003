import { directive, Directive } from './directive';
import { ProxyModel } from './model';

/** `listen` directives of one port, for each address family. */
export function listen({ listenAddress, ipFamilies }: ProxyModel, port: number, parameters = ''): Directive[] {
  const suffix = parameters === '' ? '' : ` ${parameters}`;
  if (listenAddress !== undefined) return [directive(`listen ${listenAddress}:${port}${suffix}`)];
  return [
    ...(ipFamilies.includes('IPv4') ? [directive(`listen ${port}${suffix}`)] : []),
    ...(ipFamilies.includes('IPv6') ? [directive(`listen [::]:${port}${suffix}`)] : []),
  ];
}

/** The same of a server that clients reach: behind the count of connections, where there is one. */
export function listenForClients(proxy: ProxyModel, scheme: 'http' | 'https', parameters = ''): Directive[] {
  const { connectionCount } = proxy;
  if (connectionCount === undefined) {
    return listen(proxy, scheme === 'http' ? proxy.httpPort : proxy.httpsPort, parameters);
  }
  const port = scheme === 'http' ? connectionCount.httpPort : connectionCount.httpsPort;
  return [directive(`listen 127.0.0.1:${port}${parameters === '' ? '' : ` ${parameters}`}`)];
}
