import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { withMetrics } from '../../docs/metrics-table';
import { metricFamilies } from '../../nginx/metrics/metric-families';

const page = readFileSync(resolve('docs/monitoring.md'), 'utf8');
const readme = readFileSync(resolve('serve/README.md'), 'utf8');
/** Of the API, by fairlead-serve, whose tests look whether they are there. */
const ofTheApi = [...readme.matchAll(/^\| `(fairlead_\w+)` \|/gm)].map(([, name]) => name);

test('docs/monitoring.md has the metrics of the code (npm run docs:metrics)', () => {
  expect(withMetrics(page)).toBe(page);
});

test.each(['docs/monitoring.md', 'docs/runbooks.md'])('%s asks for no metric that is not there', (file) => {
  const text = readFileSync(resolve(file), 'utf8');
  const names = [...text.matchAll(/\bfairlead_\w+/g)].map(([name]) => name.replace(/_bucket$/, ''));
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !(name in metricFamilies) && !ofTheApi.includes(name))).toEqual([]);
});
