import { gauge, Growth, isRestarted, parsedScrape, quantile, quantileOfAll } from '../../dashboard/scrape';

const requests = 'fairlead_http_requests_total';

function counted(time: number, ...series: readonly (readonly [code: string, count: number])[]) {
  return parsedScrape(series.map(([code, count]) => `${requests}{code="${code}"} ${count}`).join('\n'), time);
}

describe('a scrape', () => {
  test('has labels as they were before they were escaped, and leaves out what is no sample', () => {
    const text = [
      '# HELP some words',
      '# TYPE fairlead_x counter',
      String.raw`fairlead_x{a="say \"hi\"",b="C:\\d\n",c="},{"} 3`,
      'fairlead_y 1e3 1700000000000',
      'fairlead_z NaN',
      'not a sample',
      '',
    ].join('\n');
    const { metrics } = parsedScrape(text, 5);
    expect([...metrics.keys()]).toEqual(['fairlead_x', 'fairlead_y']);
    expect([...(metrics.get('fairlead_x')?.values() ?? [])]).toEqual([
      {
        key: String.raw`a="say \"hi\"",b="C:\\d\n",c="},{"`,
        labels: { a: 'say "hi"', b: 'C:\\d\n', c: '},{' },
        value: 3,
      },
    ]);
    expect(gauge(parsedScrape(text, 5), 'fairlead_y')).toBe(1000);
  });

  test('shares the labels of the one before, whose values stay as they were', () => {
    const before = counted(1, ['200', 5]);
    const after = parsedScrape(`${requests}{code="200"} 8\n${requests}{code="502"} 1`, 2, before);
    const series = [before, after].map(({ metrics }) => [...(metrics.get(requests)?.values() ?? [])]);
    expect(series.map((of) => of.map(({ labels: { code }, value }) => [code, value]))).toEqual([
      [['200', 5]],
      [
        ['200', 8],
        ['502', 1],
      ],
    ]);
    expect(series[1]?.[0]?.labels).toBe(series[0]?.[0]?.labels);
  });

  test('has a gauge by its state, or none', () => {
    const scrape = parsedScrape('fairlead_connections{state="active"} 7\nfairlead_connections{state="writing"} 2', 0);
    expect(gauge(scrape, 'fairlead_connections', 'writing')).toBe(2);
    expect(gauge(scrape, 'fairlead_connections', 'waiting')).toBeUndefined();
    expect(gauge(scrape, 'fairlead_other')).toBeUndefined();
  });
});

describe('growth', () => {
  test('is what counters have more, with series that are new', () => {
    const growth = new Growth([counted(1000, ['200', 10]), counted(3000, ['200', 25], ['502', 2])]);
    expect(growth.seconds).toBe(2);
    expect(growth.of(requests)).toBe(17);
    expect(growth.of(requests, ({ code }) => code === '502')).toBe(2);
    expect([...growth.by(requests, ({ code = '' }) => code)]).toEqual([
      ['200', 15],
      ['502', 2],
    ]);
  });

  test('is all that is counted once a proxy counts anew, also by series that have more than before', () => {
    const before = counted(1000, ['200', 100], ['404', 1]);
    const after = counted(2000, ['200', 5], ['404', 4]);
    expect(isRestarted(before, after)).toBe(true);
    expect(new Growth([before, after]).of(requests)).toBe(9);
    expect(isRestarted(before, counted(2000, ['200', 100], ['404', 1]))).toBe(false);
  });

  test('is that of all series when one is not there any more', () => {
    expect(new Growth([counted(1000, ['200', 7]), counted(2000)]).of(requests)).toBe(0);
    expect(isRestarted(counted(1000, ['200', 7]), counted(2000))).toBe(true);
  });

  test('of a peer that was forgotten and comes again is what it has now', () => {
    const peer = (count: number) => parsedScrape(`fairlead_peer_requests_total{peer="127.0.0.1:1"} ${count}`, count);
    expect(new Growth([peer(40), peer(3)]).of('fairlead_peer_requests_total')).toBe(3);
  });

  test('of several proxies is that of all of them, though one counts anew', () => {
    const growth = new Growth(
      [counted(1000, ['200', 10]), counted(2000, ['200', 15])],
      [counted(1000, ['200', 90]), counted(4000, ['200', 2])],
    );
    expect(growth.of(requests)).toBe(7);
    expect(growth.seconds).toBe(2);
    expect(growth.perSecond(7)).toBe(3.5);
    expect(growth.latest(requests).map(({ value }) => value)).toEqual([15, 2]);
  });

  test('of no proxy is none', () => {
    expect([new Growth().seconds, new Growth().of(requests), new Growth().perSecond(1)]).toEqual([0, 0, 0]);
  });

  test('has quantiles of what was observed in between alone', () => {
    const histogram = (fast: number, slow: number, time: number) =>
      parsedScrape(
        [
          `t_bucket{route="a",le="0.1"} ${fast}`,
          `t_bucket{route="a",le="1"} ${fast + slow}`,
          `t_bucket{route="a",le="+Inf"} ${fast + slow}`,
          't_bucket{route="b",le="0.1"} 1000',
        ].join('\n'),
        time,
      );
    const growth = new Growth([histogram(100, 0, 0), histogram(100, 10, 1000)]);
    expect(growth.quantile(0.5, 't', ({ route }) => route === 'a')).toBeCloseTo(0.1 + 0.9 / 2);
    expect(growth.quantile(0.5, 't', ({ route }) => route === 'b')).toBeNull();
    expect(growth.quantile(0.5, 't', ({ route }) => route === 'c')).toBeNull();
    const byRoute = growth.buckets('t', ({ route }) => route);
    expect([...(byRoute.get('a') ?? [])]).toEqual([
      [0.1, 0],
      [1, 10],
      [Number.POSITIVE_INFINITY, 10],
    ]);
    expect([...(byRoute.get('b') ?? [])]).toEqual([[0.1, 0]]);
  });
});

describe('a quantile', () => {
  const buckets = [
    [0.01, 50],
    [0.1, 90],
    [1, 100],
    [Number.POSITIVE_INFINITY, 100],
  ] as const;

  test.each([
    [0, 0],
    [0.25, 0.005],
    [0.5, 0.01],
    [0.7, 0.055],
    [0.99, 0.91],
    [1, 1],
  ])('of %d is %d', (part, value) => {
    expect(quantile(part, buckets)).toBeCloseTo(value, 10);
  });

  test('is the last bound of what was greater than all bounds', () => {
    expect(
      quantile(0.99, [
        [0.1, 0],
        [1, 1],
        [Number.POSITIVE_INFINITY, 100],
      ]),
    ).toBe(1);
  });

  test('of several histograms is that of all that they observed, whatever the order of their buckets', () => {
    const reversed = new Map([...buckets].reverse());
    const slow = new Map([...buckets.map(([bound]) => [bound, bound > 0.1 ? 100 : 0] as const)]);
    expect(quantileOfAll(0.25, [reversed, slow])).toBeCloseTo(quantile(0.5, buckets) ?? NaN, 10);
    expect(quantileOfAll(0.75, [reversed, slow])).toBeCloseTo(0.1 + (0.9 * 60) / 110, 10);
  });

  test('is none of nothing', () => {
    expect(quantileOfAll(0.5, [])).toBeNull();
    expect(quantile(0.5, [])).toBeNull();
    expect(quantile(0.5, [[1, 0]])).toBeNull();
  });
});
