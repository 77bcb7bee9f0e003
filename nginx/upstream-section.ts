import { idleFallbackConnections, idleUpstreamConnections } from '../model/budget';
import { block, directive, Directive, heading, Node } from './directive';
import { ProxyModel } from './model';

export function upstreamSection(proxy: ProxyModel): Node[] {
  const { timeline } = proxy;
  return [
    heading('The API'),
    block('upstream api', [
      directive(
        `zone api ${upstreamZone(proxy.maxUpstreams) / 1024}k`,
        `room for twice ${proxy.maxUpstreams} instances; a full zone drops some`,
      ),
      ...method(proxy),
      directive(
        `server ${server(proxy)} resolve max_fails=${proxy.maxFails} fail_timeout=${proxy.failTimeout}s`,
        'followed by DNS; one broken connection takes nobody out',
      ),
      directive(`keepalive ${idleUpstreamConnections}`, 'idle connections of each worker'),
      directive(
        `keepalive_timeout ${timeline.upstreamKeepAliveTimeout}s`,
        `the API closes an idle connection after ${timeline.keepAliveTimeout} s: nginx is first`,
      ),
    ]),
    ...fallback(proxy),
  ];
}

/** One server by a fixed address, whoever is behind it. */
function fallback({ upstreamFallback, timeline }: ProxyModel): Directive[] {
  if (upstreamFallback === undefined) return [];
  const reason = 'each connection stays with one instance: it is made anew before that may have ended';
  return [
    block('upstream api_fallback', [
      directive('zone api_fallback 64k', 'the workers share what they know of it'),
      directive(
        `server ${upstreamFallback} max_fails=1 fail_timeout=1s`,
        'asked when no instance that DNS names was reached; one that is away is not waited for again and again',
      ),
      directive('server 127.0.0.1:9 down', 'never asked: of a single server nginx does not count the failures'),
      directive(`keepalive ${idleFallbackConnections}`),
      directive(`keepalive_time ${timeline.fallbackKeepAlive}s`, reason),
      directive(`keepalive_timeout ${timeline.fallbackKeepAlive}s`),
    ]),
  ];
}

/** Bytes: a peer, its address and its name take less than 2 KiB of shared memory, and a rollout can double their number. */
export function upstreamZone(maxUpstreams: number): number {
  const unit = 64 * 1024;
  return Math.ceil((unit + 2 * 2 * 1024 * maxUpstreams) / unit) * unit;
}

function method({ loadBalancing, hashVariable }: ProxyModel): Directive[] {
  switch (loadBalancing) {
    case 'round_robin':
      return [];
    case 'least_conn':
      return [directive('least_conn', 'in turn when idle, and to an idle instance when not')];
    case 'random_two_least_conn':
      return [
        directive('random two least_conn', 'many proxies that do not know of each other do not all choose the same'),
      ];
    case 'hash':
    case 'client_address':
      return [directive(`hash ${String(hashVariable)} consistent`, 'an instance more or less moves few keys')];
  }
}

function server({ upstream }: ProxyModel): string {
  return 'service' in upstream ? `${upstream.host} service=${upstream.service}` : `${upstream.host}:${upstream.port}`;
}

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
