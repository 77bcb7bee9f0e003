/** An alert of Prometheus. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: 'critical' | 'warning'; readonly window?: string };
  readonly annotations: Readonly<Record<string, string>>;
}

/** What alerts go by. */
export interface AlertModel {
  /** What tells this proxy from others in Prometheus: `job="shop/edge"`. */
  readonly selector: string;
  /** How a person knows the proxy: `shop/edge`. */
  readonly proxy: string;
  /** Percent of the requests that are to be answered without an error. */
  readonly availability: number;
  /** In seconds. */
  readonly latency: number;
  readonly certificateEnds: number;
  /** Where the page of runbooks is, if it is known. */
  readonly runbooks: string | undefined;
}

/** The page of this repository that says what to do. */
const runbookPage = 'docs/runbooks.md';

/** Above which parts alerts call: of the requests that were tried more than once, and of the connections that a proxy holds. */
export const alertThresholds = { retried: 0.05, full: 0.85 } as const;

/**
 * How fast the budget of errors of 30 days is used: so many times too fast, over a long time and lately.
 * @see https://sre.google/workbook/alerting-on-slos/#6-multiwindow-multi-burn-rate-alerts
 */
const burns = [
  { factor: 14.4, long: '1h', short: '5m', for: '2m', severity: 'critical' },
  { factor: 6, long: '6h', short: '30m', for: '15m', severity: 'critical' },
  { factor: 3, long: '1d', short: '2h', for: '1h', severity: 'warning' },
  { factor: 1, long: '3d', short: '6h', for: '3h', severity: 'warning' },
] as const;

/** Every alert of a proxy, each with a section on the page of runbooks. */
export function alertRules(model: AlertModel): AlertRule[] {
  const { selector, proxy, availability, latency, certificateEnds } = model;
  const rate = (name: string, window: string, more = ''): string => `rate(${name}{${selector}${more}}[${window}])`;
  const requests = 'fairlead_http_requests_total';
  const budget = errorBudget(model);
  const errors = (window: string): string =>
    `sum(${rate(requests, window, ',code=~"5.."')}) / sum(${rate(requests, window)})`;
  const alert = (
    name: string,
    severity: 'critical' | 'warning',
    duration: string,
    expr: string,
    summary: string,
    description: string,
  ): AlertRule => ({
    alert: name,
    expr,
    for: duration,
    labels: { severity },
    annotations: { summary: `${proxy}: ${summary}`, description, ...runbook(model, name) },
  });
  return [
    ...burns.map(({ factor, long, short, for: duration, severity }) => ({
      ...alert(
        'FairleadErrorBudgetBurn',
        severity,
        duration,
        `(${errors(long)}) > ${factor} * ${budget} and (${errors(short)}) > ${factor} * ${budget}`,
        `errors use up the budget of 30 days ${factor} times too fast`,
        `{{ $value | humanizePercentage }} of the requests of ${long} were answered 5xx, where ${availability} % are to be answered without an error.`,
      ),
      // What tells it from the others of its name.
      labels: { severity, window: long },
    })),
    alert(
      'FairleadLatency',
      'warning',
      '15m',
      `histogram_quantile(0.99, sum by (le) (${rate('fairlead_http_request_duration_seconds_bucket', '10m')})) > ${latency}`,
      'requests are slow',
      `One in a hundred takes {{ $value | humanizeDuration }} or longer; ${latency} s are too long.`,
    ),
    alert(
      'FairleadNoReadyPeers',
      'critical',
      '1m',
      `sum by (backend, version) (${rate('fairlead_upstream_no_peer_total', '2m')}) > 0`,
      '{{ $labels.backend }} has no instance that takes requests',
      'DNS names none, all were left out after failures, or each has as many requests as maxConnections allows.',
    ),
    alert(
      'FairleadDnsAnswersNothing',
      'warning',
      '5m',
      `sum by (backend, version) (${rate('fairlead_fallback_requests_total', '5m')}) > 0`,
      '{{ $labels.backend }} is reached through its Service alone',
      'DNS names no instance that answers, while kube-proxy knows one: the way of DNS to the proxies is broken, or its answers are old.',
    ),
    alert(
      'FairleadRetries',
      'warning',
      '15m',
      `sum by (backend, version) (${rate('fairlead_retried_requests_total', '10m')}) / sum by (backend, version) (${rate(requests, '10m', ',backend!=""')}) > ${alertThresholds.retried}`,
      'instances of {{ $labels.backend }} fail, and others answer for them',
      '{{ $value | humanizePercentage }} of the requests were tried more than once.',
    ),
    alert(
      'FairleadProxyFull',
      'warning',
      '5m',
      `sum by (limit) (${rate('fairlead_refused_total', '5m', ',limit!="rate"')}) > 0`,
      'requests are refused for want of room',
      'A proxy holds as many {{ $labels.limit }} as its memory carries, or one client has its part: the error log names the zone.',
    ),
    alert(
      'FairleadProxyNearlyFull',
      'warning',
      '10m',
      `max(fairlead_connections{${selector},state="active"} / ignoring(state) fairlead_connections_limit{${selector}}) > ${alertThresholds.full}`,
      'connections are nearly as many as a proxy holds',
      '{{ $value | humanizePercentage }} of what one proxy takes on are there.',
    ),
    alert(
      'FairleadCertificateEnds',
      'warning',
      '15m',
      `min by (certificate) (fairlead_certificate_not_after_timestamp_seconds{${selector}}) - time() < ${certificateEnds}`,
      'the certificate {{ $labels.certificate }} ends soon',
      'It ends in {{ $value | humanizeDuration }}, and was not renewed.',
    ),
    alert(
      'FairleadCertificateRefused',
      'critical',
      '5m',
      `max by (certificate) (fairlead_certificate_refused{${selector}}) == 1`,
      'the Secret of the certificate {{ $labels.certificate }} is broken',
      'The last good pair is served until it ends; a new proxy is not ready.',
    ),
    alert(
      'FairleadMetricsIncomplete',
      'warning',
      '15m',
      `sum(${rate('fairlead_metrics_folded_total', '10m')}) > 0 or sum(${rate('fairlead_metrics_lost_bytes_total', '10m')}) > 0`,
      'metrics do not say all',
      'More series were needed than maxSeries allows, or counting did not keep up.',
    ),
  ];
}

/** The part of the requests that may be answered with an error. Without the digits that binary fractions bring. */
export function errorBudget({ availability }: Pick<AlertModel, 'availability'>): number {
  return Number((1 - availability / 100).toFixed(6));
}

/** Where it stands what to do when an alert calls. */
export function runbookOf({ runbooks }: Pick<AlertModel, 'runbooks'>, alert: string): string {
  return `${runbooks ?? runbookPage}#${alert.toLowerCase()}`;
}

/** As an annotation; what shows alerts makes a link of `runbook_url`. */
function runbook(model: AlertModel, alert: string): Readonly<Record<string, string>> {
  const place = runbookOf(model, alert);
  return model.runbooks === undefined ? { runbook: place } : { runbook_url: place };
}
