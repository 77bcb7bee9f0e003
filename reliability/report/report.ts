import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dnsLabelName } from '../../validation/names';
import type { ReportRun, ScenarioResult } from '../scenario-result';
import { scenarioChart } from './chart';
import { codeSpan, count, duration, markdownText, plural } from './format';
import { reliabilityJson } from './report-json';
import { scenarioSection } from './report-scenario';
import { inTableOrder, reportTables, reportTotals, scenarioLink } from './report-table';

/**
 * docs/reliability.md. `notes` is Markdown that a person wrote about what remains; empty text leaves its heading out.
 */
export function reliabilityReport(run: ReportRun, results: readonly ScenarioResult[], notes = ''): string {
  const names = results.map(({ name }) => dnsLabelName('name of a scenario', name));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two scenarios are called ${twice}`);
  const scenarios = inTableOrder(results);
  return `${[
    introduction(run, results),
    '## Results',
    reportSummary(results),
    reportTables(results),
    ...(notes.trim() === '' ? [] : ['## What remains, and why', notes.trim()]),
    ...(scenarios.length === 0 ? [] : ['## Scenarios', ...scenarios.map(scenarioSection)]),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

function introduction(run: ReportRun, results: readonly ScenarioResult[]): string {
  return `# Reliability

What operations and faults cost the clients of an API behind fairlead: every request counted. \`npm run reliability\` wrote this
page and makes it again, with a kind cluster of its own; the same figures are in [reliability.json](reliability.json).

This run: ${markdownText(run.date)}, Kubernetes ${markdownText(run.kubernetesVersion)}, ${plural(run.nodes, 'node')}, all on one machine with ${plural(run.cores, 'core')}, ${duration(run.seconds)}, by ${codeSpan(run.command)}.

**The load** is open-loop: ${usualRate(results)} are sent when their time has come, whether or
not earlier ones were answered. Half are POST, and half are sent over HTTP/2. A tenth use a new connection each. Of HTTP/1.1 the others share kept ones,
and some of those pause for about as long as the server promises to keep them (\`Keep-Alive: timeout=\`): a little less, just as long, a little more. Of HTTP/2 twenty
at a time are sent at once on a kept connection, and some of those pause for up to 25 s.

**Lost** is a request that got no answer, a broken one, or a status that the API did not give; a reset on a kept connection counts
too. A lost POST is counted by whether any of it had been sent to an instance of the API: if not, it could have been tried on another one without harm.

**Repeated** is an HTTP/2 request of which the server said that it had not processed it: its stream came after the last one that GOAWAY names, or was refused
([RFC 9113, 8.7](https://www.rfc-editor.org/rfc/rfc9113#section-8.7)). The client sends it again on another connection, whatever its method, and nothing else twice.

**As before after** is the time from the end of the cause until the system was as it had been. p50, p99 and max are those of the
requests from the first event on. A scenario that was too slow, and nothing else, is measured three times, and the one in the middle by p99 counts:
a machine has slow seconds of its own. It says so. In the charts, latency is on a logarithmic scale and each second's losses are marked in red.`;
}

/** What most scenarios have; each section says its own. */
function usualRate(results: readonly ScenarioResult[]): string {
  const scenarios = new Map<number, number>();
  for (const { rate } of results) scenarios.set(rate, (scenarios.get(rate) ?? 0) + 1);
  const [usual] = [...scenarios].sort(([rateA, a], [rateB, b]) => b - a || rateB - rateA);
  if (usual === undefined) return 'so many requests a second';
  const text = `${count(usual[0])} requests a second`;
  return scenarios.size === 1 ? text : `${text}, where a scenario says nothing else,`;
}

/** All of the run in one paragraph, and what was not reached. */
function reportSummary(results: readonly ScenarioResult[]): string {
  const judgements = results.flatMap((result) => result.judgements);
  const reached = judgements.filter((judgement) => judgement.reached);
  const failed = results.filter((result) => result.judgements.some((judgement) => !judgement.reached));
  const not = failed.length === 0 ? '' : ` Not all was reached in: ${failed.map(scenarioLink).join(', ')}.`;
  return (
    `${reportTotals(results)}. ` +
    `${count(reached.length)} of ${plural(judgements.length, 'figure')} that were asked for were reached.${not}`
  );
}

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
