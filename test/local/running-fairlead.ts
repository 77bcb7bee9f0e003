import { ChildProcessByStdio, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { freePort } from '../../local/free-port';
import { Watchdog } from '../../local/watchdog';

const root = resolve(__dirname, '../..');

export interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
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
    args: readonly string[],
    readonly httpPort: number,
    readonly httpsPort: number,
  ) {
    const [name = '', value = ''] = this.mark.split('=');
    this.child = spawn(process.execPath, ['-r', 'ts-node/register/transpile-only', 'cli.ts', 'start', ...args], {
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

  static async start(...args: string[]): Promise<RunningFairlead> {
    const httpPort = await freePort();
    const httpsPort = await freePort();
    return new RunningFairlead(
      ['--http-port', String(httpPort), '--https-port', String(httpsPort), ...args],
      httpPort,
      httpsPort,
    );
  }

  /** With exactly these options. */
  static startWith(...args: string[]): RunningFairlead {
    return new RunningFairlead(args, 0, 0);
  }

  get url(): string {
    return `https://localhost:${this.httpsPort}`;
  }

  get certificate(): string {
    const [directory = ''] = this.temporaryFiles();
    return readFileSync(join(this.temporary, directory, 'certificate', 'tls.crt'), 'utf8');
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
    await this.exited;
    await this.watchdog.end();
    rmSync(this.temporary, { recursive: true, force: true });
  }

  private wake(): void {
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }
}

function runningProcesses(): Map<number, RunningProcess> {
  const output = execFileSync('ps', ['axeww', '-o', 'pid=,ppid=,pgid=,stat=,command='], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
  });
  const processes = new Map<number, RunningProcess>();
  for (const line of output.split('\n')) {
    const [, pid, parent, group, state = 'Z', command = ''] = /^ *(\d+) +(\d+) +(\d+) +(\S+) +(.*)$/.exec(line) ?? [];
    if (state.startsWith('Z')) continue;
    processes.set(Number(pid), {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
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
