import { buffers } from '../model/budget';
import { block, directive, Directive, heading, Node } from './directive';
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

/** Bytes of shared memory that nginx takes for one key of `limit_conn`. */
const bytesPerKey = 128;

/** Linux takes twice of each, and would go up to some MiB for a client that does not read. */
const sockets = `sndbuf=${buffers.socketSend}k rcvbuf=${buffers.socketReceive}k`;

/**
 * Client connections, counted before TLS: what `limit_conn` of the http module counts is requests, and a connection that
 * never sends a whole one would be left out. `pass` gives the connection on within the worker, without a copy of anything.
 * @see https://nginx.org/en/docs/stream/ngx_stream_pass_module.html
 */
export function connectionCount(proxy: ProxyModel): Node[] {
  const { budget, connectionCount: ports } = proxy;
  if (ports === undefined) return [];
  const server = (port: number, to: number): Directive =>
    block('server', [...listen(proxy, port, sockets), directive(`pass 127.0.0.1:${to}`)]);
  return [
    block('stream', [
      heading('Connections of clients: counted before TLS, whatever they go on to do'),
      ...limitedClient(proxy),
      directive('limit_conn_zone $hostname zone=connections:32k', 'one count for all of them'),
      directive(`limit_conn_zone $limited_client zone=connections_of_client:${zoneKilobytes(budget.connections)}k`),
      directive(
        `limit_conn connections ${budget.connections}`,
        'one more is closed at once; beyond these, worker_connections keeps room for probes',
      ),
      directive(`limit_conn connections_of_client ${budget.connectionsPerClient}`, 'one client does not take all'),
      server(proxy.httpPort, ports.httpPort),
      server(proxy.httpsPort, ports.httpsPort),
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

export function streamLimits({ budget }: ProxyModel): Directive[] {
  return [
    directive(`limit_conn streams ${budget.streams}`, 'they take less memory, and last longer'),
    directive(`limit_conn requests_of_client ${budget.requestsPerClient}`),
  ];
}

/** What `requestLimits` and `streamLimits` count in. */
export function requestCount(proxy: ProxyModel): Node[] {
  const { budget, streamPaths } = proxy;
  return [
    ...limitedClient(proxy),
    directive('limit_conn_zone $hostname zone=requests:32k', 'one count for all requests in progress'),
    ...(streamPaths.length === 0 ? [] : [directive('limit_conn_zone $hostname zone=streams:32k')]),
    directive(
      `limit_conn_zone $limited_client zone=requests_of_client:${zoneKilobytes(budget.requests + budget.streams)}k`,
    ),
  ];
}

/** An address that may be that of many clients is not limited as one. */
function limitedClient({ unlimitedClients, trustedProxies }: ProxyModel): Directive[] {
  const networks = [...new Set([...unlimitedClients, ...trustedProxies])];
  return [
    block(
      'geo $unlimited_client',
      [directive('default 0'), ...networks.map((network) => directive(`${network} 1`))],
      'load balancers and nodes that hide the addresses of clients, and clients inside',
    ),
    block('map $unlimited_client $limited_client', [directive('0 $binary_remote_addr'), directive('1 ""')]),
  ];
}

function zoneKilobytes(keys: number): number {
  const unit = 64;
  return Math.ceil((keys * bytesPerKey) / 1024 / unit + 1) * unit;
}
