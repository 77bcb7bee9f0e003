import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { weightsInterval } from '../nginx/backends/live-weights-section';
import type { DashboardServer } from '../dashboard/server';
import type { SystemActions } from '../dashboard/system';
import { integer } from '../validation/amounts';
import { Backends } from './deployment/backends';
import { banner, consoleHelp, readConsoleCommands } from './terminal/console';
import { LocalDeployment, localDeployment } from './deployment/deployment';
import { DnsServer } from './dns-server';
import { lookedUpHere } from './deployment/external-services';
import { Nginx } from './find-nginx/nginx';
import { temporaryDirectory } from './find-nginx/worker-user';
import { startDashboard } from './local-dashboard';
import { isOfLocalLoad, LocalLoad } from './local-load';
import { prepareLocalProxy } from './local-proxy';
import { watchFiles } from './changed-files';
import { Hints, whileSlow } from './terminal/hints';
import { apiLogLines, type LogLine, nginxLogLine } from './terminal/log-line';
import { ended, notAsDeployed, type Note, status, whereMetricsAre, whoMayCome, whyNotStarted } from './terminal/notes';
import { Output } from './terminal/output';
import { checkListenPorts, freePort, ownPort } from './ports';
import { accessLogFile } from './processes/access-log-file';
import type { Death } from './processes/api-process';
import { NginxProcess } from './processes/nginx-process';
import { Watchdog } from './processes/watchdog';
import { maxScale, reachedAddress, StartOptions, usualMetricsPort } from './start-options';
import { Weights } from './deployment/weights';

/** After so many attempts a command that never was ready is not started any more. */
const attemptsAtStart = 3;

/** nginx, DNS and the processes of each backend on this machine: from their start to their end. */
export class LocalRun {
  private readonly stop = new AbortController();
  private readonly watchdog = Watchdog.start();
  private readonly directory: string;
  private readonly forgetDirectory: () => void;
  private readonly backends: Backends;
  private readonly weights: Weights;
  private readonly load: LocalLoad;
  private dashboard: DashboardServer | undefined;
  private proxy: NginxProcess | undefined;
  private nginx: Nginx | undefined;
  private dns: DnsServer | undefined;
  private started = false;
  private readonly hints: Hints;

  /** What is done when it is typed, and when a button of the dashboard asks for it. */
  private readonly actions: SystemActions = {
    scale: (backend, count) => {
      void this.scale(this.backends.known(backend), integer('scale', count, 1, maxScale));
    },
    stop: (instance) => {
      this.backends.stop(instance);
      this.output.say(`${instance} is ending, and is not started again`);
    },
    kill: (instance) => {
      this.backends.kill(instance);
    },
    slow: (instance, isSlow) => {
      this.backends.setSlow(instance, isSlow);
      this.output.say(`${instance} ${isSlow ? 'is made slow' : 'is as fast as it was'}`);
    },
    weigh: (backend, percent) => {
      this.weights.set(backend, percent);
      this.output.say(`${backend} gets ${percent} % of what it shares within ${weightsInterval} s`);
    },
    load: (rate) => {
      this.load.send(rate);
      this.output.say(rate === 0 ? 'No load is sent any more' : `${rate} requests a second are sent; errors are shown`);
    },
  };

  private constructor(
    private readonly options: StartOptions,
    private readonly metricsPort: number,
    private readonly deployment: LocalDeployment,
    private readonly output: Output,
    private readonly keepLine: (line: string) => void,
  ) {
    this.directory = mkdtempSync(join(temporaryDirectory(), 'fairlead-'));
    this.forgetDirectory = this.watchdog.watch({ directory: this.directory });
    output.alignTo(deployment.backends.map(({ name }) => `${name}-1`));
    this.weights = new Weights(deployment.hostModels, this.directory);
    this.hints = new Hints((text) => {
      output.say(text, 'warn');
    }, options.command !== undefined);
    this.load = new LocalLoad(
      deployment.hostModels,
      Object.fromEntries(deployment.backends.map(({ name, program }) => [name, program.healthCheckPath])),
      { address: reachedAddress(options.listen), port: options.httpsPort },
    );
    this.backends = new Backends(deployment.backends, this.watchdog, {
      line: ({ name, port }, line, stream) => {
        for (const logLine of apiLogLines(line)) {
          if (stream === 'stderr' || this.isShown(logLine)) output.log(name, logLine);
        }
        this.hints.line(name, port, line);
      },
      waiting: ({ name }, reason) => {
        this.hints.waiting(name, reason);
      },
      died: (name, death) => {
        this.onDeath(name, death);
      },
      slow: (name, reason) => {
        output.say(`${name} is still not ready: ${whileSlow(reason)}`, 'warn');
      },
    });
  }

