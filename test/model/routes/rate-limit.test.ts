import { RequestKey } from '../../../model/load-balancing';
import { RateLimit, rateLimits } from '../../../model/routes/rate-limit';

describe('A limit of a rate', () => {
  test('lets as many come at once as its rate has in its time, unless told otherwise', () => {
    expect(RateLimit.perClient('5/s')).toMatchObject({ rate: { requests: 5, unit: 's' }, burst: 4 });
    expect(RateLimit.perClient('300/m')).toMatchObject({ rate: { requests: 300, unit: 'm' }, burst: 299 });
    expect(RateLimit.perClient('1/s')).toMatchObject({ burst: 0 });
    expect(RateLimit.perClient('5/s', { burst: 10 })).toMatchObject({ burst: 10 });
    expect(RateLimit.per(RequestKey.uri(), '1000000/s', { burst: 0 })).toMatchObject({ burst: 0 });
  });

  test('counts by the address of a client, or by what it is told', () => {
    expect(RateLimit.perClient('5/s').key.source).toEqual({ kind: 'clientAddress' });
    const key = RequestKey.header('X-Api-Key');
    expect(RateLimit.per(key, '5/s').key).toBe(key);
  });

  test.each([
    ['100/s', 1],
    ['1/s', 1],
    ['60/m', 1],
    ['59/m', 2],
    ['5/m', 12],
    ['1/m', 60],
  ] as const)('of %s has room again after %i s', (rate, seconds) => {
    expect(RateLimit.perClient(rate).interval).toBe(seconds);
  });

  const notARate = 'is not a rate: give a whole number of requests in a second or a minute, such as "5/s" or "300/m"';

  test.each<[unknown, unknown, string]>([
    ['5', {}, `rate: "5" ${notARate}`],
    ['5/h', {}, `rate: "5/h" ${notARate}`],
    ['0.5/s', {}, `rate: "0.5/s" ${notARate}`],
    ['5r/s', {}, `rate: "5r/s" ${notARate}`],
    [' 5/s', {}, `rate: " 5/s" ${notARate}`],
    [5, {}, `rate: 5 ${notARate}`],
    ['0/s', {}, 'rate: "0/s" is out of range: give 1 to 1000000 requests'],
    ['1000001/m', {}, 'rate: "1000001/m" is out of range: give 1 to 1000000 requests'],
    ['5/s', { burst: -1 }, 'burst: -1 is out of range: give a whole number from 0 to 1000000'],
    ['5/s', { burst: 1_000_001 }, 'burst: 1000001 is out of range: give a whole number from 0 to 1000000'],
    ['5/s', { brust: 5 }, 'brust: 5 is an option that does not exist: burst does'],
  ])('of %j with %j is refused', (rate, options, message) => {
    expect(() => RateLimit.perClient(rate as '5/s', options as never)).toThrow(
      new Error(`RateLimit.perClient ${message}`),
    );
    expect(() => RateLimit.per(RequestKey.uri(), rate as '5/s', options as never)).toThrow(
      new Error(`RateLimit.per ${message}`),
    );
  });

  test('by what is no key is refused', () => {
    expect(() => RateLimit.per('X-Api-Key' as never, '5/s')).toThrow(
      new Error(
        'RateLimit.per key: "X-Api-Key" is not what stands here: give it as RequestKey.header("X-Api-Key") does',
      ),
    );
  });
});

describe('Several of them', () => {
  const read = (given: unknown): readonly RateLimit[] => rateLimits('rateLimit', given);
  const limit = RateLimit.perClient('5/s');

  test('may be one, or none', () => {
    expect(read(limit)).toEqual([limit]);
    expect(read([])).toEqual([]);
  });

  test('may have one key, with other rates', () => {
    const others = [limit, RateLimit.perClient('5/m'), RateLimit.per(RequestKey.uri(), '5/s')];
    expect(read(others)).toEqual(others);
  });

  test('are refused if two count the same', () => {
    expect(() => read([limit, RateLimit.per(RequestKey.clientAddress(), '5/s', { burst: 9 })])).toThrow(
      new Error('rateLimit: "5/s" is given twice for the same requests: take one out'),
    );
  });

  test('are refused if one is none', () => {
    expect(() => read([limit, '5/s'])).toThrow(
      new Error('rateLimit: "5/s" is not what stands here: give it as RateLimit.perClient("5/s") does'),
    );
  });
});
