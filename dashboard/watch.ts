import { figures, type Figures, type RequestFigures } from './figures';
import { type Happening, happenings, type Observation, withGone } from './happenings';
import { isRestarted, parsedScrape, type Scrape, type ScrapePair } from './scrape';
import type { DashboardSystem, Instance, SystemDescription, SystemState } from './system';

/** A point of the plots: what happened in the second before it. Null where nobody looked, or the proxy did not answer. */
export interface Moment {
  readonly time: number;
  readonly figures: (RequestFigures & { readonly connections: number; readonly inProgress: number }) | null;
}

/** What a page is told first. */
export interface Beginning {
  readonly description: SystemDescription;
  /** Whether its buttons do anything. */
  readonly canAct: boolean;
  readonly moments: readonly Moment[];
  readonly happenings: readonly Happening[];
  /** What pages were told last; null if nobody looked until now. */
  readonly latest: Update | null;
}

/** What it is told every second. */
export interface Update {
  readonly moment: Moment;
  readonly state: SystemState;
  /** Of the last ten seconds; null before there is anything to compare. */
  readonly figures: Figures | null;
  readonly happenings: readonly Happening[];
  /** Why there are no figures. */
  readonly problem: string | null;
}

type Listener = (update: Update) => void;

/** In milliseconds: how often it looks, what it remembers, what tables are about, and how soon a page that is loaded again is back. */
const interval = 1000;
const remembered = 600_000;
const tabled = 10_000;
const absence = 5000;
const mostHappenings = 200;

/** Looks at a system every second, as long as anybody watches and for five seconds more: a page that is closed costs nothing. */
export class Watch {
  private readonly listeners = new Set<Listener>();
  private moments: Moment[] = [];
  private happened: Happening[] = [];
  /** Of the last ten seconds. */
  private looks: Look[] = [];
  private last: Observation | undefined;
  private latest: Update | null = null;
  private timer: NodeJS.Timeout | undefined;
  private leaving: NodeJS.Timeout | undefined;
  private isLooking = false;

  constructor(private readonly system: DashboardSystem) {}

  get beginning(): Beginning {
    const { description, actions } = this.system;
    const canAct = actions !== undefined;
    return { description, canAct, moments: this.moments, happenings: this.happened, latest: this.latest };
  }

  /** Tells a listener what is new, until the returned function is called. */
  watch(listener: Listener): () => void {
    this.listeners.add(listener);
    clearTimeout(this.leaving);
    if (this.timer === undefined) this.begin();
    return () => {
      if (!this.listeners.delete(listener) || this.listeners.size > 0) return;
      this.leaving = setTimeout(() => {
        this.end();
      }, absence);
    };
  }

  /** Looks no more. */
  end(): void {
    clearTimeout(this.leaving);
    if (this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
    this.looks = [];
    this.last = undefined;
    this.latest = null;
    this.system.unwatched();
  }

  private begin(): void {
    const before = this.moments.at(-1);
    // What was between is not known: a line across it would be a lie.
    if (before?.figures != null) this.moments.push({ time: before.time + 1, figures: null });
    this.timer = setInterval(() => void this.look(), interval);
    void this.look();
  }

  /** One look at a time: a proxy that answers late is asked less often. */
  private async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      const asked = this.timer;
      const scraped = await this.scrape();
      if (this.timer === asked && asked !== undefined) this.tell(scraped);
    } finally {
      this.isLooking = false;
    }
  }

  private async scrape(): Promise<Look | { readonly problem: string }> {
    try {
      const texts = await this.system.scrape();
      const time = Date.now();
      return new Map([...texts].map(([proxy, text]) => [proxy, parsedScrape(text, time)]));
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  }

  private tell(scraped: Look | { readonly problem: string }): void {
    const time = Date.now();
    const state = this.stateNow(time);
    const look = 'problem' in scraped ? undefined : scraped;
    const problem = 'problem' in scraped ? scraped.problem : undefined;
    const previous = this.looks.slice(-1);
    const observation: Observation = { time, state, problem };
    const restarted = [...pairsOf(previous, look)].flatMap(([proxy, pair]) => (isRestarted(...pair) ? [proxy] : []));
    const happened = this.last === undefined ? [] : happenings(this.last, observation, restarted);
    this.last = observation;
    if (restarted.length > 0) this.looks = [];

    const lately = (before: readonly Look[]): Figures | null => {
      const pairs = pairsOf(before, look);
      return pairs.size === 0 ? null : figures(pairs, this.system.description, state);
    };
    const moment: Moment = { time, figures: lately(previous)?.proxy ?? null };
    const tables = lately(this.looks.length === 0 ? previous : this.looks);
    if (look !== undefined) this.looks = [...this.looks, look].filter((each) => time - timeOf(each) <= tabled);

    this.moments = [...this.moments, moment].filter((each) => time - each.time <= remembered);
    this.happened = [...this.happened, ...happened]
      .filter((each) => time - each.time <= remembered)
      .slice(-mostHappenings);
    const update: Update = { moment, state, figures: tables, happenings: happened, problem: problem ?? null };
    this.latest = update;
    for (const listener of this.listeners) listener(update);
  }

  private stateNow(time: number): SystemState {
    const state = this.system.state();
    const shown: readonly Instance[] = this.last?.state.instances ?? [];
    return { ...state, instances: withGone(shown, state.instances, time) };
  }
}

/** What each proxy that answered said, by its name. */
type Look = ReadonlyMap<string, Scrape>;

function timeOf(look: Look): number {
  return look.values().next().value?.time ?? 0;
}

/** For each proxy that answers now: what it said first in these looks, and now. One that comes later counts from then on. */
function pairsOf(looks: readonly Look[], now: Look | undefined): ReadonlyMap<string, ScrapePair> {
  const pairs = new Map<string, ScrapePair>();
  for (const [proxy, after] of now ?? []) {
    const before = looks.find((look) => look.has(proxy))?.get(proxy);
    if (before !== undefined) pairs.set(proxy, [before, after]);
  }
  return pairs;
}
