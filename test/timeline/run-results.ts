import type { ScenarioResult } from '../../reliability/scenario-result';

/** As much of a run's file as the timeline reads. */
export function runResults(...measured: readonly ScenarioResult['measured'][]): string {
  return JSON.stringify(measured.map((times, index) => ({ name: `scenario-${index}`, measured: times })));
}
