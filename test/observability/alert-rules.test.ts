import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alertRules } from '../../charts/proxy/alert-rules';
import { onFileFinished } from '../afterwards';

const rules = alertRules({
  selector: 'job="shop/edge"',
  proxy: 'shop/edge',
  availability: 99.9,
  latency: 1,
  certificateEnds: 14 * 24 * 60 * 60,
  runbooks: undefined,
});

/** A series, and what each minute brings: in promtool's notation. */
type Series = readonly [name: string, labels: string, values: string];

interface Case {
  readonly series: readonly Series[];
  /** When all of it is there, and when it is over. */
  readonly fires: string;
  readonly ends: string;
  /** Of each alert, beside its severity. */
  readonly labels?: Readonly<Record<string, string>>;
}

const orders = 'backend="orders"';
/** So much a minute for four hours, and nothing more for the rest of a day. */
const forFourHours = (perMinute: number): string => `0+${perMinute}x240 ${240 * perMinute}+0x1200`;
/** All the day. */
const always = (perMinute: number): string => `0+${perMinute}x1440`;
const flag = '0x10 1x230 0x1200';

/** The fault of each alert. */
const cases: Readonly<Record<string, Case>> = {
  FairleadErrorBudgetBurn: {
    series: [
      ['fairlead_http_requests_total', 'code="200"', always(6000)],
      ['fairlead_http_requests_total', 'code="502"', forFourHours(600)],
    ],
    fires: '4h',
    ends: '23h',
  },
  FairleadLatency: {
    series: [
      ['fairlead_http_request_duration_seconds_bucket', 'le="1"', always(95)],
      ['fairlead_http_request_duration_seconds_bucket', 'le="2.5"', `0+100x240 24000+95x1200`],
      ['fairlead_http_request_duration_seconds_bucket', 'le="+Inf"', `0+100x240 24000+95x1200`],
    ],
    fires: '4h',
    ends: '5h',
  },
  FairleadNoReadyPeers: {
    series: [['fairlead_upstream_no_peer_total', orders, forFourHours(1)]],
    fires: '4h',
    ends: '5h',
    labels: { backend: 'orders' },
  },
  FairleadDnsAnswersNothing: {
    series: [['fairlead_fallback_requests_total', orders, forFourHours(1)]],
    fires: '4h',
    ends: '5h',
    labels: { backend: 'orders' },
  },
  FairleadRetries: {
    series: [
      ['fairlead_http_requests_total', `${orders},code="200"`, always(100)],
      ['fairlead_retried_requests_total', `${orders},outcome="answered"`, forFourHours(6)],
    ],
    fires: '4h',
    ends: '5h',
    labels: { backend: 'orders' },
  },
  FairleadProxyFull: {
    series: [['fairlead_refused_total', 'limit="connections"', forFourHours(1)]],
    fires: '4h',
    ends: '5h',
    labels: { limit: 'connections' },
  },
  FairleadProxyNearlyFull: {
    series: [
      ['fairlead_connections', 'state="active"', '10x10 95x230 10x1200'],
      ['fairlead_connections_limit', '', '100x1440'],
    ],
    fires: '4h',
    ends: '5h',
  },
  FairleadCertificateEnds: {
    // Days after 0 are what promtool's clock shows.
    series: [
      [
        'fairlead_certificate_not_after_timestamp_seconds',
        'certificate="proxy"',
        `${13 * 86_400}x240 ${90 * 86_400}x1200`,
      ],
    ],
    fires: '4h',
    ends: '5h',
    labels: { certificate: 'proxy' },
  },
  FairleadCertificateRefused: {
    series: [['fairlead_certificate_refused', 'certificate="proxy"', flag]],
    fires: '4h',
    ends: '5h',
    labels: { certificate: 'proxy' },
  },
  FairleadMetricsIncomplete: {
    series: [['fairlead_metrics_folded_total', '', forFourHours(1)]],
    fires: '4h',
    ends: '5h',
  },
};

