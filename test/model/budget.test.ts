import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { budget, type BudgetSettings } from '../../model/budget';
import { budgetPage, columns, limitRows, memoryRows } from '../../timeline/budget-page';

const MiB = 2 ** 20;
const defaults: BudgetSettings = {
  memoryLimit: 768 * MiB,
  workers: 2,
  maxBodySize: MiB,
  gzip: true,
  hasStreams: false,
  upstreamZone: MiB / 8,
};

const anySettings: fc.Arbitrary<BudgetSettings> = fc.record({
  memoryLimit: fc.integer({ min: 16, max: 65_536 }).map((mebibytes) => mebibytes * MiB),
  workers: fc.integer({ min: 1, max: 64 }),
  maxBodySize: fc.integer({ min: 1024, max: 64 * MiB }),
  gzip: fc.boolean(),
  hasStreams: fc.constant(true),
  upstreamZone: fc.integer({ min: 65_536, max: 32 * MiB }),
  temporaryStorage: fc.constantFrom(undefined, 64 * MiB, 2 ** 50),
  ...Object.fromEntries(
    ['maxConnections', 'maxRequests', 'maxStreams', 'maxConnectionsPerClient', 'maxRequestsPerClient'].map((name) => [
      name,
      fc.option(fc.integer({ min: 16, max: 20_000 }), { nil: undefined }),
    ]),
  ),
});

/** What holds of every budget that is not refused. */
function holds(name: string, check: (made: ReturnType<typeof budget>, settings: BudgetSettings) => boolean): void {
  test(`whatever is given: ${name}`, () => {
    let made = 0;
    fc.assert(
      fc.property(anySettings, (settings) => {
        try {
          const result = budget(settings);
          made += 1;
          return check(result, settings);
        } catch (error) {
          return error instanceof Error && error.name === 'InvalidOption';
        }
      }),
      { numRuns: 2000 },
    );
    expect(made).toBeGreaterThan(100);
  });
}

holds('memory adds up to four fifths of the limit at most', ({ memory, memorySum }, { memoryLimit }) => {
  const sum = memory.reduce((all, { count, each }) => all + count * each, 0);
  return sum === memorySum && sum <= 0.8 * memoryLimit;
});
holds(
  'one worker has connections for all clients, as many instances as requests, and some for probes',
  ({ workerConnections, connections, requests, streams }) => workerConnections > connections + requests + streams + 32,
);
holds(
  'a worker has files for its connections and for a body of each request',
  ({ openFiles, workerConnections, requests, streams }) => openFiles > workerConnections + requests + streams,
);
holds(
  'the bodies of all requests fit on the disk',
  ({ temporaryStorage, requests, streams }, { maxBodySize }) => (requests + streams) * maxBodySize <= temporaryStorage,
);
holds(
  'a client has no more than there is, and no connection more streams than a client',
  ({ connections, connectionsPerClient, requests, streams, requestsPerClient, streamsPerConnection }) =>
    connectionsPerClient <= connections &&
    requestsPerClient <= requests + streams &&
    streamsPerConnection <= requestsPerClient,
);
holds('what is given is kept', (made, settings) =>
  (
    [
      ['connections', settings.maxConnections],
      ['requests', settings.maxRequests],
      ['streams', settings.maxStreams],
      ['connectionsPerClient', settings.maxConnectionsPerClient],
      ['requestsPerClient', settings.maxRequestsPerClient],
    ] as const
  ).every(([name, value]) => value === undefined || made[name] === value),
);

