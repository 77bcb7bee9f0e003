import type { LoadRequest } from '../../load/load-request';
import { asBeforeSince, isAsBefore, perSecond, shareDeviation } from '../../reliability/analysis';

function request(started: number, change: Partial<LoadRequest> = {}): LoadRequest {
  return {
    id: `${started}`,
    method: 'GET',
    protocol: 'HTTP/1.1',
    connectionUse: 'kept',
    started,
    milliseconds: 5,
    hostname: 'a',
    status: 200,
    ...change,
  };
}

/** A request every 10 ms, in turn to these instances. */
function series(from: number, to: number, instances: readonly string[]): LoadRequest[] {
  const requests: LoadRequest[] = [];
  for (let started = from; started < to; started += 10) {
    requests.push(request(started, { hostname: instances[(started / 10) % instances.length] ?? '' }));
  }
  return requests;
}

test('each second has what was sent in it', () => {
  const requests = [request(1000), request(1999, { milliseconds: 9 }), request(3000, { error: 'status 502' })];
  expect(perSecond(requests, 1000)).toEqual([
    { second: 0, sent: 2, lost: 0, p50: 5, p99: 9, max: 9 },
    { second: 2, sent: 1, lost: 1 },
  ]);
});

test('the deviation is that of the instance furthest from its fair share', () => {
  expect(shareDeviation(series(0, 1000, ['a', 'b']), ['a', 'b'])).toBe(0);
  expect(shareDeviation(series(0, 1000, ['a', 'a', 'a', 'b']), ['a', 'b'])).toBe(0.5);
  expect(shareDeviation(series(0, 1000, ['a']), ['a', 'b'])).toBe(1);
});

test('an answer of an instance that should be gone is a deviation', () => {
  const requests = [...series(0, 990, ['a', 'b', 'c']), request(990, { hostname: 'old' })];
  expect(shareDeviation(requests, ['a', 'b', 'c'])).toBeGreaterThan(0);
  expect(shareDeviation(series(0, 1000, ['a', 'old']), ['a'])).toBe(0.5);
});

test('without an answer or an instance no share is fair', () => {
  expect(shareDeviation([], ['a'])).toBe(Number.POSITIVE_INFINITY);
  expect(shareDeviation(series(0, 100, ['a']), [])).toBe(Number.POSITIVE_INFINITY);
});

test.each([
  ['lost', { error: 'status 502' }],
  ['slow', { milliseconds: 1000 }],
])('a %s request is not as before', (_, change) => {
  const requests = series(0, 1000, ['a', 'b']);
  expect(isAsBefore(requests, ['a', 'b'])).toBe(true);
  expect(isAsBefore([...requests, request(500, change)], ['a', 'b'])).toBe(false);
});

test('as before is the time from which on everything is well', () => {
  const requests = [
    ...series(0, 4000, ['a', 'b']),
    request(3990, { error: 'status 502' }),
    ...series(4000, 6000, ['a']),
    ...series(6000, 20_000, ['a', 'b']),
  ];
  // The windows that begin up to here have too many of the one instance.
  const since = asBeforeSince(requests, 1000, ['a', 'b']) ?? Number.NaN;
  expect(since).toBeGreaterThan(5000);
  expect(since).toBeLessThanOrEqual(6000);
  expect(asBeforeSince(requests, 8000, ['a', 'b'])).toBe(8000);
});

test('what does not last is not as before', () => {
  const requests = [...series(0, 10_000, ['a', 'b']), request(9000, { error: 'status 502' })];
  expect(asBeforeSince(requests, 1000, ['a', 'b'])).toBeUndefined();
});

test('an API that names no instance is judged without shares', () => {
  expect(asBeforeSince(series(0, 10_000, ['a']), 1000, undefined)).toBe(1000);
});
