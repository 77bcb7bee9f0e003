import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { UsageError } from '../../local/start-options';
import { onTestFinished } from '../afterwards';
import { startOptions } from './typed-start';

describe('the options of start', () => {
  test('have defaults', () => {
    expect(startOptions([])).toEqual({
      scale: undefined,
      httpPort: 8080,
      httpsPort: 8443,
      metricsPort: undefined,
      dashboardPort: undefined,
      listen: undefined,
      host: undefined,
      command: undefined,
      main: 'main.ts',
      proxy: undefined,
      healthCheckPath: undefined,
      keepAliveTimeout: undefined,
      environment: {},
      accessLog: undefined,
      watch: false,
      quiet: false,
    });
  });

  test('take what is given', () => {
    const args = [
      '--scale',
      '5',
      '--http-port=1080',
      '--https-port',
      '1443',
      '--metrics-port',
      '1913',
      '--dashboard-port=1914',
      '--host',
      'api.test',
    ];
    expect(
      startOptions([...args, '--command', 'node', '--health-check-path', '/', '--keep-alive-timeout', '1m']),
    ).toMatchObject({
      scale: 5,
      httpPort: 1080,
      httpsPort: 1443,
      metricsPort: 1913,
      dashboardPort: 1914,
      host: 'api.test',
      healthCheckPath: '/',
      keepAliveTimeout: '60s',
    });
    expect(startOptions(['--listen', '0.0.0.0', '--access-log', 'a.log', '--watch', '--quiet'])).toMatchObject({
      listen: '0.0.0.0',
      accessLog: 'a.log',
      watch: true,
      quiet: true,
    });
  });

  test('take variables from files, the last one first', () => {
    const directory = mkdtempSync(join(tmpdir(), 'fairlead-env-'));
    onTestFinished(() => {
      rmSync(directory, { recursive: true });
    });
    const [first, second] = [join(directory, 'first.env'), join(directory, 'second.env')];
    writeFileSync(first, '# a comment\nLEVEL=info\nexport GREETING="hello world"\n');
    writeFileSync(second, "LEVEL='debug'\n");
    expect(startOptions(['--env-file', first, `--env-file=${second}`]).environment).toEqual({
      LEVEL: 'debug',
      GREETING: 'hello world',
    });
    writeFileSync(second, 'NOT A NAME=1\n');
    expect(() => startOptions(['--env-file', second])).toThrow('has "NOT A NAME", which is not the name of a variable');
  });

  test('take a command word by word after "--", and where it runs', () => {
    expect(
      startOptions(['--scale', '1', '--directory', 'test', '--', 'node', '--inspect', 'my server.js']),
    ).toMatchObject({
      scale: 1,
      command: { file: 'node', args: ['--inspect', 'my server.js'], directory: resolve('test') },
    });
    expect(startOptions(['--command', 'node server.js', '--directory', resolve('test')])).toMatchObject({
      command: { file: 'node', args: ['server.js'], directory: resolve('test') },
    });
  });

  test.each([
    [['--scale', '0'], '--scale: 0 is out of range: give a whole number from 1 to 100'],
    [['--scale', '101'], '--scale: 101 is out of range'],
    [['--scale', '2.5'], '--scale: "2.5" is out of range'],
    [['--scale=-1'], '--scale: "-1" is out of range'],
    [['--http-port', '0'], '--http-port: 0 is out of range: give a whole number from 1 to 65535'],
    [['--https-port', '65536'], '--https-port: 65536 is out of range'],
    [['--http-port', ''], '--http-port: "" is out of range'],
    [['--http-port', ' 1'], '--http-port: " 1" is out of range'],
    [['--http-port', '1e3'], '--http-port: "1e3" is out of range'],
    [['--http-port', '0x10'], '--http-port: "0x10" is out of range'],
    [['--https-port', '8080'], '--http-port: 8080 is --https-port as well: give a port of its own'],
    [['--metrics-port', '8443'], '--metrics-port: 8443 is --https-port as well: give a port of its own'],
    [
      ['--metrics-port', '9200', '--dashboard-port', '9200'],
      '--dashboard-port: 9200 is --metrics-port as well: give a port of its own',
    ],
    [['--metrics-port', '0'], '--metrics-port: 0 is out of range'],
    [['--host', 'a b'], '--host: "a b" is not a DNS name'],
    [['--host', '127.0.0.1'], '--host: "127.0.0.1" is not a DNS name'],
    [['--host', 'x;y'], '--host: "x;y" is not a DNS name'],
    [['--health-check-path', 'health'], '--health-check-path: "health" is not a URL path'],
    [['--keep-alive-timeout', '5'], '--keep-alive-timeout: "5" is not a duration'],
    [['--keep-alive-timeout', '1s'], '--keep-alive-timeout: "1s" is too short: give 2s or more'],
    [['--keep-alive-timeout', '2500ms'], '--keep-alive-timeout: "2500ms" is not a whole number of seconds'],
    [['--command', ''], '--command: "" names no program'],
    [
      ['--command', 'node a.js', '--', 'node', 'b.js'],
      '--command: "node a.js" is one program, and "node" after "--" another: give one',
    ],
    [['--directory', 'test'], '--directory: "test" is where a command of yours runs: give --command too'],
    [
      ['--directory', 'none', '--', 'node'],
      `--directory: "none" is not a directory: ${JSON.stringify(resolve('none'))} was looked for`,
    ],
    [['--directory', 'package.json', '--', 'node'], '--directory: "package.json" is not a directory'],
    [['--listen', 'localhost'], '--listen: "localhost" is not an IP address: give one'],
    [['--listen', '0.0.0.0;'], '--listen: "0.0.0.0;" is not an IP address'],
    [['--env-file', 'none'], `--env-file: "none" is not there: ${JSON.stringify(resolve('none'))} was looked for`],
    [['--env-file', 'test'], '--env-file: "test" is a directory'],
    [['--health-check-path', '/'], '--health-check-path: "/" does nothing without a command of yours: give --command'],
    [['--main', 'main.ts', '--', 'node'], '--main: "main.ts" does nothing beside a command of yours'],
  ])('%j is refused', (args, message) => {
    expect(() => startOptions(args)).toThrow(message);
  });

  test('say that a "--" without a program is not understood', () => {
    expect(() => startOptions(['--'])).toThrow(UsageError);
    expect(() => startOptions(['--'])).toThrow('"--" is followed by no program: give one, such as -- node server.js');
  });
});
