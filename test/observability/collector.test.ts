import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../local/ports';
import { serviceUrl } from '../../validation/urls';
import { onFileFinished } from '../afterwards';
import { NodeProcess } from '../api/support/node-process';
import { proxyModel } from '../nginx/support/models';
import { OtlpReceiver } from '../nginx/support/otlp-receiver';
import { RealNginx } from '../nginx/support/real-nginx';
import { StubDns } from '../nginx/support/stub-dns';
import { until } from '../until';

/** A collector of OpenTelemetry that sends what it takes on to this test. */
async function startCollector(port: number, receiver: OtlpReceiver): Promise<ChildProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-collector-'));
  onFileFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const config = join(directory, 'config.yaml');
  writeFileSync(
    config,
    JSON.stringify({
      receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
      exporters: {
        otlphttp: {
          endpoint: `http://127.0.0.1:${receiver.port}`,
          encoding: 'json',
          compression: 'none',
          sending_queue: { enabled: false },
        },
      },
      service: {
        pipelines: { traces: { receivers: ['otlp'], exporters: ['otlphttp'] } },
        telemetry: { metrics: { level: 'none' }, logs: { level: 'error' } },
      },
    }),
  );
  const collector = spawn('otelcol', [`--config=${config}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  const spawned = await Promise.race([once(collector, 'spawn'), once(collector, 'error')]);
  if (spawned[0] instanceof Error) {
    throw new Error(
      'otelcol is not installed: install the collector of OpenTelemetry (https://opentelemetry.io/docs/collector/install/)',
    );
  }
  onFileFinished(async () => {
    if (collector.exitCode !== null) return;
    const ended = once(collector, 'exit');
    collector.kill('SIGTERM');
    await ended;
  });
  await until(async () => {
    if (collector.exitCode !== null) throw new Error(`otelcol ended with ${collector.exitCode}`);
    const headers = { 'Content-Type': 'application/json', Connection: 'close' };
    const asked = { method: 'POST', headers, body: '{"resourceSpans":[]}' };
    return fetch(`http://127.0.0.1:${port}/v1/traces`, asked).then(
      ({ ok }) => ok,
      () => false,
    );
  }, 'otelcol to take spans');
  return collector;
}

test('a real collector takes the spans of nginx and of an API, and has them as they were meant', async () => {
  const receiver = await OtlpReceiver.start();
  const port = await freePort();
  await startCollector(port, receiver);
  const url = `http://127.0.0.1:${port}`;
  const app = new NodeProcess('test/serve/fixtures/traced-express.ts', { OTEL_EXPORTER_OTLP_ENDPOINT: url });
  const dns = await StubDns.start();
  dns.byHost.set('api.orders.svc.cluster.local', [{ address: '127.0.0.1', port: await app.port() }]);
  const nginx = await RealNginx.start(
    proxyModel({
      backends: [{}, { name: 'gone' }],
      routes: [{}, { path: '/gone', target: 'gone' }],
      traceContext: { sampledPercent: 100 },
      tracing: { collector: serviceUrl('endpoint', url), service: { name: 'edge', namespace: 'shop' } },
    }),
    { resolvers: [dns.server] },
  );
  await nginx.untilAnswered(({ status }) => status === 404);
  const paths = Array.from({ length: 100 }, (_, index) => `/orders/${index}`);
  await Promise.all(paths.map((path) => nginx.get({ path })));
  expect((await nginx.get({ path: '/gone/x' })).status).toBe(503);
  app.kill('SIGTERM');
  await app.exited;
  const of = (scope: string, prefix: string) =>
    receiver.until(
      prefix === '/gone' ? 1 : paths.length,
      (span) => span.scope === scope && String(span.attributes['url.path']).startsWith(prefix),
    );
  const [proxy, api, [gone]] = [
    await of('fairlead', '/orders/'),
    await of('fairlead-serve', '/orders/'),
    await of('fairlead', '/gone'),
  ];
  const parents = new Map(proxy.map(({ spanId, attributes }) => [spanId, attributes['url.path']]));
  expect(
    api.map(({ parentSpanId, attributes }) => [attributes['url.path'], parents.get(String(parentSpanId))]),
  ).toEqual(api.map(({ attributes }) => [attributes['url.path'], attributes['url.path']]));
  expect(proxy[0]).toMatchObject({
    name: 'GET /',
    kind: 2,
    isError: false,
    attributes: { 'http.response.status_code': 200, 'fairlead.backend': 'api' },
    events: [{ name: 'try', attributes: { 'network.peer.address': '127.0.0.1' } }],
    resource: { 'service.name': 'edge', 'service.namespace': 'shop' },
  });
  expect(gone).toMatchObject({ isError: true, attributes: { 'error.type': '503' } });
  expect(gone?.events.map(({ name }) => name)).toEqual(['no instance', 'no instance']);
});
