import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scenarioChart } from './chart';
import { reliabilityReport } from './report';
import { reliabilityJson } from './report-json';
import type { ReportRun } from './report-run';
import type { ScenarioResult } from './scenario-result';

/**
 * Writes reliability.md, reliability.json and reliability/<name>.svg into a directory, which is `docs` of the checkout.
 * reliability-notes.md there is a person's own and goes into the page as it is.
 */
export function writeReport(directory: string, run: ReportRun, results: readonly ScenarioResult[]): void {
  const notes = join(directory, 'reliability-notes.md');
  // First, as it refuses names that would lead elsewhere.
  const page = reliabilityReport(run, results, existsSync(notes) ? readFileSync(notes, 'utf8') : '');
  mkdirSync(join(directory, 'reliability'), { recursive: true });
  for (const result of results) {
    writeFileSync(join(directory, 'reliability', `${result.name}.svg`), scenarioChart(result));
  }
  writeFileSync(join(directory, 'reliability.json'), reliabilityJson(run, results));
  writeFileSync(join(directory, 'reliability.md'), page);
}
