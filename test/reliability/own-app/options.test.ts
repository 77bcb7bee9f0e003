import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { listOf, offered } from '../../../reliability/own-app/offered';
import { ownRunOptions, usage } from '../../../reliability/own-app/options';
import { scenarios } from '../../../reliability/scenarios/all';

const names = offered(scenarios).map(({ name }) => name);
const directory = mkdtempSync(join(tmpdir(), 'own-options-'));
const read = (args: readonly string[], environment: NodeJS.ProcessEnv = {}) => ownRunOptions(args, names, environment);

beforeAll(() => {
  mkdirSync(join(directory, 'app'));
  writeFileSync(join(directory, 'app/Dockerfile'), 'FROM node\n');
  writeFileSync(join(directory, 'secret.yaml'), '');
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

test('a path alone is enough', () => {
  expect(read(['--get', '/orders'])).toEqual({
    api: { own: true, getPath: '/orders', postPath: '/orders' },
    only: undefined,
    rate: 100,
    seconds: 90,
    build: undefined,
    apply: [],
    main: resolve('main.ts'),
    summary: undefined,
    keep: false,
    cluster: 'fairlead-reliability',
    resume: false,
    soak: undefined,
    clients: false,
  });
});

test('everything that is typed is taken', () => {
  const paths = {
    build: join(directory, 'app'),
    apply: join(directory, 'secret.yaml'),
    summary: join(directory, 'a.md'),
  };
  expect(
    read([
      ...['--get', '/orders', '--post', '/baskets', '--only', 'rollout-api', '--only', 'rollout-nginx', '--rate', '50'],
      ...['--seconds', '30', '--build', paths.build, '--apply', paths.apply, '--apply', directory, '--main', 'main.js'],
      ...['--summary', paths.summary, '--keep', '--cluster', 'fairlead-reliability-2'],
    ]),
  ).toMatchObject({
    api: { getPath: '/orders', postPath: '/baskets' },
    only: ['rollout-api', 'rollout-nginx'],
    rate: 50,
    seconds: 30,
    build: paths.build,
    apply: [paths.apply, directory],
    main: resolve('main.js'),
    summary: paths.summary,
    keep: true,
    cluster: 'fairlead-reliability-2',
  });
});

test('the table goes to the summary of a job unless another file is given', () => {
  const GITHUB_STEP_SUMMARY = join(directory, 'job.md');
  expect(read(['--get', '/'], { GITHUB_STEP_SUMMARY })).toMatchObject({ summary: GITHUB_STEP_SUMMARY });
  const other = join(directory, 'other.md');
  expect(read(['--get', '/', '--summary', other], { GITHUB_STEP_SUMMARY })).toMatchObject({ summary: other });
  expect(read(['--get', '/'], { GITHUB_STEP_SUMMARY: '' })).toMatchObject({ summary: undefined });
  writeFileSync(other, 'kept');
  read(['--get', '/', '--summary', other]);
  expect(readFileSync(other, 'utf8')).toBe('kept');
});

test.each([
  [[], '--get: undefined is missing: give a path that the API answers, such as --get /orders'],
  [['--get', 'orders'], '--get: "orders" is not a URL path'],
  [['--get', '/', '--only', 'canary'], '--only: "canary" is unknown: give one of baseline, rollout-api, '],
  [['--get', '/', '--rate', '0'], '--rate: 0 is out of range'],
  [['--get', '/', '--cluster', 'kind'], '--cluster: "kind" could be a cluster of yours'],
  [['--get', '/', '--build', directory], 'has no Dockerfile: give a folder that has one, such as ".."'],
  [
    ['--get', '/', '--apply', 'nowhere.yaml'],
    '--apply: "nowhere.yaml" is not there: give a file or a folder of manifests',
  ],
  [['--get', '/', '--summary', '/nowhere/a.md'], '--summary: "/nowhere/a.md" cannot be written (ENOENT): give a file'],
  [['--soak', '1h'], "Unknown option '--soak'"],
])('%j is refused', (args, message) => {
  expect(() => read(args)).toThrow(message);
});

test('the variable of a job is named if its file cannot be written', () => {
  expect(() => read(['--get', '/'], { GITHUB_STEP_SUMMARY: '/nowhere/a.md' })).toThrow(
    'GITHUB_STEP_SUMMARY: "/nowhere/a.md" cannot be written (ENOENT)',
  );
});

test('help names every option', () => {
  for (const option of [
    'get',
    'post',
    'only',
    'build',
    'apply',
    'summary',
    'main',
    'rate',
    'seconds',
    'keep',
    'cluster',
  ]) {
    expect(usage).toContain(`\n  --${option} `);
  }
});

test('what is offered asks nothing of the example API, and every other scenario is listed with the reason', () => {
  expect(names).toEqual(expect.arrayContaining(['baseline', 'rollout-api', 'rollback-nginx', 'node-lost-with-api']));
  expect(names).not.toEqual(expect.arrayContaining(['canary']));
  const [above = '', below = ''] = listOf(scenarios).split('\n\n');
  expect(above.split('\n').map((line) => line.split(' ')[0])).toEqual(names);
  const others = scenarios.filter(({ name }) => !names.includes(name)).map(({ name }) => name);
  for (const name of others) expect(below).toMatch(new RegExp(`[:,] ${name}(?:,|$)`, 'm'));
  expect(below).toContain('  needs metrics-server: dns-and-metrics-restarted\n');
  expect(below).toMatch(/changes options of a main\.ts .*: nginx-option, api-environment, /);
});
