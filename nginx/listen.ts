import { directive, Directive } from './directive';
import { PlaceModel } from './place';

/** `listen` directives of one port, for each address family. */
export function listen({ listenAddress, ipFamilies }: PlaceModel, port: number, parameters = ''): Directive[] {
  const suffix = parameters === '' ? '' : ` ${parameters}`;
  if (listenAddress !== undefined) return [directive(`listen ${listenAddress}:${port}${suffix}`)];
  return [
    ...(ipFamilies.includes('IPv4') ? [directive(`listen ${port}${suffix}`)] : []),
    ...(ipFamilies.includes('IPv6') ? [directive(`listen [::]:${port}${suffix}`)] : []),
  ];
}

/** The same of a port that clients reach from outside. */
export function listenOutside(place: PlaceModel, port: number, parameters = ''): Directive[] {
  return listen({ ...place, listenAddress: place.clientAddress }, port, parameters);
}

/** The same of a server that clients reach: behind the count of connections, where there is one. */
export function listenForClients(place: PlaceModel, scheme: 'http' | 'https', parameters = ''): Directive[] {
  const { connectionCount } = place;
  if (connectionCount === undefined) {
    return listenOutside(place, scheme === 'http' ? place.httpPort : place.httpsPort, parameters);
  }
  const port = scheme === 'http' ? connectionCount.httpPort : connectionCount.httpsPort;
  return [directive(`listen 127.0.0.1:${port}${parameters === '' ? '' : ` ${parameters}`}`)];
}
