import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { budget } from '../../model/budget';
import type { BudgetSettings } from '../../model/budget-options';
import { idleConnections } from '../../model/memory-costs';
import { budgetPage, columns, limitRows, memoryRows } from '../../timeline/budget-page';
import { defaults, MiB } from './budget-settings';

const anySettings: fc.Arbitrary<BudgetSettings> = fc.record({
  memoryLimit: fc.integer({ min: 16, max: 65_536 }).map((mebibytes) => mebibytes * MiB),
  workers: fc.integer({ min: 1, max: 64 }),
  maxBodySize: fc.integer({ min: 1024, max: 64 * MiB }),
  gzip: fc.boolean(),
  hasStreams: fc.constant(true),
  backends: fc.integer({ min: 0, max: 60 }),
  hostCertificates: fc.integer({ min: 0, max: 40 }),
  upstreamZones: fc.integer({ min: 65_536, max: 32 * MiB }),
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

  test('have no streams without a route for them', () => {
    expect(budget(defaults).streams).toBe(0);
    expect(budget({ ...defaults, hasStreams: true }).streams).toBeGreaterThan(100);
  });

  test('let in more where more is given, and more of one where less of another is asked for', () => {
    expect(budget({ ...defaults, memoryLimit: 2048 * MiB }).requests).toBeGreaterThan(2 * budget(defaults).requests);
    expect(budget({ ...defaults, maxRequests: 100 }).connections).toBeGreaterThan(budget(defaults).connections);
    expect(budget({ ...defaults, gzip: false }).requests).toBeGreaterThan(budget(defaults).requests);
  });
});

describe('The sum', () => {
  const KiB = 1024;

  test('is what nginx, its workers, connections and requests take', () => {
    const { memory, memorySum } = budget(defaults);
    // Spare connections: 128 + 16 idle ones, and 48 held back.
    const spare = 128 + 16 + 48;
    const head = 15 * KiB;
    const common = 256 * KiB + 12 * KiB + 3 * KiB + 2 * 440 + 16 * KiB + 128;
    expect(memory).toEqual([
      {
        what: 'nginx itself',
        count: 1,
        each: 6 * MiB + 10 * MiB + 64 * KiB + 96 * KiB + 64 * KiB + MiB / 8,
      },
      { what: 'workers', count: 2, each: 5 * MiB + 440 * spare },
      { what: 'connections of clients', count: 5370, each: 40 * KiB + head + 2 * 440 + 128 },
      {
        what: 'requests in progress',
        count: 660,
        each: common + head + 16 * KiB + 32 * KiB + 72 * KiB + 32 * KiB,
      },
    ]);
    expect(memorySum).toBe(memory.reduce((sum, { count, each }) => sum + count * each, 0));
  });

  test('has no compression where there is none, and streams where there are some', () => {
    const [, , , request] = budget({ ...defaults, gzip: false }).memory;
    const [, , , compressed] = budget(defaults).memory;
    expect((compressed?.each ?? 0) - (request?.each ?? 0)).toBe((72 + 32) * KiB);
    const stream = budget({ ...defaults, hasStreams: true }).memory[4];
    expect(stream).toEqual({
      what: 'event streams and WebSockets',
      count: budget({ ...defaults, hasStreams: true }).streams,
      each: 256 * KiB + 12 * KiB + 3 * KiB + 2 * 440 + 16 * KiB + 128 + 15 * KiB + 16 * KiB,
    });
  });

  test('grows with every backend: a zone for its fallback, and idle connections', () => {
    const [nginx, workers] = budget({ ...defaults, backends: 3, upstreamZones: MiB }).memory;
    expect(nginx?.each).toBe(16 * MiB + 64 * KiB + 96 * KiB + 3 * 64 * KiB + MiB);
    expect(workers?.each).toBe(5 * MiB + 440 * (3 * (42 + 5) + 48));
  });

  test('leaves a proxy without backends its own', () => {
    const [nginx, workers] = budget({ ...defaults, backends: 0, upstreamZones: 0 }).memory;
    expect(nginx?.each).toBe(16 * MiB + 64 * KiB + 96 * KiB);
    expect(workers?.each).toBe(5 * MiB + 440 * 48);
  });

  test('has a part for limits of rates, which they share down to what each needs', () => {
    const zones = (rateLimits: number, memoryLimit = defaults.memoryLimit): number[] => {
      const { rateLimitZone, memory } = budget({ ...defaults, memoryLimit, rateLimits });
      expect(memory[2]).toEqual({ what: 'limits of rates', count: rateLimits, each: rateLimitZone });
      return [rateLimitZone / KiB, (rateLimits * rateLimitZone) / memoryLimit];
    };
    expect(budget(defaults).rateLimitZone).toBe(0);
    expect(zones(1)).toEqual([2048, 2048 / (768 * KiB)]);
    expect(zones(12)[0]).toBe(2048);
    expect(zones(13)[0]).toBe(1856);
    expect(zones(13)[1]).toBeLessThan(1 / 32);
    expect(zones(1000)[0]).toBe(128);
    expect(zones(1, 53 * MiB)[0]).toBe(1664);
  });

  test('refuses more limits of rates than memory has room for', () => {
    expect(() => budget({ ...defaults, rateLimits: 5000 })).toThrow(/5000 limits of rates 625Mi/);
  });

  test('is shared: five parts for requests, two for streams, three for connections', () => {
    const made = budget({ ...defaults, hasStreams: true });
    const part = (index: number): number => (made.memory[index]?.count ?? 0) * (made.memory[index]?.each ?? 0);
    const [connections, requests, streams] = [part(2), part(3), part(4)];
    const all = connections + requests + streams;
    expect(requests / all).toBeCloseTo(0.5, 1);
    expect(streams / all).toBeCloseTo(0.2, 1);
    expect(connections / all).toBeCloseTo(0.3, 1);
    expect([made.connections, made.requests, made.streams]).toEqual([3220, 660, 370]);
  });

  test('says how many connections and files a worker needs', () => {
    const made = budget({ ...defaults, hasStreams: true, backends: 2 });
    const inProgress = made.requests + made.streams;
    expect(made.workerConnections).toBe(made.connections + inProgress + 2 * (64 + 8) + 48);
    expect(made.openFiles).toBe(made.workerConnections + inProgress + 48);
  });

  test('says how much disk bodies take, unless that was given', () => {
    expect(budget(defaults).temporaryStorage).toBe(660 * MiB);
    expect(budget({ ...defaults, temporaryStorage: 1000 * MiB }).temporaryStorage).toBe(1000 * MiB);
  });

  test('has the least of each where memory carries no more', () => {
    const made = budget({ ...defaults, memoryLimit: 64 * MiB, hasStreams: true, workers: 1 });
    expect([made.connections, made.requests, made.streams]).toEqual([160, 30, 16]);
    // 7.7 MiB are left: 10 requests if they were counted in tens, and 16 at least.
    expect(budget({ ...defaults, maxConnections: 10_600 }).requests).toBe(16);
  });
});

