/** A family of metrics, as it is served and documented. */
export interface MetricFamily {
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info';
  readonly labels: readonly string[];
  readonly help: string;
  /** Whether only who asks for `/metrics?peers` gets it: so many series for each instance are beyond the bound. */
  readonly ofPeers?: true;
}

const backend = ['backend', 'version'] as const;

/** Every family that a proxy serves, by name. Counters end with `_total`; an info metric is a gauge that is 1. */
export const metricFamilies = {
  fairlead_http_requests_total: {
    type: 'counter',
    labels: ['host', 'route', ...backend, 'method', 'code', 'reason'],
    help: 'Requests that were answered or given up, each once however often it was tried; if it failed, why.',
  },
  fairlead_http_request_duration_seconds: {
    type: 'histogram',
    labels: ['host', 'route'],
    help: 'From the first byte of a request to the last of its answer.',
  },
  fairlead_http_request_bytes_total: {
    type: 'counter',
    labels: ['host', 'route'],
    help: 'Bytes of requests, heads and bodies.',
  },
  fairlead_http_response_bytes_total: {
    type: 'counter',
    labels: ['host', 'route'],
    help: 'Bytes of answers, heads and bodies.',
  },
  fairlead_upstream_connect_seconds: {
    type: 'histogram',
    labels: backend,
    help: 'Until a connection to an instance was there, of each try; 0 where one was kept.',
  },
  fairlead_upstream_header_seconds: {
    type: 'histogram',
    labels: backend,
    help: 'Until an instance had sent the head of its answer, of each try that got one.',
  },
  fairlead_upstream_response_seconds: {
    type: 'histogram',
    labels: backend,
    help: 'Until an instance had sent its whole answer, of each try that got one.',
  },
  fairlead_upstream_no_peer_total: {
    type: 'counter',
    labels: backend,
    help: 'Tries that found no instance: DNS names none, or all are left out.',
  },
  fairlead_retried_requests_total: {
    type: 'counter',
    labels: [...backend, 'outcome'],
    help: 'Requests that were tried more than once, by what came of it: answered or failed.',
  },
  fairlead_fallback_requests_total: {
    type: 'counter',
    labels: backend,
    help: 'Requests that the fallback answered, as no instance that DNS names was reached.',
  },
  fairlead_peer_requests_total: {
    type: 'counter',
    labels: [...backend, 'peer'],
    help: 'Tries at an instance. One that was not asked for ten minutes is left out.',
  },
  fairlead_peer_failures_total: {
    type: 'counter',
    labels: [...backend, 'peer'],
    help: 'Of these, tries that got no head of an answer: refused, broken or too slow.',
  },
  fairlead_peer_response_seconds_total: {
    type: 'counter',
    labels: [...backend, 'peer'],
    help: 'What the answers of an instance took together.',
  },
  fairlead_peer_retried_total: {
    type: 'counter',
    labels: [...backend, 'peer'],
    help: 'Tries at an instance after which another one was tried.',
    ofPeers: true,
  },
  fairlead_peer_busy_seconds_total: {
    type: 'counter',
    labels: [...backend, 'peer'],
    help: 'What tries at an instance took together, answered or not, of each ten seconds at most: its rate is how many were in progress on average.',
    ofPeers: true,
  },
  fairlead_peer_response_duration_seconds: {
    type: 'histogram',
    labels: [...backend, 'peer'],
    help: 'Until an instance had sent its whole answer, of each try that got one.',
    ofPeers: true,
  },
  fairlead_tls_connections_total: {
    type: 'counter',
    labels: ['protocol', 'group', 'resumed'],
    help: 'Connections that brought a request, by their handshake.',
  },
  fairlead_connections: {
    type: 'gauge',
    labels: ['state'],
    help: 'Connections of clients: active ones, and of these reading a head, writing an answer, or waiting.',
  },
  fairlead_connections_limit: {
    type: 'gauge',
    labels: [],
    help: 'The most connections of clients that this proxy holds.',
  },
  fairlead_requests_limit: {
    type: 'gauge',
    labels: [],
    help: 'The most requests in progress that this proxy holds.',
  },
  fairlead_refused_total: {
    type: 'counter',
    labels: ['limit'],
    help: 'What was refused by a limit: connections, requests in progress, or a rate.',
  },
  fairlead_certificate_not_after_timestamp_seconds: {
    type: 'gauge',
    labels: ['certificate'],
    help: 'When the certificate that is served ends, as a Unix time.',
  },
  fairlead_certificate_refused: {
    type: 'gauge',
    labels: ['certificate'],
    help: '1 while the Secret holds a pair that is refused, and the last good one is served.',
  },
  fairlead_spans_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Spans of the proxy, by what became of them: sent, or dropped, as the collector did not take them or there was no room for them (then so many at least).',
  },
  fairlead_configuration_info: {
    type: 'info',
    labels: ['hash', 'nginx'],
    help: 'Which nginx.conf this is, by the hash of its text.',
  },
  fairlead_metrics_series_limit: {
    type: 'gauge',
    labels: [],
    help: 'The most series that are served here, of all families.',
  },
  fairlead_metrics_folded_total: {
    type: 'counter',
    labels: [],
    help: 'Requests and tries that are counted as "other", as the limit of series was met.',
  },
  fairlead_metrics_lost_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Bytes that were to be counted and were not, at least: counting did not keep up, or there was no room to write.',
  },
} as const satisfies Readonly<Record<string, MetricFamily>>;

/** Upper bounds of the buckets of every histogram, in seconds; a last one has all. */
export const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
