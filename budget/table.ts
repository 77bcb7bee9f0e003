import type { Budget, MemoryShare } from './budget';

const KiB = 1024;
const MiB = 1024 * KiB;

/** What memory goes to: what, how many, how much each, and in all. */
export function memoryRows({ memory, memorySum, memoryLimit }: Budget): readonly (readonly string[])[] {
  return [
    ...memory.map(({ what, count, each }: MemoryShare) => [
      what,
      count === 1 ? '' : String(count),
      count === 1 ? '' : amount(each),
      amount(count * each),
    ]),
    [
      'in all',
      '',
      '',
      `${amount(memorySum)} of ${amount(memoryLimit)} (${Math.round((memorySum / memoryLimit) * 100)} %)`,
    ],
  ];
}

/** Limits that follow: what, in all, of one address. */
export function limitRows(budget: Budget): readonly (readonly string[])[] {
  return [
    ['connections of clients', String(budget.connections), String(budget.connectionsPerClient)],
    ['requests in progress', String(budget.requests), String(budget.requestsPerClient)],
    ...(budget.streams === 0 ? [] : [['event streams and WebSockets', String(budget.streams), 'among the requests']]),
    ['streams of one connection of HTTP/2', '', String(budget.streamsPerConnection)],
    ['temporary files', amount(budget.temporaryStorage), ''],
    ['open files of a worker', String(budget.openFiles), ''],
  ];
}

/** `12 KiB`, `1.5 GiB`; whole numbers up to a GiB. */
export function amount(bytes: number): string {
  if (bytes < MiB) return `${Math.round(bytes / KiB)} KiB`;
  if (bytes < 1024 * MiB) return `${Math.round(bytes / MiB)} MiB`;
  return `${Math.round(bytes / MiB / 102.4) / 10} GiB`;
}

/** Rows in columns of a terminal, the first to the left and the rest to the right. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const width = (column: number): number => Math.max(...rows.map((row) => (row[column] ?? '').length));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(width(0)) : cell.padStart(width(column))))
      .join('   ')
      .trimEnd(),
  );
}

/** Rows as a table of Markdown, under these headings. */
export function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = headings.map((_, column) => (column === 0 ? '---' : '---:'));
  return `${[line(headings), `|${rule.join('|')}|`, ...rows.map(line)].join('\n')}\n`;
}