  static async prepare(options: StartOptions, output: Output): Promise<LocalRun> {
    const { httpPort, httpsPort, metricsPort: asked, dashboardPort } = options;
    await checkListenPorts(
      [
        ['--http-port', httpPort],
        ['--https-port', httpsPort],
        ...(asked === undefined ? [] : ([['--metrics-port', asked]] as const)),
        ...(dashboardPort === undefined ? [] : ([['--dashboard-port', dashboardPort]] as const)),
      ],
      options.listen,
    );
    const isGiven = [httpPort, httpsPort, dashboardPort].includes(usualMetricsPort);
    const otherMetricsPort = isGiven ? await freePort() : undefined;
    const metricsPort = await ownPort('--metrics-port', asked ?? otherMetricsPort, usualMetricsPort);
    const deployment = await localDeployment(options);
    const keepLine =
      options.accessLog === undefined
        ? () => undefined
        : accessLogFile(options.accessLog, (problem) => {
            output.say(problem, 'warn');
          });
    return new LocalRun(options, metricsPort, deployment, output, keepLine);
  }

  /** Runs until it is told to end; rejects if it cannot go on. Everything is gone then. */
  async run(): Promise<void> {
    const serving = this.serve().catch((error: unknown) => {
      this.stop.abort(error);
    });
    await this.stopped();
    await this.cleanUp(serving);
    if (this.stop.signal.reason instanceof Error) throw this.stop.signal.reason;
  }

  /** Ends everything in order; `run` settles when it has. */
  end(): void {
    if (this.stop.signal.aborted) return;
    this.output.say('Ending: requests in flight are answered first (Ctrl-C again ends at once)');
    this.stop.abort('ended');
  }

  /** Ends everything at once. */
  async kill(): Promise<void> {
    this.output.say('Ending at once: requests in flight are cut');
    this.backends.abandon();
    await this.watchdog.end();
  }

  private async serve(): Promise<void> {
    const machineAddress = (): string => this.nginx?.machineAddress ?? '127.0.0.1';
    this.dns = await DnsServer.start(
      this.backends.zones(machineAddress),
      lookedUpHere(this.deployment.externalServices, machineAddress),
    );
    const probePort = await freePort();
    const { options, deployment, directory, stop } = this;
    this.say(notAsDeployed(deployment));
    this.weights.write();
    const backendsReady = this.backends.start();
    const { nginx, confPath, metricsPort } = await prepareLocalProxy({
      options,
      deployment,
      weightsFile: this.weights.file,
      dnsPort: this.dns.port,
      probePort,
      metricsPort: this.metricsPort,
      directory,
      signal: stop.signal,
    });
    this.nginx = nginx;
    await backendsReady;
    if (this.isStopping()) return;
    const ports = [options.httpPort, options.httpsPort, ...(metricsPort === undefined ? [] : [metricsPort])];
    this.proxy = new NginxProcess(
      { nginx, confPath, ports, probePort, watchdog: this.watchdog },
      {
        line: (line) => {
          this.keepLine(line);
          const logLine = nginxLogLine(line, (port) => this.nameOf(port));
          if (this.isShown(logLine) && (logLine.level === 'error' || !isOfLocalLoad(line))) {
            this.output.log('nginx', logLine);
          }
        },
        restarting: (reason) => {
          this.output.say(`nginx ended (${reason}): it is started again`, 'error');
        },
        failed: (error) => {
          stop.abort(error);
        },
      },
    );
    await this.proxy.start();
    if (this.isStopping()) return;
    this.dashboard = await startDashboard({
      options,
      deployment,
      backends: this.backends,
      weights: this.weights,
      load: this.load,
      nginx,
      metricsPort,
      directory,
      actions: this.actions,
    });
    if (this.isStopping()) return;
    this.started = true;
    const backends = deployment.backends.map(({ name, protocol, program: { healthCheckPath } }) => ({
      healthCheckPath: protocol === 'http' ? healthCheckPath : undefined,
      instances: this.backends.readyOf(name).map((process) => process.name),
    }));
    this.output.block(
      banner(this.output, {
        options,
        metricsPort,
        dashboard: this.dashboard.url,
        hosts: deployment.hosts,
        nginx: nginx.describe,
        backends,
      }),
    );
    this.say([...whereMetricsAre(metricsPort, options, deployment), ...whoMayCome(options)]);
    const stopReading = this.readCommands();
    const stopWatching = options.watch
      ? watchFiles(deployment.backends, options, this.output, (name) => void this.replace(name))
      : () => undefined;
    await this.stopped();
    stopReading();
    stopWatching();
  }