test.each([
  [0, 128, 16],
  [1, 128, 16],
  [2, 64, 8],
  [3, 42, 5],
  [8, 16, 2],
  [16, 8, 2],
  [32, 4, 2],
  [50, 4, 2],
])(
  '%i backends share the idle connections: %i each to instances, %i to the fallback',
  (backends, instances, fallback) => {
    expect(idleConnections(backends)).toEqual({ instances, fallback });
  },
);

describe('A client', () => {
  test('has as many streams in a connection as it may have requests, and no more than nginx gives', () => {
    const streams = (maxRequestsPerClient: number): number =>
      budget({ ...defaults, maxRequestsPerClient }).streamsPerConnection;
    expect([streams(1), streams(127), streams(128), streams(300)]).toEqual([1, 127, 128, 128]);
  });

  test('has a part of what all have, streams among its requests', () => {
    const made = budget({ ...defaults, hasStreams: true, maxRequests: 100, maxStreams: 300, maxConnections: 80 });
    expect(made.requestsPerClient).toBe(100);
    expect(made.connectionsPerClient).toBe(10);
  });
});

describe('A number is refused', () => {
  test.each<[string, Partial<BudgetSettings>]>([
    ['maxConnections: 63 is out of range: give a whole number from 64 to 200000', { maxConnections: 63 }],
    ['maxConnections: 200001 is out of range: give a whole number from 64 to 200000', { maxConnections: 200_001 }],
    ['maxRequests: 15 is out of range: give a whole number from 16 to 200000', { maxRequests: 15 }],
    ['maxStreams: 15 is out of range: give a whole number from 16 to 200000', { maxStreams: 15, hasStreams: true }],
    [
      'maxConnectionsPerClient: 0 is out of range: give a whole number from 1 to 200000',
      { maxConnectionsPerClient: 0 },
    ],
    ['maxRequestsPerClient: 0 is out of range: give a whole number from 1 to 200000', { maxRequestsPerClient: 0 }],
    [
      'maxConnectionsPerClient: 5371 is out of range: give a whole number from 1 to 5370',
      { maxConnectionsPerClient: 5371 },
    ],
    ['maxRequestsPerClient: 661 is out of range: give a whole number from 1 to 660', { maxRequestsPerClient: 661 }],
  ])('%s', (message, settings) => {
    expect(() => budget({ ...defaults, ...settings })).toThrow(new Error(`clients.${message}`));
  });

  test('none of these, at its bounds', () => {
    expect(budget({ ...defaults, maxConnectionsPerClient: 5370, maxRequestsPerClient: 660 })).toMatchObject({
      connectionsPerClient: 5370,
      requestsPerClient: 660,
    });
    const least = { maxConnections: 64, maxRequests: 16, maxStreams: 16, hasStreams: true };
    expect(budget({ ...defaults, ...least })).toMatchObject({ connections: 64, requests: 16, streams: 16 });
  });
});

