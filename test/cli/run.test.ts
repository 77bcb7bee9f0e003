import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { refuseOptionsOfNpm } from '../../cli/npm-options';
import { program } from '../../cli/program';
import { UsageError } from '../../local/start-options';
import { typescriptProgram } from '../typescript-program';
import { fairlead } from './fairlead';

const root = resolve(__dirname, '../..');
const { version } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as { readonly version: string };

describe('help', () => {
  test('names every command, and is what help and --help show', async () => {
    const help = await fairlead('--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: fairlead COMMAND \[options\]\n/);
    for (const name of [
      'start',
      'compose',
      'diff',
      'timeline',
      'budget',
      'explain',
      'top',
      'prune',
      'images',
      'kind',
      'doctor',
      'completion',
      'help',
    ]) {
      expect(help.stdout).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
    }
    expect(await fairlead('help')).toEqual(help);
  });

  test.each([
    ['start', 'Usage: fairlead start [options] [-- PROGRAM ARG …]\n', '--keep-alive-timeout TIME'],
    ['compose', 'Usage: fairlead compose [options]\n', '--output FILE'],
    ['diff', 'Usage: fairlead diff [options] [BEFORE] [AFTER]\n', '--format FORMAT'],
    ['top', 'Usage: fairlead top [options] [URL...]\n', '--interval TIME'],
    ['prune', 'Usage: fairlead prune [options]\n', '--older-than TIME'],
    ['kind up', 'Usage: fairlead kind up [options]\n', '--https-port PORT'],
    ['kind', 'Usage: fairlead kind COMMAND [options]\n', '  down '],
    ['completion', 'Usage: fairlead completion [options] <SHELL>\n', 'bash, zsh, fish'],
  ])('of %s is in one style, and what help %s shows', async (path, usage, option) => {
    const words = path.split(' ');
    const help = await fairlead(...words, '--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain(usage);
    expect(help.stdout).toContain(option);
    expect(Math.max(...help.stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(120);
    if (words.length === 1) expect(await fairlead('help', path)).toEqual(help);
  });

  test('has defaults as they are typed', async () => {
    expect((await fairlead('prune', '--help')).stdout).toContain('(default: 10m)');
  });

  test('does not need the parts of a cluster', () => {
    const loaded = `const { run } = require(process.argv[1]);
      run(['start', '--help']).then(() => console.error(Object.keys(require.cache).filter((file) => file.includes('cdk8s')).length))`;
    const { stderr } = spawnSync(process.execPath, [...typescriptProgram, '-e', loaded, resolve(root, 'cli/run.ts')], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('0\n');
  });
});

test('--version is that of the package', async () => {
  expect(await fairlead('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('what is typed wrong is one line with what to do, and exit code 2', () => {
  test.each([
    [
      [],
      'a command is missing: give one of start, compose, diff, timeline, budget, explain, top, prune, images, kind, doctor, completion; fairlead --help shows them',
    ],
    [['kind'], 'kind: a command is missing: give one of up, down; fairlead kind --help shows them'],
    [['strat'], '"strat" is not a command: did you mean start? fairlead --help shows the commands'],
    [['frobnicate'], '"frobnicate" is not a command; fairlead --help shows the commands'],
    [['help', 'strat'], '"strat" is not a command; fairlead --help shows them'],
    [['kind', 'dwon'], 'kind: "dwon" is not a command: did you mean down? fairlead kind --help shows the commands'],
    [['--scale', '5'], '"--scale" is not an option; fairlead --help shows the options'],
    [
      ['start', '--scael', '2'],
      'start: "--scael" is not an option: did you mean --scale? fairlead start --help shows the options',
    ],
    [['start', "--x'y\n"], `start: "--x'y\\n" is not an option; fairlead start --help shows the options`],
    [['start', '--scale'], 'start: --scale has no value: give --scale N'],
    [['start', '5'], 'start: "5" is not an option: did you mean --scale 5? fairlead start --help shows the options'],
    [['start', 'here'], 'start: "here" is not an option: take it out. fairlead start --help shows the options'],
    [['start', '--'], '"--" is followed by no program: give one, such as -- node server.js'],
    [['start', '--scale', 'many'], '--scale: "many" is out of range: give a whole number from 1 to 100'],
    [['compose', '--https-port', '0'], '--https-port: 0 is out of range: give a whole number from 1 to 65535'],
    [['compose', '--', 'node'], 'compose: "--" is followed by a program, which "start" alone runs: take it out'],
    [['kind', 'up', '--https-port', '0'], '--https-port: 0 is out of range: give a whole number from 1 to 65535'],
    [
      ['kind', 'up', '--http-port', '8080x'],
      '--http-port: "8080x" is out of range: give a whole number from 1 to 65535',
    ],
    [
      ['kind', 'up', '--http-port', '9999', '--https-port', '9999'],
      '--http-port: 9999 is --https-port as well: give a port of its own',
    ],
    [['kind', 'up', '--port', '1'], 'kind up: "--port" is not an option; fairlead kind up --help shows the options'],
    [
      ['kind', 'down', 'everything'],
      'kind down: "everything" is not an option: take it out. fairlead kind down --help shows the options',
    ],
    [['prune'], 'prune: --namespace is missing: give --namespace NAME'],
    [
      ['prune', '--namespace', 'A b'],
      '--namespace: "A b" is not a DNS label: give at most 63 letters, digits and hyphens in lower case, such as "orders"',
    ],
    [
      ['prune', '--namespace', 'api', '--older-than', '10'],
      '--older-than: "10" is not a duration: give a whole number with a unit, such as "30s" or "500ms"',
    ],
    [['timeline', '--width', '80'], 'timeline: "--width" is not an option; fairlead timeline --help shows the options'],
    [['completion'], 'completion: SHELL is missing; fairlead completion --help shows the options'],
    [['completion', 'csh'], 'SHELL: "csh" is unknown: give one of bash, zsh, fish'],
  ])('%j', async (args, line) => {
    expect(await fairlead(...args)).toEqual({ code: 2, stdout: '', stderr: `fairlead: ${line}\n` });
  });
});

test('what is said of a failure moves no cursor of the terminal', async () => {
  const { stderr } = await fairlead('compose', '--main', '\u001b[2Jnowhere.ts');
  expect(stderr).toMatch(/^fairlead: \ufffd\[2Jnowhere\.ts is not here/);
});

test('a command whose output nobody reads to the end is well', async () => {
  const child = spawn(process.execPath, [...typescriptProgram, 'cli.ts', 'completion', 'bash'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // As `head` does, long before anything is written.
  child.stdout.destroy();
  const [stderr, exit] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect([stderr, exit]).toEqual(['', [0, null]]);
});

describe('options that npm took for its own', () => {
  const start = program().commands.find((each) => each.name() === 'start');
  const refused = (environment: NodeJS.ProcessEnv, args: readonly string[] = ['start']): void => {
    if (start === undefined) throw new Error('there is no start');
    refuseOptionsOfNpm(start, args, environment);
  };

  test.each([
    [
      { npm_config_scale: 'true' },
      ['start', '5'],
      '--scale 5 went to npm, and not to fairlead: did you forget "--"? npm start -- --scale 5',
    ],
    [{ npm_config_scale: '5' }, ['start'], 'npm start -- --scale 5'],
    [{ npm_config_scale: 'true' }, ['start'], 'npm start -- --scale VALUE'],
    [{ npm_config_https_port: '9443', npm_config_watch: 'true' }, ['start'], 'npm start -- --https-port 9443 --watch'],
    [{ npm_config_watch: 'true', npm_lifecycle_event: 'dev' }, ['start'], 'npm run dev -- --watch'],
  ])('%j with %j are named', (environment, args, line) => {
    expect(() => {
      refused({ npm_lifecycle_event: 'start', ...environment }, args);
    }).toThrow(UsageError);
    expect(() => {
      refused({ npm_lifecycle_event: 'start', ...environment }, args);
    }).toThrow(line);
  });

  test.each([
    [{ npm_config_scale: 'true' }, ['start']],
    [{ npm_config_scale: 'true', npm_lifecycle_event: 'npx' }, ['start']],
    [{ npm_config_scale: '5', npm_lifecycle_event: 'start' }, ['start', '--scale', '5']],
    [{ npm_config_scale: '5', npm_lifecycle_event: 'start' }, ['start', '--scale=5']],
    // Its own way to the network.
    [{ npm_config_proxy: 'http://proxy:3128', npm_lifecycle_event: 'start' }, ['start']],
  ])('are not seen where npm took none: %j, %j', (environment, args) => {
    expect(() => {
      refused(environment, args);
    }).not.toThrow();
  });

  test('are said by npm start itself', () => {
    const { status, stderr } = spawnSync('npm', ['start', '--scale', '5'], { cwd: root, encoding: 'utf8' });
    expect(stderr).toContain(
      'fairlead: --scale 5 went to npm, and not to fairlead: did you forget "--"? npm start -- --scale 5\n',
    );
    expect(status).toBe(2);
  });
});
