import { availableParallelism } from 'node:os';
import { InvalidOption } from '../../validation/invalid-option';
import { LocalBackend, zone } from './deployment';
import { DnsInstance, Zones } from '../dns-server';
import { ApiProcess, ApiProcessEvents, Turns } from '../processes/api-process';
import { ApiProcesses } from '../processes/api-processes';
import { Watchdog } from '../processes/watchdog';

/** Cores that those which start may take from those which serve. */
const coresToStart = Math.max(1, Math.floor(availableParallelism() / 2));

/** The processes of all backends. */
export class Backends {
  private readonly each: readonly ApiProcesses[];

  constructor(
    private readonly backends: readonly LocalBackend[],
    watchdog: Watchdog,
    events: Omit<ApiProcessEvents, 'changed'>,
  ) {
    const turns = new Turns(() => (this.ready.length === 0 ? Number.POSITIVE_INFINITY : coresToStart));
    this.each = backends.map(({ name, protocol, program, timeline }) => {
      const { apiPreStop: preStop, apiTerminationGracePeriod } = timeline;
      const shutdownTimeout = apiTerminationGracePeriod - preStop;
      const { instance, healthCheckPath } = program;
      const settings = { program: instance, protocol, healthCheckPath, preStop, shutdownTimeout, watchdog, turns };
      return new ApiProcesses(name, settings, events);
    });
  }

  /** What DNS says of them, as seen from where nginx runs. */
  zones(address: () => string): Zones {
    const instances =
      (processes: ApiProcesses): (() => readonly DnsInstance[]) =>
      () =>
        processes.ready.map(({ name, port }) => ({ name, port, address: address() }));
    return Object.fromEntries(this.each.map((processes) => [`${processes.name}.${zone}`, instances(processes)]));
  }

  get names(): readonly string[] {
    return this.each.map(({ name }) => name);
  }

  /** The name, if it is that of a backend. */
  known(name: string): string {
    return this.named(name).name;
  }

  /** Those that answer. */
  get ready(): readonly ApiProcess[] {
    return this.each.flatMap((processes) => processes.ready);
  }

  get all(): readonly ApiProcess[] {
    return this.each.flatMap((processes) => processes.all);
  }

  readyOf(name: string): readonly ApiProcess[] {
    return this.named(name).ready;
  }

  allOf(name: string): readonly ApiProcess[] {
    return this.named(name).all;
  }

  /** So many of each as they say. */
  async start(): Promise<void> {
    await Promise.all(this.backends.map(({ name, replicas }) => this.named(name).scale(replicas)));
  }

  /** So many of one backend; resolves with false if another number was wanted since. */
  scale(name: string, count: number): Promise<boolean> {
    return this.named(name).scale(count);
  }

  /** Starts another instance for each of one backend, one after another; resolves with false if that was asked for again. */
  replace(name: string): Promise<boolean> {
    return this.named(name).replace();
  }

  wanted(name: string): number {
    return this.named(name).wanted;
  }

  /** Ends one instance, which is not replaced. */
  stop(instance: string): void {
    const { processes } = this.instance('stop', instance);
    if (!processes.stop(instance)) {
      throw new InvalidOption(
        'stop',
        instance,
        `is the last one of ${processes.name}, or is ending: scale it up first`,
      );
    }
  }

  /** Ends one instance as a crash does: it is started again. */
  kill(instance: string): void {
    const { process } = this.instance('kill', instance);
    if (!process.ready) throw new InvalidOption('kill', instance, 'is not ready: wait until it is');
    process.kill();
  }

  /** Makes one instance answer late, or as fast as it can. */
  setSlow(instance: string, isSlow: boolean): void {
    const { process } = this.instance('slow', instance);
    if (isSlow && !process.canBeSlow) {
      throw new InvalidOption('slow', instance, 'is not ready, or runs in Docker: choose a process that is ready');
    }
    process.setSlow(isSlow);
  }

  abandon(): void {
    for (const processes of this.each) processes.abandon();
  }

  async terminate(): Promise<void> {
    await Promise.all(this.each.map((processes) => processes.terminate()));
  }

  private instance(option: string, name: string): { readonly processes: ApiProcesses; readonly process: ApiProcess } {
    for (const processes of this.each) {
      const process = processes.all.find((each) => each.name === name);
      if (process !== undefined) return { processes, process };
    }
    throw new InvalidOption(option, name, `is not an instance: "status" shows them`);
  }

  private named(name: string): ApiProcesses {
    const found = this.each.find((processes) => processes.name === name);
    if (found !== undefined) return found;
    throw new InvalidOption('scale', name, `is not a backend: give one of ${this.names.join(', ')}`);
  }
}
