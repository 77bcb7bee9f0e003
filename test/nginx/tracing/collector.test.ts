import { once } from 'node:events';
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { selfSignedKeyPair } from '../../../certificates/self-signed';
import { freePort } from '../../../local/ports';
import { nginxConf } from '../../../nginx/nginx-conf';
import type { Place } from '../../../nginx/place';
import { tracingScript } from '../../../nginx/tracing/tracing-section';
import { type ServiceUrl, serviceUrl } from '../../../validation/urls';
import { onFileFinished, onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { scrape, sum } from '../metrics/exposition';
import { proxyModel, type ProxyParts, somePlace } from '../support/models';
import { type OneInstance, startWithOneInstance } from '../support/one-instance';
import { OtlpReceiver } from '../support/otlp-receiver';
import type { RealNginx } from '../support/real-nginx';

function traced(url: string): ProxyParts & { readonly tracing: { readonly collector: ServiceUrl } } {
  return {
    traceContext: { sampledPercent: 0 },
    tracing: { collector: serviceUrl('endpoint', url), service: { name: 'edge', namespace: 'shop' } },
  };
}

/** Files in turn for five seconds instead of ten, and a call for each half of that. */
function inHaste(conf: string): string {
  return conf
    .replace('js_var $spans_slot 10', 'js_var $spans_slot 5')
    .replace('^0[13] .{17}[024]', '^0[13] .{18}[0-4]')
    .replace('tracing.send interval=5s', 'tracing.send interval=2500ms');
}

async function start(
  url: string,
  place: Partial<Place> = {},
  change: (conf: string) => string = String,
): Promise<OneInstance & { readonly metricsPort: number }> {
  const metricsPort = await freePort();
  const system = await startWithOneInstance(traced(url), undefined, { metricsPort, ...place }, (conf) =>
    change(inHaste(conf)),
  );
  onTestFinished(() => system.stop());
  return { ...system, metricsPort };
}

let traces = 0;

/** So many requests that their client has sampled, as no other one is. */
async function sampled(nginx: RealNginx, requests: number): Promise<void> {
  for (let index = 0; index < requests; index += 1) {
    traces += 1;
    const trace = traces.toString(16).padStart(32, '0');
    const { status } = await nginx.get({ headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } });
    expect(status).toBe(200);
  }
}

const spans = 'fairlead_spans_total';

async function counts(port: number): Promise<readonly [sent: number, dropped: number]> {
  const found = await scrape(port);
  return [sum(found, spans, { outcome: 'sent' }), sum(found, spans, { outcome: 'dropped' })];
}

async function untilCounted(port: number, expected: readonly [sent: number, dropped: number]): Promise<void> {
  await until(
    async () => String(await counts(port)) === String(expected),
    `${expected.join(' sent and ')} dropped spans`,
  );
}

test('of a collector that is away, spans are dropped and counted, and it gets those after it is back', async () => {
  const port = await freePort();
  const { nginx, metricsPort } = await start(`http://127.0.0.1:${port}`);
  expect(await counts(metricsPort)).toEqual([0, 0]);
  await sampled(nginx, 20);
  await untilCounted(metricsPort, [0, 20]);
  const receiver = await OtlpReceiver.start(port);
  await sampled(nginx, 10);
  await receiver.until(10);
  await untilCounted(metricsPort, [10, 20]);
  const said = nginx.errors.split('\n').filter((line) => line.includes('tracing: '));
  expect(said).toHaveLength(2);
  expect(said[0]).toContain(`tracing: spans are not taken by http://127.0.0.1:${port}/v1/traces: `);
  expect(said[1]).toContain(`tracing: spans are taken again by http://127.0.0.1:${port}/v1/traces`);
});

test('what a collector cannot take now is sent again, once it can, and once', async () => {
  const receiver = await OtlpReceiver.start();
  const replies = [503, 429].map((status) => ({ status, body: '' }));
  const { reply } = receiver;
  receiver.reply = () => replies.shift() ?? reply();
  const { nginx, metricsPort } = await start(`http://127.0.0.1:${receiver.port}`);
  // What is written as the time of a file begins is sent three times at least; what comes at its end maybe once.
  await until(() => Date.now() % 5000 < 500, 'the time of the next file');
  await sampled(nginx, 5);
  const taken = await receiver.until(5);
  expect(replies).toEqual([]);
  expect(new Set(taken.map(({ spanId }) => spanId)).size).toBe(5);
  await untilCounted(metricsPort, [5, 0]);
});

test('what a collector refuses is dropped at once, and what it rejects is counted as that', async () => {
  const receiver = await OtlpReceiver.start();
  const { reply } = receiver;
  receiver.reply = () => ({ status: 400, body: '' });
  const { nginx, metricsPort } = await start(`http://127.0.0.1:${receiver.port}/`);
  await sampled(nginx, 3);
  await untilCounted(metricsPort, [0, 3]);
  expect(nginx.errors).toContain('it answers 400');
  receiver.reply = () => ({ status: 200, body: '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}' });
  await sampled(nginx, 1);
  await untilCounted(metricsPort, [0, 4]);
  receiver.reply = () => ({ ...reply(), status: 200, body: '' });
  await sampled(nginx, 2);
  await untilCounted(metricsPort, [2, 4]);
});