  /** With `--quiet`, what goes well is not. */
  private isShown({ level }: LogLine): boolean {
    return !this.options.quiet || level === 'error' || level === 'warn';
  }

  private readCommands(): () => void {
    const { scale, stop, weigh: weight } = this.actions;
    return readConsoleCommands(process.stdin, this.output, {
      scale: (count, name) => {
        for (const each of name === undefined ? this.backends.names : [name]) scale(each, count);
      },
      stop,
      weight,
      status: () => {
        for (const process of this.backends.all) this.output.say(status(process));
      },
      help: () => {
        this.output.block(consoleHelp);
      },
      quit: () => {
        this.end();
      },
      misunderstood: (message) => {
        this.output.say(message, 'error');
      },
    });
  }

  private async scale(name: string, count: number): Promise<void> {
    const of = this.backends.names.length === 1 ? '' : ` of ${name}`;
    const before = this.backends.wanted(name);
    const scaling = this.backends.scale(name, count);
    this.output.say(`Scaling${of} from ${before} to ${count}`);
    if (!(await scaling) || this.isStopping()) return;
    const names = this.backends.readyOf(name).map((process) => process.name);
    this.output.say(
      `${count === 1 ? `One instance${of} is` : `${count} instances${of} are`} ready: ${names.join(', ')}`,
    );
  }

  /** Other instances in the place of those of a backend, which serve until these do. */
  private async replace(name: string): Promise<void> {
    if (!(await this.backends.replace(name)) || this.isStopping()) return;
    const names = this.backends.readyOf(name).map((process) => process.name);
    this.output.say(`Replaced: ${names.join(', ')} run what is there now`);
  }

  private onDeath(name: string, death: Death): void {
    if (!this.started && (death.isMissing || death.failedStarts >= attemptsAtStart)) {
      this.stop.abort(new Error(whyNotStarted(this.programOf(name), death)));
      return;
    }
    this.say([ended(name, death)]);
  }

  private say(notes: readonly Note[]): void {
    for (const { text, level } of notes) this.output.say(text, level);
  }

  private nameOf(port: number): string | undefined {
    return this.backends.all.find((process) => process.port === port)?.name;
  }

  /** What an instance runs. */
  private programOf(instance: string): string {
    return (
      this.deployment.backends.find(({ name }) => instance.replace(/-\d+$/, '') === name)?.program.name ?? instance
    );
  }

  private isStopping(): boolean {
    return this.stop.signal.aborted;
  }

  private stopped(): Promise<void> {
    const { signal } = this.stop;
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
  }

  private async cleanUp(serving: Promise<void>): Promise<void> {
    const { clientKeepAliveMinimum, workerShutdownTimeout } = this.deployment.timeline;
    this.load.end();
    await this.dashboard?.close();
    const proxyEnded = this.proxy?.end(workerShutdownTimeout * 1000);
    // Event streams and WebSockets hold nginx until the API ends them; all other clients are done by then.
    if (proxyEnded) {
      await Promise.race([proxyEnded, delay(clientKeepAliveMinimum * 1000, undefined, { ref: false })]);
    }
    await this.backends.terminate();
    await proxyEnded;
    // What was under way when it was told to end: a download, a test of the configuration.
    await serving;
    // It may have been started meanwhile.
    await this.dashboard?.close();
    await this.dns?.close();
    await rm(this.directory, { recursive: true, force: true });
    this.forgetDirectory();
    await this.watchdog.end();
  }
}
