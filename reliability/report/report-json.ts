import type { ReportRun, ScenarioResult } from '../scenario-result';

/** The keys as a reader wants them; what is not here follows by its name. */
const order = [
  ...['run', 'scenarios'],
  ...['date', 'kubernetesVersion', 'nodes', 'cores', 'command'],
  ...['name', 'title', 'group', 'description', 'rate'],
  ...['second', 'sent', 'answered', 'lost', 'lostGet', 'lostPostSent', 'lostPostNotSent'],
  ...['protocols', 'ok', 'repeated'],
  ...['latency', 'baseline', 'p50', 'p99', 'max', 'recovery', 'waited', 'longest', 'bound', 'attack', 'achieved'],
  ...['value', 'text', 'reached', 'milliseconds'],
  ...['notes', 'judgements', 'events', 'measured', 'seconds'],
];

type Plain = string | number | boolean | null | undefined | readonly Plain[] | { readonly [key: string]: Plain };

/**
 * docs/reliability.json: the same bytes for the same results. What JSON cannot hold (no latency, as nothing was
 * answered; no recovery, as there was none) is null. What has no further depth stands on one line.
 */
export function reliabilityJson(run: ReportRun, results: readonly ScenarioResult[]): string {
  return `${text({ run: { ...run }, scenarios: results.map((result) => ({ ...result })) } as unknown as Plain, '')}\n`;
}

function text(value: Plain, indent: string): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(thousandths(value)) : 'null';
  if (value === undefined || value === null || typeof value !== 'object') return JSON.stringify(value ?? null);
  const inner = `${indent}  `;
  if (isList(value)) {
    const items = value.map((item) => text(item, inner));
    return lines('[', items, ']', indent, value.every(isScalar));
  }
  const members = Object.entries(value).sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1));
  const items = members.map(([key, member]) => `${JSON.stringify(key)}: ${text(member, inner)}`);
  return lines('{', items, '}', indent, indent !== '' && members.every(([, member]) => isScalar(member)));
}

function lines(open: string, items: readonly string[], close: string, indent: string, onOneLine: boolean): string {
  if (items.length === 0) return open + close;
  if (onOneLine) return open === '{' ? `{ ${items.join(', ')} }` : `[${items.join(', ')}]`;
  return `${open}\n${items.map((item) => `${indent}  ${item}`).join(',\n')}\n${indent}${close}`;
}

function isList(value: object): value is readonly Plain[] {
  return Array.isArray(value);
}

function isScalar(value: Plain): boolean {
  return value === null || typeof value !== 'object';
}

function place(key: string): number {
  const index = order.indexOf(key);
  return index === -1 ? order.length : index;
}

/** Less than a thousandth of a millisecond or a second is noise. */
function thousandths(value: number): number {
  return Math.round(value * 1000) / 1000;
}
