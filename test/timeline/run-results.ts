import { reliabilityJson } from '../../reliability/report/report-json';
import type { ScenarioResult } from '../../reliability/scenario-result';
import { run, scenario } from '../reliability/scenario';

/** A run's file with scenarios that measured these. */
export function runResults(...measured: readonly ScenarioResult['measured'][]): string {
  return reliabilityJson(
    run,
    measured.map((times, index) => scenario({ name: `scenario-${index}`, measured: times })),
  );
}
