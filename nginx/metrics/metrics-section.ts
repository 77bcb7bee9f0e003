import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProxyModel } from '../../model/proxy';
import { cachesOf } from '../../model/routes/route';
import { upstreamOf } from '../backends/upstream-section';
import { block, directive, Directive, heading, Node, quote } from '../directive';
import { listen } from '../listen';
import { Place, placeModel, PlaceModel } from '../place';
import { Plan, plan } from '../plan';
import type { Script } from '../scripts';
import { countedStatus, hasGrpc } from '../routes/grpc-section';
import { hasUnrouted, unrouted } from '../reason-section';
import { encodedPath } from '../tls/last-good-certificate-section';
import { defaultMaxSeries, metricsModel, noRoute, plainHttp } from './metrics-model';

/** The files beside nginx.conf that nginx runs where there are metrics: the first imports the other. */
export const metricsScriptNames = ['metrics.mjs', 'exposition.mjs'] as const;

/** Bytes of both files together, for each worker: 80,000 requests, of which seconds are kept. */
const bytesOfWorker = 8 * 2 ** 20;
/** In seconds: how often they are counted, if nobody asks. */
const interval = 1;
/** In seconds: how long one of the files is written to, which the last digit of the seconds in `$time_iso8601` tells. */
const slot = 5;
const evenSlot = '~^.{18}[0-4]';
/** Those that are told apart; a client may make up others, as long as a request line may be. */
const countedMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** In seconds: a peer that was asked by nobody for so long is gone. */
const peersForgotten = 600;

/** What nginx runs, to be put beside this nginx.conf where the place has a port of metrics: scripts, and what they are told. */
export function metricsScripts(proxy: ProxyModel, place: Place, conf: string): Script[] {
  const model = metricsModel(plan(proxy, placeModel(place)), conf);
  return metricsScriptNames.map((name) => {
    const script = readFileSync(join(__dirname, name), 'utf8');
    return { name, text: script.replace('const model = {};', () => `const model = ${JSON.stringify(model)};`) };
  });
}

/** Files that requests are written to: each in turn, for five seconds. The other one is emptied when it was counted. */
export function metricsFiles(directory: string): string[] {
  return [0, 1].map((each) => join(directory, `requests-${each}.log`));
}

/** Bytes that the lines of requests may have together. */
export function metricsStorage(workers: number): number {
  return workers * bytesOfWorker;
}

/** The same with the counts, as they are and as they are being written. */
export function metricsVolume(workers: number, maxSeries?: number): number {
  return metricsStorage(workers) + 2 * metricsZone(maxSeries);
}

/** Bytes of shared memory. */
export function metricsZone(maxSeries = defaultMaxSeries): number {
  const unit = 64 * 2 ** 10;
  return Math.ceil((2 * unit + 256 * maxSeries) / unit) * unit;
}

/**
 * Writes each request where the script counts it. A line of C costs a tenth of what a call of the script would. Lines of a request are
 * counted apart from one another, so that few differ. Whatever a worker has written is counted though it is killed.
 */
export function metricsLog(whole: Plan): Node[] {
  const { place, routes } = whole;
  const { metrics } = place;
  if (metrics === undefined) return [];
  const backend = routes.some((route) => upstreamOf(route) === '$backend') ? '$backend' : '';
  return [
    heading('Metrics: what is counted of a request, in lines that many requests have alike'),
    ...counting(whole),
    ...(hasUnrouted(whole) ? [] : [unrouted]),
    block(
      'map $connection_requests $first_of_connection',
      [directive('1 "\\nT$ssl_protocol $ssl_session_reused $ssl_curve"')],
      'a handshake is counted with its first request',
    ),
    block(
      'map $request_method $counted_method',
      [directive('default other'), ...countedMethods.map((method) => directive(`${method} ${method}`))],
      'short, whatever a client sends: lines of it could fill the memory that they wait in',
    ),
    directive(
      `log_format metrics escape=none ${[
        `'R$route ${backend} $proxy_host${hasGrpc(routes) ? `${calledUpstream} ${countedStatus}` : ' $status'} $counted_method $reason $request_time${cachesOf(routes).length === 0 ? '' : ' $upstream_cache_status'}'`,
        "'|$upstream_addr|$upstream_connect_time|$upstream_header_time|$upstream_response_time'",
        "'\\nB$route $bytes_sent $request_length$first_of_connection'",
      ].join(' ')}`,
    ),
    block(
      'map $time_iso8601 $is_even_slot',
      [directive(`"${evenSlot}" 1`), directive('"~(?<is_odd_slot>.)" ""')],
      'two files in turn, for five seconds each: the other one is emptied once it is counted',
    ),
    ...logs(metrics, 'metrics', ['$is_even_slot', '$is_odd_slot']),
  ];
}

