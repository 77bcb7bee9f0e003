import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { trustedAuthorities } from '../../model/memory-costs';
import type { ProxyModel } from '../../model/proxy';
import type { TracingModel } from '../../model/traces';
import { upstreamOf } from '../backends/upstream-section';
import { block, directive, Directive, heading, Node, quote } from '../directive';
import { logFile, type Place, type PlaceModel, placeModel } from '../place';
import { backendsOf, Plan, plan } from '../plan';
import { hasGrpc } from '../routes/grpc-section';

/** The file beside nginx.conf that nginx runs where there are spans. */
export const tracingScriptName = 'tracing.mjs';

/** Bytes of both files together, for each worker: some 20,000 spans. */
const bytesOfWorker = 8 * 2 ** 20;
/** In seconds: how long one of the files is written to, which the last digit but one of the seconds in `$time_iso8601` tells. */
const slot = 10;
const evenSlot = '.{17}[024]';
/** In seconds: twice in that time. */
const interval = 5;
/** In milliseconds: name, connection, TLS, request and answer of the last batch, and a second for those before it, take less than that. */
const step = 700;
/** Bytes of what is known to all workers. */
const zone = 32 * 2 ** 10;
/** Certificates between that of a collector and that of a CA. */
const verifyDepth = 4;

/** What the script is told. */
interface ScriptModel {
  readonly url: string;
  readonly files: readonly string[];
  readonly service: TracingModel['service'];
  /** By what `$route` says; the backend is the only one that answers. */
  readonly routes: Readonly<Record<string, { readonly path: string; readonly backend?: string }>>;
  /** By the name of the upstream. */
  readonly backends: Readonly<Record<string, { readonly backend: string; readonly version: string }>>;
}

/** What nginx runs, to be put beside this nginx.conf where the proxy has spans: the script, and what it is told. */
export function tracingScript(
  tracing: TracingModel,
  proxy: ProxyModel,
  place: Place,
): { readonly name: string; readonly text: string } {
  const model = scriptModel(tracing, plan(proxy, placeModel(place)));
  const script = readFileSync(join(__dirname, tracingScriptName), 'utf8');
  return {
    name: tracingScriptName,
    text: script.replace('const model = {};', () => `const model = ${JSON.stringify(model)};`),
  };
}

function scriptModel({ collector, service }: TracingModel, whole: Plan): ScriptModel {
  const { isSecure, host, port, path } = collector;
  const routes = whole.routes.map((route) => {
    const names = route.target.kind === 'external' ? [route.target.service.name] : backendsOf(route);
    const [backend] = names.length === 1 ? names : [];
    return [route.name, { path: route.path.path, ...(backend === undefined ? {} : { backend }) }] as const;
  });
  const backends = [
    ...whole.backends.map(
      ({ name, version }) => [name, { backend: version?.of ?? name, version: version?.name ?? '' }] as const,
    ),
    ...whole.externalServices.map(({ name }) => [name, { backend: name, version: '' }] as const),
  ];
  return {
    url: `${isSecure ? 'https' : 'http'}://${host}:${port}${path}/v1/traces`,
    files: spansFiles(whole.place.spansDirectory),
    service,
    routes: Object.fromEntries(routes),
    backends: Object.fromEntries(backends),
  };
}

/** Files that sampled requests are written to, in turn. */
export function spansFiles(directory: string): string[] {
  return [0, 1].map((each) => join(directory, `spans-${each}.log`));
}

/** Bytes that they may have together. */
export function spansStorage(workers: number): number {
  return workers * bytesOfWorker;
}

/** Bytes of memory that spans take, of all workers together. */
export function spansMemory({ collector }: TracingModel, workers: number): number {
  return spansStorage(workers) + zone + (collector.isSecure ? (1 + workers) * trustedAuthorities : 0);
}

/** Writes each sampled request where the script finds it: a line of C, as for metrics, of which a script that fails takes no request with it. */
export function spansLog({ place, routes, proxy }: Plan): Node[] {
  if (proxy.tracing === undefined) return [];
  const backend = routes.some((route) => upstreamOf(route) === '$backend') ? '$backend' : '';
  const fields = [
    ...['$trace_id', '$span_id', '$parent_span_id', '$msec', '$request_time'],
    ...['$cut_method', '$cut_host', '$cut_path', '$scheme', '$status', hasGrpc(routes) ? '$grpc_status' : ''],
    ...['$route', backend],
    ...['addr', 'status', 'connect_time', 'header_time', 'response_time'].map((name) => `$upstream_${name}`),
  ];
  const directory = logFile('spansDirectory', place.spansDirectory);
  const [even, odd] = ['$sampled_in_even_slot', '$sampled_in_odd_slot'];
  return [
    heading('Spans: what is known of a sampled request, for the script that sends them'),
    directive(`js_shared_dict_zone zone=spans:${zone / 1024}k`, 'how far they were sent'),
    directive(`js_var $spans_slot ${slot}`, 'in seconds'),
    directive(`js_var $spans_most_bytes ${spansStorage(place.workers)}`),
    ...(place.metrics === undefined
      ? [directive('uninitialized_variable_warn off', 'an error before any location has no route')]
      : []),
    directive(`log_format spans escape=json '[${fields.map((field) => `"${field}"`).join(',')}]'`),
    block(
      `map "$trace_flags $time_iso8601" ${even}`,
      [directive(`"~^0[13] ${evenSlot}" 1`)],
      'two files in turn, for ten seconds each: the other one is emptied once it is sent',
    ),
    block(`map "$trace_flags ${even}" ${odd}`, [directive('"~^0[13] $" 1')]),
    ...spansFiles(directory).map((file, each) =>
      directive(
        `access_log ${quote('spansDirectory', file)} spans if=${each === 0 ? even : odd}`,
        each === 0 ? 'not buffered: a worker that is killed takes nothing with it' : undefined,
      ),
    ),
  ];
}

/** In the server of the probes: what sends them. */
export function spansLocation({ place, proxy }: Plan): Directive[] {
  const { tracing } = proxy;
  if (tracing === undefined) return [];
  return [
    block('location @spans', [
      directive('js_engine qjs'),
      directive(`js_import tracing from ${tracingScriptName}`),
      directive(`js_periodic tracing.send interval=${interval}s`, 'in one worker, for all of them'),
      directive(`js_fetch_timeout ${step}ms`, 'ends before the next begins'),
      directive(`resolver_timeout ${step}ms`),
      ...(tracing.collector.isSecure ? trust(place) : []),
    ]),
  ];
}

function trust({ systemAuthorities }: PlaceModel): Directive[] {
  return [
    directive('js_fetch_protocols TLSv1.2 TLSv1.3'),
    directive(
      `js_fetch_trusted_certificate ${quote('systemAuthorities', systemAuthorities)}`,
      'a collector whose certificate is not valid gets nothing',
    ),
    directive(`js_fetch_verify_depth ${verifyDepth}`, 'public CAs have two intermediates and more'),
  ];
}
