import { count, plural } from './report-format';
import { scenarioLink } from './report-table';
import { reportTotals } from './report-totals';
import type { ScenarioResult } from './scenario-result';

/** All of the run in one paragraph, and what was not reached. */
export function reportSummary(results: readonly ScenarioResult[]): string {
  const judgements = results.flatMap((result) => result.judgements);
  const reached = judgements.filter((judgement) => judgement.reached);
  const failed = results.filter((result) => result.judgements.some((judgement) => !judgement.reached));
  const not = failed.length === 0 ? '' : ` Not all was reached in: ${failed.map(scenarioLink).join(', ')}.`;
  return (
    `${reportTotals(results)}. ` +
    `${count(reached.length)} of ${plural(judgements.length, 'figure')} that were asked for were reached.${not}`
  );
}