/** Where the counts are, and what the script goes by. */
export function counting({ place, proxy }: Plan): Directive[] {
  if (place.metrics === undefined) return [];
  return [
    directive(`js_shared_dict_zone zone=metrics:${metricsZone(proxy.metrics?.maxSeries) / 1024}k`, 'the counts'),
    directive('js_shared_dict_zone zone=metrics_lock:32k type=number timeout=10s', 'one worker counts at a time'),
    directive(`js_var $metrics_directory ${encodedPath('metricsDirectory', place.metrics.directory)}`),
    directive(`js_var $metrics_slot ${slot}`, 'in seconds'),
    directive(`js_var $metrics_most_bytes ${metricsStorage(place.workers)}`),
    directive(`js_var $metrics_peers_forgotten ${peersForgotten}`),
  ];
}

/** Connections that were refused, which the http block does not see; in the stream block. */
export function refusedConnectionsLog({ place }: Plan): Node[] {
  if (place.metrics === undefined) return [];
  return [
    block(
      'map "$limit_conn_status $time_iso8601" $refused_in_even_slot',
      [directive(`"~^REJECTED ${evenSlot.slice(2)}" 1`)],
      'counted with the metrics',
    ),
    block('map "$limit_conn_status $refused_in_even_slot" $refused_in_odd_slot', [directive('"REJECTED " 1')]),
    directive("log_format refused 'X'"),
    ...logs(place.metrics, 'refused', ['$refused_in_even_slot', '$refused_in_odd_slot']),
  ];
}

/** Not buffered: a killed worker takes nothing with it. */
function logs(
  { directory }: { readonly directory: string },
  format: string,
  conditions: readonly string[],
): Directive[] {
  return metricsFiles(directory).map((file, each) =>
    directive(
      `access_log ${quote('metricsDirectory', file)} ${format} if=${conditions[each]}`,
      each === 0 ? 'not buffered: a worker that is killed takes nothing with it' : undefined,
    ),
  );
}

/** What `$proxy_host` is of other requests: the module of gRPC has no variable that says it. */
const calledUpstream = '$called_upstream';

/** In every location of a route to gRPC that leads to an upstream. */
export function countUpstream({ place }: Plan, upstream: string): Directive[] {
  return place.metrics === undefined
    ? []
    : [directive(`set ${calledUpstream} ${upstream}`, 'whom its calls count for')];
}

/** In a location whose requests have no `$route` where there are neither metrics nor spans. */
export function countAs({ place, proxy }: Plan, route: string): Directive[] {
  return place.metrics === undefined && proxy.tracing === undefined
    ? []
    : [directive(`set $route ${route}`, 'what its requests are counted as')];
}

export function countAsNoRoute(whole: Plan, host: Plan['hosts'][number]): Directive[] {
  return countAs(whole, noRoute(whole.hosts.indexOf(host)));
}

export function countAsPlainHttp(whole: Plan): Directive[] {
  return countAs(whole, plainHttp);
}

/** What Prometheus asks. */
export function metricsServer(whole: Plan): Node[] {
  if (whole.place.metrics === undefined) return [];
  const { series } = metricsModel(whole, '');
  return [
    heading(`Server: metrics, on a port that no client reaches; at most ${series} series`),
    ...serverOf(
      whole.place,
      directive(`js_periodic metrics.count interval=${interval}s`, 'in one worker; whoever asks counts what is left'),
    ),
  ];
}

/** Runs the script when it is asked, and now and then. */
export function serverOf(place: PlaceModel, periodic: Directive): Directive[] {
  if (place.metrics === undefined) return [];
  return [
    block('server', [
      ...listen(place, place.metrics.port),
      directive('js_engine qjs', 'it counts three times as fast'),
      directive(`js_import metrics from ${metricsScriptNames[0]}`),
      directive('access_log off'),
      block('location = /metrics', [
        block('limit_except GET', [directive('deny all')], 'HEAD too'),
        directive('js_content metrics.serve'),
      ]),
      block('location @metrics', [periodic]),
      block('location /', [directive('return 404')]),
    ]),
  ];
}
