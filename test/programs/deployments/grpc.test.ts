import { until } from '../../until';
import { GrpcClient } from '../../nginx/support/grpc';
import { expectNothingLeft, fairleads } from '../running-fairlead';

jest.setTimeout(120_000);

const { start } = fairleads();

test('npm start runs an API that speaks gRPC, once its processes say that they are serving', async () => {
  const shop = await start('--main', 'test/local/fixtures/grpc.ts');
  await shop.isUp();
  expect(shop.output).toContain('grpcurl -insecure -proto FILE localhost:');
  const client = new GrpcClient({ host: 'localhost', place: { httpsPort: shop.httpsPort } });
  const who = async (): Promise<string | undefined> => (await client.call('/shop.Orders/Who')).messages[0];
  const seen = new Set<string | undefined>();
  await until(async () => seen.add(await who()).has('orders-1') && seen.has('orders-2'), 'both instances');
  shop.type('scale 3');
  await shop.says('3 instances are ready');
  await until(async () => (await who()) === 'orders-3', 'the new instance');
  expect(await client.call('/shop.Orders/Nothing')).toMatchObject({ code: 12 });
  shop.ctrlC();
  expect(await shop.exited).toBe(0);
  await expectNothingLeft(shop);
});
