import { until } from '../../until';
import { expectNothingLeft, fairleads } from '../running-fairlead';

jest.setTimeout(120_000);

const { start } = fairleads();
const main = 'test/local/fixtures/shop.ts';

test('runs every backend of main.ts with its routes, and scales, stops and shows each by name', async () => {
  const shop = await start('--main', main);
  await shop.isUp();
  const hostname = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<unknown> =>
    (JSON.parse((await shop.get(path, { headers })).body) as { hostname: string }).hostname;

  expect(shop.output).toContain('catalog-1, catalog-2, orders-1, orders-2, orders-canary-1');
  expect(shop.output).toContain('orders is not told DATABASE_URL, which comes from the cluster');
  expect(await hostname('/orders/healthcheck')).toMatch(/^orders-[12]$/);
  expect(await hostname('/orders/healthcheck', { 'x-canary': 'always' })).toBe('orders-canary-1');
  expect(await hostname('/catalog/healthcheck')).toMatch(/^catalog-[12]$/);
  expect(await shop.get('/elsewhere')).toMatchObject({ status: 404 });
  expect(await shop.get('/old/healthcheck?a=b')).toMatchObject({
    status: 307,
    headers: { location: expect.stringMatching(/\/orders\/healthcheck\?a=b$/) as string },
  });
  expect(await shop.get('/catalog/echo', { body: 'x'.repeat(2000) })).toMatchObject({ status: 413 });
  expect((await shop.get('/orders/healthcheck', { host: 'shop.example.com' })).status).toBe(200);
  // It has a certificate of its own, which is valid for no other.
  expect((await shop.get('/healthcheck', { host: 'admin.example.com' })).status).toBe(200);
  expect((await shop.get('/healthcheck', { headers: { host: 'admin.example.com' } })).status).toBe(421);

  expect(await hostname('/shared/healthcheck')).toMatch(/^orders-[12]$/);
  shop.type('weight orders-canary 100');
  await shop.says('orders-canary gets 100 % of what it shares within 5 s');
  await until(async () => (await hostname('/shared/healthcheck')) === 'orders-canary-1', 'the new weight');
  shop.type('weight catalog 5');
  await shop.says('weight: "catalog" shares no route: give one of orders, orders-canary');
  shop.type('weight orders 101');
  await shop.says('weight: 101 is out of range: give a whole number from 0 to 100');

  shop.type('scale catalog 3');
  await shop.says('Scaling of catalog from 2 to 3');
  await shop.says('3 instances of catalog are ready: catalog-1, catalog-2, catalog-3');
  shop.type('stop orders-1');
  await shop.says('orders-1 is ending, and is not started again');
  await shop.untilProcesses((all) => all.every(({ command }) => !command.includes('HOSTNAME=orders-1')));
  shop.type('stop orders-2');
  await shop.says('stop: "orders-2" is the last one of orders, or is ending: scale it up first');
  shop.type('stop orders-9');
  await shop.says('stop: "orders-9" is not an instance: "status" shows them');
  shop.type('scale payments 2');
  await shop.says('scale: "payments" is not a backend: give one of catalog, orders, orders-canary');
  expect(await hostname('/orders/healthcheck')).toBe('orders-2');

  shop.ctrlC();
  expect(await shop.exited).toBe(0);
  await expectNothingLeft(shop);
});

test('runs as many processes of each backend as --scale says', async () => {
  const shop = await start('--main', main, '--scale', '1');
  await shop.isUp();
  expect(shop.output).toContain('in front of 3 instances');
});

test.each([
  [['--main', 'nowhere.ts'], 'nowhere.ts is not here, which would say what to run'],
  [['--main', 'jest.config.mjs'], 'jest.config.mjs has no proxy'],
  [
    ['--main', main, '--proxy', 'front'],
    '--proxy: "front" is not in test/local/fixtures/shop.ts: give one of shop/edge',
  ],
  [
    ['--keep-alive-timeout', '5s'],
    '--keep-alive-timeout: "5s" does nothing without a command of yours: give --command too, or say it in main.ts',
  ],
  [
    ['--command', 'node server.js', '--proxy', 'edge'],
    '--proxy: "edge" does nothing beside a command of yours, which has no main.ts: take it out',
  ],
])('refuses %j in one line', async (args, message) => {
  const refused = await start(...args);
  expect(await refused.exited).toBe(2);
  expect(refused.errors).toContain(`fairlead: ${message}`);
  expect(refused.errors.trim().split('\n')).toHaveLength(1);
});
