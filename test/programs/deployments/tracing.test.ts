import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onFileFinished } from '../../afterwards';
import { OtlpReceiver } from '../../nginx/support/otlp-receiver';
import { expectNothingLeft, fairleads, foreignApp } from '../running-fairlead';

jest.setTimeout(120_000);

const { start } = fairleads();

test('npm start sends spans of nginx to the collector of this machine', async () => {
  const receiver = await OtlpReceiver.start();
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-traced-'));
  onFileFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const main = join(directory, 'main.ts');
  writeFileSync(
    main,
    `import { App } from ${JSON.stringify(resolve('node_modules/cdk8s'))};
import { LoadBalancedApi } from ${JSON.stringify(resolve('index'))};
const app = new App();
new LoadBalancedApi(app, 'orders', {
  image: 'orders:1',
  local: { command: ['node', ${JSON.stringify(foreignApp)}] },
  proxy: {
    tracing: {
      endpoint: 'http://collector.observability.svc.cluster.local:4318',
      localEndpoint: 'http://localhost:${receiver.port}',
      serviceName: 'front door',
    },
  },
});
app.synth();
`,
  );
  const orders = await start('--main', main, '--scale', '1');
  await orders.isUp();
  for (const path of ['/traced/1', '/traced/2']) await orders.get(path);
  const isOurs = ({ attributes }: { readonly attributes: Readonly<Record<string, unknown>> }): boolean =>
    String(attributes['url.path']).startsWith('/traced/');
  const [span] = await receiver.until(2, isOurs);
  expect(span).toMatchObject({ resource: { 'service.name': 'front door', 'service.namespace': 'orders' } });
  orders.ctrlC();
  expect(await orders.exited).toBe(0);
  await expectNothingLeft(orders);
});
