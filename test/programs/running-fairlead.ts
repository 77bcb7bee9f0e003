import { ChildProcessByStdio, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { KeyPair } from '../../certificates/key-pair';
import { freePort } from '../../local/ports';
import { Watchdog } from '../../local/processes/watchdog';
import { until } from '../until';
import { typescriptProgram } from '../typescript-program';

const root = resolve(__dirname, '../..');
/** Milliseconds after which one that does not end by itself is killed, so that no test hangs. */
const endTimeout = 30_000;
const command = [process.execPath, ...typescriptProgram, 'cli.ts', 'start'] as const;

/** Without serve(): it ends at once when it is told to. */
export const foreignApp = join(root, 'test/local/fixtures/express-app.mjs');

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly user: string;
  /** With its environment. */
  readonly command: string;
}

/** `fairlead start` as a user runs it: a process of its own, with its own directory for temporary files. */
export class RunningFairlead {
  output = '';
  errors = '';
  readonly temporary = mkdtempSync(join(tmpdir(), 'test-local-'));
  readonly exited: Promise<number | string>;
  /** In the environment of everything that it starts. */
  private readonly mark = `FAIRLEAD_TEST_MARK=${randomUUID()}`;
  private readonly watchdog = Watchdog.start();
  private readonly groups = new Set<number>();
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly waiting = new Set<() => void>();

