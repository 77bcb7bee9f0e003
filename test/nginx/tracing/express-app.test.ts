import { serviceUrl } from '../../../validation/urls';
import { NodeProcess } from '../../api/support/node-process';
import { proxyModel } from '../support/models';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver';
import { RealNginx } from '../support/real-nginx';
import { StubDns } from '../support/stub-dns';

/** Of requests that a test has sent: those of a readiness check are others. */
function isOfOrders({ attributes, name }: ReceivedSpan): boolean {
  return name === 'work' || String(attributes['url.path']).startsWith('/orders/');
}

test('of so many requests there are as many spans of the proxy, and of the API as their children', async () => {
  const receiver = await OtlpReceiver.start();
  const url = `http://127.0.0.1:${receiver.port}`;
  const app = new NodeProcess('test/serve/fixtures/traced-express.ts', { OTEL_EXPORTER_OTLP_ENDPOINT: url });
  const dns = await StubDns.start();
  dns.instances = [{ address: '127.0.0.1', port: await app.port() }];
  const nginx = await RealNginx.start(
    proxyModel({
      traceContext: { sampledPercent: 100 },
      tracing: { collector: serviceUrl('endpoint', url), service: { name: 'edge', namespace: 'shop' } },
    }),
    { resolvers: [dns.server] },
  );
  await nginx.untilAnswered(({ status }) => status === 404);
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const parent = '00f067aa0ba902b7';
  const flags = [undefined, '01', '00'];
  const sent = Array.from({ length: 60 }, (_, index) => ({ path: `/orders/${index}`, flag: flags[index % 3] }));
  await Promise.all(
    sent.map(async ({ path, flag }) => {
      const headers = flag === undefined ? {} : { traceparent: `00-${traceId}-${parent}-${flag}` };
      expect((await nginx.get({ path, headers })).status).toBe(200);
    }),
  );
  // It sends what it has recorded when it ends.
  app.kill('SIGTERM');
  expect(await app.exited).toEqual({ code: 0, signal: null });
  const sampled = sent.filter(({ flag }) => flag !== '00');
  const spans = await receiver.until(3 * sampled.length, isOfOrders);
  const of = (scope: string) => spans.filter((span) => span.scope === scope);
  expect([of('fairlead').length, of('fairlead-serve').length, of('app').length]).toEqual([40, 40, 40]);
  for (const { path, flag } of sampled) {
    const [proxy, api, ...more] = ['fairlead', 'fairlead-serve'].flatMap((scope) =>
      of(scope).filter(({ attributes }) => attributes['url.path'] === path),
    );
    expect(more).toEqual([]);
    expect(proxy).toMatchObject({ name: 'GET /', kind: 2, parentSpanId: flag === undefined ? undefined : parent });
    expect(api).toMatchObject({
      name: 'GET /orders/:id',
      kind: 2,
      traceId: proxy?.traceId,
      parentSpanId: proxy?.spanId,
    });
    expect(api?.attributes).toMatchObject({ 'url.scheme': 'https', 'server.address': 'localhost' });
    const work = of('app').filter(({ parentSpanId }) => parentSpanId === api?.spanId);
    expect(work).toMatchObject([{ traceId: proxy?.traceId }]);
    if (flag !== undefined) expect(proxy?.traceId).toBe(traceId);
  }
});
