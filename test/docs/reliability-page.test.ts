import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { clientsPage } from '../../reliability/clients/clients-page';
import type { ClientsResult } from '../../reliability/clients/clients-result';
import { reportTotals } from '../../reliability/report/report-table';
import type { ScenarioResult } from '../../reliability/scenario-result';
import { scenarios } from '../../reliability/scenarios/all';

const docs = resolve(__dirname, '../../docs');
const page = (name: string): string => readFileSync(resolve(docs, name), 'utf8');
const { scenarios: results } = JSON.parse(page('reliability.json')) as {
  readonly scenarios: readonly ScenarioResult[];
};
const names = results.map(({ name }) => name);

test('docs/reliability.json has every scenario of the suite', () => {
  expect(names).toEqual(scenarios.map(({ name }) => name));
});

test('docs/reliability.md has the scenarios of docs/reliability.json, their sum, and a chart of each', () => {
  const text = page('reliability.md');
  const sections = [...text.matchAll(/^<a id="(.+)"><\/a>$/gm)].map(([, name]) => name);
  expect(sections.sort()).toEqual([...names].sort());
  expect(text).toContain(`${reportTotals(results)}. `);
  expect(readdirSync(resolve(docs, 'reliability')).sort()).toEqual(names.map((name) => `${name}.svg`).sort());
});

test('docs/clients.md is what docs/clients.json says', () => {
  expect(page('clients.md')).toBe(clientsPage(JSON.parse(page('clients.json')) as ClientsResult));
});