  private constructor(
    [file = '', ...args]: readonly string[],
    readonly httpPort: number,
    readonly httpsPort: number,
    readonly metricsPort: number,
    readonly dashboardPort: number,
  ) {
    // As /tmp is: when root starts it, nginx's workers are another user.
    chmodSync(this.temporary, 0o755);
    const [name = '', value = ''] = this.mark.split('=');
    this.child = spawn(file, args, {
      cwd: root,
      env: { ...process.env, TMPDIR: this.temporary, [name]: value },
      // A terminal has a process group for what it runs, and Ctrl-C goes to all of it.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      this.wake();
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    this.exited = once(this.child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
    void this.exited.then(() => {
      this.wake();
    });
    // The end of its input does not end it, so that it would outlive a test run that is killed.
    if (this.child.pid !== undefined) this.watchdog.watch({ processGroup: this.child.pid });
  }

  static start(...args: string[]): Promise<RunningFairlead> {
    return RunningFairlead.startAs((options) => [...command, ...options], args);
  }

  /** By `npm start`: npm is the process that is told to end. */
  static startByNpm(...args: string[]): Promise<RunningFairlead> {
    return RunningFairlead.startAs((options) => ['npm', 'start', '--', ...options], args);
  }

  /** By npm too, and by a shell between that stays. */
  static startByShellOfNpm(...args: string[]): Promise<RunningFairlead> {
    return RunningFairlead.startAs(
      (options) => ['npm', 'exec', '--call', `${[...command, ...options].join(' ')}; exit $?`],
      args,
    );
  }

  private static async startAs(
    program: (options: readonly string[]) => readonly string[],
    args: readonly string[],
  ): Promise<RunningFairlead> {
    const httpPort = await freePort();
    const httpsPort = await freePort();
    const metricsPort = await freePort();
    const dashboardPort = await freePort();
    const ports = [
      ...['--http-port', httpPort, '--https-port', httpsPort],
      ...['--metrics-port', metricsPort, '--dashboard-port', dashboardPort],
    ].map(String);
    return new RunningFairlead(program([...ports, ...args]), httpPort, httpsPort, metricsPort, dashboardPort);
  }

  get url(): string {
    return `https://localhost:${this.httpsPort}`;
  }

  get certificate(): string {
    const [directory = ''] = this.temporaryFiles();
    return readFileSync(join(this.temporary, directory, 'certificate', 'tls.crt'), 'utf8');
  }

  private get certificatesOfHosts(): string[] {
    const [directory = ''] = this.temporaryFiles();
    const path = join(this.temporary, directory, 'certificates-of-hosts');
    if (!existsSync(path)) return [];
    return readdirSync(path).map((host) => readFileSync(join(path, host, 'tls.crt'), 'utf8'));
  }

  /** One request over TLS on a connection of its own; a POST if it has a body. */
  get(
    path: string,
    {
      host = 'localhost',
      body,
      headers = {},
      pair,
    }: {
      readonly host?: string;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** What the client shows of itself. */
      readonly pair?: KeyPair;
    } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      request(
        {
          host: '127.0.0.1',
          port: this.httpsPort,
          path,
          method: body === undefined ? 'GET' : 'POST',
          servername: host,
          headers: { host, ...headers },
          ca: [this.certificate, ...this.certificatesOfHosts],
          agent: false,
          ...(pair === undefined ? {} : { cert: pair.certificate, key: pair.privateKey }),
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.once('end', () => {
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
          });
        },
      )
        .once('error', reject)
        .end(body);
    });
  }

  /** Resolves once the output has this; rejects if it ends before. */
  async says(text: string | RegExp): Promise<void> {
    const said = (): boolean => (typeof text === 'string' ? this.output.includes(text) : text.test(this.output));
    while (!said()) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`ended without saying ${String(text)}:\n${this.output}${this.errors}`);
      }
      await new Promise<void>((wake) => this.waiting.add(wake));
    }
  }

  async isUp(): Promise<void> {
    await this.says(/Stop {4}Ctrl-C/);
    // While all have their parent.
    this.processes();
  }

  type(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  closeInput(): void {
    this.child.stdin.end();
  }

  /** As a terminal does it. */
  ctrlC(): void {
    process.kill(-(this.child.pid ?? 0), 'SIGINT');
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Every process that it started and that is still there, itself too. */
  processes(): RunningProcess[] {
    const all = runningProcesses();
    const ours = (process: RunningProcess | undefined): boolean =>
      process !== undefined &&
      (process.pid === this.child.pid ||
        process.command.includes(this.mark) ||
        this.groups.has(process.group) ||
        ours(all.get(process.parent)));
    // nginx writes over its environment, and what is left of a group loses its parent.
    for (const process of all.values()) {
      if (ours(process)) this.groups.add(process.group);
    }
    return [...all.values()].filter(({ group }) => this.groups.has(group));
  }

  /** Waits until the processes are as they should be; looks seldom, as looking takes CPU from what is looked at. */
  async untilProcesses(are: (processes: readonly RunningProcess[]) => boolean): Promise<void> {
    await until(async () => are(this.processes()) || (await delay(200, false)), 'processes to start or end');
  }

  /** The process of nginx that all others of it come from; with Docker the one that stands for it. */
  nginxMaster(): number | undefined {
    const masters = this.processes().filter(
      ({ parent, command }) => parent === this.child.pid && /^docker run|^nginx: master|^\S+\/ld-linux/.test(command),
    );
    return masters[0]?.pid;
  }

  /** Whether anyone listens on its ports. */
  async listens(): Promise<boolean> {
    const results = await Promise.all([this.httpPort, this.httpsPort].map(isListenedOn));
    return results.includes(true);
  }

  /** Every container that sees its temporary files; none where there is no Docker. */
  containers(): string[] {
    const { stdout, error } = spawnSync('docker', ['ps', '--all', '--no-trunc', '--format', '{{.Names}} {{.Mounts}}'], {
      encoding: 'utf8',
    });
    return error === undefined ? stdout.split('\n').filter((line) => line.includes(this.temporary)) : [];
  }

  /** The process of an instance, as `status` says. */
  async processOf(instance: string): Promise<number> {
    const line = new RegExp(`${instance}  ready  \\S+  process (\\d+)`);
    const before = this.output.length;
    this.type('status');
    await this.saysAfter(before, line);
    return Number(line.exec(this.output.slice(before))?.[1]);
  }

  async saysAfter(position: number, text: RegExp): Promise<void> {
    while (!text.test(this.output.slice(position))) {
      await new Promise<void>((wake) => this.waiting.add(wake));
    }
  }

  /** What fairlead has made; other programs have their own. */
  temporaryFiles(): string[] {
    return readdirSync(this.temporary).filter((name) => name.startsWith('fairlead-'));
  }

  /** For the end of a test, whatever became of it. */
  async remove(): Promise<void> {
    this.child.kill('SIGTERM');
    const kill = setTimeout(() => {
      process.kill(-(this.child.pid ?? 0), 'SIGKILL');
    }, endTimeout);
    await this.exited;
    clearTimeout(kill);
    await this.watchdog.end();
    rmSync(this.temporary, { recursive: true, force: true });
  }

  private wake(): void {
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }
}

/** Starts what is ended after the test that has started it, whatever becomes of that. */
export function fairleads(): {
  readonly start: (...args: string[]) => Promise<RunningFairlead>;
  readonly started: (starting: Promise<RunningFairlead>) => Promise<RunningFairlead>;
} {
  const running: RunningFairlead[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((fairlead) => fairlead.remove()));
  });
  const started = async (starting: Promise<RunningFairlead>): Promise<RunningFairlead> => {
    const fairlead = await starting;
    running.push(fairlead);
    return fairlead;
  };
  return { start: (...args) => started(RunningFairlead.start(...args)), started };
}

export async function expectNothingLeft(fairlead: RunningFairlead): Promise<void> {
  expect(fairlead.processes()).toEqual([]);
  expect(fairlead.containers()).toEqual([]);
  expect(await fairlead.listens()).toBe(false);
  expect(fairlead.temporaryFiles()).toEqual([]);
}

function runningProcesses(): Map<number, RunningProcess> {
  const output = execFileSync('ps', ['axeww', '-o', 'pid=,ppid=,pgid=,user=,stat=,command='], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
  });
  const processes = new Map<number, RunningProcess>();
  for (const line of output.split('\n')) {
    const [, pid, parent, group, user = '', state = 'Z', command = ''] =
      /^ *(\d+) +(\d+) +(\d+) +(\S+) +(\S+) +(.*)$/.exec(line) ?? [];
    if (state.startsWith('Z')) continue;
    processes.set(Number(pid), {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      user,
      command: command.trim(),
    });
  }
  return processes;
}

async function isListenedOn(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