describe('The defaults', () => {
  test('let one address have an eighth of the connections, and a quarter of the requests', () => {
    const { connections, connectionsPerClient, requests, requestsPerClient } = budget(defaults);
    expect(connectionsPerClient).toBe(Math.floor(connections / 8));
    expect(requestsPerClient).toBe(Math.floor(requests / 4));
  });

  test('let a browser have all streams of a connection that nginx gives by default', () => {
    expect(budget(defaults).streamsPerConnection).toBe(128);
  });

  test('use nearly all of what may be used', () => {
    const { memorySum, memoryLimit } = budget(defaults);
    expect(memorySum).toBeGreaterThan(0.78 * memoryLimit);
  });

  test('let in no more requests than the disk has room for bodies', () => {
    const twenty = { ...defaults, maxBodySize: 20 * MiB };
    expect(budget(twenty).requests).toBe(409);
    expect(budget({ ...twenty, temporaryStorage: 2 ** 40 }).requests).toBe(budget(defaults).requests);
    expect(budget({ ...defaults, maxBodySize: 100 * MiB, maxRequests: 81 }).requests).toBe(81);
  });

  test('have no streams without streamPaths', () => {
    expect(budget(defaults).streams).toBe(0);
    expect(budget({ ...defaults, hasStreams: true }).streams).toBeGreaterThan(100);
  });

  test('let in more where more is given, and more of one where less of another is asked for', () => {
    expect(budget({ ...defaults, memoryLimit: 2048 * MiB }).requests).toBeGreaterThan(2 * budget(defaults).requests);
    expect(budget({ ...defaults, maxRequests: 100 }).connections).toBeGreaterThan(budget(defaults).connections);
    expect(budget({ ...defaults, gzip: false }).requests).toBeGreaterThan(budget(defaults).requests);
  });
});

describe('What does not fit is refused with the sum', () => {
  test.each<[string, Partial<BudgetSettings>, RegExp]>([
    [
      'requests',
      { maxRequests: 5000 },
      /^maxRequests: 5000 does not fit: nginx itself 17Mi \+ 2 workers 11Mi \+ 64 connections of clients 4Mi \+ 5000 requests in progress 22\d\dMi = 22\d\dMi, and 80 % of proxyMemoryLimit are 615Mi: give less, or proxyMemoryLimit "28\d\dMi" or more$/,
    ],
    [
      'connections',
      { maxConnections: 20_000 },
      /^maxConnections: 20000 does not fit: .* 20000 connections of clients 1\d\d\dMi/,
    ],
    [
      'streams',
      { hasStreams: true, maxStreams: 5000 },
      /^maxStreams: 5000 does not fit: .* 5000 event streams and WebSockets/,
    ],
    ['workers', { workers: 200 }, /^proxyMemoryLimit: "768Mi" does not fit: .* 200 workers/],
    [
      'bodies',
      { maxBodySize: 100 * MiB },
      /^clientMaxBodySize: "100m" does not fit: 660 requests at once with bodies of 100m are 66000Mi of temporary files, and 8192Mi are there: give proxyTemporaryStorage "66000Mi" if the nodes have as much, or maxRequests 81 or less$/,
    ],
    [
      'bodies of requests that were asked for',
      { maxBodySize: 100 * MiB, maxRequests: 82 },
      /^maxRequests: 82 does not fit: 82 requests/,
    ],
    [
      'bodies on a small disk',
      { temporaryStorage: 64 * MiB },
      /^proxyTemporaryStorage: "64Mi" does not fit: .* maxRequests 64 or less$/,
    ],
    ['streams without streamPaths', { maxStreams: 100 }, /^maxStreams: 100 does nothing without streamPaths/],
    ['more of a client than of all', { maxRequestsPerClient: 5000 }, /^maxRequestsPerClient: 5000 is out of range/],
    [
      'files',
      { memoryLimit: 2 ** 40, maxConnections: 200_000, maxRequests: 200_000, temporaryStorage: 2 ** 50 },
      /^maxConnections: 200000 is too much: .* open files in one worker/,
    ],
    [
      'files of what follows from memory',
      { memoryLimit: 2 ** 40, temporaryStorage: 2 ** 50 },
      /^proxyMemoryLimit: "1048576Mi" is too much/,
    ],
  ])('%s', (_name, settings, message) => {
    expect(() => budget({ ...defaults, ...settings })).toThrow(message);
  });
});

test('docs/budget.md says what the model says (npm run docs:budget)', () => {
  expect(readFileSync(resolve(__dirname, '../../docs/budget.md'), 'utf8')).toBe(budgetPage());
});

test('a terminal shows the same numbers in columns', () => {
  const made = budget({ ...defaults, hasStreams: true });
  const lines = columns([...limitRows(made), ...memoryRows(made)]);
  expect(lines.find((line) => line.startsWith('connections of clients '))).toMatch(
    new RegExp(`^connections of clients +${made.connections} +${made.connectionsPerClient}$`),
  );
  expect(lines.at(-1)).toMatch(/^in all +\d+ MiB of 768 MiB \(\d\d %\)$/);
});
