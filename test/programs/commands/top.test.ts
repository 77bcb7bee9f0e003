import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { onTestFinished } from '../../afterwards';
import { answered, someMetrics, tried } from '../../top/some-metrics';
import { typescriptProgram } from '../../typescript-program';
import { until } from '../../until';
import { fairleads } from '../running-fairlead';

jest.setTimeout(120_000);

const cli = resolve(__dirname, '../../../cli.ts');
const { start } = fairleads();

/** Metrics of a proxy that answers ten requests between two looks at it. */
async function startMetrics(): Promise<string> {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 10;
    response.end(someMetrics([answered(requests), tried(requests, '10.0.0.1:3000')]));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-top-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  return directory;
}

/** A program, with all that it has written. */
class Running {
  output = '';
  errors = '';
  readonly ended: Promise<number | null>;
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;

  constructor(file: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.child = spawn(file, args, {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
    this.ended = once(this.child, 'close').then(([code]) => code as number | null);
    onTestFinished(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  static top(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Running {
    return new Running(process.execPath, [...typescriptProgram, cli, 'top', ...args], environment);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  type(keys: string): void {
    this.child.stdin.write(keys);
  }

  closeOutput(): void {
    this.child.stdout.destroy();
  }

  async says(text: string | RegExp): Promise<void> {
    const hasSaid = (): boolean => (typeof text === 'string' ? this.output.includes(text) : text.test(this.output));
    await until(hasSaid, String(text));
  }
}

describe('without a terminal', () => {
  test('--once prints what happened in one interval, as lines', async () => {
    const address = await startMetrics();
    const top = Running.top([`http://${address}/metrics`, '--once', '--interval', '200ms']);
    expect([await top.ended, top.errors]).toEqual([0, '']);
    expect(top.output).toMatch(/^fairlead top {3}\d\d:\d\d:\d\d {3}1 proxy answers\n\d+ requests\/s /);
    expect(top.output).toContain(`\n${address} `);
    expect(top.output).toMatch(/\n10\.0\.0\.1:3000 +orders +\d+ +100 % +0(?: +–){4}\n\n$/);
    expect(top.output).not.toContain('\u001b');
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('it goes on until %s, with a block for each interval', async (signal) => {
    const top = Running.top([`http://${await startMetrics()}`, '--interval', '200ms']);
    await top.says(/(?:fairlead top .*){3}/s);
    top.signal(signal);
    expect([await top.ended, top.errors]).toEqual([0, '']);
    expect(top.output).not.toContain('\u001b');
  });

  test('it ends when its reader has seen enough', async () => {
    const top = Running.top([`http://${await startMetrics()}`, '--interval', '200ms']);
    await top.says('fairlead top');
    top.closeOutput();
    expect([await top.ended, top.errors]).toEqual([0, '']);
  });
});

test('what fairlead start runs is shown, with the load that it gets', async () => {
  const fairlead = await start('--scale', '2');
  await fairlead.isUp();
  const top = Running.top(['--metrics-port', String(fairlead.metricsPort), '--interval', '500ms']);
  await top.says('requests/s');
  for (let count = 0; count < 20; count += 1) await fairlead.get('/healthcheck');
  await top.says(/\n[1-9][\d.,]* requests\/s {3}0 5xx\/s/);
  await top.says(/\n\S+:\d+ +api +[1-9][\d.,]* +\d+ % +0 /);
  top.signal('SIGINT');
  expect([await top.ended, top.errors]).toEqual([0, '']);
});

describe('a namespace', () => {
  /** A PATH with a kubectl of this text. */
  function pathWith(directory: string, kubectl: string): { readonly PATH: string } {
    const file = join(directory, 'kubectl');
    writeFileSync(file, `#!/bin/sh\n${kubectl}`);
    chmodSync(file, 0o755);
    return { PATH: `${directory}:${process.env.PATH ?? ''}` };
  }

  /** A cluster with three pods, two of which serve metrics; what kubectl was asked, and where it still runs. */
  function cluster(metricsAddress: string) {
    const directory = temporaryDirectory();
    const [called, running] = [join(directory, 'called'), join(directory, 'running')];
    const items = [
      ['edge-1', 'metrics'],
      ['edge-2', 'metrics'],
      ['edge-3', 'https'],
    ].map(([name, port]) => ({
      metadata: { name },
      spec: { containers: [{ ports: [{ name: port, containerPort: 9113 }] }] },
    }));
    writeFileSync(join(directory, 'pods'), JSON.stringify({ items }));
    const kubectl = `printf '%s\\n' "$*" >>'${called}'
case "$*" in
  *'get pods'*) cat '${join(directory, 'pods')}' ;;
  *port-forward*)
    echo $$ >>'${running}'
    echo 'Forwarding from ${metricsAddress} -> 9113'
    exec tail -f /dev/null
    ;;
esac
`;
    const lines = (file: string): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');
    return {
      environment: pathWith(directory, kubectl),
      called: () => lines(called),
      processes: () => lines(running).map(Number),
    };
  }

  function isAlive(pid: number): boolean {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'is reached by a kubectl for each pod, none of which outlives %s',
    async (signal) => {
      const { environment, called, processes } = cluster(await startMetrics());
      const args = ['--namespace', 'shop', '--context', 'kind-fairlead', '--interval', '200ms'];
      const top = Running.top(args, environment);
      await top.says('2 of 3 proxies answer\n');
      await top.says(/\nedge-3 +serves no metrics/);
      const kubectl = (command: string, ...rest: readonly string[]): string =>
        ['--context=kind-fairlead', command, '--namespace=shop', ...rest].join(' ');
      expect(called().sort()).toEqual([
        kubectl(
          'get pods',
          '--selector=app.kubernetes.io/component=proxy,app.kubernetes.io/managed-by=fairlead',
          '--field-selector=status.phase=Running',
          '--request-timeout=20s',
          '--output=json',
        ),
        kubectl('port-forward', '--address=127.0.0.1', 'pod/edge-1', ':9113'),
        kubectl('port-forward', '--address=127.0.0.1', 'pod/edge-2', ':9113'),
      ]);
      expect(processes().map(isAlive)).toEqual([true, true]);
      top.signal(signal);
      expect([await top.ended, top.errors]).toEqual([0, '']);
      await until(() => !processes().some(isAlive), 'the end of each kubectl');
    },
  );

  test('that kubectl cannot read is one line, and exit code 1', async () => {
    const kubectl = `echo 'error: context "none" does not exist' >&2; exit 1\n`;
    const top = Running.top(['--namespace', 'shop', '--context', 'none'], pathWith(temporaryDirectory(), kubectl));
    expect([await top.ended, top.output, top.errors]).toEqual([
      1,
      '',
      'fairlead: kubectl get pods: error: context "none" does not exist (exit code 1)\n',
    ]);
  });
});

describe('on a terminal', () => {
  const taken = '\u001b[?1049h\u001b[?25l';
  const givenBack = '\u001b[?25h\u001b[?1049l';

  interface OnTerminal {
    readonly running: Running;
    /** The process that has the terminal. */
    readonly pid: () => number;
  }

  /** By script(1), which gives it a terminal. */
  function onTerminal(args: readonly string[], environment: Readonly<Record<string, string>> = {}): OnTerminal {
    const pid = join(temporaryDirectory(), 'pid');
    const words = [process.execPath, ...typescriptProgram, cli, 'top', ...args].map((word) => `'${word}'`);
    const command = `stty rows 30 cols 90; echo $$ >'${pid}'; exec ${words.join(' ')}`;
    const running = new Running('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
      ...{ TERM: 'xterm-256color', SHELL: '/bin/sh' },
      ...environment,
    });
    return { running, pid: () => Number(readFileSync(pid, 'utf8')) };
  }

  const ways: Readonly<Record<string, (started: OnTerminal) => void>> = {
    q: ({ running }) => {
      running.type('q');
    },
    'Ctrl-C': ({ running }) => {
      running.type('\u0003');
    },
    SIGTERM: ({ pid }) => {
      process.kill(pid(), 'SIGTERM');
    },
  };

  test.each(Object.entries(ways))('it is one screen until %s, and what was before is there again', async (_, end) => {
    const started = onTerminal([`http://${await startMetrics()}`, '--interval', '200ms']);
    const { running } = started;
    await running.says(/\d requests\/s/);
    expect(running.output.startsWith(taken)).toBe(true);
    expect(running.output).not.toContain(givenBack);
    end(started);
    expect(await running.ended).toBe(0);
    expect(running.output.trimEnd().endsWith(givenBack)).toBe(true);
  });

  test('NO_COLOR makes it lines, without any code', async () => {
    const { running } = onTerminal([`http://${await startMetrics()}`, '--interval', '200ms'], { NO_COLOR: '1' });
    await running.says(/(?:fairlead top .*){2}/s);
    running.type('\u0003');
    expect(await running.ended).toBe(0);
    expect(running.output).not.toContain('\u001b');
  });
});
