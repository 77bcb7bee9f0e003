import { directive, heading, Node } from './directive';
import { ProxyModel } from './model';

export function resolverSection({ resolvers, ipFamilies, timeline }: ProxyModel): Node[] {
  const off = [
    ...(ipFamilies.includes('IPv4') ? [] : [' ipv4=off']),
    ...(ipFamilies.includes('IPv6') ? [] : [' ipv6=off']),
  ].join('');
  return [
    heading('Discovery: the instances of the API are what DNS says, asked again and again'),
    directive(
      `resolver ${resolvers.join(' ')} valid=${timeline.resolverValid}s${off}`,
      'not the TTL of the answer, which is 30 s in most clusters',
    ),
    directive(`resolver_timeout ${timeline.resolverTimeout}s`, 'without an answer the known instances stay'),
  ];
}
