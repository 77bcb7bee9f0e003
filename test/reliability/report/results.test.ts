import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Results } from '../../../reliability/results';
import { runOptions } from '../../../reliability/run-options';
import { scenario } from '../scenario';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairlead-results-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** The results of a run with these arguments. */
function results(...args: readonly string[]): Results {
  const options = runOptions(args, ['baseline', 'rollout-api']);
  if (typeof options === 'string') throw new Error('a run has options');
  return new Results(options, directory);
}

test('a result is found again by a run with the same options', () => {
  results('--rate', '50').write(scenario());
  expect(results('--rate', '50', '--resume').find('rollout-api')).toEqual(scenario());
  expect(results('--rate', '50').find('drain')).toBeUndefined();
});

test.each([
  ['rate', ['--rate', '200']],
  ['length', ['--seconds', '30']],
  ['API', ['--get', '/orders']],
])('a result of another %s is none of this run', (_, args) => {
  results(...args).write(scenario());
  expect(results('--resume').find('rollout-api')).toBeUndefined();
  expect(results(...args).find('rollout-api')).toBeDefined();
});

test('two runs at once, in clusters of their own, share nothing', () => {
  const [one, other] = [results(), results('--cluster', 'fairlead-reliability-2')];
  one.write(scenario());
  expect(other.find('rollout-api')).toBeUndefined();
  expect(other.lostFile('rollout-api')).not.toBe(one.lostFile('rollout-api'));
  other.clear();
  expect(one.find('rollout-api')).toBeDefined();
});

test('a result of an earlier version, which does not say what it was made with, is made again', () => {
  results().write(scenario());
  writeFileSync(join(directory, 'fairlead-reliability', 'rollout-api.json'), JSON.stringify(scenario()));
  expect(results().find('rollout-api')).toBeUndefined();
});
