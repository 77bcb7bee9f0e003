import { PassThrough } from 'node:stream';
import type { Happening } from '../../dashboard/happenings';
import { parsedScrape } from '../../dashboard/scrape';
import { Output } from '../../local/terminal/output';
import { type Answer, type Observation, observation } from '../../top/observation';
import { screenLines } from '../../top/screen';
import { answered, certificate, someMetrics, someScrape, tried } from './some-metrics';

const output = new Output(new PassThrough());
const time = new Date(2026, 0, 31, 12, 0, 3).getTime();
const canary = 'backend="orders",version="canary"';

/** How many took no longer than each bound. */
function histogram(name: string, labels: string, counts: readonly [number, number, number]): string[] {
  const [first, second, third] = counts;
  const buckets = [
    ['0.005', first],
    ['0.01', second],
    ['0.1', third],
    ['+Inf', third],
  ] as const;
  return buckets.map(([bound, count]) => `${name}_bucket{${labels},le="${bound}"} ${count}`);
}

const peerDuration = 'fairlead_peer_response_duration_seconds';
const duration = 'fairlead_http_request_duration_seconds';
const inTwoMonths = certificate('proxy', time / 1000 + 61.5 * 86_400);

/** What a proxy has counted in the second before. */
const counted = someScrape(
  time,
  answered(100, 'root'),
  answered(93, 'orders', 200, canary),
  answered(5, 'orders', 404, canary),
  answered(2, 'orders', 502, canary),
  'fairlead_http_requests_total{host="other",route="(http)",method="GET",code="308"} 0',
  ...histogram(duration, 'host="shop.example.com",route="root"', [60, 100, 100]),
  ...histogram(duration, 'host="shop.example.com",route="orders"', [0, 0, 100]),
  ...histogram('fairlead_upstream_response_seconds', 'backend="orders"', [60, 100, 100]),
  `fairlead_retried_requests_total{${canary},outcome="answered"} 3`,
  `fairlead_retried_requests_total{${canary},outcome="failed"} 1`,
  tried(60, '10.244.1.7:3000'),
  'fairlead_peer_busy_seconds_total{backend="orders",peer="10.244.1.7:3000"} 0.24',
  ...histogram(peerDuration, 'backend="orders",peer="10.244.1.7:3000"', [36, 60, 60]),
  tried(40, '10.244.1.12:3000'),
  'fairlead_peer_busy_seconds_total{backend="orders",peer="10.244.1.12:3000"} 0.09',
  ...histogram(peerDuration, 'backend="orders",peer="10.244.1.12:3000"', [40, 40, 40]),
  tried(104, '10.244.2.9:3000', canary),
  `fairlead_peer_failures_total{${canary},peer="10.244.2.9:3000"} 4`,
  `fairlead_peer_retried_total{${canary},peer="10.244.2.9:3000"} 4`,
  `fairlead_peer_busy_seconds_total{${canary},peer="10.244.2.9:3000"} 5.2`,
  ...histogram(peerDuration, `${canary},peer="10.244.2.9:3000"`, [0, 0, 100]),
  'fairlead_connections{state="active"} 121',
  'fairlead_connections{state="writing"} 15',
  'fairlead_connections_limit 4000',
  'fairlead_requests_limit 900',
  ...inTwoMonths,
);

const answers: readonly Answer[] = [
  { name: 'edge-6d5f-x10', before: undefined, after: parsedScrape(someMetrics(inTwoMonths, 'f6e7d8c9b0'), time) },
  { name: 'edge-6d5f-x1', before: someScrape(time - 1000, ...inTwoMonths), after: counted },
  { name: 'edge-6d5f-x2', problem: 'does not answer (ECONNREFUSED)' },
];
const events: readonly Happening[] = [
  { time, tone: 'bad', text: 'edge-6d5f-x2 does not answer (ECONNREFUSED)' },
  { time: time - 2000, tone: 'plain', text: 'orders canary 10.244.2.9:3000 gets its first requests' },
];
const observed = observation(time, answers, events);

