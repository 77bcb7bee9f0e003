import { alertThresholds, errorBudget } from '../alert-rules';
import { type AlertPanel, type DashboardModel, figure, lines } from './alert-panel';
import type { Thresholds } from './grafana-json';
import {
  answered,
  byPeer,
  byRoute,
  byVersion,
  chosen,
  fullest,
  ofBackends,
  partAnswered,
  peerName,
  percentile,
  rate,
  requestsTotal,
  routeName,
  series,
  sum,
  versionName,
} from './queries';

/** Red from where an alert calls on. */
function redFrom(value: number): Thresholds {
  return { base: 'green', steps: [[value, 'red']] };
}

/** In numbers, and over time. */
export function whatUsersSee(model: DashboardModel): AlertPanel[] {
  const { availability, latency, certificateEnds } = model;
  const budget = errorBudget(model);
  return [
    figure({
      title: 'Requests',
      description:
        'Of all clients, each counted once when it ends, however often it was tried. None where there should be some: do clients reach the proxies, and does Prometheus (last row)?',
      unit: 'reqps',
      queries: { requests: sum(rate(requestsTotal)) },
    }),
    figure({
      title: 'Errors',
      description: `The part of the requests that was answered 5xx; ${availability} % are to be answered otherwise. The rows below say on which routes, and by which backends.`,
      unit: 'percentunit',
      queries: { errors: partAnswered('5..') },
      thresholds: redFrom(budget),
      alert: 'FairleadErrorBudgetBurn',
    }),
    figure({
      title: 'Error budget left',
      description: `What is left of the errors that 30 days may have if ${availability} % of the requests are to have none. Of less than 30 days, if Prometheus keeps its data for less. Below 0 there were more. While little is left, change nothing that can wait.`,
      unit: 'percentunit',
      queries: { left: `1 - ${partAnswered('5..', { window: '30d' })} / ${budget}` },
      thresholds: {
        base: 'red',
        steps: [
          [0, 'orange'],
          [0.25, 'green'],
        ],
      },
      alert: 'FairleadErrorBudgetBurn',
    }),
    figure({
      title: 'Slowest in 100',
      description: `What 99 of 100 requests take at most, from their first byte to the last of the answer; ${latency} s are too long. Event streams and WebSockets are slow by nature.`,
      unit: 's',
      queries: { p99: percentile(99, 'fairlead_http_request_duration_seconds') },
      thresholds: redFrom(latency),
      alert: 'FairleadLatency',
    }),
    figure({
      title: 'Fullest proxy',
      description:
        'How much of what its memory carries the fullest proxy holds, of connections and of requests in progress. At 100 % it refuses: more proxies, or more memory for each.',
      unit: 'percentunit',
      queries: {
        connections: fullest('active', 'fairlead_connections_limit'),
        requests: fullest('writing', 'fairlead_requests_limit'),
      },
      thresholds: redFrom(alertThresholds.full),
      alert: 'FairleadProxyNearlyFull',
    }),
    figure({
      title: 'Next end of a certificate',
      description:
        'The time until the first of the certificates that are served ends. Red: it should have been renewed by now. Which one it is stands in the row of certificates.',
      unit: 's',
      queries: { left: `min(${series('fairlead_certificate_not_after_timestamp_seconds')}) - time()` },
      thresholds: { base: 'red', steps: [[certificateEnds, 'green']] },
      alert: 'FairleadCertificateEnds',
    }),
    lines({
      title: 'Requests by code',
      description:
        'What clients were answered, whoever answered. 5xx are failures; 4xx are requests that are wrong, that were refused (429), or that the client gave up (499).',
      unit: 'reqps',
      queries: {
        '1xx': answered('1..'),
        '2xx': answered('2..'),
        '3xx': answered('3..'),
        '4xx': answered('4..'),
        '5xx': answered('5..'),
      },
      colors: { '1xx': 'text', '2xx': 'green', '3xx': 'blue', '4xx': 'yellow', '5xx': 'red' },
      isStacked: true,
    }),
    lines({
      title: 'Errors, as parts of the requests',
      description: `The dashed line is what may be: ${availability} % of the requests are to be answered without a 5xx. Many 4xx after a rollout of the API, or of its clients, are a mistake of one of them.`,
      unit: 'percentunit',
      queries: { '4xx': partAnswered('4..'), '5xx': partAnswered('5..') },
      colors: { '4xx': 'yellow', '5xx': 'red' },
      thresholds: redFrom(budget),
      alert: 'FairleadErrorBudgetBurn',
    }),
    lines({
      title: 'What requests take',
      description: `What half of them, 95 and 99 of 100 take at most; the dashed line is ${latency} s. If p99 alone is high, it is one route, one instance or one kind of request: see the rows below.`,
      unit: 's',
      queries: {
        p50: percentile(50, 'fairlead_http_request_duration_seconds'),
        p95: percentile(95, 'fairlead_http_request_duration_seconds'),
        p99: percentile(99, 'fairlead_http_request_duration_seconds'),
      },
      thresholds: redFrom(latency),
      alert: 'FairleadLatency',
    }),
    lines({
      title: 'How fast the error budget is used',
      description:
        'At 1 the errors of 30 days are used up after 30 days, at 14.4 after two. An alert calls while a long time and a short one are both too fast, so that it ends soon after the errors do.',
      unit: 'short',
      queries: {
        'over 1h': `${partAnswered('5..', { window: '1h' })} / ${budget}`,
        'over 6h': `${partAnswered('5..', { window: '6h' })} / ${budget}`,
      },
      thresholds: {
        base: 'green',
        steps: [
          [1, 'orange'],
          [6, 'red'],
        ],
      },
      alert: 'FairleadErrorBudgetBurn',
    }),
  ];
}

