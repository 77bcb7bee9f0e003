import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Weights } from '../../../local/deployment/weights';
import { RequestKey } from '../../../model/load-balancing';
import { proxyModel } from '../../nginx/support/models';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairlead-weights-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function weightsOf(shares: Readonly<Record<string, number>>): Weights {
  const stickyBy = RequestKey.clientAddress();
  const target = {
    kind: 'split',
    stickyBy,
    shares: Object.entries(shares).map(([backend, weight]) => ({ backend, weight })),
  } as const;
  return new Weights(proxyModel({ routes: [{ name: 'root', target }, { path: '/a' }] }).hosts, directory);
}

function written({ file }: Weights): unknown {
  return JSON.parse(readFileSync(String(file), 'utf8'));
}

test('are written as main.ts says', () => {
  const weights = weightsOf({ stable: 95, canary: 5 });
  weights.write();
  expect(written(weights)).toEqual({ root: { stable: 95, canary: 5 } });
});

test('are written through no link that stands by their name', () => {
  const other = join(directory, 'of-root');
  writeFileSync(other, 'kept');
  for (const name of ['weights.json', 'weights.json.new']) symlinkSync(other, join(directory, name));
  const weights = weightsOf({ stable: 95, canary: 5 });
  weights.write();
  expect(readFileSync(other, 'utf8')).toBe('kept');
  expect(written(weights)).toEqual({ root: { stable: 95, canary: 5 } });
});

test.each([
  [{ stable: 95, canary: 5 }, 'canary', 20, { stable: 80, canary: 20 }],
  [{ stable: 0, canary: 100 }, 'canary', 0, { stable: 100, canary: 0 }],
  [{ a: 60, b: 30, c: 10 }, 'c', 50, { a: 33, b: 17, c: 50 }],
  [{ a: 0, b: 0, c: 100 }, 'c', 1, { a: 50, b: 49, c: 1 }],
  [{ a: 33, b: 33, c: 34 }, 'a', 34, { a: 34, b: 33, c: 33 }],
])('of %j give %s %i percent, and leave the others their part of the rest', (before, backend, percent, after) => {
  const weights = weightsOf(before);
  weights.set(backend, percent);
  expect(written(weights)).toEqual({ root: after });
});

test.each([
  ['nobody', 5, 'weight: "nobody" shares no route: give one of stable, canary'],
  ['canary', 101, 'weight: 101 is out of range: give a whole number from 0 to 100'],
  ['canary', 0.5, 'weight: 0.5 is out of range'],
])('refuse %s %d', (backend, percent, message) => {
  expect(() => {
    weightsOf({ stable: 95, canary: 5 }).set(backend, percent);
  }).toThrow(message);
});

test('refuse more than the pods of a version carry, and stay as they were', () => {
  const shares = [
    { backend: 'stable', weight: 95 },
    { backend: 'canary', weight: 5, mostWeight: 40 },
  ];
  const target = { kind: 'split', stickyBy: RequestKey.clientAddress(), shares } as const;
  const weights = new Weights(proxyModel({ routes: [{ name: 'root', target }] }).hosts, directory);
  weights.set('canary', 40);
  for (const [backend, percent] of [
    ['canary', 41],
    ['stable', 59],
  ] as const) {
    expect(() => {
      weights.set(backend, percent);
    }).toThrow(
      'weight of canary: 41 is more than its pods carry in a cluster: give 40 or less, or its replicas a greater max',
    );
  }
  expect(written(weights)).toEqual({ root: { stable: 60, canary: 40 } });
});

test('refuse on each route what the pods of a version carry of that one', () => {
  const stickyBy = RequestKey.clientAddress();
  const ofOrders = [
    { backend: 'stable', weight: 95 },
    { backend: 'canary', weight: 5, mostWeight: 40 },
  ];
  const ofSearch = [
    { backend: 'large', weight: 95 },
    { backend: 'canary', weight: 5, mostWeight: 20 },
  ];
  const routes = [
    { name: 'orders', target: { kind: 'split', stickyBy, shares: ofOrders } },
    { name: 'search', path: '/search', target: { kind: 'split', stickyBy, shares: ofSearch } },
  ] as const;
  const weights = new Weights(proxyModel({ routes }).hosts, directory);
  weights.set('stable', 70);
  expect(written(weights)).toEqual({ orders: { stable: 70, canary: 30 }, search: { large: 95, canary: 5 } });
  expect(() => {
    weights.set('canary', 30);
  }).toThrow('weight of canary: 30 is more than its pods carry in a cluster: give 20 or less');
});

test('have no file where no route is shared', () => {
  const weights = new Weights(proxyModel().hosts, directory);
  expect(weights.file).toBeUndefined();
  expect(() => {
    weights.set('api', 5);
  }).toThrow('weight: "api" shares no route: main.ts has no TrafficSplit');
});
