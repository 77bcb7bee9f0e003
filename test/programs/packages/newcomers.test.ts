import { chmodSync, cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Load } from '../../../load/load';
import { freePort } from '../../../local/ports';
import { onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { expectNothingLeft, fairleads, foreignApp } from '../running-fairlead';

jest.setTimeout(120_000);

const { start } = fairleads();

/** An app that others change, in a directory of its own. */
function appDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-app-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  chmodSync(directory, 0o755);
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  cpSync(foreignApp, join(directory, 'server.mjs'));
  return directory;
}

describe('what newcomers meet is said with what to do', () => {
  test('a health check that answers 404', async () => {
    const server = `require("node:http").createServer((_, response) => response.writeHead(404).end()).listen(process.env.PORT)`;
    const fairlead = await start('--', 'node', '-e', server);
    await fairlead.says(/api-[12] answers 404 at \/healthcheck, .* such as --health-check-path \//);
  });

  test('an API that listens on a port of its own', async () => {
    const server = `require("node:http").createServer((_, response) => response.end()).listen(${await freePort()})`;
    const fairlead = await start('--scale', '2', '--', 'node', '-e', server);
    await fairlead.says(/api-[12] is told port \d+, and wants one that is taken: listen on process\.env\.PORT/);
  });
});

test('--watch replaces instances one after another, and loses nothing, with variables of --env-file, and --quiet', async () => {
  const directory = appDirectory();
  const server = join(directory, 'server.mjs');
  const environment = join(directory, 'variables.env');
  const versioned = (version: string): string =>
    `import express from 'express';
const app = express();
const { HOSTNAME: hostname, GREETING: greeting } = process.env;
console.log('a line of standard output');
app.get('/healthcheck', (_, response) => response.json({ hostname }));
app.post('/echo', express.json(), (request, response) => response.json({ hostname, body: request.body }));
app.get('/version', (_, response) => response.json({ version: '${version}', greeting }));
app.get('/broken', (_, response) => response.status(500).end());
app.listen(Number(process.env.PORT)).keepAliveTimeout = 5000;
`;
  writeFileSync(server, versioned('one'));
  writeFileSync(environment, 'GREETING="good day"\nPORT=1\n');
  const fairlead = await start(
    ...['--scale', '2', '--watch', '--quiet', '--env-file', environment],
    ...['--directory', directory, '--', 'node', 'server.mjs'],
  );
  await fairlead.isUp();
  await fairlead.says(`Watching ${directory}`);
  expect(JSON.parse((await fairlead.get('/version')).body)).toEqual({ version: 'one', greeting: 'good day' });
  const load = new Load({ url: fairlead.url, rate: 40, certificates: [fairlead.certificate] });
  onTestFinished(() => load.stop());

  // What does not start takes nobody's place.
  writeFileSync(server, 'process.exit(3);\n');
  await fairlead.says(/api-3 ended \(exit code 3\) before it was ready/);
  expect(JSON.parse((await fairlead.get('/version')).body)).toMatchObject({ version: 'one' });
  writeFileSync(server, versioned('two'));
  await fairlead.says(/Replaced: api-\d+, api-\d+ run what is there now/);
  await fairlead.untilProcesses(
    (all) => all.filter(({ command }) => command.startsWith('node server.mjs')).length === 2,
  );
  const { lost, sent } = await load.stop();
  expect(lost).toEqual([]);
  expect(sent).toBeGreaterThan(40);
  for (let request = 0; request < 4; request += 1) {
    expect(JSON.parse((await fairlead.get('/version')).body)).toEqual({ version: 'two', greeting: 'good day' });
  }

  expect((await fairlead.get('/broken')).status).toBe(500);
  await fairlead.says(/nginx +GET \/broken 500/);
  expect(fairlead.output).not.toContain('GET /healthcheck 200');
  expect(fairlead.output).not.toContain('a line of standard output');
  fairlead.ctrlC();
  expect(await fairlead.exited).toBe(0);
  await expectNothingLeft(fairlead);
});

test('--listen lets others in, and says so; without it nobody comes by another address', async () => {
  const isOpen = async (port: number): Promise<boolean> => {
    // Of this machine, but not the address that nginx has by default.
    const socket = connect(port, '127.0.0.2');
    onTestFinished(() => socket.destroy());
    return once(socket, 'connect').then(
      () => true,
      () => false,
    );
  };
  const [open, closed] = await Promise.all([start('--scale', '1', '--listen', '0.0.0.0'), start('--scale', '1')]);
  await Promise.all([open.isUp(), closed.isUp()]);
  await open.says(/Listening on 0\.0\.0\.0: whoever reaches this machine reaches the API, .*--host NAME/);
  expect(closed.output).not.toContain('Listening on');
  expect(await Promise.all([open.httpPort, open.httpsPort].map(isOpen))).toEqual([true, true]);
  expect(await Promise.all([open.metricsPort, closed.httpPort, closed.httpsPort].map(isOpen))).toEqual([
    false,
    false,
    false,
  ]);
  expect((await open.get('/healthcheck')).status).toBe(200);
  await until(() => open.output.includes('GET /healthcheck 200'));
});
