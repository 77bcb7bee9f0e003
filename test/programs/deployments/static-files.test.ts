import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { App } from 'cdk8s';
import { NginxProxy } from '../../../charts/proxy/nginx-proxy';
import { RestrictedNamespace } from '../../../charts/namespace';
import { StaticFiles } from '../../../charts/routes/static-files';
import { localFiles } from '../../../local/deployment/local-files';
import { InvalidOption } from '../../../validation/invalid-option';
import { onTestFinished } from '../../afterwards';
import { expectNothingLeft, fairleads } from '../running-fairlead';
import { readComposeFile } from '../../local/compose-file';
import { typescriptProgram } from '../../typescript-program';

jest.setTimeout(120_000);

const { start } = fairleads();
const main = 'test/local/fixtures/web.ts';
const missing =
  'the files of ConfigMap docs are not here, and their routes answer 503: give StaticFiles local: { directory: "…" }';

test('npm start serves a directory of this machine, and says what is not here', async () => {
  const web = await start('--main', main);
  await web.isUp();
  expect(web.output).toContain(missing);
  expect(web.output).not.toMatch(/instance|Scale/);
  expect(await web.get('/basket/1')).toMatchObject({
    status: 200,
    body: '<!doctype html><title>web</title>\n',
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' },
  });
  expect(await web.get('/app.js')).toMatchObject({ status: 404 });
  expect(await web.get('/docs/')).toMatchObject({
    status: 503,
    body: 'The files of ConfigMap docs are not on this machine: say where they are by local.directory',
  });
  web.ctrlC();
  expect(await web.exited).toBe(0);
  await expectNothingLeft(web);
});

test('a compose.yaml mounts a directory of this machine, and the command says what is not here', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-compose-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const output = join(directory, 'compose.yaml');
  const root = resolve(__dirname, '../../..');
  const cli = [...typescriptProgram, 'cli.ts', 'compose', '--main', main, '--output', output];
  const written = spawnSync(process.execPath, cli, { encoding: 'utf8', cwd: root });
  expect(written).toMatchObject({ status: 0, stderr: `${missing}\n` });
  expect(written.stdout).toMatch(/ is written: docker compose -f "\S+" up\n$/);
  const here = relative(directory, join(root, 'test/local/fixtures/web $1'));
  expect(readComposeFile(output)).toMatchObject({
    services: {
      edge: {
        volumes: [
          './.fairlead/compose/edge:/etc/nginx/fairlead:ro',
          { type: 'bind', source: `./${here.replace('$', '$$$$')}`, target: '/srv/files-1', read_only: true },
        ],
      },
    },
  });
  const conf = readFileSync(join(directory, '.fairlead/compose/edge/nginx.conf'), 'utf8');
  expect(conf).toContain('root "/srv/files-1";');
  expect(conf).toContain('return 503 "The files of ConfigMap docs are not on this machine');
});

test('a directory that is not there is refused with the name of its files', () => {
  const shop = new RestrictedNamespace(new App(), 'shop');
  const edge = new NginxProxy(shop, 'edge');
  edge.addRoute('/', StaticFiles.fromImage('acme/web:1', '/web', { local: { directory: 'nowhere' } }));
  expect(() => localFiles(edge)).toThrow(
    new InvalidOption(
      'acme/web:1 (/web) local.directory',
      'nowhere',
      `is not a directory: ${resolve('nowhere')} was looked for`,
    ),
  );
});
