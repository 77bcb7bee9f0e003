import { freePort } from '../../local/ports';
import { type MetricFamily, metricFamilies } from '../../nginx/metrics/metric-families';
import { onFileFinished } from '../afterwards';
import { OneInstance, startWithOneInstance } from '../nginx/support/one-instance';
import { until } from '../until';
import { RealPrometheus } from './real-prometheus';

let system: OneInstance;
let prometheus: RealPrometheus;

beforeAll(async () => {
  const metricsPort = await freePort();
  system = await startWithOneInstance({ routes: [{ name: 'root' }], metrics: { maxSeries: 500 } }, undefined, {
    metricsPort,
  });
  onFileFinished(() => system.stop());
  prometheus = await RealPrometheus.start('shop/edge', metricsPort);
});

test('Prometheus counts what was sent, through scrapes every second', async () => {
  await until(async () => (await prometheus.value('up')) === 1, 'the first scrape');
  const total = 'sum(fairlead_http_requests_total{route="root"})';
  const before = (await prometheus.value(total)) || 0;
  for (let time = 0; time < 300; time += 1) expect((await system.nginx.get({})).status).toBe(200);
  await until(async () => (await prometheus.value(total)) - before >= 300, 'all that was sent');
  expect((await prometheus.value(total)) - before).toBe(300);
  expect(await prometheus.value('fairlead_http_request_duration_seconds_count{route="root"}')).toBe(
    await prometheus.value(total),
  );
  expect(
    await prometheus.value('histogram_quantile(0.99, fairlead_http_request_duration_seconds_bucket{route="root"})'),
  ).toBeGreaterThan(0);
});

test('Prometheus knows every family that is documented, by its type', async () => {
  const rare = [
    'fairlead_certificate_refused',
    'fairlead_certificate_not_after_timestamp_seconds',
    'fairlead_spans_total',
  ];
  const families = await prometheus.metadata();
  const unknown = Object.entries<MetricFamily>(metricFamilies).filter(([name, { ofPeers }]) => {
    const known = families[name] ?? families[name.replace(/_(total|info)$/, '')];
    return known === undefined && !rare.includes(name) && ofPeers !== true;
  });
  expect(unknown).toEqual([]);
});
