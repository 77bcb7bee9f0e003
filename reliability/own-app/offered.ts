import type { Scenario } from '../scenario';

/** Why a scenario is not for an app of one's own; undefined if it is. */
function whyNot({ needsExampleApi, applies, needsMetricsServer }: Scenario): string | undefined {
  if (needsExampleApi === true) return 'needs endpoints of the example API';
  if (applies !== undefined) return 'changes options of a main.ts that reads them from its environment';
  return needsMetricsServer === true ? 'needs metrics-server' : undefined;
}

/** Those that an app of one's own is tried by. */
export function offered(scenarios: readonly Scenario[]): readonly Scenario[] {
  return scenarios.filter((scenario) => whyNot(scenario) === undefined);
}

/** A line for each scenario, and below them those that are not offered, by the reason. */
export function listOf(scenarios: readonly Scenario[]): string {
  const reasons = new Map<string, string[]>();
  for (const scenario of scenarios) {
    const reason = whyNot(scenario);
    if (reason !== undefined) reasons.set(reason, [...(reasons.get(reason) ?? []), scenario.name]);
  }
  return [
    ...offered(scenarios).map(({ name, title }) => `${name.padEnd(34)}${title}`),
    '',
    "Not offered for an app of one's own (in a clone of fairlead, npm run reliability runs them):",
    ...[...reasons].map(([reason, names]) => `  ${reason}: ${names.join(', ')}`),
    '',
  ].join('\n');
}