const directory = mkdtempSync(join(tmpdir(), 'fairlead-alerts-'));
onFileFinished(() => {
  rmSync(directory, { recursive: true });
});

/** What promtool says of rules whose texts are left out: they have values in them that this test does not look at. */
function tried(name: string, tests: readonly object[]): string {
  const file = join(directory, `${name}.rules.json`);
  const bare = rules.map((rule) => ({ ...rule, annotations: undefined }));
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'edge', rules: bare }] }));
  const test = join(directory, `${name}.test.json`);
  writeFileSync(test, JSON.stringify({ rule_files: [file], evaluation_interval: '1m', tests }));
  return promtool('test', 'rules', test);
}

function promtool(...args: readonly string[]): string {
  const { error, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  if (error !== undefined) throw new Error('promtool is not installed: install Prometheus (Debian: prometheus)');
  return stdout + stderr;
}

function seriesOf([name, labels, values]: Series): object {
  const all = ['job="shop/edge"', 'instance="10.0.0.1:9113"', ...(labels === '' ? [] : [labels])];
  return { series: `${name}{${all.join(',')}}`, values };
}

function fired(name: string, labels: Readonly<Record<string, string>> = {}): object[] {
  return rules.filter(({ alert }) => alert === name).map((rule) => ({ exp_labels: { ...rule.labels, ...labels } }));
}

test('promtool takes the rules, with their texts', () => {
  const file = join(directory, 'rules.json');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'edge', rules }] }));
  expect(promtool('check', 'rules', file)).toContain('SUCCESS');
});

test('every alert has a fault here', () => {
  expect(Object.keys(cases)).toEqual([...new Set(rules.map(({ alert }) => alert))]);
});

test.each(Object.entries(cases))(
  '%s fires by its fault, and ends after it',
  (name, { series, fires, ends, labels }) => {
    const expectation = (time: string, alerts: readonly object[]): object => ({
      eval_time: time,
      alertname: name,
      exp_alerts: alerts,
    });
    const tests = [
      {
        interval: '1m',
        input_series: series.map(seriesOf),
        alert_rule_test: [expectation('1m', []), expectation(fires, fired(name, labels)), expectation(ends, [])],
      },
    ];
    expect(tried(name, tests)).toMatch(/SUCCESS/);
  },
);

test('no alert fires where all is well', () => {
  const well: readonly Series[] = [
    ['fairlead_http_requests_total', `${orders},code="200"`, always(6000)],
    ['fairlead_http_requests_total', `${orders},code="502"`, always(5)],
    ['fairlead_http_request_duration_seconds_bucket', 'le="1"', always(5990)],
    ['fairlead_http_request_duration_seconds_bucket', 'le="+Inf"', always(6000)],
    ['fairlead_upstream_no_peer_total', orders, '0x1440'],
    ['fairlead_fallback_requests_total', orders, '0x1440'],
    ['fairlead_retried_requests_total', `${orders},outcome="answered"`, always(10)],
    ['fairlead_refused_total', 'limit="connections"', '0x1440'],
    ['fairlead_refused_total', 'limit="rate"', always(100)],
    ['fairlead_connections', 'state="active"', '50x1440'],
    ['fairlead_connections_limit', '', '100x1440'],
    ['fairlead_certificate_not_after_timestamp_seconds', 'certificate="proxy"', `${60 * 86_400}x1440`],
    ['fairlead_certificate_refused', 'certificate="proxy"', '0x1440'],
    ['fairlead_metrics_folded_total', '', '0x1440'],
    ['fairlead_metrics_lost_bytes_total', '', '0x1440'],
  ];
  const none = [...new Set(rules.map(({ alert }) => alert))].map((alertname) => ({
    eval_time: '23h',
    alertname,
    exp_alerts: [],
  }));
  expect(tried('well', [{ interval: '1m', input_series: well.map(seriesOf), alert_rule_test: none }])).toMatch(
    /SUCCESS/,
  );
});
