import { count, plural } from './report-format';
import type { ScenarioResult } from './scenario-result';

/** A chart in words, for those who do not see it. */
export function chartDescription(result: ScenarioResult): string {
  const { title, sent, events, seconds } = result;
  const lost = result.lostGet + result.lostPostSent + result.lostPostNotSent;
  return (
    `${title}: latency over ${plural(seconds.length, 'second')}, with ${plural(events.length, 'event')}; ` +
    `${lost === 0 ? 'none' : count(lost)} of ${plural(sent, 'request')} lost`
  );
}
