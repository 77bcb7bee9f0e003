import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { scenarios } from '../../../reliability/scenarios/all';
import { offered } from '../../../reliability/own-app/offered';

const root = resolve(__dirname, '../../..');
const { version, dependencies } = JSON.parse(readFileSync(join(root, 'reliability/package.json'), 'utf8')) as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
};

/** Where the package is installed, and an app that has none of it, as npx runs it. */
let directory: string;
let app: string;
let program: string;

function npm(args: readonly string[], cwd: string): void {
  const shared = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  execFileSync('npm', [...args, ...shared], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function reliability(...args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: app, encoding: 'utf8' });
  return { status, stdout, stderr };
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairlead-reliability-package-'));
  npm(['pack', '--pack-destination', directory], join(root, 'reliability'));
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'cache', private: true }));
  npm(['install', `fairlead-reliability-${version}.tgz`], directory);
  program = join(directory, 'node_modules/.bin/fairlead-reliability');
  app = join(directory, 'app');
  mkdirSync(join(app, 'node_modules/fairlead'), { recursive: true });
  for (const name of ['cdk8s', 'cdk8s-plus-27', 'constructs']) {
    symlinkSync(join(root, 'node_modules', name), join(app, 'node_modules', name));
  }
}, 180_000);

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** The fairlead of the app, of a version. */
function install(ofVersion: string): void {
  const content = { name: 'fairlead', version: ofVersion, main: 'index.js' };
  writeFileSync(join(app, 'node_modules/fairlead/package.json'), JSON.stringify(content));
}

test('the package is one program, which needs what it says and nothing of cdk8s', () => {
  const installed = join(directory, 'node_modules/fairlead-reliability');
  expect(readdirSync(installed).sort()).toEqual(['LICENSE', 'README.md', 'lib', 'package.json']);
  expect(readdirSync(join(installed, 'lib'))).toEqual(['fairlead-reliability.js']);
  const text = readFileSync(join(installed, 'lib/fairlead-reliability.js'), 'utf8');
  const required = [...text.matchAll(/\brequire(?:\.resolve)?\("([^"]+)"\)/g)].map(([, name = '']) => name);
  const packages = new Set(required.filter((name) => !name.startsWith('node:')));
  expect([...packages].sort()).toEqual(Object.keys(dependencies).sort());
  expect(readdirSync(join(directory, 'node_modules'))).not.toContain('cdk8s');
});

test('--help, --version and --list need no app', () => {
  expect(reliability('--help')).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^Usage: npx fairlead-reliability --get PATH /) as unknown,
    stderr: '',
  });
  expect(reliability('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  const { status, stdout, stderr } = reliability('--list');
  expect([status, stderr]).toEqual([0, '']);
  const [names = '', others = ''] = stdout.split('\n\n');
  expect(names.split('\n').map((line) => line.split(' ')[0])).toEqual(offered(scenarios).map(({ name }) => name));
  expect(others).toContain('needs endpoints of the example API: canary, routes, ');
});

test.each([
  [[], '--get: undefined is missing: give a path that the API answers, such as --get /orders'],
  [['--gte', '/orders'], "Unknown option '--gte'"],
  [['--get', '/orders', '--only', 'rollout'], '--only: "rollout" is unknown: give one of baseline, '],
  [['--get', '/orders', '--build', '.'], '--build: "." has no Dockerfile: give a folder that has one, such as ".."'],
])('%j ends with exit code 2 and one line', (args, message) => {
  const { status, stdout, stderr } = reliability(...args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr.startsWith(`fairlead-reliability: ${message}`)).toBe(true);
  expect(stderr.split('\n')).toHaveLength(2);
});

describe('an app that cannot be tried', () => {
  test('is one without fairlead, or with another version', () => {
    const missing = reliability('--get', '/orders');
    expect(missing).toEqual({
      status: 1,
      stdout: '',
      stderr: `fairlead-reliability: fairlead is not installed in ${app}: npm install --save-dev fairlead@${version}\n`,
    });
    install('99.0.0');
    expect(reliability('--get', '/orders')).toMatchObject({
      status: 1,
      stderr: `fairlead-reliability: fairlead-reliability ${version} is for fairlead ${version}, and ${app} has 99.0.0: npx fairlead-reliability@99.0.0\n`,
    });
  });

  test('is one without a main.ts, or whose path leads to no backend', () => {
    install(version);
    expect(reliability('--get', '/orders')).toMatchObject({
      status: 1,
      stderr: `fairlead-reliability: main.ts is not in ${app}: put it there, or name the file that is: --main main.js\n`,
    });
    writeFileSync(
      join(app, 'main.js'),
      `const { App, Chart } = require('cdk8s');
const app = new App();
new Chart(app, 'shop');
app.synth();
`,
    );
    expect(reliability('--get', '/orders', '--main', 'main.js')).toMatchObject({
      status: 1,
      stderr:
        'fairlead-reliability: main.js synthesizes no NginxProxy: add one, or a LoadBalancedApi, and end with app.synth()\n',
    });
    expect(readdirSync(app)).not.toContain('dist');
  });
});
