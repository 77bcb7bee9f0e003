import { buffers } from '../model/memory-costs';
import { ProxyModel } from '../model/proxy';
import { RouteModel } from '../model/routes/route';
import { duration, numbersAbove, size } from './amounts';
import { block, directive, Directive, heading, Node, quote } from './directive';
import { listenOutside } from './listen';
import { refusedConnectionsLog } from './metrics/metrics-section';
import { clientOf, HostPlan, isForwarded, Plan } from './plan';

export function limitsSection(plan: Plan): Node[] {
  const { proxy, common } = plan;
  const { timeline, budget, clientTimes } = proxy;
  return [
    heading('Limits: what a client may take'),
    directive(`client_max_body_size ${size(common.maxBodySize)}`, 'a larger body is answered 413'),
    ...bodyLengths(plan),
    directive(`client_body_buffer_size ${buffers.body}k`, 'a larger body waits in a file until it is whole'),
    directive(`client_header_timeout ${duration(clientTimes.headerTimeout)}`, 'for the whole request head'),
    directive(`client_body_timeout ${duration(clientTimes.bodyTimeout)}`, 'between two reads of a body'),
    directive(`send_timeout ${duration(clientTimes.sendTimeout)}`, 'between two writes of an answer'),
    directive('reset_timedout_connection on', 'frees the memory of clients that went away'),
    directive('max_headers 100', 'more is not a request, but an attack'),
    directive(`client_header_buffer_size ${buffers.head}k`),
    directive(
      `large_client_header_buffers ${buffers.largeHeads} ${buffers.largeHead}k`,
      'in all less than Node takes (16 KiB), with what nginx adds; more is answered 431',
    ),
    directive(`http2_max_concurrent_streams ${budget.streamsPerConnection}`, 'requests at once on one connection'),
    ...requestCount(plan),
    directive(
      `keepalive_timeout ${timeline.clientKeepAliveTimeout}s ${timeline.clientKeepAliveHint}s`,
      'longer than a load balancer in front keeps idle ones; clients are told the second',
    ),
    directive(
      `keepalive_min_timeout ${timeline.clientKeepAliveMinimum}s`,
      'an ending worker keeps idle connections for as long as clients were told',
    ),
    directive(
      `keepalive_requests ${timeline.clientConnectionRequests}`,
      'HTTP/2 ends a connection with requests on their way, which some clients then fail',
    ),
    directive(`keepalive_time ${timeline.http2ConnectionTime}s`, 'the same, of its age'),
  ];
}

/** Of HTTP/1.1 alone, whose end is clean (`Connection: close`); HTTP/2 goes by what the server says. */
export function connectionTime({ timeline }: ProxyModel): Directive[] {
  return [
    directive(
      `keepalive_time ${timeline.http1ConnectionTime}s`,
      'HTTP/1.1 ends without loss: its clients spread over new proxies',
    ),
  ];
}

/** Maps for `refuseLongerBody`. */
function bodyLengths({ hosts }: Plan): Directive[] {
  const sizes = new Set(hosts.flatMap(({ shorter }) => [...shorter].map(({ maxBodySize }) => maxBodySize)));
  return [...sizes]
    .sort((a, b) => a - b)
    .map((limit, index) =>
      block(
        `map $content_length ${longerThan(limit)}`,
        [directive(`${quote('maxBodySize', `~${numbersAbove(limit)}`)} 1`)],
        index === 0
          ? 'nginx compares a length with the limit of the location that is entered, and of no other'
          : undefined,
      ),
    );
}

/** In a location that a condition chose: its limit, where the location that was entered has a higher one. */
export function refuseLongerBody({ shorter }: HostPlan, route: RouteModel): Directive[] {
  if (!shorter.has(route)) return [];
  return [block(`if (${longerThan(route.maxBodySize)})`, [directive('return 413')])];
}

/** The limit of a location: what the routes that it leads to allow. */
export function bodySize({ common }: Plan, routes: readonly RouteModel[]): Directive[] {
  const most = Math.max(0, ...routes.map(({ maxBodySize }) => maxBodySize));
  return routes.length === 0 || most === common.maxBodySize ? [] : [directive(`client_max_body_size ${size(most)}`)];
}

function longerThan(limit: number): string {
  return `$longer_than_${size(limit)}`;
}

/** Bytes of shared memory that nginx takes for one key of `limit_conn`. */
const bytesPerKey = 128;

/** Linux takes twice of each, and would go up to some MiB for a client that does not read. */
const sockets = `sndbuf=${buffers.socketSend}k rcvbuf=${buffers.socketReceive}k`;

/**
 * Client connections, counted before TLS: what `limit_conn` of the http module counts is requests, and a connection that
 * never sends a whole one would be left out. `pass` gives the connection on within the worker, without a copy of anything.
 * @see https://nginx.org/en/docs/stream/ngx_stream_pass_module.html
 */
