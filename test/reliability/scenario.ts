import type { ReportRun, ScenarioResult } from '../../reliability/scenario-result';

export const run: ReportRun = {
  date: '2026-01-31',
  kubernetesVersion: '1.34.4',
  nodes: 3,
  cores: 2,
  command: 'npm run reliability',
  seconds: 4321,
};

/** A scenario that lost nothing, for tests that change one thing. */
export function scenario(changes: Partial<ScenarioResult> = {}): ScenarioResult {
  return {
    name: 'rollout-api',
    title: 'Rollout of the API',
    group: 'operations',
    description: 'A new version of the API replaces every pod.',
    rate: 100,
    sent: 6032,
    answered: 6032,
    lostGet: 0,
    lostPostSent: 0,
    lostPostNotSent: 0,
    protocols: {
      'HTTP/1.1': { sent: 3016, ok: 3016, repeated: 0, p50: 2.2, p99: 11.1, max: 51.2 },
      'HTTP/2': { sent: 3016, ok: 3016, repeated: 7, p50: 2.4, p99: 13.6, max: 58.1 },
    },
    latency: { p50: 2.3, p99: 12.4, max: 58.1 },
    baseline: { p50: 2.1, p99: 9.8, max: 21.7 },
    recovery: 2.34,
    events: [{ second: 10, text: 'kubectl rollout restart' }],
    seconds: Array.from({ length: 60 }, (_, second) => ({ second, sent: 100, lost: 0, p50: 2, p99: 12, max: 40 })),
    notes: [{ name: 'longest gap', value: '0.2 s' }],
    judgements: [{ text: 'no request lost', reached: true }],
    measured: { 'api-pod-starts.first-request': [1.7, 2.7] },
    ...changes,
  };
}
