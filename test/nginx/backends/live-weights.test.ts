import { Agent } from 'node:https';
import { RequestKey } from '../../../model/load-balancing';
import { TargetModel } from '../../../model/routes/route';
import { until } from '../../until';
import { SeveralBackends, startWithBackends } from '../support/several-backends';
import { WeightsFile } from '../support/weights-file';

const names = ['orders', 'orders-canary'] as const;
const clients = Array.from({ length: 200 }, (_, index) => `client-${index}`);
/** How far a share of so many clients may lie from its weight: five standard deviations of the binomial distribution. */
const bound = (weight: number): number => 5 * Math.sqrt(clients.length * (weight / 100) * (1 - weight / 100)) + 1;

/** Handshakes would take most of the time. */
const kept = new Agent({ keepAlive: true, maxSockets: 16 });

let weights: WeightsFile;
let running: SeveralBackends;

function split(stickyBy: RequestKey): TargetModel {
  return { kind: 'split', stickyBy, shares: names.map((backend) => ({ backend, weight: 50 })) };
}

/** Of which the second has a third of the pods that the first may have. */
const fewPods: TargetModel = {
  kind: 'split',
  stickyBy: RequestKey.header('X-Client'),
  shares: [
    { backend: 'orders', weight: 95 },
    { backend: 'orders-canary', weight: 5, mostWeight: 33 },
  ],
};

/** Which clients the second backend has, and whether every request was answered. */
async function canaryClients(path = '/'): Promise<ReadonlySet<string>> {
  const answers = await Promise.all(
    clients.map(async (client) => {
      const { status, body } = await running.nginx.get({ path, agent: kept, headers: { 'x-client': client } });
      expect(status).toBe(200);
      return [client, (JSON.parse(body) as { backend: string }).backend] as const;
    }),
  );
  return new Set(answers.flatMap(([client, backend]) => (backend === 'orders-canary' ? [client] : [])));
}

/** Which clients the second backend has, once nginx has said that it goes by this weight. */
async function untilWeighs(weight: number): Promise<ReadonlySet<string>> {
  const weights = `orders ${100 - weight}, orders-canary ${weight}`;
  const said = /(?<=weights: root has )orders \d+, orders-canary \d+/g;
  await until(() => running.nginx.errors.match(said)?.at(-1) === weights, `a weight of ${weight}`);
  const found = await canaryClients();
  expect(Math.abs(found.size - (clients.length * weight) / 100)).toBeLessThanOrEqual(
    weight % 100 === 0 ? 0 : bound(weight),
  );
  return found;
}

beforeAll(async () => {
  weights = new WeightsFile({
    root: { orders: 100, 'orders-canary': 0 },
    'by-cookie': { orders: 50, 'orders-canary': 50 },
  });
  running = await startWithBackends(
    {
      backends: names.map((name) => ({ name })),
      routes: [
        { path: '/', name: 'root', target: split(RequestKey.header('X-Client')) },
        { path: '/by-cookie', name: 'by-cookie', target: split(RequestKey.cookie('session')) },
        { path: '/few-pods', name: 'few-pods', target: fewPods },
      ],
    },
    { weightsFile: weights.path },
    undefined,
    { change: (conf) => conf.replace('live_weights.check interval=5s', 'live_weights.check interval=200ms') },
  );
});

afterAll(async () => {
  kept.destroy();
  await running.stop();
});

test('takes weights from the file, and follows it while nginx runs', async () => {
  expect((await untilWeighs(0)).size).toBe(0);
  weights.write({ root: { orders: 95, 'orders-canary': 5 } });
  const few = await untilWeighs(5);
  weights.write({ root: { orders: 50, 'orders-canary': 50 } });
  const half = await untilWeighs(50);
  // Whoever had the new version keeps it.
  expect([...few].filter((client) => !half.has(client))).toEqual([]);
  weights.write({ root: { orders: 0, 'orders-canary': 100 } });
  await untilWeighs(100);
  expect(running.nginx.errors).toContain('weights: root has orders 0, orders-canary 100');
});

test('gives one client the same backend on every connection', async () => {
  weights.write({ root: { orders: 70, 'orders-canary': 30 } });
  const first = await untilWeighs(30);
  expect(await canaryClients()).toEqual(first);
});

test.each([
  ['{', 'weights: cannot be read'],
  ['[]', undefined],
  [{ root: { orders: 70, 'orders-canary': 40 } }, 'weights: root has weights that add up to 110, not 100'],
  [
    { root: { orders: 99.5, 'orders-canary': 0.5 } },
    'weights: root has a weight that is not a whole number from 0 to 100',
  ],
  [{ root: { orders: 100 } }, 'weights: root names orders, and has orders, orders-canary'],
  [{ root: null }, 'weights: root has no weights'],
  [
    { 'few-pods': { orders: 66, 'orders-canary': 34 } },
    'weights: few-pods gives orders-canary 34, and its pods carry 33',
  ],
  [{ nowhere: { orders: 100 } }, 'weights: nowhere is not a route that backends share'],
])('keeps the weights from before when the file is %j', async (wrong, message) => {
  weights.write({ root: { orders: 40, 'orders-canary': 60 } });
  const before = await untilWeighs(60);
  weights.write(wrong);
  if (message !== undefined) await until(() => running.nginx.errors.includes(message), message);
  expect(await canaryClients()).toEqual(before);
});

test('gives a version as much as its pods carry, and never more', async () => {
  weights.write({ 'few-pods': { orders: 67, 'orders-canary': 33 } });
  await until(() => running.nginx.errors.includes('few-pods has orders 67, orders-canary 33'), 'the most');
  const before = await canaryClients('/few-pods');
  expect(before.size).toBeGreaterThan(0);
  weights.write({ 'few-pods': { orders: 30, 'orders-canary': 70 } });
  await until(() => running.nginx.errors.includes('gives orders-canary 70, and its pods carry 33'), 'too much');
  expect(await canaryClients('/few-pods')).toEqual(before);
});

test('knows who has no cookie by address, so that all of one client stay together', async () => {
  const backends = new Set<string>();
  for (let count = 0; count < 20; count += 1) {
    const { body } = await running.nginx.get({ path: '/by-cookie' });
    backends.add((JSON.parse(body) as { backend: string }).backend);
  }
  expect(backends.size).toBe(1);
});

test('loses nothing through 100 promotions, aborts and rollbacks in any order', async () => {
  let weight = 0;
  // The same sequence in every run: a linear congruential generator.
  let random = 1;
  for (let step = 0; step < 100; step += 1) {
    random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
    weight = [0, 5, Math.min(100, weight + 25), 50, 100][random % 5] ?? 0;
    weights.write({ root: { orders: 100 - weight, 'orders-canary': weight } });
    const statuses = await Promise.all(
      clients.slice(0, 20).map(async (client, index) => {
        const body = index % 2 === 0 ? {} : { method: 'POST', body: client };
        return (await running.nginx.get({ agent: kept, headers: { 'x-client': client }, ...body })).status;
      }),
    );
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  }
  await untilWeighs(weight);
});
