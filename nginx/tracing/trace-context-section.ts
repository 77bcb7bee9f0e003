import { block, directive, Directive, heading, Node } from '../directive';
import { Plan } from '../plan';

/** What is passed on of what other systems say of a trace. @see https://www.w3.org/TR/trace-context/#tracestate-limits */
const longestTraceState = 512;

/**
 * A trace goes on as the client has begun it, as a request id does, and begins here otherwise: by maps alone, as every
 * request comes by.
 * @see https://www.w3.org/TR/trace-context/
 */
export function traceContextSection({ proxy: { traceContext, tracing } }: Plan): Node[] {
  if (traceContext === undefined) return [];
  const { sampledPercent } = traceContext;
  return [
    heading('Trace context'),
    block(
      'map $http_traceparent $trace_id_of_client',
      [
        directive('default ""'),
        directive('"~^00-(?<id_of_client>(?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$" $id_of_client'),
      ],
      "a client's own trace, if it says it as version 00 does, and once",
    ),
    block('map $trace_id_of_client $trace_id', [directive('default $trace_id_of_client'), directive('"" $request_id')]),
    ...(tracing === undefined ? passedOn(sampledPercent) : ownSpan(sampledPercent)),
    block(
      'map $trace_id_of_client $accepted_tracestate',
      [directive('default $short_tracestate'), directive('"" ""')],
      'of a trace that the client has begun, and of no other',
    ),
    block('map $http_tracestate $short_tracestate', [
      directive('default ""'),
      directive(`"~^[\\x20-\\x7e]{1,${longestTraceState}}$" $http_tracestate`),
    ]),
  ];
}

/** What a backend is told where nobody records a span here. */
function passedOn(sampledPercent: number): Directive[] {
  return [
    block('map $trace_id_of_client $accepted_traceparent', [
      directive('default $http_traceparent'),
      directive('"" $begun_traceparent'),
    ]),
    ...sampledFlag(sampledPercent),
    block(
      'map $request_id $begun_traceparent',
      [directive(`"~(?<begun_span_id>.{16})$" 00-$request_id-$begun_span_id-${flagOf(sampledPercent)}`)],
      'a new one: 32 digits for the trace, of which 16 are the span, and whether it is sampled',
    ),
  ];
}

/** What it is told where the proxy has a span of its own: the parent is that. */
function ownSpan(sampledPercent: number): Directive[] {
  return [
    block('map $trace_id_of_client $traceparent_of_client', [
      directive('default $http_traceparent'),
      directive('"" ""'),
    ]),
    block(
      'map $traceparent_of_client $parent_span_id',
      [directive('default ""'), directive('"~^.{36}(?<span_id_of_client>.{16})" $span_id_of_client')],
      'whose child the span of this proxy is',
    ),
    ...sampledFlag(sampledPercent),
    block(
      'map $traceparent_of_client $trace_flags',
      [
        directive('default 00'),
        directive(`"" ${flagOf(sampledPercent)}`),
        directive('"~[159d]$" 01'),
        directive('"~[26ae]$" 02'),
        directive('"~[37bf]$" 03'),
      ],
      'whether it is sampled, and whether its id is random; other flags are none that one may pass on',
    ),
    block('map $request_id $span_id', [directive('"~(?<last_half_of_id>.{16})$" $last_half_of_id')]),
    block(
      'map $span_id $accepted_traceparent',
      [directive('default 00-$trace_id-$span_id-$trace_flags')],
      'the span of this proxy, whose child that of a backend is',
    ),
  ];
}

function flagOf(sampledPercent: number): string {
  if (sampledPercent === 0) return '00';
  return sampledPercent === 100 ? '01' : '$sampled_flag';
}

/** Where chance decides. */
function sampledFlag(sampledPercent: number): Directive[] {
  if (sampledPercent === 0 || sampledPercent === 100) return [];
  return [
    block(
      'split_clients "$request_id sampled" $sampled_flag',
      [directive(`${sampledPercent}% 01`), directive('* 00')],
      'not the same requests that are copied, which go by the id alone',
    ),
  ];
}
