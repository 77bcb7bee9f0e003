import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Results } from '../../reliability/results';
import { scenario } from './scenario';

const api = { own: false, getPath: '/healthcheck', postPath: '/echo' };
const made = { cluster: 'one', rate: 100, seconds: 90, api };

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fairlead-results-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

test('a run that goes on finds what was measured with its own options, and nothing else', () => {
  new Results(made, root).write(scenario({ name: 'baseline' }));
  const find = (options: Partial<typeof made>, name = 'baseline') =>
    new Results({ ...made, ...options }, root).find(name);
  expect(find({})).toMatchObject({ name: 'baseline' });
  expect(find({}, 'scale')).toBeUndefined();
  expect(find({ rate: 200 })).toBeUndefined();
  expect(find({ seconds: 30 })).toBeUndefined();
  expect(find({ api: { ...api, getPath: '/orders' } })).toBeUndefined();
});

test('runs on two clusters at once keep their results apart', () => {
  const [one, two] = [new Results(made, root), new Results({ ...made, cluster: 'two' }, root)];
  one.write(scenario({ name: 'baseline' }));
  two.write(scenario({ name: 'scale' }));
  two.clear();
  expect(one.find('baseline')).toMatchObject({ name: 'baseline' });
  expect(one.find('scale')).toBeUndefined();
  expect(two.find('scale')).toBeUndefined();
});
