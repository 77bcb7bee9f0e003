import { setTimeout as delay } from 'node:timers/promises';
import type { Protocol } from '../../model/routes/route';
import { freePort } from '../ports';
import { Command } from './child-output';
import { type OutputStream, ProcessGroup } from './process-group';
import { ready } from './readiness';
import { Slowdown } from './slowdown';
import { Watchdog } from './watchdog';

/** What runs for an instance, whose name and port no other one has. */
export type InstanceProgram = (instance: { readonly name: string; readonly port: number }) => {
  readonly command: Command;
  readonly environment: NodeJS.ProcessEnv;
};

/** What all instances have in common. */
export interface ApiProcessSettings {
  readonly program: InstanceProgram;
  readonly protocol: Protocol;
  /** Of gRPC the name of a service. */
  readonly healthCheckPath: string;
  /** Seconds from leaving DNS to SIGTERM: how long nginx may still send requests. */
  readonly preStop: number;
  /** Seconds from SIGTERM to SIGKILL. */
  readonly shutdownTimeout: number;
  readonly watchdog: Watchdog;
  /** One is held from the start of a process until it is ready, or has taken too long. */
  readonly turns: Turns;
}

export interface ApiProcessEvents {
  readonly line: (process: ApiProcess, line: string, stream: OutputStream) => void;
  /** It has started, and is not ready yet: why, each time that it is asked. */
  readonly waiting: (process: ApiProcess, reason: string) => void;
  /** It became ready, or is ready no longer. */
  readonly changed: () => void;
  readonly died: (name: string, death: Death) => void;
  readonly slow: (name: string, reason: string) => void;
}

export interface Death {
  /** `exit code 1`, `SIGKILL`. */
  readonly reason: string;
  /** The program itself could not be started. */
  readonly isMissing: boolean;
  /** How often in turn it ended without having been ready. */
  readonly failedStarts: number;
  readonly lastLines: readonly string[];
  readonly restartInMilliseconds: number;
}

const firstRestart = 500;
const longestRestart = 30_000;
const slowAfter = 15_000;
const rememberedLines = 5;

/** One instance of the API: a process that is started again when it ends by itself. */
export class ApiProcess {
  /** In DNS as long as this is true. */
  ready = false;
  ending = false;
  port = 0;
  /** When it came to be as it is, as Date.now gives it. */
  since = Date.now();
  /** Why it ended last; undefined once it is ready again. */
  failure: string | undefined;
  /** Why it ended last, and when, be it ready again or not. */
  lastFailure: { readonly reason: string; readonly time: number } | undefined;
  private slowdown: Slowdown | undefined;
  private failedStarts = 0;
  private group: ProcessGroup | undefined;
  private readonly stop = new AbortController();
  private readonly ended: Promise<void>;

  constructor(
    readonly name: string,
    private readonly settings: ApiProcessSettings,
    private readonly events: ApiProcessEvents,
  ) {
    this.ended = this.run();
  }

  get pid(): number | undefined {
    return this.group?.pid;
  }

  get isSlow(): boolean {
    return this.slowdown !== undefined;
  }

  /** Whether it can be made slow. */
  get canBeSlow(): boolean {
    return this.ready && this.group?.canBeSuspended === true;
  }

  /** Makes one that is ready answer late, until this is taken back or it ends. */
  setSlow(isSlow: boolean): void {
    if (isSlow === this.isSlow) return;
    this.slowdown?.end();
    this.slowdown = isSlow && this.group !== undefined ? new Slowdown(this.group) : undefined;
    this.since = Date.now();
  }

  /** Ends one that is ready at once, as if it had crashed: it is started again. */
  kill(): void {
    this.group?.kill();
  }

  /** Out of DNS, and not started again. */
  leave(): void {
    // One that is suspended would not see that it is told to end.
    this.setSlow(false);
    if (!this.ending) this.since = Date.now();
    this.ending = true;
    this.setReady(false);
  }

  /** Out of DNS first; when nobody asks it any more, it is told to end. */
  async end(): Promise<void> {
    const served = this.ready;
    this.leave();
    if (served) await this.pause(this.settings.preStop * 1000);
    await this.terminate();
  }