/** What is told apart by host and route. */
export function routes(model: DashboardModel): AlertPanel[] {
  return [
    lines({
      title: 'Requests by route',
      description:
        '(none) is a path that no route has, (http) a redirect to HTTPS, other what nginx refused before it looked for a route. Much of (none): a route is missing, or somebody looks for holes.',
      unit: 'reqps',
      queries: { [routeName]: sum(rate(requestsTotal), byRoute) },
      isStacked: true,
    }),
    lines({
      title: 'Errors by route',
      description:
        'The part of the requests of each route that was answered 5xx. If it is one route alone, look at its backend in the next row.',
      unit: 'percentunit',
      queries: { [routeName]: partAnswered('5..', { by: byRoute }) },
      thresholds: redFrom(errorBudget(model)),
      alert: 'FairleadErrorBudgetBurn',
    }),
    lines({
      title: 'Failures by reason',
      description:
        'Why requests failed, in the words of fairlead explain, which says of each of them what happened and what mends it. api-status is an answer of the API itself; all others are those of nginx.',
      unit: 'reqps',
      queries: {
        '{{reason}}': `${sum(rate(requestsTotal, ['reason!=""']), ['reason'])} or label_replace(0 * ${sum(rate(requestsTotal))}, "reason", "none", "", "")`,
      },
      isStacked: true,
    }),
    lines({
      title: 'Slowest in 100 by route',
      description:
        'What 99 of 100 requests of each route take at most. By host, or of all together, if there are more routes than maxSeries has room for.',
      unit: 's',
      queries: { [routeName]: percentile(99, 'fairlead_http_request_duration_seconds', byRoute) },
      thresholds: redFrom(model.latency),
      alert: 'FairleadLatency',
    }),
    lines({
      title: 'Bytes by route',
      description:
        'Heads and bodies, sent to clients and received from them. Slow requests with many bytes are large bodies or slow clients, and not a slow API.',
      unit: 'Bps',
      queries: {
        [`${routeName} sent`]: sum(rate('fairlead_http_response_bytes_total'), byRoute),
        [`${routeName} received`]: sum(rate('fairlead_http_request_bytes_total'), byRoute),
      },
    }),
  ];
}