export function connectionCount(plan: Plan): Node[] {
  const { proxy, place } = plan;
  const { budget } = proxy;
  const { connectionCount: ports } = place;
  if (ports === undefined) return [];
  const server = (port: number, to: number): Directive =>
    block('server', [...listenOutside(place, port, sockets), directive(`pass 127.0.0.1:${to}`)]);
  return [
    block('stream', [
      heading('Connections of clients: counted before TLS, whatever they go on to do'),
      ...limitedClient(plan),
      directive('limit_conn_zone $hostname zone=connections:32k', 'one count for all of them'),
      directive(`limit_conn_zone $limited_client zone=connections_of_client:${zoneKilobytes(budget.connections)}k`),
      directive(
        `limit_conn connections ${budget.connections}`,
        'one more is closed at once; beyond these, worker_connections keeps room for probes',
      ),
      directive(`limit_conn connections_of_client ${budget.connectionsPerClient}`, 'one client does not take all'),
      ...refusedConnectionsLog(plan),
      server(place.httpPort, ports.httpPort),
      server(place.httpsPort, ports.httpsPort),
    ]),
  ];
}

/** Requests in progress; for a location's server, where what does not fit is answered 503. */
export function requestLimits({ budget }: ProxyModel): Directive[] {
  return [
    directive(`limit_conn requests ${budget.requests}`, 'what memory carries; one more is answered 503'),
    directive(`limit_conn requests_of_client ${budget.requestsPerClient}`, 'each stream of HTTP/2 counts'),
  ];
}

/** The same in every location of a route whose answers may be silent for long. */
export function limitsOfStream(proxy: ProxyModel, route: RouteModel): Directive[] {
  return isStream(route) && route.maxConnectionsPerClient === undefined ? streamLimits(proxy) : [];
}

function isStream(route: RouteModel): boolean {
  return route.streamTimeout !== undefined && isForwarded(route);
}

function streamLimits({ budget }: ProxyModel): Directive[] {
  return [
    directive(`limit_conn streams ${budget.streams}`, 'they take less memory, and last longer'),
    directive(`limit_conn requests_of_client ${budget.requestsPerClient}`),
  ];
}

/** In every location of a route that has one: the limits of its server as well, as a list of its own replaces them. */
export function clientLimit(proxy: ProxyModel, route: RouteModel): Directive[] {
  const { maxConnectionsPerClient } = route;
  if (maxConnectionsPerClient === undefined) return [];
  return [
    ...(isStream(route) ? streamLimits(proxy) : requestLimits(proxy)),
    directive(
      `limit_conn ${clientZone(route)} ${maxConnectionsPerClient}`,
      'in progress on this route; one more is answered 503',
    ),
  ];
}

/** In the error log, which names it. */
function clientZone({ name }: RouteModel): string {
  return `client_on_${name}`;
}

/** What `requestLimits`, `streamLimits` and `clientLimit` count in. */
function requestCount(plan: Plan): Node[] {
  const { proxy, routes } = plan;
  const { budget } = proxy;
  const kilobytes = zoneKilobytes(budget.requests + budget.streams);
  return [
    ...limitedClient(plan),
    directive('limit_conn_zone $hostname zone=requests:32k', 'one count for all requests in progress'),
    ...(routes.every(({ streamTimeout }) => streamTimeout === undefined)
      ? []
      : [directive('limit_conn_zone $hostname zone=streams:32k')]),
    directive(`limit_conn_zone $limited_client zone=requests_of_client:${kilobytes}k`),
    ...routes
      .filter(({ maxConnectionsPerClient }) => maxConnectionsPerClient !== undefined)
      .map((route) => directive(`limit_conn_zone $limited_client zone=${clientZone(route)}:${kilobytes}k`)),
  ];
}

/** An address that may be that of many clients is not limited as one. */
function limitedClient(plan: Plan): Directive[] {
  const { unlimitedClients, trustedProxies } = plan.proxy;
  const networks = [...new Set([...unlimitedClients, ...trustedProxies])];
  const client = clientOf(plan);
  return [
    ...(client === '$binary_remote_addr'
      ? []
      : [
          block(
            'map $binary_remote_addr $client',
            [
              directive('default $binary_remote_addr'),
              directive('"~(?s)^(?<network_of_client>.{8}).{8}$" $network_of_client'),
            ],
            'of IPv6 a client has at least a network of 64 bits (RFC 6177), and could take another address for each request',
          ),
        ]),
    block(
      'geo $unlimited_client',
      [directive('default 0'), ...networks.map((network) => directive(`${network} 1`))],
      'load balancers and nodes that hide the addresses of clients, and clients inside',
    ),
    block('map $unlimited_client $limited_client', [directive(`0 ${client}`), directive('1 ""')]),
  ];
}

function zoneKilobytes(keys: number): number {
  const unit = 64;
  return Math.ceil((keys * bytesPerKey) / 1024 / unit + 1) * unit;
}
