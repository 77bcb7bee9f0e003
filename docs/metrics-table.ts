import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { metricFamilies, type MetricFamily } from '../nginx/metrics/metric-families';

const page = join(__dirname, 'monitoring.md');
const [before, after] = ['<!-- metrics: made by npm run docs:metrics -->\n', '<!-- end of metrics -->'];

/** The page with the table of metrics as the code has it. */
export function withMetrics(text: string): string {
  const [start, end] = [text.indexOf(before) + before.length, text.indexOf(after)];
  if (start < before.length || end < start) throw new Error('docs/monitoring.md has no place for its metrics');
  return `${text.slice(0, start)}\n${table()}\n${text.slice(end)}`;
}

function table(): string {
  const rows = Object.entries<MetricFamily>(metricFamilies).map(([name, { type, labels, help, ofPeers = false }]) => {
    const list = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${list} | ${help}${ofPeers ? ' Only at `/metrics?peers`.' : ''} |\n`;
  });
  return `| metric | type | labels | what it says |\n|---|---|---|---|\n${rows.join('')}`;
}

if (require.main === module) writeFileSync(page, withMetrics(readFileSync(page, 'utf8')));