test('no request waits for a collector that takes a connection and says nothing', async () => {
  const held: Socket[] = [];
  const silent = createTcpServer((socket) => {
    held.push(socket);
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    for (const socket of held) socket.destroy();
    silent.close();
  });
  await once(silent, 'listening');
  const { nginx, metricsPort } = await start(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  const sending = new AbortController();
  const open = () => held.some((socket) => !socket.readableEnded && socket.bytesRead > 0);
  let duringIt = 0;
  const sent = (async () => {
    while (!sending.signal.aborted) {
      const before = open();
      await sampled(nginx, 1);
      if (before && open()) duringIt += 1;
    }
  })();
  await until(() => duringIt >= 10, 'ten requests that began and ended while the collector kept quiet');
  sending.abort();
  await sent;
  await until(async () => (await counts(metricsPort))[1] > 0, 'dropped spans');
});

test('what is on its way to be sent is more than a batch, and all of it comes', async () => {
  const receiver = await OtlpReceiver.start();
  const { nginx, metricsPort } = await start(`http://127.0.0.1:${receiver.port}`);
  await Promise.all([sampled(nginx, 150), sampled(nginx, 150)]);
  const all = await receiver.until(300);
  expect(new Set(all.map(({ spanId }) => spanId)).size).toBe(300);
  expect(receiver.requests).toBeGreaterThan(2);
  await untilCounted(metricsPort, [300, 0]);
});

test('files are emptied once they are sent', async () => {
  const receiver = await OtlpReceiver.start();
  const { nginx } = await start(`http://127.0.0.1:${receiver.port}`);
  await sampled(nginx, 5);
  await receiver.until(5);
  const kept = () => [0, 1].map((slot) => readFileSync(join(nginx.directory, `spans-${slot}.log`), 'utf8')).join('');
  await until(() => kept() === '', 'empty files');
});

test('a line that had no room to be written whole is dropped, and counted', async () => {
  const receiver = await OtlpReceiver.start();
  const { nginx, metricsPort } = await start(`http://127.0.0.1:${receiver.port}`);
  const [first = '', second = ''] = [0, 1].map((slot) => join(nginx.directory, `spans-${slot}.log`));
  appendFileSync(first, '["half');
  appendFileSync(second, '["half["and another"]\n');
  await untilCounted(metricsPort, [0, 2]);
  await until(() => [first, second].every((file) => statSync(file).size === 0), 'empty files');
  await sampled(nginx, 1);
  await receiver.until(1);
});

test('that there is no room for more lines is counted, and those that are there are sent', async () => {
  const receiver = await OtlpReceiver.start();
  const { nginx, metricsPort } = await start(`http://127.0.0.1:${receiver.port}`, {}, (conf) =>
    conf.replace(/(js_var \$spans_most_bytes) \d+/, '$1 4097'),
  );
  await sampled(nginx, 2);
  await receiver.until(2);
  await until(async () => (await counts(metricsPort))[1] > 0, 'a dropped span');
});

describe('over TLS', () => {
  async function secure(names: readonly string[]) {
    const bodies: string[] = [];
    const pair = selfSignedKeyPair(names, resolve('.fairlead/test-certificates'));
    const server = createTlsServer({ cert: pair.certificate, key: pair.privateKey }, (request, response) => {
      void text(request).then((body) => {
        bodies.push(body);
        response.end();
      });
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const authorities = join(resolve('.fairlead/test-certificates'), `authority-${port}.crt`);
    writeFileSync(authorities, pair.certificate);
    onFileFinished(() => {
      rmSync(authorities);
    });
    return { port, bodies, authorities };
  }

  /** By a name that DNS knows. */
  async function startWithName({ port, authorities }: { readonly port: number; readonly authorities: string }) {
    const system = await start(`https://collector.example.com:${port}`, { systemAuthorities: authorities });
    system.dns.byHost.set('collector.example.com', [{ address: '127.0.0.1', port }]);
    return system;
  }

  test('a collector gets spans if its certificate is valid', async () => {
    const collector = await secure(['collector.example.com']);
    const { nginx, metricsPort } = await startWithName(collector);
    await sampled(nginx, 2);
    await untilCounted(metricsPort, [2, 0]);
    expect(collector.bodies.join('').match(/"spanId"/g)).toHaveLength(2);
  });

  test('one that is not whom its certificate names gets none', async () => {
    const collector = await secure(['other.example.com']);
    const { nginx, metricsPort } = await startWithName(collector);
    await sampled(nginx, 2);
    await untilCounted(metricsPort, [0, 2]);
    expect(collector.bodies).toEqual([]);
  });

  test('one whose certificate nobody vouches for gets none', async () => {
    const collector = await secure(['collector.example.com']);
    const { authorities } = await secure(['other.example.com']);
    const { nginx, metricsPort } = await startWithName({ port: collector.port, authorities });
    await sampled(nginx, 2);
    await untilCounted(metricsPort, [0, 2]);
    expect(collector.bodies).toEqual([]);
  });
});

test('nothing is said of spans where there are none', () => {
  const conf = nginxConf(proxyModel({ traceContext: { sampledPercent: 100 } }), somePlace({ metricsPort: 9113 }));
  expect(conf).not.toMatch(/span_id_of_client|\$span_id|spans|tracing/);
});

test('a script is told of routes and backends, and of no more', () => {
  const { tracing, ...parts } = traced('http://[fd00::1]/otlp');
  const proxy = proxyModel({ ...parts, tracing });
  const { text: script } = tracingScript(
    { ...tracing, service: { name: '$&', namespace: 'shop' } },
    proxy,
    somePlace(),
  );
  expect(/^const model = (.*);$/m.exec(script)?.[1]).toBe(
    JSON.stringify({
      url: 'http://[fd00::1]:80/otlp/v1/traces',
      files: ['/tmp/spans-0.log', '/tmp/spans-1.log'],
      service: { name: '$&', namespace: 'shop' },
      routes: { all: { path: '/', backend: 'api' } },
      backends: { api: { backend: 'api', version: '' } },
    }),
  );
});
