import type { BudgetSettings } from '../../model/budget-options';
import { cacheKeysZone, costs, sharesOfProxy, spareConnections } from '../../model/memory-costs';
import type { CacheModel } from '../../model/routes/response-cache';
import { defaults, MiB } from './budget-settings';

const KiB = 1024;
/** A request to a service, with what every worker has of its connection. */
const copy = 12 * KiB + 3 * KiB + 16 * KiB;
const structures = 2 * 440;

function cache(changes: Partial<CacheModel> = {}): CacheModel {
  const model = { size: 256 * MiB, maxAnswerSize: MiB, valid: undefined, staleFor: 600, key: [] };
  return { ...model, backgroundUpdate: false, ...changes };
}

test.each<[what: string, changes: Partial<BudgetSettings>, connection: number, request: number, stream: number]>([
  ['answers that are not compressed', { gzip: false }, 0, -(8 + 64 + 32) * KiB, 0],
  ['a worker more', { workers: 3 }, 440, 440, 440],
  ['copies', { hasMirrors: true }, 0, copy + structures, 0],
  ['two routes that limit what a client has in progress', { clientLimits: 2 }, 0, 2 * 128, 2 * 128],
  ['services that are asked', { asksServices: true }, 0, copy + structures, copy + structures],
  ['tokens', { tokenRules: { count: 3, zone: MiB } }, 0, (12 + 128) * KiB, (12 + 128) * KiB],
  ['certificates of clients', { clientCertificates: true }, 32 * KiB, 128 * KiB, 128 * KiB],
  [
    'all three of these',
    { asksServices: true, tokenRules: { count: 1, zone: MiB }, clientCertificates: true },
    32 * KiB,
    copy + structures + (12 + 128 + 128) * KiB,
    copy + structures + (12 + 128 + 128) * KiB,
  ],
  ['a service over TLS', { externalServices: { count: 1, zone: 64 * KiB, hasTls: true } }, 0, 40 * KiB, 40 * KiB],
  ['a service without TLS', { externalServices: { count: 1, zone: 64 * KiB, hasTls: false } }, 0, 0, 0],
  ['answers that are fetched before anybody waits', { caches: [cache()] }, 0, 0, 0],
  [
    'answers that are fetched behind those that are given',
    { caches: [cache(), cache({ backgroundUpdate: true })] },
    0,
    copy + 32 * KiB,
    0,
  ],
])('%s cost a connection, a request and a stream what they need', (_what, changes, ...more) => {
  const [before, now] = [costs(defaults), costs({ ...defaults, ...changes })];
  expect([now.connection - before.connection, now.request - before.request, now.stream - before.stream]).toEqual(more);
});

describe('A proxy, whatever its clients do,', () => {
  const spare = 128 + 16 + 48;
  const nginx = { what: 'nginx itself', count: 1, each: 16 * MiB + 64 * KiB + 96 * KiB + 64 * KiB + MiB / 8 };
  const workers = { what: 'workers', count: 2, each: 5 * MiB + 440 * spare };

  test('takes what nginx and its workers do', () => {
    expect(sharesOfProxy(defaults)).toEqual([nginx, workers]);
  });

  test('takes room for spans', () => {
    const shares = sharesOfProxy({ ...defaults, tracing: 5 * MiB, metrics: MiB });
    expect(shares).toEqual([{ ...nginx, each: nginx.each + 6 * MiB }, workers]);
  });

  test('takes room for metrics', () => {
    const shares = sharesOfProxy({ ...defaults, metrics: 5 * MiB });
    expect(shares).toEqual([{ ...nginx, each: nginx.each + 5 * MiB }, workers]);
  });

  test('takes certificates of hosts, in each worker too', () => {
    expect(sharesOfProxy({ ...defaults, hostCertificates: 3 })).toEqual([
      { ...nginx, each: nginx.each + 3 * 48 * KiB },
      { ...workers, each: workers.each + 3 * 160 * KiB },
    ]);
  });

  test('takes zones of external services, and idle connections that they share with backends', () => {
    const externalServices = { count: 2, zone: 64 * KiB, hasTls: false };
    expect(sharesOfProxy({ ...defaults, externalServices })).toEqual([
      nginx,
      { ...workers, each: 5 * MiB + 440 * (3 * (42 + 5) + 48) },
      { what: 'external services', count: 2, each: 64 * KiB },
    ]);
  });

  test('takes the CAs that a system trusts in each process, and TLS of idle connections', () => {
    const externalServices = { count: 2, zone: 64 * KiB, hasTls: true };
    expect(sharesOfProxy({ ...defaults, externalServices })).toEqual([
      { ...nginx, each: nginx.each + (1 + 2) * 2 * MiB },
      { ...workers, each: 5 * MiB + 440 * (3 * (42 + 5) + 48) },
      { what: 'external services', count: 2, each: 64 * KiB + 512 * KiB + 2 * 42 * 40 * KiB },
    ]);
  });

  test('takes zones of tokens, rates, answers that are kept and clients, in this order', () => {
    const shares = sharesOfProxy({
      ...defaults,
      tokenRules: { count: 2, zone: 3 * MiB },
      rateLimits: 4,
      caches: [cache({ size: 64 * MiB }), cache({ size: 2048 * MiB })],
      clientLimits: 3,
    });
    expect(shares).toEqual([
      nginx,
      workers,
      { what: 'keys and verified tokens', count: 1, each: 3 * MiB },
      { what: 'limits of rates', count: 4, each: 2 * MiB },
      { what: 'keys of answers that are kept', count: 1, each: 2 * 3 * MiB + MiB + 16 * MiB },
      { what: 'limits of clients on routes', count: 3, each: 128 * KiB },
    ]);
  });
});

test('workers have connections for idle ones of all upstreams, and 48 more', () => {
  expect(spareConnections(defaults)).toBe(128 + 16 + 48);
  expect(spareConnections({ ...defaults, backends: 0 })).toBe(48);
  const externalServices = { count: 2, zone: 64 * KiB, hasTls: false };
  expect(spareConnections({ ...defaults, externalServices })).toBe(3 * (42 + 5) + 48);
});

test.each([
  [MiB, 128],
  [8 * MiB, 128],
  [8 * MiB + 1, 129],
  [256 * MiB, 4096],
  [1024 * MiB - 64 * KiB, 16_383],
  [1024 * MiB, 16_384],
  [1024 * MiB + 1, 16_384],
])('%i bytes of answers have keys of %i KiB', (size, zone) => {
  expect(cacheKeysZone(size)).toBe(zone * KiB);
});
