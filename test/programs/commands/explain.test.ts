import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from '../../afterwards';
import { typescriptProgram } from '../../typescript-program';
import { until } from '../../until';
import { fairleads } from '../running-fairlead';

jest.setTimeout(120_000);

const cli = resolve(__dirname, '../../../cli.ts');
const { start } = fairleads();
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairlead-explain-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** In a directory of its own, where no main.ts is unless a test writes one. */
function explain(
  args: readonly string[],
  input: string,
  path = process.env.PATH ?? '',
  environment: Readonly<Record<string, string>> = {},
) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...typescriptProgram, cli, 'explain', ...args], {
    cwd: directory,
    env: { PATH: path, ...environment },
    encoding: 'utf8',
    input,
  });
  return { code: status, stdout, stderr };
}

const line = (requestId: string): string =>
  JSON.stringify({ request_id: requestId, status: 503, method: 'GET', host: 'shop.example.com', path: '/orders' });

test('each line of standard input is explained, and those that are none are counted', () => {
  const { code, stdout, stderr } = explain(
    [],
    `${line('a-1')}\nerror log\n{"level":30}\n${'{'.repeat(200_000)}\n${line('b-2')}`,
  );
  expect(code).toBe(0);
  expect(stdout.match(/^503: GET/gm)).toHaveLength(2);
  expect(stdout).toContain('Its host is in no main.ts that was read');
  expect(stderr).toBe(
    `fairlead: 2 of these lines left out, as the first: line: {"level":30} has no request_id, so that it is not a line of nginx's access log: give one\n`,
  );
});

test('one request of standard input is explained by its id', () => {
  const { code, stdout } = explain(['b-2'], `${line('a-1')}\n${line('b-2')}\n`);
  expect(code).toBe(0);
  expect(stdout.match(/request \S+$/gm)).toEqual(['request b-2']);
});

test('standard input without a line ends with exit code 1', () => {
  expect(explain([], 'GET / 200\n')).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'fairlead: standard input has no line of the access log: give lines as nginx writes them, a JSON object each\n',
  });
});

test('the logs of the proxies of a namespace are looked through by kubectl', () => {
  const [kubectl, called] = [join(directory, 'kubectl'), join(directory, 'called')];
  writeFileSync(
    kubectl,
    `#!/bin/sh\nprintf '%s\\n' "$@" >'${called}'\nprintf '%s\\n' '${line('a-1')}' '${line('b-2')}'\n`,
  );
  chmodSync(kubectl, 0o755);
  const path = `${directory}:${process.env.PATH ?? ''}`;
  const found = explain(['b-2', '--namespace', 'shop', '--context', 'kind-fairlead'], '', path);
  expect([found.code, found.stderr]).toEqual([0, '']);
  expect(found.stdout.match(/request \S+$/gm)).toEqual(['request b-2']);
  expect(readFileSync(called, 'utf8').split('\n')).toEqual([
    '--context=kind-fairlead',
    'logs',
    '--namespace=shop',
    '--selector=app.kubernetes.io/component=proxy,app.kubernetes.io/managed-by=fairlead',
    '--container=nginx',
    '--tail=-1',
    '--ignore-errors',
    '',
  ]);
  expect(explain(['c-3', '--namespace', 'shop'], '', path)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('the log of the proxies of shop has no request "c-3"') as string,
  });
});

