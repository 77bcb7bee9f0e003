import type { Latency, ScenarioResult } from '../scenario-result';
import { chartDescription } from './chart';
import { count, markdownText, milliseconds, seconds } from './format';
import { recoveryText } from './report-table';

/** What the report says about one scenario below the tables. */
export function scenarioSection(result: ScenarioResult): string {
  const { name, title, description, events, notes, judgements } = result;
  return [
    // GitHub makes an anchor of the heading too, but of two that are alike it numbers the second.
    `<a id="${name}"></a>`,
    `### ${markdownText(title)}`,
    markdownText(description),
    figures(result),
    ...protocolFigures(result),
    `![${markdownText(chartDescription(result))}](reliability/${name}.svg)`,
    ...list(
      'Events, by their numbers in the chart:',
      events.map(({ second, text }, index) => `${index + 1}. ${seconds(second)}: ${markdownText(text)}`),
    ),
    ...list(
      'Noted:',
      notes.map((note) => `- ${markdownText(note.name)}: ${markdownText(note.value)}`),
    ),
    ...list(
      'Asked of it:',
      judgements.map(
        ({ text, reached }) => `- ${reached ? '✅ reached' : '❌ **not reached**'}: ${markdownText(text)}`,
      ),
    ),
  ].join('\n\n');
}

function figures({ rate, baseline, latency, recovery }: ScenarioResult): string {
  const back =
    recovery === undefined || Number.isNaN(recovery)
      ? 'It never was as before.'
      : `As before after ${recoveryText(recovery)}.`;
  return `${count(rate)} requests a second. Before the first event: ${percentiles(baseline)}. From then on: ${percentiles(latency)}. ${back}`;
}

/** What of it was sent over each protocol, where there are several. */
function protocolFigures({ protocols }: ScenarioResult): readonly string[] {
  const lines = Object.entries(protocols).map(([protocol, { sent, ok, repeated, ...latency }]) => {
    const again = protocol === 'HTTP/2' ? `, ${count(repeated)} repeated` : '';
    return `${protocol}: ${count(sent)} sent, ${count(sent - ok)} lost${again}, ${percentiles(latency)}.`;
  });
  return lines.length > 1 ? [lines.join(' ')] : [];
}

function percentiles({ p50, p99, max }: Latency): string {
  return `p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}, max ${milliseconds(max)}`;
}

function list(title: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [title, items.join('\n')];
}
