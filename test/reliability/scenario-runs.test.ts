import type { ScenarioResult } from '../../reliability/scenario-result';
import { measured } from '../../reliability/scenario-runs';
import { scenario as resultOf } from './scenario';

describe('A scenario that is measured', () => {
  /** Gives such results in turn. */
  function results(...given: { p99: number; reached?: boolean; lost?: boolean }[]): jest.Mock<Promise<ScenarioResult>> {
    const measure = jest.fn<Promise<ScenarioResult>, []>();
    for (const { p99, reached = true, lost = false } of given) {
      const judged = [
        { text: 'no request lost', reached: !lost },
        { text: 'p99', reached, milliseconds: p99 },
      ];
      const latency = { p50: 2, p99, max: 1100 };
      measure.mockResolvedValueOnce(resultOf({ latency, judgements: judged, notes: [] }));
    }
    return measure;
  }

  test('is measured once where all is reached, or something was lost', async () => {
    for (const first of [{ p99: 10 }, { p99: 10, lost: true }, { p99: 90, reached: false, lost: true }]) {
      const measure = results(first);
      expect(await measured(measure)).toMatchObject({ latency: { p99: first.p99 }, notes: [] });
      expect(measure).toHaveBeenCalledTimes(1);
    }
  });

  test('counts by the one in the middle of three where it was too slow alone', async () => {
    const slow = results({ p99: 90, reached: false }, { p99: 100, reached: false }, { p99: 20 });
    expect(await measured(slow)).toMatchObject({ latency: { p99: 90 }, judgements: [{}, { reached: false }] });
    const quick = results({ p99: 90, reached: false }, { p99: 30 }, { p99: 20 });
    expect(await measured(quick)).toMatchObject({
      latency: { p99: 30 },
      judgements: [{}, { reached: true }],
      notes: [{ name: 'measured', value: '3 times, as the first was too slow: p99 20, 30, 90 ms' }],
    });
  });

  test('counts at once by one that lost something', async () => {
    const measure = results({ p99: 90, reached: false }, { p99: 20, lost: true });
    expect(await measured(measure)).toMatchObject({ latency: { p99: 20 }, judgements: [{ reached: false }, {}] });
  });
});
