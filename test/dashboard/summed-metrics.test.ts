import { eachProxy } from '../../dashboard/figures';
import { parsedScrape } from '../../dashboard/scrape';
import { SummedMetrics } from '../../dashboard/cluster/summed-metrics';
import { requestsCounted } from './some-system';

const requests = 'fairlead_http_requests_total';

function total(text: string, name: string): number {
  return [...(parsedScrape(text, 0).metrics.get(name)?.values() ?? [])].reduce((sum, { value }) => sum + value, 0);
}

function ofEach(text: string, name: string): Record<string, number> {
  const series = parsedScrape(text, 0).metrics.get(name)?.values() ?? [];
  return Object.fromEntries([...series].map(({ labels: { proxy = '' }, value }) => [proxy, value]));
}

describe('the metrics of several proxies', () => {
  let sums: SummedMetrics;
  beforeEach(() => {
    sums = new SummedMetrics();
  });

  /** What is counted in all, when each proxy says that it has counted so many. */
  function counted(time: number, ...proxies: readonly (readonly [name: string, count: number])[]): number {
    return total(sums.add(new Map(proxies.map(([name, count]) => [name, requestsCounted(count)])), time), requests);
  }

  test('are added', () => {
    expect(counted(0, ['a', 5], ['b', 7])).toBe(12);
    expect(counted(1000, ['a', 6], ['b', 9])).toBe(15);
  });

  test('never fall when a proxy goes, or begins anew', () => {
    expect(counted(0, ['a', 5], ['b', 7])).toBe(12);
    expect(counted(1000, ['b', 8])).toBe(13);
    expect(counted(2000, ['a', 2], ['b', 8])).toBe(15);
    expect(counted(3000, ['a', 4], ['b', 8])).toBe(17);
  });

  test('count a proxy that did not answer for a while once', () => {
    expect(counted(0, ['a', 5], ['b', 7])).toBe(12);
    expect(counted(1000, ['a', 5])).toBe(12);
    expect(counted(59_000, ['a', 5], ['b', 9])).toBe(14);
  });

  test('count one that comes later from then on', () => {
    expect(counted(0, ['a', 5])).toBe(5);
    expect(counted(1000, ['a', 5], ['b', 700])).toBe(5);
    expect(counted(2000, ['a', 6], ['b', 703])).toBe(9);
  });

  test('take whoever has the address of a proxy that was forgotten for another one', () => {
    expect(counted(0, ['a', 5], ['b', 7])).toBe(12);
    expect(counted(61_000, ['a', 5])).toBe(12);
    expect(counted(62_000, ['a', 5], ['b', 8])).toBe(12);
    expect(counted(63_000, ['a', 5], ['b', 9])).toBe(13);
  });

  test('are known of each proxy too', () => {
    const scrapes = (count: number): Map<string, string> =>
      new Map([
        ['a', requestsCounted(count)],
        ['b', `${requestsCounted(2 * count)}${requestsCounted(count, '502')}`],
      ]);
    sums.add(scrapes(10), 0);
    const text = sums.add(scrapes(11), 1000);
    expect(ofEach(text, eachProxy.requests)).toEqual({ a: 11, b: 33 });
    expect(ofEach(text, eachProxy.errors)).toEqual({ b: 11 });
  });

  test('forget instances that no proxy names any more, and proxies that are gone', () => {
    const tried = (peer: string, count: number): string =>
      `fairlead_peer_requests_total{backend="api",version="",peer="${peer}"} ${count}\n`;
    sums.add(
      new Map([
        ['a', requestsCounted(5) + tried('old', 5)],
        ['b', requestsCounted(7)],
      ]),
      0,
    );
    const text = sums.add(new Map([['a', requestsCounted(6) + tried('new', 1)]]), 61_000);
    expect(text).not.toContain('peer="old"');
    expect(text).toContain('peer="new"');
    expect(ofEach(text, eachProxy.requests)).toEqual({ a: 6 });
    expect(total(text, requests)).toBe(13);
    const again = sums.add(new Map([['a', requestsCounted(8) + tried('new', 1) + tried('old', 2)]]), 62_000);
    expect(total(again, 'fairlead_peer_requests_total')).toBe(3);
  });

  test('have the connections of all clients, and that of one who asks', () => {
    const gauges = (active: number): string =>
      `fairlead_connections{state="active"} ${active}\nfairlead_connections_limit 3000\nfairlead_certificate_refused{certificate="edge"} 0\n`;
    const text = sums.add(
      new Map([
        ['a', gauges(11)],
        ['b', gauges(4)],
      ]),
      0,
    );
    expect(total(text, 'fairlead_connections')).toBe(14);
    expect(total(text, 'fairlead_connections_limit')).toBe(6000);
    expect(ofEach(text, eachProxy.connections)).toEqual({ a: 10, b: 3 });
    expect(text).not.toContain('certificate');
  });
});
