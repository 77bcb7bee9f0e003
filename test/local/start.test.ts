import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:https';
import { AddressInfo, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Load } from '../../load/load';
import { RunningFairlead } from './running-fairlead';
import { until } from '../until';

jest.setTimeout(120_000);

const running: RunningFairlead[] = [];

async function start(...args: string[]): Promise<RunningFairlead> {
  const fairlead = await RunningFairlead.start(...args);
  running.push(fairlead);
  return fairlead;
}

afterEach(async () => {
  for (const fairlead of running.splice(0)) await fairlead.remove();
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

function get(fairlead: RunningFairlead, path: string, host = 'localhost'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(
      {
        host: '127.0.0.1',
        port: fairlead.httpsPort,
        path,
        servername: host,
        headers: { host },
        ca: fairlead.certificate,
        agent: false,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.once('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        });
      },
    )
      .once('error', reject)
      .end();
  });
}

async function hostnames(fairlead: RunningFairlead, requests: number): Promise<string[]> {
  const names: string[] = [];
  for (let count = 0; count < requests; count += 1) {
    const { body } = await get(fairlead, '/healthcheck');
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

async function expectNothingLeft(fairlead: RunningFairlead): Promise<void> {
  expect(fairlead.processes()).toEqual([]);
  expect(fairlead.containers()).toEqual([]);
  expect(await fairlead.listens()).toBe(false);
  expect(fairlead.temporaryFiles()).toEqual([]);
}

/** Without serve(): it ends at once when it is told to. */
const foreignApp = join(__dirname, 'express-app.mjs');

describe('fairlead start', () => {
  test('answers over TLS with the instances in turn, redirects plain HTTP, and refuses unknown hosts', async () => {
    const fairlead = await start('--scale', '3');
    await fairlead.isUp();

    expect((await hostnames(fairlead, 6)).sort()).toEqual(['api-1', 'api-1', 'api-2', 'api-2', 'api-3', 'api-3']);
    const redirect = await fetch(`http://localhost:${fairlead.httpPort}/a?b=c`, { redirect: 'manual' });
    expect(redirect.status).toBe(308);
    expect(redirect.headers.get('location')).toBe(`${fairlead.url}/a?b=c`);
    await expect(get(fairlead, '/healthcheck', 'other.example.com')).rejects.toThrow(/unrecognized name|alert/i);
    expect(fairlead.output).toContain(`curl -k ${fairlead.url}/healthcheck`);
    expect(fairlead.output).not.toContain('\u001b');

    fairlead.ctrlC();
    expect(await fairlead.exited).toBe(0);
    await expectNothingLeft(fairlead);
    expect(fairlead.errors).toBe('');
  });

  test('scales from 2 to 5 and back under load: every new instance is asked, and no request is lost', async () => {
    const fairlead = await start('--scale', '2');
    await fairlead.isUp();
    const load = new Load({ url: fairlead.url, rate: 100, certificates: [fairlead.certificate] });

    fairlead.type('scale 5');
    await fairlead.says('5 instances are ready: api-1, api-2, api-3, api-4, api-5');
    const answered = (): Set<string | undefined> => new Set(load.requests.map(({ hostname }) => hostname));
    await until(() => answered().size === 5);
    const master = fairlead.nginxMaster();
    const workers = nginxWorkers(fairlead);
    fairlead.type('scale 2');
    await fairlead.says('2 instances are ready: api-1, api-2');
    await until(() => fairlead.processes().filter(({ command }) => command.includes('main.ts')).length === 2);
    const { lost, sent, byHostname } = await load.stop();

    expect(lost).toEqual([]);
    expect(sent).toBeGreaterThan(500);
    expect([...byHostname.keys()].sort()).toEqual(['api-1', 'api-2', 'api-3', 'api-4', 'api-5']);
    // The same master and the same workers: nothing was reloaded.
    expect(fairlead.nginxMaster()).toBe(master);
    expect(nginxWorkers(fairlead)).toEqual(workers);
  });

  test('an app without serve() that keeps connections for 5 s loses nothing either', async () => {
    const fairlead = await start('--scale', '3', '--command', `node ${foreignApp}`);
    await fairlead.isUp();
    expect(fairlead.output).toMatch(/api-2 +listening, as api-2/);
    const load = new Load({ url: fairlead.url, rate: 100, certificates: [fairlead.certificate] });
    fairlead.type('scale 1');
    await fairlead.says('One instance is ready: api-1');
    await until(
      () => fairlead.processes().filter(({ command }) => command.startsWith(`node ${foreignApp}`)).length === 1,
    );
    const { lost } = await load.stop();
    expect(lost).toEqual([]);
  });

  test('a killed instance is left out at once and started again, and no GET is lost', async () => {
    const fairlead = await start('--scale', '2');
    await fairlead.isUp();
    const load = new Load({ url: fairlead.url, rate: 50, certificates: [fairlead.certificate] });
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
    await until(async () => (await get(fairlead, '/healthcheck').catch(() => undefined))?.status === 200);
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
    await fairlead.says('"restart \\u001b[2J everything" is no command: type scale N, status, help or quit');
    fairlead.type('help');
    await fairlead.says('scale N   run N instances of the API');
    fairlead.type('status');
    await fairlead.says(/api-1 {2}ready {2}http:\/\/127\.0\.0\.1:\d+ {2}process \d+/);
    fairlead.type('scale 3');
    fairlead.closeInput();
    await fairlead.says('3 instances are ready: api-1, api-2, api-3');
    expect((await get(fairlead, '/healthcheck')).status).toBe(200);
  });

  test('quit ends everything', async () => {
    const fairlead = await start('--scale', '1');
    await fairlead.isUp();
    fairlead.type('quit');
    expect(await fairlead.exited).toBe(0);
    await expectNothingLeft(fairlead);
  });

  test.each(['SIGTERM', 'SIGHUP'] as const)(
    '%s lets a request in flight finish and leaves nothing behind',
    async (signal) => {
      const fairlead = await start('--scale', '2');
      await fairlead.isUp();
      const slow = get(fairlead, '/delay/1500');
      await until(() => get(fairlead, '/healthcheck'));
      fairlead.signal(signal);
      expect((await slow).status).toBe(200);
      expect(await fairlead.exited).toBe(0);
      await expectNothingLeft(fairlead);
    },
  );

  test('a second Ctrl-C ends everything at once', async () => {
    const fairlead = await start('--scale', '1');
    await fairlead.isUp();
    const slow = get(fairlead, '/delay/60000').then(
      ({ status }) => status,
      () => 'cut',
    );
    await until(() => get(fairlead, '/healthcheck'));
    fairlead.ctrlC();
    await fairlead.says('Ending');
    const again = setInterval(() => {
      fairlead.ctrlC();
    }, 300);
    expect(await fairlead.exited).toBe(130);
    clearInterval(again);
    expect(await slow).not.toBe(200);
    await expectNothingLeft(fairlead);
  });

  test('Ctrl-C while it starts leaves nothing behind', async () => {
    const fairlead = await start('--scale', '3');
    await fairlead.says(/Now accepting/);
    fairlead.ctrlC();
    expect(await fairlead.exited).toBe(0);
    await expectNothingLeft(fairlead);
  });

  test('nothing is left even if it is killed', async () => {
    const fairlead = await start('--scale', '2', '--command', `sh -c 'node ${foreignApp}; true'`);
    await fairlead.isUp();
    expect(fairlead.processes().length).toBeGreaterThan(5);
    fairlead.signal('SIGKILL');
    expect(await fairlead.exited).toBe('SIGKILL');
    await until(() => fairlead.processes().length === 0);
    await until(() => fairlead.temporaryFiles().length === 0);
    await expectNothingLeft(fairlead);
  });

  test('a client cannot write to the terminal, even if the API logs what it sends', async () => {
    const fairlead = await start('--scale', '1', '--command', `node ${foreignApp}`);
    await fairlead.isUp();
    await get(fairlead, '/healthcheck?log=%1b%5b2Jclear%0aforged%0aend');
    await fairlead.says(/api-1 +end/);
    expect(fairlead.output).not.toContain('\u001b');
    expect(fairlead.output).toMatch(/^[\d:]{8} api-1 {4}\ufffd\[2Jclear$/m);
    expect(fairlead.output).not.toMatch(/^forged/m);
  });

  test('nginx has a line for each request, without its query string', async () => {
    const fairlead = await start('--scale', '1');
    await fairlead.isUp();
    await get(fairlead, '/status/418?token=secret');
    await fairlead.says(/nginx +GET \/status\/418 418 \d+ ms api-1/);
    expect(fairlead.output).not.toContain('secret');
  });

  test('a taken port is refused before anything is started', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const taken = String((server.address() as AddressInfo).port);
    const fairlead = RunningFairlead.startWith('--https-port', taken);
    running.push(fairlead);
    expect(await fairlead.exited).toBe(1);
    expect(fairlead.errors).toBe(
      `fairlead: --https-port: ${taken} is taken by another program: stop it, or give another port, such as --https-port ${Number(taken) + 1}\n`,
    );
    expect(fairlead.output).toBe('');
    server.close();
  });

  test('a command that never starts is told with its last lines, and leaves nothing behind', async () => {
    const fairlead = await start('--command', `node -e 'console.error("no database"); process.exit(3)'`);
    expect(await fairlead.exited).toBe(1);
    expect(fairlead.errors).toBe(
      'fairlead: The API does not start: node ended 3 times before it was ready (exit code 3).\n  no database\n',
    );
    await expectNothingLeft(fairlead);
  });

  test('a command that does not exist is named', async () => {
    const fairlead = await start('--command', 'no-such-program --port 1');
    expect(await fairlead.exited).toBe(1);
    expect(fairlead.errors).toContain('"no-such-program" is not a program on the PATH');
  });
});

describe('the command line', () => {
  const run = async (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> => {
    try {
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        ['-r', 'ts-node/register/transpile-only', 'cli.ts', ...args],
        { cwd: resolve(__dirname, '../..') },
      );
      return { code: 0, stdout, stderr };
    } catch (error) {
      return error as { code: number; stdout: string; stderr: string };
    }
  };

  test('shows help and the version', async () => {
    expect((await run('--help')).stdout).toContain('Usage: fairlead start');
    expect((await run('start', '--help')).stdout).toContain('--keep-alive-timeout');
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([
    [[], 2, 'fairlead: a command is missing; fairlead --help shows them\n'],
    [['stop'], 2, 'fairlead: "stop" is no command; fairlead --help shows them\n'],
    [['start', '--scael', '2'], 2, "fairlead: Unknown option '--scael'; fairlead start --help shows the options\n"],
    [['start', '--scale', 'many'], 1, 'fairlead: --scale: "many" is out of range: give a whole number from 1 to 100\n'],
  ])('%j ends with exit code %i and one line', async (args, code, stderr) => {
    expect(await run(...args)).toMatchObject({ code, stdout: '', stderr });
  });
});