test('a status is looked for in what the proxies of a namespace have logged since, each by its pod', () => {
  const [kubectl, called] = [join(directory, 'kubectl'), join(directory, 'called')];
  const at = (time: string): string => JSON.stringify({ ...(JSON.parse(line('a-1')) as object), time });
  const logged = ['edge-a', 'edge-b', 'edge-a'].map((pod) => `[pod/${pod}/nginx] ${at('2026-03-01T14:03:59+00:00')}`);
  const others = [
    `[pod/edge-a/nginx] ${at('2026-03-01T14:05:00+00:00')}`,
    '[pod/edge-a/nginx] 2026/03/01 [error] {a-1}',
  ];
  const written = [...logged, ...others].map((text) => `'${text}'`).join(' ');
  writeFileSync(kubectl, `#!/bin/sh\nprintf '%s\\n' "$@" >'${called}'\nprintf '%s\\n' ${written}\n`, { mode: 0o755 });
  const path = `${directory}:${process.env.PATH ?? ''}`;
  // 14:03 there, and 19:33 here.
  const found = explain(['503', '--at', '2026-03-01T19:33', '--namespace', 'shop'], '', path, { TZ: 'Asia/Kolkata' });
  expect(found.code).toBe(0);
  expect(found.stderr).toMatch(
    /^fairlead: 1 of these lines left out, as the first: line: .* is not a line of the access log/,
  );
  expect(found.stdout).toMatch(
    /^In the log of the proxies of shop: 3 requests from 2026-03-01T19:32:00\+05:30 to 2026-03-01T19:35:00\+05:30; 3 of them ended with 503, in one way:\n\n/,
  );
  expect(found.stdout).toContain('\n  logged by edge-a (2), edge-b (1)\n');
  expect(readFileSync(called, 'utf8').split('\n')).toEqual([
    'logs',
    '--namespace=shop',
    '--selector=app.kubernetes.io/component=proxy,app.kubernetes.io/managed-by=fairlead',
    '--container=nginx',
    '--tail=-1',
    '--since-time=2026-03-01T14:02:00Z',
    '--prefix',
    '--ignore-errors',
    '',
  ]);
  expect(explain(['503', '--at', '2026-03-01T19:33Z', '--namespace', 'shop'], '', path)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^fairlead: the log of the proxies of shop has no request from .* the log of a pod goes with it,/,
    ) as string,
  });
});

test('what a local run has logged is explained by its id, and by its status and a time', async () => {
  const log = join(directory, 'access.log');
  const fairlead = await start('--access-log', log);
  await fairlead.isUp();
  for (const id of ['a-1', 'b-2', 'c-3']) {
    expect((await fairlead.get('/status/503', { headers: { 'x-request-id': id } })).status).toBe(503);
  }
  // Each worker writes its own when it likes.
  const isLogged = (id: string): boolean => readFileSync(log, 'utf8').includes(`"${id}"`);
  await until(() => ['a-1', 'b-2', 'c-3'].every(isLogged), 'all lines');
  expect(fairlead.output).toMatch(/nginx +GET \/status\/503 503/);
  const one = explain(['b-2', '--log', log], '');
  expect([one.code, one.stdout.match(/request \S+, from 127/g)]).toEqual([0, ['request b-2, from 127']]);
  const all = explain(['503', '--since', '1h', '--log', log], '');
  expect([all.code, all.stderr]).toEqual([0, '']);
  expect(all.stdout).toMatch(/; 3 of them ended with 503, in one way:\n\n3 requests with 503, api-status, from/);
  expect(all.stdout).toMatch(/request (?:a-1|b-2|c-3), from 127/);
});

test('a request is explained while kubectl still writes, as logs may be more than a string holds', async () => {
  const [kubectl, rest] = [join(directory, 'kubectl'), join(directory, 'rest')];
  execFileSync('mkfifo', [rest]);
  writeFileSync(kubectl, `#!/bin/sh\nprintf '%s\\n' '${line('a-1')}'\ncat '${rest}'\n`, { mode: 0o755 });
  const child = spawn(process.execPath, [...typescriptProgram, cli, 'explain', 'a-1', '--namespace', 'shop'], {
    cwd: directory,
    env: { PATH: `${directory}:${process.env.PATH ?? ''}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // It ends kubectl too.
  onTestFinished(() => child.kill('SIGTERM'));
  const [text] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  expect(text).toContain('request a-1\n');
  writeFileSync(rest, `${line('b-2')}\n`);
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('a main.ts that cannot be read takes nothing but its times away', () => {
  writeFileSync(join(directory, 'main.ts'), "throw new Error('a mistake');\n");
  const { code, stdout, stderr } = explain([line('a-1')], '');
  expect(code).toBe(0);
  expect(stdout).toContain('503: GET');
  expect(stderr).toBe('fairlead: main.ts cannot be read, so that its times and options are left out: a mistake\n');
});

test('a reader that has seen enough ends it', async () => {
  const child = spawn(process.execPath, [...typescriptProgram, cli, 'explain'], {
    cwd: directory,
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${line('a-1')}\n`.repeat(5000));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  await once(child, 'close');
  expect(stderr).toBe('');
});
