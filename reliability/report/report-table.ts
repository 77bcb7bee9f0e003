import type { ProtocolResult } from '../../load/load-result';
import type { AttackResult, ScenarioGroup, ScenarioResult, Waited } from '../scenario-result';
import { count, markdownText, mebibytes, plural, seconds, tableRow, wholeMilliseconds } from './format';

const groups: readonly ScenarioGroup[] = ['operations', 'faults', 'long connections', 'wrong input', 'attacks'];

const head = [
  'scenario',
  'sent',
  'of these HTTP/2',
  'answered',
  'lost GET',
  'lost POST, sent',
  'lost POST, not sent',
  'repeated',
  'p50 ms',
  'p99 ms',
  'max ms',
  'as before after',
];

/** Beside the table of the load: what the attacks took, of the proxy that held the most, and what they achieved. */
const attackHead = [
  'attack',
  'p99 ms before',
  'p99 ms meanwhile',
  'most memory',
  'of',
  'most temporary files',
  'of',
  'workers killed',
  'restarts',
  'what was done',
];

/** One table for each group of scenarios that has any, below its totals. */
export function reportTables(results: readonly ScenarioResult[]): string {
  return groups
    .map((group) => ({ group, rows: results.filter((result) => result.group === group) }))
    .filter(({ rows }) => rows.length > 0)
    .map(
      ({ group, rows }) => `### ${capitalized(group)}\n\n${reportTotals(rows)}.\n\n${table(rows)}${attackTable(rows)}`,
    )
    .join('\n\n');
}

/** The scenarios in the order of the tables. */
export function inTableOrder(results: readonly ScenarioResult[]): readonly ScenarioResult[] {
  return groups.flatMap((group) => results.filter((result) => result.group === group));
}

/** A link to what the report says about a scenario further down. */
export function scenarioLink({ name, title }: ScenarioResult): string {
  return `[${markdownText(title)}](#${name})`;
}

/** `2.3 s`, or that it never was. */
export function recoveryText(recovery: number | undefined): string {
  return recovery === undefined || Number.isNaN(recovery) ? 'never' : seconds(recovery);
}

function table(results: readonly ScenarioResult[]): string {
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [tableRow(head), `|${rule.join('|')}|`, ...results.flatMap(rows)].join('\n');
}

/** Empty without attacks. */
function attackTable(results: readonly ScenarioResult[]): string {
  const lines = results.flatMap((result) => (result.attack === undefined ? [] : [attackRow(result, result.attack)]));
  if (lines.length === 0) return '';
  const rule = attackHead.map((_, column) => (column === 0 || column === attackHead.length - 1 ? '---' : '---:'));
  return ['\n', tableRow(attackHead), `|${rule.join('|')}|`, ...lines].join('\n');
}

function attackRow(result: ScenarioResult, attack: AttackResult): string {
  const { latency, memory, memoryLimit, disk, diskLimit, killed, restarts, achieved } = attack;
  return tableRow([
    scenarioLink(result),
    ...[result.baseline.p99, latency.p99].map(wholeMilliseconds),
    ...[memory, memoryLimit, disk, diskLimit].map(mebibytes),
    ...[killed, restarts].map(count),
    markdownText(achieved),
  ]);
}

function rows(result: ScenarioResult): string[] {
  return result.waited === undefined ? [row(result)] : [row(result), waitedRow(result.waited)];
}

/** Those of a scenario's GETs that waited on something that hung, as far as the columns fit. */
function waitedRow({ sent, answered, longest, bound }: Waited): string {
  return tableRow([
    `↳ GETs that waited on what hung (bound: ${seconds(bound)})`,
    count(sent),
    '',
    ...[answered, sent - answered].map(count),
    ...['', '', '', '', ''],
    wholeMilliseconds(longest * 1000),
    '',
  ]);
}

function row(result: ScenarioResult): string {
  const { sent, answered, lostGet, lostPostSent, lostPostNotSent, protocols, latency, recovery } = result;
  const http2 = protocols['HTTP/2'];
  return tableRow([
    scenarioLink(result),
    ...[sent, http2?.sent ?? 0, answered, lostGet, lostPostSent, lostPostNotSent, http2?.repeated ?? 0].map(count),
    ...[latency.p50, latency.p99, latency.max].map(wholeMilliseconds),
    recoveryText(recovery),
  ]);
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

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
