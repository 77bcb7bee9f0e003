import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoadRequest } from '../../load/load-request';
import { loadResult } from '../../load/load-result';
import { rolloutsOf, type SoakRun, SoakRuns, SoakSum } from '../../reliability/soak';

const minute = 60_000;

function request(changes: Partial<LoadRequest> = {}): LoadRequest {
  return { id: '1', method: 'GET', protocol: 'HTTP/2', connectionUse: 'kept', started: 0, milliseconds: 1, ...changes };
}

test('there is a rollout every ten minutes, of the API and of nginx in turn', () => {
  expect(rolloutsOf(60 * minute)).toEqual(
    [10, 20, 30, 40, 50].map((at, index) => ({ at: at * minute, component: index % 2 === 0 ? 'api' : 'proxy' })),
  );
});

test('a short run has a rollout every third of its time', () => {
  expect(rolloutsOf(3 * minute)).toEqual([
    { at: minute, component: 'api' },
    { at: 2 * minute, component: 'proxy' },
  ]);
});

test('what was sent is summed up by protocol, and of the requests the lost ones are kept', () => {
  const sum = new SoakSum();
  sum.add(loadResult([request(), request({ repeats: 2 }), request({ id: 'lost', error: 'status 502' })]));
  sum.add(loadResult([request({ protocol: 'HTTP/1.1' }), request()]));
  expect(sum.counted).toEqual({ sent: 5, lost: 1, repeated: 1, http2: { sent: 4, lost: 1, repeated: 1 } });
  expect(sum.lostRequests.map(({ id }) => id)).toEqual(['lost']);
});

describe('the sum over runs', () => {
  let directory: string;
  let runs: SoakRuns;

  function run(sent: number, lost: number): SoakRun {
    const counted = { sent, lost, repeated: 3 };
    return { date: '2026-01-31T00:00:00.000Z', seconds: 3600, rollouts: 5, ...counted, http2: counted };
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'fairlead-soak-'));
    runs = new SoakRuns(join(directory, 'below', 'soak.jsonl'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  test('is what counts: one lost request is too much until ten million were sent', () => {
    runs.add(run(360_000, 1));
    expect(runs.sum).toEqual({ runs: 1, sent: 360_000, lost: 1, repeated: 3, reached: false });
    runs.add(run(9_639_999, 0));
    expect(runs.sum).toMatchObject({ sent: 9_999_999, reached: false });
    runs.add(run(1, 0));
    expect(runs.sum).toMatchObject({ runs: 3, sent: 10_000_000, lost: 1, reached: true });
  });

  test('is said after each run', () => {
    runs.add(run(1000, 0));
    runs.add(run(360_000, 0));
    expect(runs.text(run(360_000, 0))).toContain(
      'soak of 3,600 s with 5 rollouts: 360,000 sent, 0 lost, 3 repeated; of these over HTTP/2: 360,000 sent, 0 lost, 3 repeated\n' +
        'in 2 runs altogether: 361,000 sent, 0 lost, 6 repeated (at most 1 in 10,000,000 is asked for; ',
    );
  });
});
