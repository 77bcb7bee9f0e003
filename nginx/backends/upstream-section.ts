import { idleConnections } from '../../model/memory-costs';
import { BackendModel } from '../../model/proxy';
import { RouteModel } from '../../model/routes/route';
import { block, directive, Directive, heading, Node } from '../directive';
import { backendsOf, Plan } from '../plan';
import { requestVariable } from '../routes/request-variables';
import { externalUpstreams } from './external-services';
import { hasLiveWeights, liveWeights } from './live-weights-section';

export function upstreamSection(plan: Plan): Node[] {
  const { backends, mirrors, externalServices, routes } = plan;
  const idle = idleConnections(backends.length + mirrors.length + externalServices.length);
  const splits = [...liveWeights(plan), ...routes.flatMap((route) => splitClients(plan, route))];
  return [
    ...backends.flatMap((backend, index) => [
      heading(index === 0 ? 'Backends, and how an instance is chosen' : `Backend ${backend.name}`),
      instances(backend.name, backend, idle.instances),
      ...fallback(plan, backend, idle.fallback),
    ]),
    ...mirrors.flatMap((backend, index) => [
      heading(
        index === 0
          ? 'Who gets copies of requests, apart from who answers: what fails here is not held against an instance there'
          : `Copies for ${backend.name}`,
      ),
      instances(mirrorUpstream(backend.name), backend, idle.instances, [onlyOneCounts]),
    ]),
    ...externalUpstreams(plan, idle.instances),
    ...(splits.length === 0 ? [] : [heading('Which backend a client has, where there are several'), ...splits]),
  ];
}

/** Bytes of shared memory for the instances of a backend: a peer, its address and its name take less than 2 KiB, and a rollout can double their number. */
export function upstreamZone(mostInstances: number): number {
  const unit = 64 * 1024;
  return Math.ceil((unit + 2 * 2 * 1024 * mostInstances) / unit) * unit;
}

/** The name of the upstream that copies of requests go to. */
export function mirrorUpstream(backend: string): string {
  return `${backend}_mirror`;
}

const onlyOneCounts = directive(
  'server 127.0.0.1:9 down',
  'never asked: of a single server nginx does not count the failures',
);

function instances(name: string, backend: BackendModel, idle: number, more: readonly Directive[] = []): Directive {
  const { mostInstances, maxFails, failTimeout } = backend;
  const most = maxConnections(backend);
  return block(`upstream ${name}`, [
    directive(
      `zone backend_${name} ${upstreamZone(mostInstances) / 1024}k`,
      `room for twice ${mostInstances} instances; a full zone drops some`,
    ),
    ...method(backend),
    directive(
      `server ${server(backend)} resolve max_fails=${maxFails} fail_timeout=${failTimeout}s${most}`,
      'followed by DNS; one broken connection takes nobody out',
    ),
    ...more,
    directive(`keepalive ${idle}`, 'idle connections of each worker'),
    directive(
      `keepalive_timeout ${backend.upstreamKeepAliveTimeout}s`,
      `the API closes an idle connection after ${backend.keepAliveTimeout} s: nginx is first`,
    ),
  ]);
}

/** One server by a fixed address, whoever is behind it. */
function fallback(plan: Plan, backend: BackendModel, idle: number): Directive[] {
  const { name, fallback: address } = backend;
  if (address === undefined) {
    if (!needsFallback(plan, name)) return [];
    return [
      block(
        `upstream ${name}_fallback`,
        [directive('server 127.0.0.1:9 down')],
        'it has none, but shares routes with backends that do: nothing is asked',
      ),
    ];
  }
  const { fallbackKeepAlive } = plan.proxy.timeline;
  const reason = 'each connection stays with one instance: it is made anew before that may have ended';
  return [
    block(`upstream ${name}_fallback`, [
      directive(`zone backend_${name}_fallback 64k`, 'the workers share what they know of it'),
      directive(
        `server ${address} max_fails=1 fail_timeout=1s${maxConnections(backend)}`,
        'asked when no instance that DNS names was reached; one that is away is not waited for again and again',
      ),
      onlyOneCounts,
      directive(`keepalive ${idle}`),
      directive(`keepalive_time ${fallbackKeepAlive}s`, reason),
      directive(`keepalive_timeout ${fallbackKeepAlive}s`),
    ]),
  ];
}

/** Whether requests of a route are asked of a fallback when no instance answered. */
export function hasFallback({ backends }: Plan, route: RouteModel): boolean {
  const names = backendsOf(route);
  return backends.some(({ name, fallback: address }) => address !== undefined && names.includes(name));
}

