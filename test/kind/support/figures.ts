import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadResult } from '../../../load/load-result';
import { cluster } from './suite';

/** One line of what the suite found out: how a scenario's requests fared, or a single figure. */
type Figure =
  | { readonly scenario: string; readonly load: Readonly<Record<string, number>> }
  | { readonly name: string; readonly value: string };

const file = join(cluster.directory, 'figures.jsonl');

export function forgetFigures(): void {
  rmSync(file, { force: true });
}

export function loadFigure(scenario: string, result: LoadResult): void {
  const lost = (method: string): number => result.lost.filter((request) => request.method === method).length;
  write({
    scenario,
    load: {
      sent: result.sent,
      'answered 200': result.ok,
      'lost GET': lost('GET'),
      'lost POST': lost('POST'),
      'p50 ms': Math.round(result.p50),
      'p99 ms': Math.round(result.p99),
      'max ms': Math.round(result.max),
    },
  });
}

export function figure(name: string, value: string): void {
  write({ name, value });
}

/** Everything that was noted, as two tables. */
export function figuresTable(): string {
  if (!existsSync(file)) return '';
  const figures = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Figure);
  const loads = figures.filter((entry) => 'scenario' in entry);
  const single = figures.filter((entry) => 'name' in entry);
  const columns = Object.keys(loads[0]?.load ?? {});
  return [
    ...table([
      ['scenario', ...columns],
      ...loads.map(({ scenario, load }) => [scenario, ...columns.map((column) => String(load[column]))]),
    ]),
    '',
    ...table([['figure', 'value'], ...single.map(({ name, value }) => [name, value])]),
    '',
  ].join('\n');
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
}

function write(entry: Figure): void {
  appendFileSync(file, `${JSON.stringify(entry)}\n`);
}
