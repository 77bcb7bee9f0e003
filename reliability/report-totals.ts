import type { ProtocolResult } from '../load/load-result';
import { count, plural } from './report-format';
import type { ScenarioResult } from './scenario-result';

/** All requests of these scenarios, and all that were lost: the line to quote. */
export function reportTotals(results: readonly ScenarioResult[]): string {
  const sum = (of: (result: ScenarioResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const lostGet = sum((result) => result.lostGet);
  const lostPostSent = sum((result) => result.lostPostSent);
  const lostPostNotSent = sum((result) => result.lostPostNotSent);
  const lost = lostGet + lostPostSent + lostPostNotSent;
  const sent = plural(
    sum((result) => result.sent),
    'request',
  );
  const answered = count(sum((result) => result.answered));
  const totals = `**${plural(results.length, 'scenario')}, ${sent} sent, ${answered} answered, ${count(lost)} lost**`;
  const http2 = results.flatMap(({ protocols }) => protocols['HTTP/2'] ?? []);
  const over = (of: (result: ProtocolResult) => number) =>
    count(http2.reduce((total, result) => total + of(result), 0));
  const overHttp2 =
    http2.length === 0
      ? ''
      : `; over HTTP/2 ${over((one) => one.sent)} of these, ${over((one) => one.repeated)} repeated and ${over((one) => one.sent - one.ok)} lost`;
  if (lost === 0) return `${totals}${overHttp2}`;
  return (
    `${totals}${overHttp2} (${count(lostGet)} GET, ${count(lostPostSent)} POST of which something had been sent to an instance of ` +
    `the API, ${count(lostPostNotSent)} POST of which nothing had)`
  );
}