  /** Tells it to end at once: nothing is in front of it any more. */
  async terminate(): Promise<void> {
    this.leave();
    this.stop.abort();
    await this.group?.end('SIGTERM', this.settings.shutdownTimeout * 1000);
    await this.ended;
  }

  private async run(): Promise<void> {
    const { turns } = this.settings;
    while (!this.ending) {
      const endTurn = await turns.take(this.stop.signal);
      try {
        this.port = await freePort();
        if (this.hasToEnd()) return;
        const death = await this.runOnce(endTurn);
        if (this.hasToEnd()) return;
        this.events.died(this.name, death);
        await this.pause(death.restartInMilliseconds);
      } finally {
        endTurn();
      }
    }
  }

  private async runOnce(endTurn: () => void): Promise<Death> {
    const { program, watchdog } = this.settings;
    const { command, environment } = program({ name: this.name, port: this.port });
    const lastLines: string[] = [];
    let group: ProcessGroup;
    try {
      group = new ProcessGroup(command, {
        environment,
        watchdog,
        onLine: (line, stream) => {
          lastLines.push(line);
          if (lastLines.length > rememberedLines) lastLines.shift();
          this.events.line(this, line, stream);
        },
      });
    } catch (error) {
      // What Node does not say by an event: a program that is being written (ETXTBSY), an environment that is too long (E2BIG).
      endTurn();
      return this.death(error instanceof Error ? error.message : String(error), false, { isMissing: false, lastLines });
    }
    this.group = group;

    const exit = new AbortController();
    const becomesReady = this.becomeReady(exit.signal, endTurn);
    const reason = await group.exited;
    exit.abort();
    endTurn();
    const wasReady = await becomesReady;
    this.setSlow(false);
    this.setReady(false);
    return this.death(reason, wasReady, { isMissing: group.pid === undefined, lastLines });
  }

  /** What is told of one that has ended, or could not be started. */
  private death(reason: string, wasReady: boolean, known: Pick<Death, 'isMissing' | 'lastLines'>): Death {
    this.failure = reason;
    this.since = Date.now();
    this.lastFailure = { reason, time: this.since };
    this.failedStarts = wasReady ? 0 : this.failedStarts + 1;
    return {
      ...known,
      reason,
      failedStarts: this.failedStarts,
      restartInMilliseconds: Math.min(firstRestart * 2 ** Math.max(0, this.failedStarts - 1), longestRestart),
    };
  }

  private async becomeReady(exit: AbortSignal, endTurn: () => void): Promise<boolean> {
    const signal = AbortSignal.any([exit, this.stop.signal]);
    let notYet = '';
    const slow = setTimeout(() => {
      endTurn();
      this.events.slow(this.name, notYet);
    }, slowAfter);
    try {
      await ready({
        protocol: this.settings.protocol,
        port: this.port,
        path: this.settings.healthCheckPath,
        onNotYet: (reason) => {
          notYet = reason;
          this.events.waiting(this, reason);
        },
        signal,
      });
    } catch {
      return false;
    } finally {
      clearTimeout(slow);
    }
    endTurn();
    if (!this.ending) this.setReady(true);
    return true;
  }

  private setReady(value: boolean): void {
    if (this.ready === value) return;
    this.ready = value;
    this.since = Date.now();
    if (value) this.failure = undefined;
    this.events.changed();
  }

  /** `ending` changes while others are awaited. */
  private hasToEnd(): boolean {
    return this.ending;
  }

  private async pause(duration: number): Promise<void> {
    await delay(duration, undefined, { signal: this.stop.signal }).catch(() => undefined);
  }
}

/** Lets no more do something at the same time than a limit, which may change; the others wait in turn. */
export class Turns {
  private taken = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly limit: () => number) {}

  /** Resolves with what gives the turn back; the end of the wait is not waited for once it is aborted. */
  async take(signal: AbortSignal): Promise<() => void> {
    while (this.taken >= this.limit() && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          // One that waits for long would have a listener for each turn that others gave back.
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.waiting.push(wake);
        signal.addEventListener('abort', wake);
      });
    }
    this.taken += 1;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.taken -= 1;
      for (const wake of this.waiting.splice(0)) wake();
    };
  }
}
