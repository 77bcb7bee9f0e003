import { count, plural } from './report-format';
import { scenarioLink } from './report-table';
import type { ScenarioResult } from './scenario-result';

/** All requests, all that were lost, and what was not reached: the line to quote. */
export function reportSummary(results: readonly ScenarioResult[]): string {
  const sum = (of: (result: ScenarioResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const lostGet = sum((result) => result.lostGet);
  const lostPostSent = sum((result) => result.lostPostSent);
  const lostPostNotSent = sum((result) => result.lostPostNotSent);
  const judgements = results.flatMap((result) => result.judgements);
  const reached = judgements.filter((judgement) => judgement.reached);
  const failed = results.filter((result) => result.judgements.some((judgement) => !judgement.reached));
  const not = failed.length === 0 ? '' : ` Not all was reached in: ${failed.map(scenarioLink).join(', ')}.`;
  return (
    `**${plural(results.length, 'scenario')}, ${plural(
      sum(({ sent }) => sent),
      'request',
    )} sent, ` +
    `${count(sum(({ answered }) => answered))} answered, ${count(lostGet + lostPostSent + lostPostNotSent)} lost** ` +
    `(${count(lostGet)} GET, ${count(lostPostSent)} POST of which something had been sent to an instance of the API, ` +
    `${count(lostPostNotSent)} POST of which nothing had). ` +
    `${count(reached.length)} of ${plural(judgements.length, 'figure')} that were asked for were reached.${not}`
  );
}