/** Whether a backend is in a split with one that has a fallback. */
function needsFallback(plan: Plan, name: string): boolean {
  return plan.routes.some((route) => backendsOf(route).includes(name) && hasFallback(plan, route));
}

/** The name of the upstream that a route's requests go to, as it stands in `proxy_pass`. */
export function upstreamOf(route: RouteModel): string {
  if (route.target.kind === 'external') return route.target.service.name;
  const [first = '', ...others] = backendsOf(route);
  return others.length === 0 ? first : '$backend';
}

/** Says which backend a client has, before the first try: the others stay with it. */
export function chooseBackend(plan: Plan, route: RouteModel): Directive[] {
  if (upstreamOf(route) !== '$backend') return [];
  if (!hasLiveWeights(plan)) return [directive(`set $backend ${splitVariable(plan, route)}`)];
  return [directive(`set $split_key ${splitKey(plan, route)}`), directive('set $backend $live_backend')];
}

function splitClients(plan: Plan, route: RouteModel): Directive[] {
  const { target } = route;
  if (target.kind !== 'split' || upstreamOf(route) !== '$backend') return [];
  const given = requestVariable(target.stickyBy.source);
  const byAddress =
    splitKey(plan, route) === given
      ? []
      : [
          block(
            `map ${given} ${splitKey(plan, route)}`,
            [directive(`default ${given}`), directive('"" $remote_addr')],
            'who has none is known by address',
          ),
        ];
  if (hasLiveWeights(plan)) return byAddress;
  return [
    ...byAddress,
    block(
      `split_clients ${splitKey(plan, route)} ${splitVariable(plan, route)}`,
      target.shares.filter(({ weight }) => weight > 0).map(({ backend, weight }) => directive(`${weight}% ${backend}`)),
    ),
  ];
}

/** What tells clients apart: a key that a request need not have is followed by its address. */
function splitKey(plan: Plan, route: RouteModel): string {
  if (route.target.kind !== 'split') return '';
  const { source } = route.target.stickyBy;
  return 'name' in source ? `$split_key_${plan.variableOf(route)}` : requestVariable(source);
}

function splitVariable(plan: Plan, route: RouteModel): string {
  return `$split_${plan.variableOf(route)}`;
}

/** One more is answered 503, where no other instance has room. The fallback is one server, and has no more than one instance. */
function maxConnections({ maxConnections: most }: BackendModel): string {
  return most === undefined ? '' : ` max_conns=${most}`;
}

function method({ loadBalancing }: BackendModel): Directive[] {
  if (loadBalancing.key !== undefined) {
    const key = requestVariable(loadBalancing.key.source);
    return [directive(`hash ${key} consistent`, 'an instance more or less moves few keys')];
  }
  if (loadBalancing.cookie !== undefined) {
    const { name, expires } = loadBalancing.cookie;
    const attributes = `${expires === undefined ? '' : ` expires=${expires}s`} path=/ secure httponly samesite=lax`;
    return [
      directive('least_conn', 'who has no instance yet gets an idle one'),
      directive(`sticky cookie ${name}${attributes}`, 'who has one keeps it for as long as it lives'),
    ];
  }
  switch (loadBalancing.method) {
    case 'leastConnections':
      return [directive('least_conn', 'in turn when idle, and to an idle instance when not')];
    case 'randomOfTwo':
      return [
        directive('random two least_conn', 'many proxies that do not know of each other do not all choose the same'),
      ];
    default:
      return [];
  }
}

function server({ instances: found }: BackendModel): string {
  return 'service' in found ? `${found.host} service=${found.service}` : `${found.host}:${found.port}`;
}

export function resolverSection({ proxy, place }: Plan): Node[] {
  const { resolvers, ipFamilies } = place;
  const { resolverValid, resolverTimeout } = proxy.timeline;
  const off = [
    ...(ipFamilies.includes('IPv4') ? [] : [' ipv4=off']),
    ...(ipFamilies.includes('IPv6') ? [] : [' ipv6=off']),
  ].join('');
  return [
    heading('Discovery: instances are what DNS says, asked again and again'),
    directive(
      `resolver ${resolvers.join(' ')} valid=${resolverValid}s${off}`,
      'not the TTL of the answer, which is 30 s in most clusters',
    ),
    directive(`resolver_timeout ${resolverTimeout}s`, 'without an answer the known instances stay'),
  ];
}
