import { setTimeout as delay } from 'node:timers/promises';
import type { Happening } from '../dashboard/happenings';
import { parsedScrape } from '../dashboard/scrape';
import {
  type Answer,
  configurationInfo,
  eventsBetween,
  type Observation,
  observation,
  type Outcome,
} from './observation';
import type { KnownProxy, Source } from './source';

const mostEvents = 200;

/** Asks the proxies of a source, and remembers what happened. */
export class Watch {
  private asked = new Map<KnownProxy, AskedProxy>();
  private answers: readonly Answer[] = [];
  private events: readonly Happening[] = [];

  constructor(private readonly source: Source) {}

  /** How it is now. An answer is waited for so many milliseconds; one that comes later counts from the next look on. */
  async look(patience: number, signal: AbortSignal): Promise<Observation> {
    const proxies = this.source.proxies();
    this.asked = new Map(proxies.map((proxy) => [proxy, this.asked.get(proxy) ?? new AskedProxy(proxy)]));
    const asked = [...this.asked.values()];
    await Promise.race([
      Promise.all(asked.map((proxy) => proxy.ask())),
      delay(patience, undefined, { signal, ref: false }),
    ]);
    signal.throwIfAborted();
    const time = Date.now();
    const answers = asked.map((proxy) => proxy.answer);
    this.events = [...eventsBetween(time, this.answers, answers).reverse(), ...this.events].slice(0, mostEvents);
    this.answers = answers;
    return observation(time, answers, this.events);
  }
}

/** A proxy that is asked one question at a time. */
class AskedProxy {
  private asking: Promise<void> | undefined;
  private since = 0;
  private outcome: Outcome | undefined;

  constructor(private readonly proxy: KnownProxy) {}

  /** Settles when it has answered, or failed to; never rejects. */
  ask(): Promise<void> {
    if (this.asking === undefined) {
      this.since = Date.now();
      this.asking = this.scrape().finally(() => {
        this.asking = undefined;
      });
    }
    return this.asking;
  }

  get answer(): Answer {
    const { name } = this.proxy;
    if (this.asking === undefined && this.outcome !== undefined) return { name, ...this.outcome };
    return { name, problem: `has not answered for ${((Date.now() - this.since) / 1000).toFixed(1)} s` };
  }

  private async scrape(): Promise<void> {
    const before = this.outcome !== undefined && 'after' in this.outcome ? this.outcome.after : undefined;
    try {
      const after = parsedScrape(await this.proxy.scrape(), Date.now(), before);
      this.outcome = after.metrics.has(configurationInfo)
        ? { before, after }
        : { problem: 'answers, but with no metrics of fairlead' };
    } catch (error) {
      this.outcome = { problem: error instanceof Error ? error.message : String(error) };
    }
  }
}
