import { type Budget, budget } from '../../model/budget';
import type { BudgetSettings } from '../../model/budget-options';
import type { CacheModel } from '../../model/routes/response-cache';
import { defaults, MiB } from './budget-settings';

const settings: BudgetSettings = { ...defaults, hasStreams: true };
const cache: CacheModel = {
  size: 64 * MiB,
  maxAnswerSize: MiB,
  valid: undefined,
  staleFor: 600,
  backgroundUpdate: false,
  key: [],
};

/** What clients take: what it is called in the sum, the option that gives it, and its part of the memory if none is given. */
const kinds = {
  requests: { what: 'requests in progress', option: 'maxRequests', part: 5 },
  streams: { what: 'event streams and WebSockets', option: 'maxStreams', part: 2 },
  connections: { what: 'connections of clients', option: 'maxConnections', part: 3 },
} as const;
type Kind = keyof typeof kinds;

function shareOf({ memory }: Budget, kind: Kind): { readonly count: number; readonly each: number } {
  return memory.find(({ what }) => what === kinds[kind].what) ?? { count: 0, each: 0 };
}

test.each<[Partial<BudgetSettings>]>([
  [{}],
  [{ maxRequests: 200 }],
  [{ maxStreams: 100 }],
  [{ maxConnections: 1000 }],
  [{ maxRequests: 200, maxStreams: 100 }],
  [{ maxRequests: 200, maxConnections: 1000 }],
  [{ maxStreams: 100, maxConnections: 1000 }],
])('with %j all others share what is left of four fifths of the memory, in tens', (given) => {
  const made = budget({ ...settings, ...given });
  const others = (Object.keys(kinds) as Kind[]).filter((kind) => !(kinds[kind].option in given));
  const taken = others.reduce((all, kind) => {
    const { count, each } = shareOf(made, kind);
    return all - count * each;
  }, made.memorySum);
  const left = Math.floor(0.8 * settings.memoryLimit) - taken;
  const parts = others.reduce((all, kind) => all + kinds[kind].part, 0);
  for (const kind of others) {
    const { count, each } = shareOf(made, kind);
    expect([kind, count]).toEqual([kind, Math.floor((left * kinds[kind].part) / parts / each / 10) * 10]);
    expect(made[kind]).toBe(count);
  }
});

test('requests and connections have equal parts where there are no streams', () => {
  const made = budget({ ...settings, hasStreams: false });
  const taken = (kind: Kind): number => {
    const { count, each } = shareOf(made, kind);
    return count * each;
  };
  expect(taken('requests') / taken('connections')).toBeCloseTo(1, 1);
});

test('what is given may take the last byte, and is refused from the first one that is not there', () => {
  const given = { ...settings, hasStreams: false, maxConnections: 100, maxRequests: 100 };
  const { memorySum } = budget(given);
  const memoryLimit = Math.ceil(memorySum / 0.8);
  expect(budget({ ...given, memoryLimit })).toMatchObject({ memorySum, memoryLimit });
  expect(() => budget({ ...given, memoryLimit: memoryLimit - 2 })).toThrow(
    /^clients\.maxConnections: 100 does not fit: /,
  );
});

test('a worker may have as many files open as most systems allow, and no more', () => {
  const most = { ...settings, hasStreams: false, memoryLimit: 2 ** 40, temporaryStorage: 2 ** 50 };
  const given = { ...most, maxConnections: 200_000 };
  expect(budget({ ...given, maxRequests: 162_024 }).openFiles).toBe(524_288);
  expect(() => budget({ ...given, maxRequests: 162_025 })).toThrow(
    /^clients\.maxConnections: 200000 is too much: 200000 connections and 162025 requests need 524290 open files/,
  );
});

test.each<[string, Partial<BudgetSettings>, (made: Budget) => { connections: number; files: number }]>([
  ['nothing more', {}, () => ({ connections: 0, files: 0 })],
  ['copies', { hasMirrors: true }, ({ requests }) => ({ connections: requests, files: 0 })],
  [
    'services that are asked',
    { asksServices: true },
    ({ requests, streams }) => ({ connections: requests + streams, files: 0 }),
  ],
  [
    'both',
    { hasMirrors: true, asksServices: true },
    ({ requests, streams }) => ({ connections: 2 * requests + streams, files: 0 }),
  ],
  ['answers that are kept', { caches: [cache] }, ({ requests }) => ({ connections: 0, files: 2 * requests })],
])('a worker has connections and files for %s', (_what, changes, more) => {
  const made = budget({ ...settings, ...changes });
  const { connections, requests, streams } = made;
  const { connections: moreConnections, files } = more(made);
  expect(streams).toBeGreaterThan(0);
  expect(made.workerConnections).toBe(connections + requests + streams + moreConnections + 128 + 16 + 48);
  expect(made.openFiles).toBe(made.workerConnections + requests + streams + files + 48);
});

test('files that nginx serves are counted as they are given', () => {
  expect(budget(settings).files).toBe(0);
  expect(budget({ ...settings, files: 128 * MiB }).files).toBe(128 * MiB);
});
