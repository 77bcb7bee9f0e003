import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ScenarioGroup, ScenarioResult } from '../scenario-result';
import { count, plural, wholeMilliseconds } from './format';

const root = resolve(__dirname, '../..');
const begin = '<!-- from docs/reliability.json, by npm run docs:readme -->\n';
const end = '<!-- until here -->\n';

/** What README says of a run: some scenarios by name or by group, and what is to be known of those of them that were lost. */
interface Row {
  readonly text: string;
  readonly group?: ScenarioGroup;
  readonly names?: readonly string[];
  readonly remark?: string;
}

const rows: readonly Row[] = [
  {
    text: 'rollouts, rollbacks, changed options, scaling, autoscaling, drains, ten renewed certificates, CoreDNS restarted, a minute without the control plane',
    group: 'operations',
  },
  {
    text: 'API process killed, deleted by force, out of memory; its node lost',
    names: ['api-killed', 'api-deleted-by-force', 'api-out-of-memory', 'node-lost-with-api'],
    remark: 'a lost POST is one that the dead instance had got',
  },
  { text: 'CoreDNS gone for a minute, or answering empty', names: ['dns-gone', 'dns-empty'] },
  {
    text: 'a Secret that is broken, mismatched or expired; a wrong image; a configuration that cannot start',
    group: 'wrong input',
  },
  {
    text: 'beside 200 WebSockets, event streams and uploads of 100 MB through rollouts',
    group: 'long connections',
  },
  { text: 'beside one client that attacks, in fourteen ways', group: 'attacks' },
];

type Result = Pick<
  ScenarioResult,
  'name' | 'group' | 'sent' | 'lostGet' | 'lostPostSent' | 'lostPostNotSent' | 'latency'
>;

/** The part of README that quotes docs/reliability.json. */
function readmeFigures(results: readonly Result[]): string {
  const table = rows.flatMap(({ text, group, names, remark }) => {
    const own = results.filter((result) => result.group === group || names?.includes(result.name) === true);
    return own.length === 0 ? [] : [`| ${text} | ${count(sum(own, ({ sent }) => sent))} | ${lost(own, remark)} |`];
  });
  const operations = results.filter(({ group, name }) => group === 'operations' && name !== 'baseline');
  const p99 = operations.map(({ latency }) => latency.p99);
  const atRest = results.find(({ name }) => name === 'baseline')?.latency.p99 ?? NaN;
  return `${begin}
Of ${plural(results.length, 'scenario')} with ${plural(
    sum(results, ({ sent }) => sent),
    'request',
  )}:

| | sent | lost |
|---|---:|---|
${table.join('\n')}

The p99 of each operation is ${wholeMilliseconds(Math.min(...p99))} to ${wholeMilliseconds(Math.max(...p99))} ms; it is ${wholeMilliseconds(atRest)} ms when nothing happens.

${end}`;
}

/** README with that part made anew. */
export function withFigures(readme: string, results: readonly Result[]): string {
  const [before, rest = ''] = readme.split(begin);
  const [, after] = rest.split(end);
  if (before === undefined || after === undefined) throw new Error(`README.md has no ${begin.trim()} … ${end.trim()}`);
  return `${before}${readmeFigures(results)}${after}`;
}

function lost(results: readonly Result[], remark: string | undefined): string {
  const gets = sum(results, ({ lostGet }) => lostGet);
  const posts = sum(results, ({ lostPostSent, lostPostNotSent }) => lostPostSent + lostPostNotSent);
  if (gets + posts === 0) return '**0**';
  const counts = [`${gets === 0 ? 'no' : count(gets)} GET`, ...(posts === 0 ? [] : [`${count(posts)} POST`])];
  return `${counts.join(', ')}${remark === undefined ? '' : `: ${remark}`}`;
}

function sum(results: readonly Result[], of: (result: Result) => number): number {
  return results.reduce((total, result) => total + of(result), 0);
}

if (require.main === module) {
  const report = JSON.parse(readFileSync(join(root, 'docs/reliability.json'), 'utf8')) as { scenarios: Result[] };
  const file = join(root, 'README.md');
  writeFileSync(file, withFigures(readFileSync(file, 'utf8'), report.scenarios));
}