describe('What does not fit is refused with the sum', () => {
  test.each<[string, Partial<BudgetSettings>, RegExp]>([
    [
      'requests',
      { maxRequests: 5000 },
      /^clients\.maxRequests: 5000 does not fit: nginx itself 17Mi \+ 2 workers 11Mi \+ 64 connections of clients 4Mi \+ 5000 requests in progress 22\d\dMi = 22\d\dMi, and 80 % of resources\.memory\.limit are 615Mi: give less, or resources\.memory\.limit "28\d\dMi" or more$/,
    ],
    [
      'connections',
      { maxConnections: 20_000 },
      /^clients\.maxConnections: 20000 does not fit: .* 20000 connections of clients 1\d\d\dMi/,
    ],
    [
      'streams',
      { hasStreams: true, maxStreams: 5000 },
      /^clients\.maxStreams: 5000 does not fit: .* 5000 event streams and WebSockets/,
    ],
    ['workers', { workers: 200 }, /^resources\.memory\.limit: "768Mi" does not fit: .* 200 workers/],
    [
      'backends',
      { backends: 5000, upstreamZones: 5000 * 65_536 },
      /^resources\.memory\.limit: "768Mi" does not fit: nginx itself 642Mi/,
    ],
    [
      'bodies',
      { maxBodySize: 100 * MiB },
      /^maxBodySize: "100m" does not fit: 660 requests at once with bodies of 100m are 66000Mi of temporary files, and 8192Mi are there: give the proxy resources\.temporaryStorage "66000Mi" if the nodes have as much, or clients\.maxRequests 81 or less$/,
    ],
    [
      'bodies of a route that is known',
      { maxBodySize: 100 * MiB, maxBodyPath: '/upload' },
      /^maxBodySize: "100m" does not fit: 660 requests at once with bodies of 100m of the route \/upload are 66000Mi/,
    ],
    [
      'bodies of requests that were asked for',
      { maxBodySize: 100 * MiB, maxRequests: 82 },
      /^clients\.maxRequests: 82 does not fit: 82 requests/,
    ],
    [
      'bodies of streams that were asked for',
      { maxBodySize: 100 * MiB, maxStreams: 100, hasStreams: true },
      /^clients\.maxStreams: 100 does not fit: \d+ requests/,
    ],
    [
      'bodies on a small disk',
      { temporaryStorage: 64 * MiB },
      /^resources\.temporaryStorage: "64Mi" does not fit: .* clients\.maxRequests 64 or less$/,
    ],
    [
      'streams without a route for them',
      { maxStreams: 100 },
      /^clients\.maxStreams: 100 does nothing without a route for streams: take it out, or give a route `streaming`$/,
    ],
    [
      'more of a client than of all',
      { maxRequestsPerClient: 5000 },
      /^clients\.maxRequestsPerClient: 5000 is out of range/,
    ],
    [
      'files',
      { memoryLimit: 2 ** 40, maxConnections: 200_000, maxRequests: 200_000, temporaryStorage: 2 ** 50 },
      /^clients\.maxConnections: 200000 is too much: 200000 connections and 200000 requests need 600240 open files in one worker, and most systems allow 524288: give less$/,
    ],
    [
      'files of what follows from memory',
      { memoryLimit: 2 ** 40, temporaryStorage: 2 ** 50 },
      /^resources\.memory\.limit: "1048576Mi" is too much/,
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
