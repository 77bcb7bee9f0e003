import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { Nginx } from '../find-nginx/nginx';
import { childOutput } from './child-output';
import { ProcessGroup } from './process-group';
import { ready } from './readiness';
import { Watchdog } from './watchdog';

export interface NginxProcessSettings {
  readonly nginx: Nginx;
  readonly confPath: string;
  readonly ports: readonly number[];
  readonly probePort: number;
  readonly watchdog: Watchdog;
}

export interface NginxProcessEvents {
  /** One line of its access log or of its error log. */
  readonly line: (line: string) => void;
  readonly restarting: (reason: string) => void;
  /** It ended, and could not be started again. */
  readonly failed: (error: Error) => void;
}

const startTimeout = 30_000;
/** One that ends so often in a minute has a reason that no restart removes. */
const restartsPerMinute = 3;
const minute = 60_000;
const noInstanceAtStart = / no live upstreams while connecting to upstream, .*request: "GET \/startup /;

/** nginx in front of the API: started, watched and started again. */
export class NginxProcess {
  private group: ProcessGroup | undefined;
  private ending = false;
  private restarts: number[] = [];
  private starting = false;
  /** What nginx last said of our own question before DNS had named an instance: of use only if it never is answered. */
  private unresolved: string | undefined;

  constructor(
    private readonly settings: NginxProcessSettings,
    private readonly events: NginxProcessEvents,
  ) {}

  /** Resolves once a request comes through to the API. */
  async start(): Promise<void> {
    this.starting = true;
    const group = await this.spawn();
    try {
      await this.whenAnswering(group, '/startup');
    } catch (error) {
      if (this.unresolved !== undefined && !this.isEnding()) this.events.line(this.unresolved);
      throw error;
    }
    this.starting = false;
    void this.watch(group);
  }

  /** Lets requests in flight finish, and those of connections that clients were told to keep. */
  async end(grace: number): Promise<void> {
    this.ending = true;
    await this.group?.end('SIGQUIT', grace);
  }

  private async spawn(): Promise<ProcessGroup> {
    const { nginx, confPath, ports, probePort, watchdog } = this.settings;
    const command = nginx.command(confPath, [...ports, probePort]);
    const accessLog = await makePipe(watchdog);
    if (this.ending) {
      closeSync(accessLog.input);
      throw new Error('nginx is not needed any more');
    }
    createInterface({ input: accessLog.output }).on('line', this.events.line);
    const onErrorLine = (line: string): void => {
      if (this.starting && noInstanceAtStart.test(line)) this.unresolved = line;
      else this.events.line(line);
    };
    this.group = new ProcessGroup(command, {
      environment: process.env,
      watchdog,
      onLine: onErrorLine,
      stdout: accessLog.input,
    });
    closeSync(accessLog.input);
    return this.group;
  }

  /** Rejects if it ends before, or does not answer in time. */
  private async whenAnswering(group: ProcessGroup, path: string): Promise<void> {
    const stop = new AbortController();
    let notYet = 'no answer';
    const answering = ready({
      protocol: 'https',
      port: this.settings.probePort,
      path,
      onNotYet: (reason) => {
        notYet = reason;
      },
      signal: AbortSignal.any([stop.signal, AbortSignal.timeout(startTimeout)]),
    }).catch(() => {
      throw new Error(`nginx is not ready after ${startTimeout / 1000} s: ${notYet}`);
    });
    const ended = group.exited.then((reason) => {
      throw new Error(`nginx ended (${reason}) before it was ready; its lines above say why`);
    });
    try {
      await Promise.race([answering, ended]);
    } finally {
      stop.abort();
    }
    // Its end is what watch() waits for.
    ended.catch(() => undefined);
  }

  private async watch(first: ProcessGroup): Promise<void> {
    let group = first;
    for (;;) {
      const reason = await group.exited;
      if (this.ending) return;
      const now = performance.now();
      this.restarts = [...this.restarts.filter((time) => now - time < minute), now];
      if (this.restarts.length > restartsPerMinute) {
        this.events.failed(new Error(`nginx ended ${this.restarts.length} times within a minute (${reason})`));
        return;
      }
      this.events.restarting(reason);
      try {
        group = await this.spawn();
        await this.whenAnswering(group, '/healthz');
      } catch (error) {
        if (!this.isEnding()) this.events.failed(error instanceof Error ? error : new Error(String(error)));
        return;
      }
    }
  }

  /** `ending` changes while others are awaited. */
  private isEnding(): boolean {
    return this.ending;
  }
}

/** A pipe of the operating system. What Node calls one is a socket, which `/dev/stdout` cannot be opened as. */
interface Pipe {
  readonly output: Readable;
  /** A file descriptor for a child, to be closed here once the child has it. */
  readonly input: number;
}

/** Makes a pipe, whose name is for a moment where nginx's workers cannot put a link in its place. */
async function makePipe(watchdog: Watchdog): Promise<Pipe> {
  const directory = await mkdtemp(join(tmpdir(), '.fairlead-'));
  const forget = watchdog.watch({ directory });
  const path = join(directory, 'pipe');
  try {
    await childOutput({ file: 'mkfifo', args: ['-m', '600', path] });
    // In this order neither waits for the other end.
    const output = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const input = openSync(path, constants.O_WRONLY);
    return { output: new Socket({ fd: output, readable: true, writable: false }), input };
  } finally {
    await rm(directory, { recursive: true, force: true });
    forget();
  }
}
