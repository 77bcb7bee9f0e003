import { pixels, textStyle, xmlText } from '../../timeline/svg';
import type { ScenarioResult } from '../scenario-result';
import { type ChartScale, latencyScale, linePath, lostMarks, middle, timeScale } from './chart-series';
import { count, plural } from './format';

const width = 760;
const left = 56;
const right = width - 14;
const plotHeight = 110;
const labelHeight = 18;
const lostHeight = 22;
const characterWidth = 7;

const style = `${textStyle}
  .axis { stroke: #8c959f; }
  .p50, .max { fill: none; stroke-linecap: round; stroke-linejoin: round; }
  .p50 { stroke: #0969da; stroke-width: 2; }
  .max { stroke: #8c959f; stroke-width: 1.3; }
  .event { stroke: #8250df; stroke-dasharray: 3 2; }
  .number rect { fill: #8250df; }
  .number text { fill: #ffffff; text-anchor: middle; font-weight: 600; }
  .lost { stroke: #cf222e; stroke-width: 2; }
  text.losses { fill: #cf222e; stroke: #ffffff; stroke-width: 3; paint-order: stroke; text-anchor: middle; font-weight: 600; }
  .middle { text-anchor: middle; }
  .end { text-anchor: end; }`;

/** Latency and losses of a scenario over time, with its events numbered as in the report. An SVG without scripts. */
export function scenarioChart(result: ScenarioResult): string {
  const time = timeScale(result, left, right);
  const events = result.events.map(({ second, text }, index) => {
    const number = String(index + 1);
    return { x: time.at(second), width: Math.max(16, number.length * characterWidth + 6), number, text };
  });
  const rows = labelRows(events);
  const labels = 8 + labelHeight * Math.max(0, ...rows.map((row) => row + 1));
  const top = labels + (result.seconds.some(({ lost }) => lost > 0) ? lostHeight : 4);
  const bottom = top + plotHeight;
  const height = bottom + 42;
  const latency = latencyScale(result, top, bottom);
  const point = (second: number, milliseconds: number) =>
    `${pixels(time.at(second))} ${pixels(latency.at(milliseconds))}`;

  // All lines before all labels: a line never crosses the label of another event.
  const lines = events.map(
    ({ x }, index) =>
      `<line class="event" x1="${pixels(x)}" y1="${labelTop(rows[index]) + 16}" x2="${pixels(x)}" y2="${bottom}"/>`,
  );
  const numbers = events.map(({ x, width: labelWidth, number, text }, index) => {
    const y = labelTop(rows[index]);
    return `<g class="number"><title>${xmlText(text)}</title><rect x="${pixels(x - labelWidth / 2)}" y="${y}" width="${labelWidth}" height="16" rx="8"/><text x="${pixels(x)}" y="${y + 12}">${number}</text></g>`;
  });
  const losses = lostMarks(result.seconds, time.at).flatMap((group) => [
    ...group.xs.map((x) => `<path class="lost" d="M${pixels(x - 3)} ${top - 6}l6 6m0 -6l-6 6"/>`),
    `<text class="losses" x="${pixels(middle(group))}" y="${top - 10}">${group.text}</text>`,
  ]);

  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">${xmlText(chartDescription(result))}</title>
<style>${style}
</style>
<rect class="background" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6"/>
${[...latencyAxis(latency), ...timeAxis(time, top, bottom)].join('\n')}
${[...lines, ...numbers].join('\n')}
<path class="max" d="${linePath(result.seconds, 'max', point)}"/>
<path class="p50" d="${linePath(result.seconds, 'p50', point)}"/>
${losses.join('\n')}
${legend(height - 10)}
</svg>
`.replaceAll(/\n{2,}/g, '\n');
}

function labelTop(row = 0): number {
  return 6 + labelHeight * row;
}

function latencyAxis({ at, ticks }: ChartScale): readonly string[] {
  return ticks.map((milliseconds) => {
    const y = pixels(at(milliseconds));
    const text = milliseconds < 1000 ? `${milliseconds} ms` : `${count(milliseconds / 1000)} s`;
    return `<line class="grid" x1="${left}" y1="${y}" x2="${right}" y2="${y}"/><text class="end" x="${left - 6}" y="${pixels(at(milliseconds) + 4)}">${text}</text>`;
  });
}

function timeAxis({ at, ticks }: ChartScale, top: number, bottom: number): readonly string[] {
  return [
    `<path class="axis" fill="none" d="M${left} ${top}V${bottom}H${right}"/>`,
    ...ticks.map(
      (second) =>
        `<path class="axis" d="M${pixels(at(second))} ${bottom}v4"/><text class="middle" x="${pixels(at(second))}" y="${bottom + 16}">${second}</text>`,
    ),
  ];
}

/** Below the axis, with what the axes are. */
function legend(y: number): string {
  return [
    `<text x="${left}" y="${y}">Latency of the requests sent in each second:</text>`,
    `<path class="p50" d="M${left + 262} ${y - 4}h18"/><text x="${left + 285}" y="${y}">p50</text>`,
    `<path class="max" d="M${left + 318} ${y - 4}h18"/><text x="${left + 341}" y="${y}">max</text>`,
    `<path class="lost" d="M${left + 380} ${y - 7}l6 6m0 -6l-6 6"/><text x="${left + 391}" y="${y}">lost, and how many</text>`,
    `<text class="end" x="${right}" y="${y}">seconds</text>`,
  ].join('');
}

/** A chart in words, for those who do not see it. */
export function chartDescription(result: ScenarioResult): string {
  const { title, sent, events, seconds } = result;
  const lost = result.lostGet + result.lostPostSent + result.lostPostNotSent;
  return (
    `${title}: latency over ${plural(seconds.length, 'second')}, with ${plural(events.length, 'event')}; ` +
    `${lost === 0 ? 'none' : count(lost)} of ${plural(sent, 'request')} lost`
  );
}

/** Something with a place in the chart that is `width` pixels wide around it. */
export interface Label {
  readonly x: number;
  readonly width: number;
}

const gap = 3;

/** The row of each label, from 0, such that none covers another: in order, each in the first row that has room. */
export function labelRows(labels: readonly Label[]): readonly number[] {
  const ends: number[] = [];
  const byPlace = labels.map((label, index) => ({ ...label, index })).sort((a, b) => a.x - b.x || a.index - b.index);
  const rows = new Map<number, number>();
  for (const { x, width, index } of byPlace) {
    const free = ends.findIndex((end) => end + gap <= x - width / 2);
    const row = free === -1 ? ends.length : free;
    ends[row] = x + width / 2;
    rows.set(index, row);
  }
  return labels.map((_, index) => rows.get(index) ?? 0);
}
