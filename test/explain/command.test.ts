import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fairlead } from '../cli/fairlead';

const directory = mkdtempSync(join(tmpdir(), 'fairlead-explain-'));
const log = join(directory, 'access.log');

const line = (requestId: string, more: object = {}): string =>
  JSON.stringify({ request_id: requestId, status: 404, method: 'GET', host: 'api.example.com', path: '/x', ...more });

beforeAll(() => {
  const errorLog = '2026/03/01 12:00:00 [error] 7#7: *1 limiting connections by zone "requests", request: "GET /{a-1}"';
  writeFileSync(log, [errorLog, line('a-1'), '{"broken', line('b-2'), line('a-1', { path: '/y' }), ''].join('\n'));
});

beforeAll(() => {
  writeFileSync(
    main,
    `const { App } = require(${JSON.stringify(resolve('node_modules/cdk8s'))});
const { LoadBalancedApi } = require(${JSON.stringify(resolve('charts/load-balanced-api'))});
const app = new App();
new LoadBalancedApi(app, 'shop', { image: 'shop:1', host: 'api.example.com' });
app.synth();
`,
  );
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** jest loads no main.ts a second time. */
const main = join(directory, 'shop.js');

test('a line is explained with what main.ts says', async () => {
  const { code, stdout, stderr } = await fairlead(
    'explain',
    line('a-1', { path: '/sse', tls: 'TLSv1.3' }),
    '--main',
    resolve('main.ts'),
  );
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('nginx had none for the path, and main.ts has one by now');
  expect(stdout).toMatch(/^404: GET https:\/\/api\.example\.com\/sse\n/);
  expect(stdout).toContain('  nginx, namespace api, environment production: route /sse\n');
  for (const title of [
    'What happened',
    'Why: not-found',
    'Could it have been saved?',
    'What mends it',
    'To send it again',
  ]) {
    expect(stdout).toContain(`\n\n${title}\n  `);
  }
});

test('each line of a log that has the id is explained, and no other', async () => {
  const { code, stdout, stderr } = await fairlead('explain', 'a-1', '--log', log, '--main', main);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.match(/^404: GET \S+/gm)).toEqual([
    '404: GET https://api.example.com/x',
    '404: GET https://api.example.com/y',
  ]);
});

test('every request of a trace is explained by its id', async () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traced = join(directory, 'traced.log');
  const lines = [
    line('a-1', { trace_id: trace }),
    line('b-2', { path: `/${trace}` }),
    line('c-3', { trace_id: trace, path: '/y' }),
  ];
  writeFileSync(traced, `${lines.join('\n')}\n`);
  const again = join(directory, 'again.js');
  copyFileSync(main, again);
  const { code, stdout, stderr } = await fairlead('explain', trace, '--log', traced, '--main', again);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.match(/^404: GET \S+/gm)).toEqual([
    '404: GET https://api.example.com/x',
    '404: GET https://api.example.com/y',
  ]);
});

test('an id that is not in the log ends with exit code 1', async () => {
  expect(await fairlead('explain', 'c-3', '--log', log)).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'fairlead: access.log has no request "c-3": is it of another day, or another proxy, or has accessLog.sample left it out?\n',
  });
});

test('a log that is not there, or is a directory, ends with exit code 1', async () => {
  expect(await fairlead('explain', 'c-3', '--log', join(directory, 'none'))).toEqual({
    code: 1,
    stdout: '',
    stderr: `fairlead: --log: ${JSON.stringify(join(directory, 'none'))} cannot be read (ENOENT): give the path of an access log\n`,
  });
  expect((await fairlead('explain', 'c-3', '--log', directory)).stderr).toContain('cannot be read (EISDIR)');
});

test('a main.ts that was named and is not there ends with exit code 1', async () => {
  const { code, stderr } = await fairlead('explain', line('a-1'), '--main', join(directory, 'main.ts'));
  expect([code, stderr]).toEqual([
    1,
    `fairlead: main.ts is not in ${directory}: put it there, or name the file that is: --main main.js\n`,
  ]);
});

describe('what is typed wrong ends with exit code 2', () => {
  test.each([
    [
      ['not a line'],
      'explain: "not a line" is neither a line of the access log nor the id of a request: give a JSON object in quotes, or what X-Request-Id says',
    ],
    [['{}'], "LINE: {} has no request_id, so that it is not a line of nginx's access log: give one"],
    [['{"status'], 'LINE: "{\\"status" is not a line of the access log: give one JSON object, as nginx writes it'],
    [
      ['a-1', '--log', 'x', '--namespace', 'shop'],
      'explain: --log and --namespace are two places to look in: give one',
    ],
    [
      ['a-1', '--namespace', 'shop', '--context', ''],
      '--context: "" is not the name of a context: give one, or leave it out',
    ],
    [['a-1', '--log', 'x', '--context', 'kind'], 'explain: --context is of a cluster: give --namespace NAME too'],
    [['--log', 'x'], 'explain: --log is where a request is looked for: give its id too'],
    [[line('a-1'), '--namespace', 'shop'], 'explain: --namespace is where a request is looked for: give its id too'],
    [
      ['a-1', '--namespace', 'A b'],
      '--namespace: "A b" is not a DNS label: give at most 63 letters, digits and hyphens in lower case, such as "orders"',
    ],
    [['502', '--log', 'x'], 'explain: 502 is a status: say when there was one, by --at 14:03 or --since 10m'],
    [['5XX'], 'explain: 5xx is a status: say when there was one, by --at 14:03 or --since 10m'],
    [['502', '--at', '14:03', '--since', '1h'], 'explain: --at and --since are two times: give one'],
    [
      ['a-1', '--log', 'x', '--at', '14:03'],
      'explain: --at is when there was a status: give that too, such as 502 or 5xx',
    ],
    [['--since', '1h', '--log', 'x'], 'explain: --since is when there was a status: give that too, such as 502 or 5xx'],
    [
      ['502', '--at', '25:00', '--log', 'x'],
      '--at: "25:00" is not a time: give one such as 14:03, 14:03:10, 2026-03-01T14:03 or 2026-03-01T13:03:10Z',
    ],
    [
      ['502', '--since', '10', '--log', 'x'],
      '--since: "10" is not a duration: give a whole number with a unit, such as "30s" or "500ms"',
    ],
    [['600xx', '--since', '1h'], 'explain: --since is when there was a status: give that too, such as 502 or 5xx'],
    [['a-1', 'b-2'], 'explain: "b-2" is not an option: take it out. fairlead explain --help shows the options'],
  ])('%j', async (args, message) => {
    expect(await fairlead('explain', ...args)).toEqual({ code: 2, stdout: '', stderr: `fairlead: ${message}\n` });
  });
});
