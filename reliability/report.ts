import { dnsLabelName } from '../values/names';
import { count, duration, plural } from './report-format';
import { codeSpan, markdownText } from './report-markdown';
import type { ReportRun } from './report-run';
import { scenarioSection } from './report-scenario';
import { reportSummary } from './report-summary';
import { inTableOrder, reportTables } from './report-table';
import type { ScenarioResult } from './scenario-result';

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
requests from the first event on. In the charts, latency is on a logarithmic scale and each second's losses are marked in red.`;
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