const wide = `
fairlead top   12:00:03   2 of 3 proxies answer
200 requests/s   2 5xx/s   5 4xx/s   p50 10 ms   p95 91 ms   p99 98 ms
120 of 4,000 connections (3 %)   14 of 900 requests in progress (1.6 %)   certificate ends in 61 d

PROXY          REQUESTS/S  5XX/S    P99  CONNECTIONS  IN PROGRESS  CERTIFICATE  CONFIGURATION
edge-6d5f-x1          200      2  98 ms    120 (3 %)   14 (1.6 %)         61 d  a1b2c3d4e5
edge-6d5f-x2   does not answer (ECONNREFUSED)
edge-6d5f-x10           –      –      –            –            –         61 d  f6e7d8c9b0

ROUTE       REQUESTS/S  5XX/S  4XX/S     P50     P99
orders             100      2      5   55 ms   99 ms
plain HTTP           0      0      0       –       –
root               100      0      0  4.2 ms  9.9 ms

BACKEND        REQUESTS/S  5XX/S     P50     P99  RETRIED  LOST
orders                100      0  4.2 ms  9.9 ms        0     0
orders canary         100      2       –       –        3     1

PEER              BACKEND        REQUESTS/S  SHARE  FAILURES  IN FLIGHT     P50     P99  RETRIES
10.244.1.7:3000   orders                 60   60 %         0       0.24  4.2 ms  9.9 ms        0
10.244.1.12:3000  orders                 40   40 %         0       0.09  2.5 ms    5 ms        0
10.244.2.9:3000   orders canary         104  100 %         4        5.2   55 ms   99 ms        4

EVENTS
12:00:03  edge-6d5f-x2 does not answer (ECONNREFUSED)
12:00:01  orders canary 10.244.2.9:3000 gets its first requests
`;

const narrow = `
fairlead top   12:00:03   2 of 3 proxies answer
200 requests/s   2 5xx/s   5 4xx/s   p50 10 ms   p95 91 ms
p99 98 ms
120 of 4,000 connections (3 %)
14 of 900 requests in progress (1.6 %)
certificate ends in 61 d

PROXY          REQUESTS/S  5XX/S    P99  CONNECTIONS
edge-6d5f-x1          200      2  98 ms    120 (3 %)
edge-6d5f-x2   does not answer (ECONNREFUSED)
edge-6d5f-x10           –      –      –            –

ROUTE       REQUESTS/S  5XX/S  4XX/S     P50     P99
orders             100      2      5   55 ms   99 ms
plain HTTP           0      0      0       –       –
root               100      0      0  4.2 ms  9.9 ms

BACKEND        REQUESTS/S  5XX/S     P50     P99  RETRIED
orders                100      0  4.2 ms  9.9 ms        0
orders canary         100      2       –       –        3

PEER              BACKEND        REQUESTS/S  SHARE  FAILURES
10.244.1.7:3000   orders                 60   60 %         0
10.244.1.12:3000  orders                 40   40 %         0
10.244.2.9:3000   orders canary         104  100 %         4

EVENTS
12:00:03  edge-6d5f-x2 does not answer (ECONNREFUSED)
12:00:01  orders canary 10.244.2.9:3000 gets its first requ…
`;

function screen(what: Observation, columns: number, rows = 40): string {
  return `\n${screenLines(what, { columns, rows }, output).join('\n')}\n`;
}

