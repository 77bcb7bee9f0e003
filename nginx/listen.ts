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