/** What is told apart by backend and version. */
export function backends(model: DashboardModel): AlertPanel[] {
  const requests = sum(rate(requestsTotal, ofBackends), byVersion);
  const ofOneBackend = sum(rate(requestsTotal, ofBackends), ['backend']);
  const retried = sum(rate('fairlead_retried_requests_total', [chosen]), [...byVersion, 'outcome']);
  return [
    lines({
      title: 'Share of each version',
      description:
        'Of the requests of a backend, those that each of its versions got: what the weights of a TrafficSplit say, once enough requests came. With stickyBy it is clients that are shared, who do not all ask as often.',
      unit: 'percentunit',
      queries: { [versionName]: `${requests} / on (backend) group_left () ${ofOneBackend}` },
    }),
    lines({
      title: 'Failures of each version',
      description:
        'The part of its requests that was answered 5xx. If it is one version alone, take its weight away, or undo its rollout.',
      unit: 'percentunit',
      queries: { [versionName]: partAnswered('5..', { by: byVersion, labels: ofBackends }) },
      thresholds: redFrom(errorBudget(model)),
      alert: 'FairleadErrorBudgetBurn',
    }),
    lines({
      title: 'Retries',
      description:
        'The part of the requests that was tried more than once, and what came of it: answered costs time alone, failed is an error. Which instances fail is in the next row.',
      unit: 'percentunit',
      queries: { [`${versionName} {{outcome}}`]: `${retried} / on (backend, version) group_left () ${requests}` },
      thresholds: redFrom(alertThresholds.retried),
      alert: 'FairleadRetries',
    }),
    lines({
      title: 'Answered by the fallback',
      description:
        'Requests that reached a backend through its Service alone, as no instance that DNS named answered. Clients see no errors yet: look at the DNS of the cluster.',
      unit: 'reqps',
      queries: { [versionName]: sum(rate('fairlead_fallback_requests_total', [chosen]), byVersion) },
      alert: 'FairleadDnsAnswersNothing',
    }),
    lines({
      title: 'Until the head of an answer, slowest in 100',
      description:
        'What 99 of 100 tries take at most until an instance has sent the head of its answer: the time of the API itself, without slow clients. The dashed line is what a whole request may take.',
      unit: 's',
      queries: { [versionName]: percentile(99, 'fairlead_upstream_header_seconds', byVersion, [chosen]) },
      thresholds: redFrom(model.latency),
      alert: 'FairleadLatency',
    }),
    lines({
      title: 'Until a connection, slowest in 100',
      description:
        'What 99 of 100 tries take at most until there is a connection; one that was kept takes nothing. If it is long, nodes or the network are overloaded, or instances accept no more connections.',
      unit: 's',
      queries: { [versionName]: percentile(99, 'fairlead_upstream_connect_seconds', byVersion, [chosen]) },
    }),
  ];
}

/** What is told apart by address. */
export function instances(): AlertPanel[] {
  const tries = sum(rate('fairlead_peer_requests_total', [chosen]), byPeer);
  const time = sum(rate('fairlead_peer_response_seconds_total', [chosen]), byPeer);
  return [
    lines({
      title: 'Tries at each instance',
      description:
        'By address. With least_conn a slow instance gets fewer. One that gets none is not in the answers of DNS, or was left out after failures. Those beyond maxSeries are counted as other.',
      unit: 'reqps',
      queries: { [peerName]: tries },
    }),
    lines({
      title: 'Failures of each instance',
      description:
        'Tries that got no head of an answer: refused, broken or too slow. One instance: delete its pod. All of one node: look at the node. All of them at each rollout: the API ends before its requests do.',
      unit: 'reqps',
      queries: { [peerName]: sum(rate('fairlead_peer_failures_total', [chosen]), byPeer) },
      alert: 'FairleadRetries',
    }),
    lines({
      title: 'Mean time of each instance',
      description:
        'What a try takes on average. If one instance is slower than the others, delete its pod. Percentiles are not counted for each, as that would be a dozen series of every one.',
      unit: 's',
      queries: { [peerName]: `${time} / ${tries}` },
    }),
    lines({
      title: 'Whole answers of instances, slowest in 100',
      description:
        'What 99 of 100 answers of the instances of a version take at most, to the last byte. Far above the mean beside it: some requests are much slower than most, or one instance is.',
      unit: 's',
      queries: { [versionName]: percentile(99, 'fairlead_upstream_response_seconds', byVersion, [chosen]) },
      alert: 'FairleadLatency',
    }),
  ];
}
