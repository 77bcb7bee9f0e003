import type { LoadRequest } from '../../load/load-request';
import type { LostRequests } from '../../reliability/analysis';
import { judgements, lossJudgement, sharesJudgement } from '../../reliability/judgements';

const noneLost: LostRequests = { get: [], getHungTwice: [], postSent: [], postNotSent: [] };
const baseline = { p50: 2, p99: 10, max: 100 };
const calm = { sent: 100, answered: 100, latency: { p50: 2, p99: 30, max: 1100 }, recovery: 8 };

function request(changes: Partial<LoadRequest> = {}): LoadRequest {
  return {
    id: '1',
    method: 'GET',
    protocol: 'HTTP/1.1',
    connectionUse: 'new',
    started: 0,
    milliseconds: 1,
    ...changes,
  };
}

/** What was not reached, of all that is asked of such a scenario. */
function missed(
  scenario: Parameters<typeof judgements>[0],
  result: Partial<Parameters<typeof judgements>[1]> = {},
  lost: Partial<LostRequests> = {},
): string[] {
  return judgements(scenario, { ...calm, ...result }, { ...noneLost, ...lost }, baseline, 2)
    .filter(({ reached }) => !reached)
    .map(({ text }) => text);
}

describe('An operation', () => {
  const operation = { reaches: 'nothing lost', group: 'operations' } as const;

  test('may lose nothing, and be three times as slow, with one second more at most', () => {
    expect(missed(operation)).toEqual([]);
    expect(missed(operation, { answered: 99 })).toEqual(['no request lost']);
    expect(missed(operation, { latency: { ...calm.latency, p99: 30.1 } })).toEqual([
      'p99 at most three times that of the baseline',
    ]);
    expect(missed(operation, { latency: { ...calm.latency, max: 1101 } })).toEqual([
      'no answer over 1 s beyond those of the baseline',
    ]);
  });

  test('may wait for one connection more where an ending proxy meets pods that are gone', () => {
    const both = { ...operation, meetsGonePods: true };
    expect(missed(both, { latency: { ...calm.latency, max: 3100 } })).toEqual([]);
    expect(missed(both, { latency: { ...calm.latency, max: 3101 } })).toEqual([
      'no answer over 3 s beyond those of the baseline',
    ]);
  });

  test('is as before within 8 s', () => {
    expect(missed(operation, { recovery: 8.5 })).toEqual(['as before within 8 s of the end of its cause']);
    expect(missed(operation, { recovery: undefined })).toHaveLength(1);
  });
});

test('wrong input may lose nothing, however slow it is', () => {
  const slow = { latency: { p50: 2, p99: 5000, max: 9000 } };
  expect(missed({ reaches: 'nothing lost', group: 'wrong input' }, slow)).toEqual([]);
  expect(missed({ reaches: 'nothing lost', group: 'wrong input' }, { ...slow, answered: 99 })).toHaveLength(1);
});

test('beside an attack nothing may be lost, and be twice as slow while it lasts', () => {
  const attack = (p99: number) => ({
    attack: {
      ...{ achieved: '', memory: 0, memoryLimit: 0, disk: 0, diskLimit: 0, restarts: 0, killed: 0 },
      latency: { p50: 2, p99, max: 5000 },
    },
  });
  const scenario = { reaches: 'nothing lost', group: 'attacks' } as const;
  expect(missed(scenario, attack(20))).toEqual([]);
  expect(missed(scenario, attack(20.1))).toEqual(['p99 at most twice that of the baseline while the attack lasted']);
  expect(missed(scenario, { ...attack(20), answered: 99 })).toEqual(['no request lost']);
});

describe('A fault of a pod', () => {
  const fault = { reaches: 'no GET lost', group: 'faults' } as const;
  const waited = { sent: 1, answered: 0, longest: 40, bound: 56 };

  test('may lose POSTs that were sent', () => {
    expect(missed(fault, { answered: 99 }, { postSent: [request()] })).toEqual([]);
    expect(missed(fault, { answered: 99 }, { postNotSent: [request()] })).toHaveLength(1);
    expect(missed(fault, { answered: 99 }, { get: [request()] })).toEqual(['no GET lost']);
  });

  test('may lose a GET that met two hung instances, where something hangs', () => {
    expect(missed(fault, { waited }, { getHungTwice: [request()] })).toEqual([]);
    expect(missed(fault, {}, { getHungTwice: [request()] })).toEqual(['no GET lost']);
    expect(missed(fault, { waited }, { get: [request()] })).toHaveLength(1);
  });
});

test('a scenario that judges itself is asked nothing else', () => {
  expect(judgements({ reaches: 'own', group: 'faults' }, calm, noneLost, baseline, 2)).toEqual([]);
});

describe('What is lost with a proxy', () => {
  const reached = (requests: readonly LoadRequest[], reusedPorts?: number): boolean =>
    lossJudgement(
      { ...noneLost, get: requests },
      { from: 1000, seconds: 5, ...(reusedPorts === undefined ? {} : { reusedPorts }) },
    ).reached;
  const early = Array.from({ length: 9 }, () => request({ started: 6000 }));

  test('is lost within the bound', () => {
    expect(reached(early)).toBe(true);
    expect(reached([...early, request({ started: 6001 })])).toBe(false);
  });

  test('a tenth of it may be new connections from ports that were used before, for a while', () => {
    expect(reached([...early, request({ started: 6001 })], 120)).toBe(true);
    expect(reached([...early, request({ started: 6001 }), request({ started: 6001 })], 120)).toBe(false);
    expect(reached([...early, request({ started: 126_000 })], 120)).toBe(false);
    expect(reached([...early, request({ started: 6001, connectionUse: 'paused' })], 120)).toBe(true);
    expect(reached([...early, request({ started: 6001, status: 503 })], 120)).toBe(false);
  });
});

test('shares are those of the requests from a moment on', () => {
  const of = (hostname: string, started: number): LoadRequest => request({ hostname, started });
  const requests = [of('a', 1), of('a', 2), of('a', 10), of('b', 11)];
  expect(sharesJudgement(requests, 10, ['a', 'b']).reached).toBe(true);
  expect(sharesJudgement(requests, 0, ['a', 'b']).reached).toBe(false);
});
