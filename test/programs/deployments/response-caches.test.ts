import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from '../../afterwards';
import { typescriptProgram } from '../../typescript-program';
import { until } from '../../until';
import { expectNothingLeft, fairleads } from '../running-fairlead';

jest.setTimeout(120_000);

const { start } = fairleads();
const main = 'test/local/fixtures/cached.ts';

test('npm start keeps answers, and leaves nothing of them behind', async () => {
  const shop = await start('--main', main);
  await shop.isUp();
  const first = await until(async () => {
    const answer = await shop.get('/healthcheck?first');
    return answer.status === 200 ? answer : undefined;
  }, 'an answer of the API');
  const second = await shop.get('/healthcheck?first');
  expect(second.body).toBe(first.body);
  expect(second.headers['cache-status']).toBe('nginx; hit');
  shop.ctrlC();
  expect(await shop.exited).toBe(0);
  await expectNothingLeft(shop);
});

test('a compose.yaml has the script that forgets them beside nginx.conf', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-compose-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const output = join(directory, 'compose.yaml');
  const cli = [...typescriptProgram, 'cli.ts', 'compose', '--main', main, '--output', output];
  const written = spawnSync(process.execPath, cli, { encoding: 'utf8', cwd: resolve(__dirname, '../../..') });
  expect(written).toMatchObject({ status: 0, stderr: '' });
  const files = join(directory, '.fairlead/compose/edge');
  const conf = readFileSync(join(files, 'nginx.conf'), 'utf8');
  expect(conf).toContain('proxy_cache_path "/tmp/cache_of_root" ');
  expect(conf).toContain('load_module "/usr/lib/nginx/modules/ngx_http_js_module.so";');
  const script = readFileSync(join(files, 'stale-answers.mjs'), 'utf8');
  expect(script).toBe(readFileSync(resolve(__dirname, '../../../nginx/routes/stale-answers.mjs'), 'utf8'));
});
