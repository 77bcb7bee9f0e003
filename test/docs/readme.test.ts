import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { withFigures } from '../../reliability/report/readme-figures';

const root = resolve(__dirname, '../..');
const readme = readFileSync(resolve(root, 'README.md'), 'utf8');

test('README quotes docs/reliability.json (npm run docs:readme)', () => {
  const { scenarios } = JSON.parse(readFileSync(resolve(root, 'docs/reliability.json'), 'utf8')) as {
    scenarios: Parameters<typeof withFigures>[1];
  };
  expect(withFigures(readme, scenarios)).toBe(readme);
});

test('README counts lost requests by what they were', () => {
  const result = { group: 'wrong input', sent: 100, latency: { p50: 1, p99: 2, max: 3 } } as const;
  const text = withFigures(readme, [
    { ...result, name: 'baseline', group: 'operations', lostGet: 0, lostPostSent: 0, lostPostNotSent: 0 },
    { ...result, name: 'scale', group: 'operations', sent: 1100, lostGet: 0, lostPostSent: 0, lostPostNotSent: 0 },
    { ...result, name: 'api-killed', group: 'faults', lostGet: 0, lostPostSent: 1, lostPostNotSent: 1 },
    { ...result, name: 'secret-broken', lostGet: 2, lostPostSent: 0, lostPostNotSent: 0 },
  ]);
  expect(text).toContain('Of 4 scenarios with 1,400 requests:');
  expect(text).toMatch(/^\| rollouts, .* \| 1,200 \| \*\*0\*\* \|$/m);
  expect(text).toMatch(
    /^\| API process killed.* \| 100 \| no GET, 2 POST: a lost POST is one that the dead instance had got \|$/m,
  );
  expect(text).toMatch(/^\| a Secret that is broken.* \| 100 \| 2 GET \|$/m);
  expect(text).toContain('it is 2 ms when nothing happens');
});
