import { happenings, type Observation, withGone } from '../../dashboard/happenings';
import { someInstance, someState } from './some-system';

function observed(time: number, state: Parameters<typeof someState>[0] = {}, problem?: string): Observation {
  return { time, state: someState(state), problem };
}

function said(before: Observation, after: Observation, restarted: readonly string[] = []): string[] {
  return happenings(before, after, restarted).map(({ text }) => text);
}

const [first, second] = [someInstance('api-1'), someInstance('api-2')];

describe('what happened', () => {
  test('is nothing where nothing changed', () => {
    expect(said(observed(1), observed(2))).toEqual([]);
  });

  test.each([
    ['starting', 'api-2 came, and starts'],
    ['ready', 'api-2 is ready, and gets requests'],
  ] as const)('tells of an instance that came and is %s', (health, text) => {
    const after = observed(2, { instances: [first, someInstance('api-2', { health })] });
    expect(said(observed(1, { instances: [first] }), after)).toEqual([text]);
  });

  test.each([
    ['slow', 'api-1 is made slow'],
    ['ending', 'api-1 is ending: it gets no new requests'],
    ['failed', 'api-1 failed (SIGKILL): it is started again'],
    ['gone', 'api-1 is gone'],
  ] as const)('tells of an instance that is %s now', (health, text) => {
    const after = observed(2, { instances: [someInstance('api-1', { health, reason: 'SIGKILL', since: 2 })] });
    expect(happenings(observed(1), after, [])).toEqual([
      { time: 2, tone: health === 'failed' ? 'bad' : 'warning', text },
    ]);
  });

  test('tells of an instance that failed and was started again between two looks', () => {
    const after = observed(2, { instances: [someInstance('api-1', { since: 5 })] });
    expect(said(observed(1), after)).toEqual(['api-1 is ready, and gets requests']);
  });

  test('tells of numbers that are wanted, of weights and of load', () => {
    const before = observed(1, { weights: { root: { a: 95, b: 5 } } });
    const after = observed(2, { wanted: { api: 3 }, weights: { root: { a: 80, b: 20 } }, load: 50 });
    expect(said(before, after)).toEqual([
      'api: scaled from 1 to 3',
      'Weights of root: a 80 %, b 20 %',
      '50 requests a second are sent',
    ]);
    expect(said(after, { ...after, state: { ...after.state, load: 0 } })).toEqual(['No load is sent any more']);
  });

  test('tells once of a proxy that does not answer, and when it does again', () => {
    const silent = observed(2, {}, 'The proxy does not answer');
    expect(said(observed(1), silent)).toEqual(['The proxy does not answer']);
    expect(said(silent, observed(3, {}, 'The proxy does not answer'))).toEqual([]);
    expect(said(silent, observed(3), ['nginx'])).toEqual([
      'The proxy answers again',
      'The proxy was started again, and counts from 0',
    ]);
  });
});

describe('an instance that went', () => {
  test('is shown as gone among the others for twenty seconds', () => {
    const third = someInstance('api-10');
    const shown = withGone([first, second, third], [first, third], 1000);
    expect(shown.map(({ name, health }) => [name, health])).toEqual([
      ['api-1', 'ready'],
      ['api-2', 'gone'],
      ['api-10', 'ready'],
    ]);
    expect(withGone(shown, [first, third], 20_999)).toEqual(shown);
    expect(withGone(shown, [first, third], 21_000)).toEqual([first, third]);
  });

  test('is there again when it comes back', () => {
    const shown = withGone([first, second], [first], 1000);
    expect(withGone(shown, [first, second], 2000)).toEqual([first, second]);
  });
});
