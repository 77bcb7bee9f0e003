import { basename, dirname } from 'node:path';
import { Load } from '../../load/load';
import { onTestFinished } from '../afterwards';
import { until } from '../until';
import { expectNothingLeft, fairleads, foreignApp, RunningFairlead } from './running-fairlead';

jest.setTimeout(120_000);

const { start } = fairleads();

function loadOf({ url, certificate }: RunningFairlead, rate: number): Load {
  const load = new Load({ url, rate, certificates: [certificate] });
  onTestFinished(() => load.stop());
  return load;
}

async function hostnames(fairlead: RunningFairlead, requests: number): Promise<string[]> {
  const names: string[] = [];
  for (let count = 0; count < requests; count += 1) {
    const { body } = await fairlead.get('/healthcheck');
    names.push((JSON.parse(body) as { hostname: string }).hostname);
  }
  return names;
}

/** With Docker they are in a group of their own, and in nobody's view. */
function nginxWorkers(fairlead: RunningFairlead): number[] {
  return fairlead
    .processes()
    .filter(({ command }) => command.includes('nginx: worker'))
    .map(({ pid }) => pid);
}

describe('fairlead start', () => {
  test('answers over TLS with the instances in turn, redirects plain HTTP, and refuses unknown hosts', async () => {
    const fairlead = await start('--scale', '3');
    await fairlead.isUp();

    expect((await hostnames(fairlead, 6)).sort()).toEqual(['api-1', 'api-1', 'api-2', 'api-2', 'api-3', 'api-3']);
    const metricsUrl = `http://localhost:${fairlead.metricsPort}/metrics`;
    expect(fairlead.output).toContain(metricsUrl);
    expect(await (await fetch(metricsUrl)).text()).toMatch(
      /^fairlead_http_requests_total\{host="localhost",route="root",backend="api",method="GET",code="200"\} \d+$/m,
    );
    const redirect = await fetch(`http://localhost:${fairlead.httpPort}/a?b=c`, { redirect: 'manual' });
    expect(redirect.status).toBe(308);
    expect(redirect.headers.get('location')).toBe(`${fairlead.url}/a?b=c`);
    await expect(fairlead.get('/healthcheck', { host: 'other.example.com' })).rejects.toThrow(
      /unrecognized name|alert/i,
    );
    expect(fairlead.output).toContain(`curl -k ${fairlead.url}/healthcheck`);
    expect(fairlead.output).not.toContain('\u001b');

    fairlead.ctrlC();
    expect(await fairlead.exited).toBe(0);
    await expectNothingLeft(fairlead);
    expect(fairlead.errors).toBe('');
    expect(fairlead.output).not.toMatch(/could not build|\[warn\]/);
  });

  test('scales from 2 to 5 and back under load: every new instance is asked, and no request is lost', async () => {
    const fairlead = await start('--scale', '2');
    await fairlead.isUp();
    const load = loadOf(fairlead, 40);

    fairlead.type('scale 5');
    await fairlead.says('5 instances are ready: api-1, api-2, api-3, api-4, api-5');
    const answered = (): Set<string | undefined> => new Set(load.requests.map(({ hostname }) => hostname));
    await until(() => answered().size >= 5);
    const master = fairlead.nginxMaster();
    const workers = nginxWorkers(fairlead);
    fairlead.type('scale 2');
    await fairlead.says('2 instances are ready: api-1, api-2');
    await fairlead.untilProcesses((all) => all.filter(({ command }) => command.includes('main.ts')).length === 2);
    const { lost, sent, byHostname } = await load.stop();

    expect(lost).toEqual([]);
    expect(sent).toBeGreaterThan(200);
    expect([...byHostname.keys()].sort()).toEqual(['api-1', 'api-2', 'api-3', 'api-4', 'api-5']);
    // The same master and the same workers: nothing was reloaded.
    expect(fairlead.nginxMaster()).toBe(master);
    expect(nginxWorkers(fairlead)).toEqual(workers);
  });

  test('an app without serve() that keeps connections for 5 s loses nothing either', async () => {
    const fairlead = await start(
      '--scale',
      '3',
      '--directory',
      dirname(foreignApp),
      '--',
      'node',
      basename(foreignApp),
    );
    await fairlead.isUp();
    expect(fairlead.output).toMatch(/api-2 +listening, as api-2/);
    const load = loadOf(fairlead, 40);
    fairlead.type('scale 1');
    await fairlead.says('One instance is ready: api-1');
    await fairlead.untilProcesses(
      (all) => all.filter(({ command }) => command.startsWith(`node ${basename(foreignApp)}`)).length === 1,
    );
    const { lost } = await load.stop();
    expect(lost).toEqual([]);
  });

  test('a killed instance is left out at once and started again, and no GET is lost', async () => {
    const fairlead = await start('--scale', '2');
    await fairlead.isUp();
    const load = loadOf(fairlead, 50);
    const pid = await fairlead.processOf('api-1');
    process.kill(pid, 'SIGKILL');
    await fairlead.says('api-1 ended (SIGKILL): started again in 0.5 s');
    const died = load.requests.length;
    await until(() => load.requests.slice(died + 50).some(({ hostname }) => hostname === 'api-1'));
    const { lost } = await load.stop();
    expect(lost.filter(({ method }) => method === 'GET')).toEqual([]);
    expect(await fairlead.processOf('api-1')).not.toBe(pid);
  });

  test('nginx is started again when it is killed', async () => {
    const fairlead = await start('--scale', '1');
    await fairlead.isUp();
    const killed = fairlead.nginxMaster();
    if (killed === undefined) throw new Error('there is no nginx');
    process.kill(killed, 'SIGKILL');
    await fairlead.says('nginx ended (SIGKILL): it is started again');
    await until(async () => (await fairlead.get('/healthcheck').catch(() => undefined))?.status === 200);
    expect(fairlead.nginxMaster()).not.toBe(killed);
    fairlead.ctrlC();
    expect(await fairlead.exited).toBe(0);
    await expectNothingLeft(fairlead);
  });

  test('reads its commands from a pipe, whose end does not end it', async () => {
    const fairlead = await start('--scale', '1');
    await fairlead.isUp();
    fairlead.type('scale zero');
    await fairlead.says('scale: "zero" is out of range: give a whole number from 1 to 100');
    fairlead.type('scale 0');
    await fairlead.says('scale: 0 is out of range: give a whole number from 1 to 100');
    fairlead.type('restart \u001b[2J everything');
    await fairlead.says(
      '"restart \\u001b[2J everything" is not a command: type scale N, stop NAME-1, weight NAME N, status, help or quit',
    );
    fairlead.type('help');
    await fairlead.says('scale N        run N instances of each backend');
    fairlead.type('status');
    await fairlead.says(/api-1 {2}ready {2}http:\/\/127\.0\.0\.1:\d+ {2}process \d+/);
    fairlead.type('scale 3');
    fairlead.closeInput();
    await fairlead.says('3 instances are ready: api-1, api-2, api-3');
    expect((await fairlead.get('/healthcheck')).status).toBe(200);
  });

  (process.getuid?.() === 0 ? test : test.skip)('started by root gives the workers of nginx to nobody', async () => {
    const fairlead = await start('--scale', '1');
    await fairlead.isUp();
    const workers = fairlead.processes().filter(({ command }) => command.includes('nginx: worker'));
    expect(workers.length).toBeGreaterThan(0);
    expect(new Set(workers.map(({ user }) => user))).toEqual(new Set(['nobody']));
    expect((await fairlead.get('/healthcheck')).status).toBe(200);
    // A body that is written to a temporary file.
    const body = 'x'.repeat(100_000);
    expect((await fairlead.get('/echo', { body })).body).toContain(body);
  });

  test('a client cannot write to the terminal, even if the API logs what it sends', async () => {
    const fairlead = await start('--scale', '1', '--command', `node ${foreignApp}`);
    await fairlead.isUp();
    await fairlead.get('/healthcheck?log=%1b%5b2Jclear%0aforged%0aend');
    await fairlead.says(/api-1 +end/);
    expect(fairlead.output).not.toContain('\u001b');
    expect(fairlead.output).toMatch(/^[\d:]{8} api-1 {4}\ufffd\[2Jclear$/m);
    expect(fairlead.output).not.toMatch(/^forged/m);
  });

  test('nginx has a line for each request, without its query string', async () => {
    const fairlead = await start('--scale', '1');
    await fairlead.isUp();
    await fairlead.get('/status/418?token=secret');
    await fairlead.says(/nginx +GET \/status\/418 418 \d+ ms api-1/);
    expect(fairlead.output).not.toContain('secret');
  });
});
