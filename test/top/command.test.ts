import { freePort } from '../../local/ports';
import { fairlead } from '../cli/fairlead';

test('nothing that answers is one line with what to do, and exit code 1', async () => {
  const port = await freePort();
  expect(await fairlead('top', '--metrics-port', String(port))).toEqual({
    code: 1,
    stdout: '',
    stderr: `fairlead: 127.0.0.1:${port} does not answer (ECONNREFUSED): run fairlead start, or give the --metrics-port that it says, the URL of metrics, or --namespace NAME\n`,
  });
  const urls = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${port}/other/path`];
  expect(await fairlead('top', ...urls)).toEqual({
    code: 1,
    stdout: '',
    stderr: `fairlead: 127.0.0.1:${port} does not answer (ECONNREFUSED), nor does any other: give the URL of the metrics of a proxy that runs\n`,
  });
});

describe('what is typed wrong ends with exit code 2', () => {
  const notMetrics =
    'is not the URL of metrics: give http:// or https://, a host, and if need be a port and a path, such as "http://127.0.0.1:9113/metrics"';

  test.each([
    [['localhost:9113'], `URL: "localhost:9113" ${notMetrics}`],
    [['http://a/metrics?x'], `URL: "http://a/metrics?x" ${notMetrics}`],
    [['http://a:99999/metrics'], `URL: "http://a:99999/metrics" ${notMetrics}`],
    [['http://me:secret@a/metrics'], `URL: "http://…@a/metrics" ${notMetrics}`],
    [['http://a:9113', 'http://a:9113/metrics'], 'URL: "http://a:9113/metrics" is given twice: give it once'],
    [['http://a', '--namespace', 'shop'], 'top: URL and --namespace are two places to look in: give one'],
    [
      ['--metrics-port', '9113', '--namespace', 'shop'],
      'top: --metrics-port and --namespace are two places to look in: give one',
    ],
    [['--context', 'kind'], 'top: --context is of a cluster: give --namespace NAME too'],
    [['--metrics-port', '0'], '--metrics-port: 0 is out of range: give a whole number from 1 to 65535'],
    [
      ['--namespace', 'A b'],
      '--namespace: "A b" is not a DNS label: give at most 63 letters, digits and hyphens in lower case, such as "orders"',
    ],
    [['--interval', '10ms'], '--interval: "10ms" is too short: give 200ms or more'],
    [
      ['--interval', '5'],
      '--interval: "5" is not a duration: give a whole number with a unit, such as "30s" or "500ms"',
    ],
  ])('%j', async (args, message) => {
    expect(await fairlead('top', ...args)).toEqual({ code: 2, stdout: '', stderr: `fairlead: ${message}\n` });
  });
});
