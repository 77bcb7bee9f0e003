import { EventEmitter, once } from 'node:events';
import { ApiProcess, ApiProcessEvents, ApiProcessSettings } from './api-process';

/** The instances of one backend, as many as are wanted. */
export class ApiProcesses {
  wanted = 0;
  private readonly processes = new Set<ApiProcess>();
  /** Those that run what is no longer there. */
  private readonly outdated = new Set<ApiProcess>();
  private replacements = 0;
  private readonly changes = new EventEmitter<{ change: [] }>();
  private readonly events: ApiProcessEvents;

  constructor(
    /** Their names are this and a number. */
    readonly name: string,
    private readonly settings: ApiProcessSettings,
    events: Omit<ApiProcessEvents, 'changed'>,
  ) {
    // Every scale that is under way waits for changes.
    this.changes.setMaxListeners(0);
    this.events = { ...events, changed: () => this.changes.emit('change') };
  }

  /** Those that answer, by number. */
  get ready(): readonly ApiProcess[] {
    return this.all.filter((process) => process.ready);
  }

  /** With those that start, and those that are about to end. */
  get all(): readonly ApiProcess[] {
    return [...this.processes].sort((a, b) => numberOf(a) - numberOf(b));
  }

  /** Starts or ends instances; resolves with true once so many are ready, with false if another number was wanted since. */
  async scale(count: number): Promise<boolean> {
    this.wanted = count;
    const { staying } = this;
    for (let missing = count - staying.length; missing > 0; missing -= 1) this.add();
    // First those that do not answer anyway, then those that came last.
    const leaving = [...staying].sort((a, b) => Number(a.ready) - Number(b.ready) || numberOf(b) - numberOf(a));
    for (const process of leaving.slice(0, Math.max(0, staying.length - count))) this.end(process);
    return this.reached(count);
  }

  /**
   * Starts another instance for each, one after another: one ends once its successor is ready, and serves on until then. Resolves
   * with false if this was asked for again meanwhile, or all of them end.
   */
  async replace(): Promise<boolean> {
    for (const process of this.staying) this.outdated.add(process);
    this.replacements += 1;
    const own = this.replacements;
    // Who waits for a successor that is outdated itself waits no longer.
    this.changes.emit('change');
    while (own === this.replacements && this.wanted > 0) {
      const old = this.firstOutdated();
      if (old === undefined) return true;
      // Nothing comes in the place of one that is too many.
      const isReplaced = this.staying.length <= this.wanted;
      if (old.ready && isReplaced) {
        const successor = this.add();
        const isAwaited = (): boolean => own === this.replacements && !successor.ready && !successor.ending;
        while (isAwaited() && !old.ending) await once(this.changes, 'change');
        if (old.ending && this.staying.length > this.wanted) this.end(successor);
        if (old.ending || !successor.ready || own !== this.replacements) continue;
        // More are wanted meanwhile, and the successor is one of them: this one needs another.
        if (this.staying.length <= this.wanted) continue;
      } else if (isReplaced) {
        this.add();
      }
      this.end(old);
    }
    return false;
  }

  /** Ends one of them, and wants one less; false if it is not there, or is the last one. */
  stop(name: string): boolean {
    const process = this.staying.find((each) => each.name === name);
    if (process === undefined || this.wanted <= 1) return false;
    this.wanted -= 1;
    this.end(process);
    return true;
  }

  /** Resolves with true once so many are ready, with false if another number was wanted since. */
  private async reached(count: number): Promise<boolean> {
    this.changes.emit('change');

    while (this.wanted === count && this.ready.length !== count) await once(this.changes, 'change');
    return this.wanted === count;
  }

  /** Nothing is done any more about an instance that ends: all of them are about to be killed. */
  abandon(): void {
    for (const process of this.all) process.leave();
  }

  /** Ends all of them at the same time; nothing may be in front of them any more. */
  async terminate(): Promise<void> {
    this.wanted = 0;
    this.changes.emit('change');
    await Promise.all(
      this.all.map(async (process) => {
        await process.terminate();
        this.remove(process);
      }),
    );
  }

  private get staying(): readonly ApiProcess[] {
    return this.all.filter((process) => !process.ending);
  }

  /** One that is not ready comes first: it may never be, and nobody asks it. */
  private firstOutdated(): ApiProcess | undefined {
    const outdated = this.staying.filter((process) => this.outdated.has(process));
    return outdated.find(({ ready }) => !ready) ?? outdated[0];
  }

  private add(): ApiProcess {
    const taken = new Set(this.all.map(numberOf));
    let number = 1;
    while (taken.has(number)) number += 1;
    const process = new ApiProcess(`${this.name}-${number}`, this.settings, this.events);
    this.processes.add(process);
    return process;
  }

  private end(process: ApiProcess): void {
    void process.end().then(() => {
      this.remove(process);
    });
  }

  private remove(process: ApiProcess): void {
    this.processes.delete(process);
    this.outdated.delete(process);
    this.changes.emit('change');
  }
}

function numberOf({ name }: ApiProcess): number {
  return Number(/\d+$/.exec(name)?.[0]);
}
