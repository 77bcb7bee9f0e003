import { spawnSync } from 'node:child_process';
import { runOptions } from '../../reliability/run-options';
import { scenarios } from '../../reliability/scenarios/all';
import { typescriptProgram } from '../typescript-program';

const names = scenarios.map(({ name }) => name);

function reliability(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...typescriptProgram, 'reliability/reliability.ts', ...args],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

test('what is not understood is refused in one line, before anything is made', () => {
  const line = '--rate: 0 is out of range: give a whole number from 1 to 1000';
  expect(reliability('--rate', '0')).toEqual({ status: 2, stdout: '', stderr: `reliability: ${line}\n` });
});

test.each([
  [['--only', 'rollout'], '--only: "rollout" is unknown'],
  [['--seconds', '1m'], '--seconds: "1m" is out of range'],
  [['--cluster', 'my_cluster'], '--cluster: "my_cluster" is not a DNS label'],
  [['--cluster', 'kind'], '--cluster: "kind" could be a cluster of yours, and a run removes its own'],
  [['--get', 'health'], '--get: "health" is not a URL path'],
  [['--post', '/orders'], '--post: "/orders" comes without --get: give the path to GET as well'],
  [['--soak', '3'], '--soak: "3" is not a duration: give a whole number with a unit'],
  [['--fast'], "Unknown option '--fast'"],
])('%j is refused', (args, message) => {
  expect(() => runOptions(args, names)).toThrow(message);
});

test('--help says how to use it, --list names every scenario', () => {
  expect(reliability('--help')).toMatchObject({ status: 0, stderr: '' });
  const { stdout } = reliability('--list');
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[0]),
  ).toEqual(names);
});

test('the example API is asked unless a path of another is given', () => {
  expect(runOptions([], names)).toEqual({
    only: undefined,
    rate: 100,
    seconds: 90,
    soak: undefined,
    resume: false,
    keep: false,
    cluster: 'fairlead-reliability',
    clients: false,
    api: { own: false, getPath: '/healthcheck', postPath: '/echo' },
  });
  expect(runOptions(['--get', '/orders', '--only', 'baseline', '--only', 'scale'], names)).toMatchObject({
    only: ['baseline', 'scale'],
    api: { own: true, getPath: '/orders', postPath: '/orders' },
  });
  expect(runOptions(['--soak', '1h'], names)).toMatchObject({ soak: 3_600_000, only: undefined });
});

test('a soak is a minute or more, and runs no scenario', () => {
  expect(() => runOptions(['--soak', '1s'], names)).toThrow('--soak: "1s" is too short: give 1m or more');
  for (const others of [['--only', 'baseline'], ['--resume']]) {
    expect(() => runOptions(['--soak', '1h', ...others], names)).toThrow(
      '--soak: "1h" runs no scenario: leave out --only and --resume',
    );
  }
});

test('the clients that others ship are run instead of the scenarios, not besides', () => {
  expect(runOptions(['--clients', '--seconds', '30', '--keep'], names)).toMatchObject({ clients: true, seconds: 30 });
  for (const option of [['--only', 'baseline'], ['--resume'], ['--get', '/orders']]) {
    expect(() => runOptions(['--clients', ...option], names)).toThrow(
      /^--(only|resume|get): .* is for the scenarios: leave it out, or leave --clients out$/,
    );
  }
});

test('every scenario has a name of its own that a file can have', () => {
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9-]{1,63}$/);
  expect(names[0]).toBe('baseline');
});