describe('a screen', () => {
  test('says of proxies, routes, backends and peers what they did', () => {
    expect(screen(observed, 100)).toBe(wide);
  });

  test('leaves out what a narrow terminal has no room for', () => {
    expect(screen(observed, 60)).toBe(narrow);
  });

  test('is all that there is where there is no terminal', () => {
    const everything = screen(observed, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    expect(everything).toMatch(/^PROXY .* CONFIGURATION +NGINX$/m);
  });

  test.each([
    [1, 1],
    [2, 3],
    [17, 5],
    [40, 12],
    [80, 24],
    [300, 100],
  ])('is no larger than a terminal of %d columns and %d rows', (columns, rows) => {
    const lines = screenLines(observed, { columns, rows }, output);
    expect(lines.length).toBeLessThanOrEqual(rows);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(columns);
  });

  test('has some of each table in a low terminal, those that fail first', () => {
    const lines = screenLines(observed, { columns: 100, rows: 20 }, output);
    for (const title of ['PROXY', 'ROUTE', 'BACKEND', 'PEER', 'EVENTS']) {
      expect(lines.filter((line) => line.startsWith(title))).toHaveLength(1);
    }
    const low = screen(observed, 100, 18);
    expect(low).toMatch(/^edge-6d5f-x2 +does not answer/m);
    expect(low).not.toContain('edge-6d5f-x10');
  });

  test('says what is to come before a proxy has answered twice', () => {
    const first = observation(time, answers.slice(0, 1), []);
    expect(screen(first, 80)).toMatch(
      /^\nfairlead top {3}12:00:03 {3}1 proxy answers\nFigures come with the second answer of a proxy\n\nPROXY /,
    );
  });

  test('has nothing in it that moves a terminal', () => {
    const named = 'edge\u001b[2J\u0007';
    const hostile = observation(time, [{ name: named, problem: 'says \u001b]0;title\u0007\n' }], []);
    const lines = screenLines(hostile, { columns: 80, rows: 24 }, output);
    expect(lines.at(-1)).toMatch(/^edge/);
    expect(lines.join('')).not.toMatch(/\p{Cc}/u);
  });

  test('says whose certificate ends first, which is refused, and what was refused by limits or not counted', () => {
    const after = someScrape(
      time,
      ...certificate('proxy', time / 1000 + 90 * 86_400),
      ...certificate('admin.example.com', time / 1000 + 3600 * 30, true),
      'fairlead_refused_total{limit="rate"} 3',
      'fairlead_metrics_lost_bytes_total 1',
    );
    const text = screen(observation(time, [{ name: 'edge', before: someScrape(time - 1000), after }], []), 200);
    expect(text).toContain('certificate of admin.example.com ends in 30 h   certificate of admin.example.com refused');
    expect(text).toContain('   3 refused/s by limits   ');
    expect(text).toContain('   more was answered than counted\n');
    expect(text).toMatch(/^edge .* refused /m);
  });

  test('has a dash for what a proxy of an older version does not say of an instance', () => {
    const pair = { before: someScrape(time - 1000), after: someScrape(time, tried(5, '10.244.1.7:3000')) };
    const text = screen(observation(time, [{ name: 'edge', ...pair }], []), 100);
    expect(text).toMatch(/^10\.244\.1\.7:3000 +orders +5 +100 % +0 +– +– +– +–$/m);
  });

  test('has hosts where routes are of several', () => {
    const other = answered(1).replace('shop.example.com', 'admin.example.com');
    const pair = { before: someScrape(time - 1000), after: someScrape(time, answered(1), other) };
    const text = screen(observation(time, [{ name: 'edge', ...pair }], []), 100);
    expect(text).toMatch(/^ROUTE .* HOST\nroot .* {2}admin\.example\.com\nroot .* {2}shop\.example\.com\n/m);
  });

  test('is red where something is bad', () => {
    const style = (name: string, text: string): string => `<${name}>${text.trim()}</${name}>`;
    const lines = screenLines(observed, { columns: 100, rows: 40 }, { style } as unknown as Output).join('\n');
    expect(lines).toContain('<red>2 of 3 proxies answer</red>');
    expect(lines).toContain('<red>2 5xx/s</red>');
    expect(lines).toContain('<red>does not answer (ECONNREFUSED)</red>');
    expect(lines).not.toContain('<red>0</red>');
  });
});
